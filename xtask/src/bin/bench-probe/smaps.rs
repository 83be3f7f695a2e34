//! Private memory of a library, from `/proc/self/smaps`.

/// KiB of `Private_Dirty` and `Private_Clean`, summed over the mappings of the library and the nameless one right behind
/// them, its zero-initialised data.
pub(crate) fn private(smaps: &str, library: &str) -> (u64, u64) {
    let (mut dirty, mut clean) = (0, 0);
    let mut counts = false;
    let mut end_of_library = "";
    for line in smaps.lines() {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        if let Some((start, end)) = first.split_once('-') {
            let path = words.nth(4).unwrap_or_default();
            counts = path.contains(library) || (path.is_empty() && start == end_of_library);
            if counts {
                end_of_library = end;
            }
        } else if counts {
            let size = words.next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
            match first {
                "Private_Dirty:" => dirty += size,
                "Private_Clean:" => clean += size,
                _ => {}
            }
        }
    }
    (dirty, clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_library_and_its_bss_count() {
        let smaps = "\
            1000-2000 r-xp 00000000 fe:00 7 /x/libuwt_preload.so\nPrivate_Clean: 4 kB\nPrivate_Dirty: 0 kB\n\
            2000-3000 rw-p 00001000 fe:00 7 /x/libuwt_preload.so\nPrivate_Clean: 0 kB\nPrivate_Dirty: 8 kB\n\
            3000-4000 rw-p 00000000 00:00 0\nPrivate_Clean: 0 kB\nPrivate_Dirty: 16 kB\n\
            5000-6000 rw-p 00000000 00:00 0\nPrivate_Dirty: 32 kB\n\
            7000-8000 r-xp 00000000 fe:00 9 /lib/libc.so.6\nPrivate_Dirty: 64 kB\n";
        assert_eq!(private(smaps, "libuwt_preload"), (24, 4));
        assert_eq!(private(smaps, "libtorsocks"), (0, 0));
    }
}
