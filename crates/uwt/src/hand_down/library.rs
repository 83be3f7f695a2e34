//! The preload library's file. The loader ignores one that it cannot use, with a warning, and the program would run
//! unprotected: so everything that would make it do so is found here first.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::sys::statvfs::{FsFlags, statvfs};
use uwt_config::Setting;
use uwt_policy::{Image, classify};

use crate::call::image::head;
use crate::message::Failure;

/// The library's file name.
pub(crate) const FILE_NAME: &str = "libuwt_preload.so";

/// What the loader may put for `$LIB` (ld.so(8)): Debian's multiarch folder, then what other systems have.
#[cfg(target_arch = "x86_64")]
const LIB: [&str; 3] = ["lib/x86_64-linux-gnu", "lib64", "lib"];
#[cfg(target_arch = "aarch64")]
const LIB: [&str; 3] = ["lib/aarch64-linux-gnu", "lib64", "lib"];

/// The library that is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Library {
    /// Its path; the loader and the session variable can carry it.
    pub(crate) path: String,
    /// Why this one.
    pub(crate) origin: String,
}

/// Finds and checks it: the configured one, else the one beside our own program, else the installed one.
///
/// # Errors
/// It is missing or the loader would ignore it.
pub(crate) fn find(configured: &Setting<Option<PathBuf>>) -> Result<Library, Failure> {
    let (path, origin) = match &configured.value {
        Some(path) => (path.clone(), configured.origin.to_string()),
        None => match beside_us() {
            Some(path) => (path, "beside uwt itself".to_owned()),
            None => (installed(Path::new("/usr"), "uwt", FILE_NAME), "installed".to_owned()),
        },
    };
    match check(&path, "the preload library") {
        Ok(path) => Ok(Library { path, origin }),
        Err(cause) => Err(Failure::ours(format!(
            "{}: {cause}; nothing was run (reinstall uwt, or correct `preload` in the configuration)",
            path.display()
        ))),
    }
}

/// Finds and checks libfaketime, which `time_privacy` needs.
///
/// Not the one for threads: its lock, which every look at the clock takes, is never free again for a signal handler that
/// interrupted one, nor in a child that was forked during one.
///
/// # Errors
/// It is missing or the loader would ignore it.
pub(crate) fn faketime() -> Result<String, Failure> {
    let path = installed(Path::new("/usr"), "faketime", "libfaketime.so.1");
    check(&path, "the library for time_privacy").map_err(|cause| {
        let shown = path.display();
        Failure::ours(format!("{shown}: {cause}; nothing was run (install libfaketime, or set time_privacy = false)"))
    })
}

/// In a build folder or an unpacked archive.
fn beside_us() -> Option<PathBuf> {
    let path = fs::read_link("/proc/self/exe").ok()?.with_file_name(FILE_NAME);
    path.symlink_metadata().is_ok().then_some(path)
}

/// Where `file` of `folder` is, or would be.
fn installed(root: &Path, folder: &str, file: &str) -> PathBuf {
    let mut candidates = LIB.map(|lib| root.join(lib).join(folder).join(file)).into_iter();
    let first = candidates.next().unwrap_or_default();
    if first.exists() { first } else { candidates.find(|path| path.exists()).unwrap_or(first) }
}

/// Whether the loader will use it; else what keeps it from it.
fn check(path: &Path, what: &str) -> Result<String, String> {
    let name = path.to_str().ok_or("the path is not UTF-8")?;
    if !path.is_absolute() {
        return Err("the path is not absolute".to_owned());
    }
    // ':' and white space separate the entries of LD_PRELOAD, '$' begins a replacement (ld.so(8)).
    if name.chars().any(|letter| letter.is_whitespace() || letter.is_control() || matches!(letter, ':' | '$')) {
        return Err("the path has white space, ':' or '$' in it, which LD_PRELOAD cannot carry".to_owned());
    }
    let status = fs::metadata(path).map_err(|error| format!("{what} cannot be found ({error})"))?;
    if !status.is_file() {
        return Err(format!("{what} is not a regular file"));
    }
    let beginning = head(path).map_err(|error| format!("{what} cannot be read ({error})"))?;
    match classify(&beginning) {
        Image::Static if field::<2>(&beginning, 16) == Some(ET_DYN) => {}
        Image::ForeignArchitecture => return Err(format!("{what} is of another architecture")),
        _ => return Err("not a shared library".to_owned()),
    }
    if !is_whole(&beginning, status.size()) {
        return Err(format!("{what} is cut short"));
    }
    let flags = statvfs(path).map_err(|error| format!("its file system cannot be asked ({error})"))?.flags();
    if flags.contains(FsFlags::ST_NOEXEC) {
        return Err(format!("{what} is on a file system that is mounted noexec"));
    }
    Ok(name.to_owned())
}

/// elf(5), `e_type`: a shared object.
const ET_DYN: u64 = 3;

/// Whether the file holds every segment that its program headers speak of (elf(5)).
fn is_whole(head: &[u8], size: u64) -> bool {
    let segments = || {
        let (table, entry, count) = (field::<8>(head, 32)?, field::<2>(head, 54)?, field::<2>(head, 56)?);
        let mut end = 0;
        for index in 0..count {
            let header = usize::try_from(table.checked_add(index.checked_mul(entry)?)?).ok()?;
            let offset = field::<8>(head, header.checked_add(8)?)?;
            end = end.max(offset.checked_add(field::<8>(head, header.checked_add(32)?)?)?);
        }
        Some(end)
    };
    segments().is_some_and(|end| end > 0 && end <= size)
}

/// A little-endian number of `N` bytes, at most 8.
fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes: &[u8; N] = bytes.get(at..)?.first_chunk()?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Any shared library of this machine.
    fn library() -> Vec<u8> {
        let maps = fs::read_to_string("/proc/self/maps").expect("readable");
        let path = maps.split_whitespace().find(|word| word.contains("/libgcc_s.so")).expect("every test loads it");
        fs::read(path).expect("readable")
    }

    #[test]
    fn what_the_loader_would_ignore_is_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        let good = library();
        let mut foreign = good.clone();
        foreign[18] ^= 0x55;
        let mut narrow = good.clone();
        narrow[4] = 1;
        for (name, content) in [
            ("good.so", &good[..]),
            ("foreign.so", &foreign),
            ("narrow.so", &narrow),
            ("short.so", &good[..good.len() / 2]),
            ("stub.so", &good[..100]),
            ("text.so", b"hello"),
            ("empty.so", b""),
            ("with space.so", &good),
            ("with:colon.so", &good),
            ("$LIB.so", &good),
        ] {
            fs::write(at(name), content).expect("written");
        }
        fs::create_dir(at("folder.so")).expect("made");
        symlink("good.so", at("link.so")).expect("linked");
        symlink("nowhere", at("dangling.so")).expect("linked");
        let check = |path: &Path| check(path, "the library");
        assert_eq!(check(&at("good.so")).as_deref(), Ok(at("good.so").to_str().expect("UTF-8")));
        assert!(check(&at("link.so")).is_ok());
        for (name, cause) in [
            ("none.so", "cannot be found"),
            ("dangling.so", "cannot be found"),
            ("folder.so", "not a regular file"),
            ("foreign.so", "another architecture"),
            ("narrow.so", "another architecture"),
            ("short.so", "cut short"),
            ("stub.so", "not a shared library"),
            ("text.so", "not a shared library"),
            ("empty.so", "not a shared library"),
            ("with space.so", "LD_PRELOAD cannot carry"),
            ("with:colon.so", "LD_PRELOAD cannot carry"),
            ("$LIB.so", "LD_PRELOAD cannot carry"),
        ] {
            let found = check(&at(name)).expect_err(name);
            assert!(found.contains(cause), "{name}: {found}");
        }
        assert!(check(Path::new("libuwt_preload.so")).is_err(), "relative");
        assert!(check(Path::new("/bin/sh")).is_err(), "a program");
    }

    #[test]
    fn the_installed_one() {
        let root = tempfile::tempdir().expect("folder");
        let installed = |root: &Path| installed(root, "uwt", FILE_NAME);
        assert_eq!(installed(root.path()), root.path().join(LIB[0]).join("uwt").join(FILE_NAME));
        for lib in LIB.iter().rev() {
            let path = root.path().join(lib).join("uwt").join(FILE_NAME);
            fs::create_dir_all(path.parent().expect("folder")).expect("made");
            fs::write(&path, "").expect("written");
            assert_eq!(installed(root.path()), path);
        }
    }
}
