//! The preload library's files.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// Its name.
const FILE: &str = "libuwt_preload.so";

/// A file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Library {
    pub(super) path: PathBuf,
    /// What it is made for; `None` if that cannot be read.
    pub(super) architecture: Option<String>,
}

/// The one that is used, and those that are installed for the other things that ld.so(8) may put for `$LIB`.
pub(super) fn all(root: &Path, used: Option<&Path>) -> Vec<Library> {
    let lib = root.join("usr/lib");
    let multiarch = fs::read_dir(&lib).into_iter().flatten().flatten().map(|entry| entry.path());
    let others = ["lib", "lib64", "lib32", "libx32"].map(|name| root.join("usr").join(name));
    let installed = multiarch.chain(others).map(|folder| folder.join("uwt").join(FILE)).filter(|path| path.is_file());
    // /usr/lib64 may be a link.
    let real = |path: PathBuf| path.canonicalize().unwrap_or(path);
    let mut paths: Vec<PathBuf> = installed.map(real).chain(used.map(Path::to_owned).map(real)).collect();
    paths.sort();
    paths.dedup();
    paths.into_iter().map(|path| Library { architecture: architecture(&path), path }).collect()
}

/// What an ELF file is made for (elf(5): `EI_CLASS`, `EI_DATA`, `e_machine`).
fn architecture(path: &Path) -> Option<String> {
    let mut head = [0; 20];
    File::open(path).ok()?.read_exact(&mut head).ok()?;
    let [0x7f, b'E', b'L', b'F', class, data, .., low, high] = head else { return None };
    let machine = if data == 2 { u16::from_be_bytes([low, high]) } else { u16::from_le_bytes([low, high]) };
    Some(match (machine, class) {
        (62, 2) => "x86-64".to_owned(),
        (62, 1) => "x32".to_owned(),
        (3, _) => "i386".to_owned(),
        (183, _) => "arm64".to_owned(),
        (40, _) => "arm".to_owned(),
        (243, _) => "riscv64".to_owned(),
        _ => format!("ELF machine {machine}"),
    })
}
