//! PATH lookup as execvp(3) does it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::unistd::{AccessFlags, faccessat};

/// What PATH holds for a name.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A regular file that we may execute: the first one.
    Executable(PathBuf),
    /// Only files that we may not execute; the first of them.
    Denied(PathBuf),
    /// No file.
    Nothing,
}

/// What an unset PATH means (confstr(3), `_CS_PATH`).
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// Looks `name`, which has no slash, up in the folders of `path`; an empty one is the current folder.
pub(crate) fn search(name: &OsStr, path: Option<&OsStr>) -> Found {
    let path = path.unwrap_or(OsStr::new(DEFAULT_PATH));
    let mut denied = None;
    if name.is_empty() {
        return Found::Nothing;
    }
    for folder in path.as_bytes().split(|byte| *byte == b':') {
        let folder = if folder.is_empty() { OsStr::new(".") } else { OsStr::from_bytes(folder) };
        let candidate = Path::new(folder).join(name);
        match look(&candidate) {
            Found::Executable(path) => return Found::Executable(path),
            Found::Denied(path) => denied = denied.or(Some(path)),
            Found::Nothing => {}
        }
    }
    denied.map_or(Found::Nothing, Found::Denied)
}

/// What is at one path.
pub(crate) fn look(path: &Path) -> Found {
    // Most folders of PATH do not have it: one call says so.
    match faccessat(AT_FDCWD, path, AccessFlags::X_OK, AtFlags::AT_EACCESS) {
        Ok(()) if path.is_file() => Found::Executable(path.to_owned()),
        // A folder; execve(2) says EACCES to it.
        Ok(()) | Err(nix::errno::Errno::EACCES) => Found::Denied(path.to_owned()),
        Err(_) => Found::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_first_executable_regular_file() {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        for (name, mode) in [("a", 0o644), ("b", 0o755), ("c", 0o755)] {
            fs::create_dir(at(name)).expect("made");
            fs::write(at(name).join("prog"), "").expect("written");
            fs::set_permissions(at(name).join("prog"), Permissions::from_mode(mode)).expect("set");
        }
        fs::create_dir_all(at("d/prog")).expect("made");
        let look_in = |folders: &[&str]| {
            let folders: Vec<_> = folders.iter().map(|name| at(name).display().to_string()).collect();
            search(OsStr::new("prog"), Some(OsStr::new(&folders.join(":"))))
        };
        assert_eq!(look_in(&["none", "d", "a", "b", "c"]), Found::Executable(at("b/prog")));
        assert_eq!(look_in(&["none", "d", "a"]), Found::Denied(at("d/prog")));
        assert_eq!(look_in(&["a"]), Found::Denied(at("a/prog")));
        assert_eq!(look_in(&["none"]), Found::Nothing);
        assert_eq!(search(OsStr::new(""), Some(folder.path().as_os_str())), Found::Nothing);
    }

    #[test]
    fn without_path_the_system_folders() {
        assert_eq!(search(OsStr::new("sh"), None), Found::Executable("/bin/sh".into()));
        // The current folder, which is this crate's, has no sh.
        assert_eq!(search(OsStr::new("sh"), Some(OsStr::new(""))), Found::Nothing);
    }
}
