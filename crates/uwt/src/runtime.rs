//! The user's own folder for what lasts until the next boot, and the files in it.

pub(crate) mod clock;
pub(crate) mod file;

use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::message::Failure;

/// Names this boot (random(4)).
pub(crate) const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Where root's folder is.
const OF_ROOT: &str = "/run/uwt";

/// What names this boot, and no other of any machine.
///
/// # Errors
/// There is no /proc.
pub(crate) fn boot() -> io::Result<String> {
    let mut boot = file::read_small(Path::new(BOOT_ID))?;
    boot.truncate(boot.trim_end().len());
    Ok(boot)
}

/// The folder, made and checked.
///
/// # Errors
/// It cannot be made, or somebody else could put something into it or read it.
pub(crate) fn folder(environment: &Environment, owner: u32) -> Result<PathBuf, Failure> {
    // After su(1) the variable names the former user's folder; a folder of ours in there would lock that user out.
    let runtime = environment.get("XDG_RUNTIME_DIR").filter(|folder| is_own(folder, owner));
    let folder = match runtime {
        Some(runtime) => Path::new(runtime).join("uwt"),
        None if owner == 0 => Path::new(OF_ROOT).join("0"),
        None => PathBuf::from(format!("/tmp/uwt-{owner}")),
    };
    // Mostly it is there, and looking costs less than trying.
    if fs::symlink_metadata(&folder).is_err() {
        if folder.parent() == Some(Path::new(OF_ROOT)) {
            make(Path::new(OF_ROOT), 0o755)?;
        }
        make(&folder, 0o700)?;
    }
    file::check_folder(&folder, owner)?;
    Ok(folder)
}

/// A folder in it, made and checked.
///
/// # Errors
/// As [`folder`]'s.
pub(crate) fn inner(folder: &Path, name: &str, owner: u32) -> Result<PathBuf, Failure> {
    let inner = folder.join(name);
    if fs::symlink_metadata(&inner).is_err() {
        make(&inner, 0o700)?;
    }
    file::check_folder(&inner, owner)?;
    Ok(inner)
}

fn is_own(folder: &OsStr, owner: u32) -> bool {
    let folder = Path::new(folder);
    folder.is_absolute() && fs::metadata(folder).is_ok_and(|status| status.is_dir() && status.uid() == owner)
}

fn make(folder: &Path, mode: u32) -> Result<(), Failure> {
    match DirBuilder::new().mode(mode).create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(Failure::ours(format!(
            "{}: {error}; what lasts until the next boot is kept there, make the folder or set XDG_RUNTIME_DIR",
            folder.display()
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use nix::unistd::geteuid;

    use super::*;
    use crate::environment::tests::environment;

    #[test]
    fn the_runtime_folder_is_used_if_it_is_ours() {
        let runtime = tempfile::tempdir().expect("folder");
        let own = geteuid().as_raw();
        let environment = environment(&[&format!("XDG_RUNTIME_DIR={}", runtime.path().display())]);
        let folder = folder(&environment, own).expect("made");
        assert_eq!(folder, runtime.path().join("uwt"));
        assert_eq!(fs::metadata(&folder).expect("there").mode() & 0o7777, 0o700);
        assert!(!is_own(runtime.path().as_os_str(), own + 1));
        assert!(!is_own(OsStr::new("relative"), own));
    }

    #[test]
    fn a_boot_has_a_name() {
        let name = boot().expect("there is /proc");
        assert!(name.len() == 36 && name.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()), "{name}");
    }
}
