//! The file of `--report`.

use std::fs::OpenOptions;
use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::message::Failure;
use crate::plan::report::Reporting;
use crate::sys;

/// Opens it for the helper: new ones are for their owner alone, to others it is added. A descriptor of the caller's by
/// which it is named (`/dev/fd/N`) is not handed down to the program: whoever waits for the end of the report would
/// wait for the program's children, too.
///
/// # Errors
/// It cannot be opened.
pub(super) fn open(report: &Reporting) -> Result<Option<OwnedFd>, Failure> {
    let Reporting::To(path) = report else { return Ok(None) };
    let opened = OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(libc::O_NOCTTY).open(path);
    let file = opened.map_err(|error| {
        Failure::ours(format!(
            "--report {}: {error}; nothing was run (give it a file that you may write)",
            path.display()
        ))
    })?;
    if let Some(number) = descriptor(path).filter(|number| *number > 2) {
        sys::close_on_exec(number).map_err(|error| Failure::ours(format!("--report {}: {error}", path.display())))?;
    }
    Ok(Some(file.into()))
}

/// The descriptor of ours that a path names.
fn descriptor(path: &Path) -> Option<RawFd> {
    let folders = ["/dev/fd", "/proc/self/fd"];
    let number = folders.iter().find_map(|folder| path.strip_prefix(folder).ok())?;
    number.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read as _, Write as _};
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::PermissionsExt as _;

    use nix::fcntl::{FcntlArg, FdFlag, fcntl};

    use super::*;

    #[test]
    fn files_are_added_to_and_private() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("report");
        for line in ["one\n", "two\n"] {
            let file = open(&Reporting::To(path.clone())).expect("opened").expect("a file");
            fs::File::from(file).write_all(line.as_bytes()).expect("written");
        }
        assert_eq!(fs::read_to_string(&path).expect("readable"), "one\ntwo\n");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert!(open(&Reporting::Nothing).expect("nothing").is_none());
        let missing = open(&Reporting::To("/nonexistent/report".into())).expect_err("no folder");
        assert!(missing.message.contains("/nonexistent/report") && missing.message.contains("nothing was run"));
    }

    #[test]
    fn a_pipe_by_its_descriptor_ends_with_the_report() {
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        fcntl(&writer, FcntlArg::F_SETFD(FdFlag::empty())).expect("inheritable");
        let path = format!("/dev/fd/{}", writer.as_raw_fd());
        let file = open(&Reporting::To(path.into())).expect("opened").expect("a pipe");
        let flags = fcntl(&writer, FcntlArg::F_GETFD).map(FdFlag::from_bits_truncate).expect("open");
        assert_eq!(flags, FdFlag::FD_CLOEXEC);
        drop(writer);
        fs::File::from(file).write_all(b"event\n").expect("written");
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("readable");
        assert_eq!(text, "event\n");
    }

    #[test]
    fn what_is_a_descriptor() {
        for (path, number) in [("/dev/fd/7", Some(7)), ("/proc/self/fd/12", Some(12)), ("/dev/fd", None), ("7", None)] {
            assert_eq!(descriptor(Path::new(path)), number, "{path}");
        }
    }
}
