//! What an executable file is, from its first bytes.

/// The loader an ELF file names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpreter {
    /// glibc's ld-linux, which honours `LD_PRELOAD`.
    Glibc,
    /// musl's, or one that could not be read: it ignores a library made for glibc.
    Other,
}

/// What the kernel would make of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image<'a> {
    /// An ELF program of this architecture with a loader.
    Dynamic(Interpreter),
    /// An ELF program of this architecture without one.
    Static,
    /// An ELF program of another architecture or word size.
    ForeignArchitecture,
    /// A script: `#!` and this interpreter (execve(2), "Interpreter scripts").
    Script(&'a [u8]),
    /// The caller may execute it but not read it.
    Unreadable,
    /// None of these; the kernel says ENOEXEC, execvp(3) hands it to a shell.
    Unknown,
}

const ELF_CLASS_64_LITTLE_ENDIAN: [u8; 2] = [2, 1];
const PT_INTERP: u32 = 3;
const HEADER_SIZE: u16 = 56;

#[cfg(target_arch = "x86_64")]
const MACHINE: u16 = 62;
#[cfg(target_arch = "aarch64")]
const MACHINE: u16 = 183;

/// Classifies a file by its first bytes (elf(5)); 4096 of them hold the program headers of every usual linker.
#[must_use]
#[inline(never)]
pub fn classify(head: &[u8]) -> Image<'_> {
    if let Some(line) = head.strip_prefix(b"#!") {
        return script(line);
    }
    if !head.starts_with(b"\x7fELF") {
        return Image::Unknown;
    }
    let native = head.get(4..6) == Some(&ELF_CLASS_64_LITTLE_ENDIAN) && u16_at(head, 18) == Some(MACHINE);
    if !native {
        return Image::ForeignArchitecture;
    }
    // What can't be read is taken for a loader we don't know: refused, where "static" could one day be carried.
    loader(head).unwrap_or(Image::Dynamic(Interpreter::Other))
}

fn script(line: &[u8]) -> Image<'_> {
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let path = line.split(|byte| matches!(byte, b' ' | b'\t')).find(|word| !word.is_empty());
    path.map_or(Image::Unknown, Image::Script)
}

fn loader(head: &[u8]) -> Option<Image<'_>> {
    let table = usize::try_from(u64_at(head, 32)?).ok()?;
    let entry_size = u16_at(head, 54)?;
    if entry_size != HEADER_SIZE {
        return None;
    }
    for index in 0..usize::from(u16_at(head, 56)?) {
        let entry = table.checked_add(index.checked_mul(usize::from(entry_size))?)?;
        if u32_at(head, entry)? != PT_INTERP {
            continue;
        }
        let offset = usize::try_from(u64_at(head, entry.checked_add(8)?)?).ok()?;
        let len = usize::try_from(u64_at(head, entry.checked_add(32)?)?).ok()?;
        let path = head.get(offset..offset.checked_add(len)?)?;
        return Some(Image::Dynamic(if is_glibc_loader(path) { Interpreter::Glibc } else { Interpreter::Other }));
    }
    Some(Image::Static)
}

/// Whether a path names glibc's loader, by the file name every Debian architecture uses.
pub(crate) fn is_glibc_loader(path: &[u8]) -> bool {
    let path = path.split(|byte| *byte == 0).next().unwrap_or_default();
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    name.starts_with(b"ld-linux")
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().copied().map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    fn elf(machine: u16, interpreter: Option<&[u8]>) -> Vec<u8> {
        let mut file = vec![0; 64 + 2 * 56];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        file[18..20].copy_from_slice(&machine.to_le_bytes());
        file[32..40].copy_from_slice(&64_u64.to_le_bytes());
        file[54..56].copy_from_slice(&56_u16.to_le_bytes());
        file[56..58].copy_from_slice(&2_u16.to_le_bytes());
        file[64..68].copy_from_slice(&6_u32.to_le_bytes());
        if let Some(path) = interpreter {
            file[120..124].copy_from_slice(&3_u32.to_le_bytes());
            let end = file.len() as u64;
            file[128..136].copy_from_slice(&end.to_le_bytes());
            file[152..160].copy_from_slice(&(path.len() as u64).to_le_bytes());
            file.extend_from_slice(path);
        }
        file
    }

    #[test]
    fn elf_files() {
        assert_eq!(classify(&elf(MACHINE, Some(b"/lib64/ld-linux-x86-64.so.2\0"))), Image::Dynamic(Interpreter::Glibc));
        assert_eq!(classify(&elf(MACHINE, Some(b"/lib/ld-musl-x86_64.so.1\0"))), Image::Dynamic(Interpreter::Other));
        assert_eq!(classify(&elf(MACHINE, None)), Image::Static);
        assert_eq!(classify(&elf(3, None)), Image::ForeignArchitecture);
        let mut narrow = elf(MACHINE, None);
        narrow[4] = 1;
        assert_eq!(classify(&narrow), Image::ForeignArchitecture);
        let far = elf(MACHINE, Some(b"/lib64/ld-linux-x86-64.so.2\0"));
        assert_eq!(classify(&far[..190]), Image::Dynamic(Interpreter::Other), "cut short");
    }

    #[test]
    fn scripts_and_others() {
        assert_eq!(classify(b"#!/bin/sh -e\n"), Image::Script(b"/bin/sh"));
        assert_eq!(classify(b"#! /usr/bin/env python3\nx"), Image::Script(b"/usr/bin/env"));
        assert_eq!(classify(b"#!\n"), Image::Unknown);
        assert_eq!(classify(b"echo hello"), Image::Unknown);
        assert_eq!(classify(b""), Image::Unknown);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(mut bytes in proptest::collection::vec(0_u8.., 0..300)) {
            let _ = classify(&bytes);
            let whole = elf(MACHINE, Some(b"/lib64/ld-linux-x86-64.so.2\0"));
            for (index, byte) in bytes.iter_mut().enumerate().take(6) { *byte = whole[index]; }
            let _ = classify(&bytes);
        }
    }
}
