//! Files that only their owner can have written and read.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use crate::message::Failure;

/// More than a file of ours can have, in bytes.
const LONGEST: usize = 2048;

/// Whether only `owner` can put something into the folder.
///
/// # Errors
/// Somebody else can.
pub(crate) fn check_folder(folder: &Path, owner: u32) -> Result<(), Failure> {
    let status = fs::symlink_metadata(folder).map_err(|error| refused(folder, &error.to_string()))?;
    let cause = if !status.is_dir() {
        "is not a folder"
    } else if status.uid() != owner {
        "belongs to somebody else"
    } else if status.mode() & 0o077 != 0 {
        "is open to others"
    } else {
        return Ok(());
    };
    Err(refused(folder, cause))
}

/// Says that `path` is not used, why, and what to do.
pub(crate) fn refused(path: &Path, cause: &str) -> Failure {
    let shown = path.display();
    Failure::ours(format!("{shown}: {cause}; remove {shown}, the next call makes a new one"))
}

/// What is in the file; `None` if there is none.
///
/// # Errors
/// It is not one that only `owner` can have written and read.
pub(crate) fn read(path: &Path, owner: u32) -> Result<Option<String>, Failure> {
    // Neither a link, nor a pipe that would hold us up.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = match File::options().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => return Err(refused(path, "is a symbolic link")),
        Err(error) => return Err(refused(path, &error.to_string())),
    };
    let status = file.metadata().map_err(|error| refused(path, &error.to_string()))?;
    let cause = if !status.is_file() {
        "is not a regular file"
    } else if status.uid() != owner {
        "belongs to somebody else"
    } else if status.mode() & 0o077 != 0 {
        "is open to others"
    } else {
        ""
    };
    if !cause.is_empty() {
        return Err(refused(path, cause));
    }
    all(file).map(Some).map_err(|error| refused(path, &error.to_string()))
}

/// What is in a small file of /proc, which has no size: a new buffer would grow in steps, with a system call for each.
///
/// # Errors
/// The file system's.
pub(crate) fn read_small(path: &Path) -> io::Result<String> {
    all(File::open(path)?)
}

fn all(file: File) -> io::Result<String> {
    let mut text = String::with_capacity(LONGEST);
    file.take(LONGEST as u64).read_to_string(&mut text)?;
    Ok(text)
}

/// Keeps others from writing to the folder's files until the result is dropped; whoever has it makes a file that is
/// missing, the others find it.
///
/// # Errors
/// The folder cannot be opened.
pub(crate) fn lock(folder: &Path) -> io::Result<File> {
    let lock = File::open(folder)?;
    lock.lock()?;
    Ok(lock)
}

/// Puts the file there in one step. Needs the folder's [`lock`].
///
/// # Errors
/// The file system's.
pub(crate) fn replace(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let staged = folder.join(format!(".{name}.{}", std::process::id()));
    // Left by a process that was killed here and had our number; the lock says it is nobody's.
    match fs::remove_file(&staged) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&staged)?;
    file.write_all(text.as_bytes())?;
    fs::rename(&staged, folder.join(name))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use nix::unistd::{geteuid, mkfifo};

    use super::*;

    fn own() -> u32 {
        geteuid().as_raw()
    }

    #[test]
    fn what_is_put_there_is_read() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("name");
        assert_eq!(read(&path, own()), Ok(None));
        for text in ["one\n", "another\n"] {
            let lock = lock(folder.path()).expect("ours");
            replace(folder.path(), "name", text).expect("written");
            drop(lock);
            assert_eq!(read(&path, own()), Ok(Some(text.to_owned())));
        }
        assert_eq!(fs::metadata(&path).expect("there").mode() & 0o7777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 1, "nothing is left behind");
    }

    #[test]
    fn only_a_regular_file_that_is_ours_alone() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("name");
        let cause = || read(&path, own()).expect_err("refused").message;
        fs::write(folder.path().join("real"), "text").expect("written");
        symlink("real", &path).expect("linked");
        assert!(cause().contains("is a symbolic link"), "{}", cause());
        fs::remove_file(&path).expect("removed");
        mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("made");
        assert!(cause().contains("is not a regular file"), "{}", cause());
        fs::remove_file(&path).expect("removed");
        replace(folder.path(), "name", "text").expect("written");
        let failure = read(&path, own() + 1).expect_err("another user's");
        assert!(failure.message.contains("belongs to somebody else"));
        for mode in [0o644, 0o620] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("set");
            assert!(cause().contains("is open to others"), "{}", cause());
        }
    }

    #[test]
    fn folders() {
        let parent = tempfile::tempdir().expect("folder");
        let at = |name: &str| parent.path().join(name);
        fs::create_dir(at("open")).expect("made");
        fs::set_permissions(at("open"), Permissions::from_mode(0o711)).expect("set");
        fs::create_dir(at("good")).expect("made");
        fs::set_permissions(at("good"), Permissions::from_mode(0o700)).expect("set");
        symlink("good", at("link")).expect("linked");
        fs::write(at("file"), "").expect("written");
        assert_eq!(check_folder(&at("good"), own()), Ok(()));
        for (name, owner, cause) in [
            ("open", own(), "is open to others"),
            ("link", own(), "is not a folder"),
            ("file", own(), "is not a folder"),
            ("good", own() + 1, "belongs to somebody else"),
            ("none", own(), "No such file"),
        ] {
            let failure = check_folder(&at(name), owner).expect_err(name);
            assert!(failure.message.contains(cause), "{name}: {}", failure.message);
        }
    }
}
