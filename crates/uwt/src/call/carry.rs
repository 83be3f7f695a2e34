//! Whether the target can be carried: a program that does not load the preload library would run unprotected.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use nix::sys::prctl::get_no_new_privs;
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{getgid, getuid};
use uwt_policy::{ExecVerdict, Image, Obstacle, Privileges, Program, classify, exec};
use uwt_session::FileId;

use super::image::head;
use super::target::file_id;
use crate::message::Failure;
use crate::sys;

/// Runs what is neither a program nor a script, as execvp(3) does.
pub(crate) const SHELL: &str = "/bin/sh";

/// As many interpreters as the kernel follows (execve(2), "Interpreter scripts").
const MAX_INTERPRETERS: usize = 4;

const SET_ID: u32 = libc::S_ISUID | libc::S_ISGID;

/// What is allowed in spite of what it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exceptions<'a> {
    /// Programs without network use, by path.
    pub(crate) trusted: &'a [PathBuf],
    /// uwt itself, which protects what it starts.
    pub(crate) own: FileId,
    /// The guard that the program will be under.
    pub(crate) guard: Guarded,
}

/// Whether a guard holds what does not load the preload library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guarded {
    /// There is none.
    No,
    /// There is; programs may gain privileges as far as this process lets them.
    Yes,
    /// There will be one, for which this process has to give up that anything it starts gains privileges.
    Binding,
}

/// Checks `path` and, for a script, its interpreters.
///
/// # Errors
/// It would run unprotected, or that cannot be told.
pub(crate) fn check(path: &Path, exceptions: Exceptions<'_>) -> Result<(), Failure> {
    walk(path, exceptions, refused)
}

/// Checks that `path`, or what interprets it, loads what `LD_PRELOAD` names, which no guard makes up for where it is the
/// clock that the library fakes.
///
/// # Errors
/// It does not, or that cannot be told.
pub(crate) fn check_clock(path: &Path, trusted: &[PathBuf], own: FileId) -> Result<(), Failure> {
    walk(path, Exceptions { trusted, own, guard: Guarded::No }, |path, obstacle| {
        let what = match obstacle {
            Obstacle::SetId | Obstacle::Unprivileged => "is set-user-ID or set-group-ID",
            Obstacle::Capabilities => "has file capabilities",
            Obstacle::Static => "is statically linked",
            Obstacle::Loader => "is not a glibc program",
            Obstacle::Architecture => "is of another architecture",
            Obstacle::Unreadable => "can't be read, so nobody knows whether it loads libraries",
        };
        Failure::not_executable(format!(
            "{} {what} and would see the real time; not run (set time_privacy = false for it)",
            path.display()
        ))
    })
}

fn walk(path: &Path, exceptions: Exceptions<'_>, refuse: fn(&Path, Obstacle) -> Failure) -> Result<(), Failure> {
    let mut path = path.to_owned();
    for _ in 0..=MAX_INTERPRETERS {
        let own = file_id(&path).is_ok_and(|id| id == exceptions.own);
        if own || exceptions.trusted.contains(&path) {
            return Ok(());
        }
        let beginning = head(&path);
        let image = match &beginning {
            Ok(beginning) => classify(beginning),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Image::Unreadable,
            Err(error) => return Err(unreadable(&path, error)),
        };
        let privileges = privileges(&path, image, exceptions.guard).map_err(|error| unreadable(&path, &error))?;
        let program = Program { path: path.as_os_str().as_bytes(), image, privileges };
        if let ExecVerdict::Refuse(obstacle) = exec(&program, exceptions.guard != Guarded::No) {
            return Err(refuse(&path, obstacle));
        }
        match interpreter(&path, image) {
            Some(interpreter) => path = interpreter,
            None => return Ok(()),
        }
    }
    Err(Failure::not_executable(format!("{}: too many interpreters in a row; not run", path.display())))
}

/// The program that runs in the end: of a script the interpreter, of its interpreters the last.
pub(crate) fn executable(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..=MAX_INTERPRETERS {
        let Ok(beginning) = head(&path) else { break };
        let Some(interpreter) = interpreter(&path, classify(&beginning)) else { break };
        path = interpreter;
    }
    path
}

/// Whether the file is neither a program, of whatever architecture, nor names its interpreter.
pub(crate) fn is_shell_script(path: &Path) -> bool {
    head(path).is_ok_and(|beginning| matches!(classify(&beginning), Image::Unknown))
}

/// What runs `path`, if it does not run by itself.
fn interpreter(path: &Path, image: Image<'_>) -> Option<PathBuf> {
    match image {
        Image::Script(interpreter) => Some(PathBuf::from(OsStr::from_bytes(interpreter))),
        Image::Unknown if path != Path::new(SHELL) => Some(PathBuf::from(SHELL)),
        _ => None,
    }
}

fn refused(path: &Path, obstacle: Obstacle) -> Failure {
    Failure::not_executable(format!("{} {obstacle}", path.display()))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let shown = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => Failure::not_found(format!("{shown}: not found, and a script needs it; install it")),
        _ => Failure::not_executable(format!("{shown}: cannot be read ({error}), so it may run unprotected; not run")),
    }
}

/// Looks only as far as the verdict can depend on it.
fn privileges(path: &Path, image: Image<'_>, guard: Guarded) -> io::Result<Privileges> {
    let (user, user_group) = (getuid().as_raw(), getgid().as_raw());
    let none = Privileges {
        mode: 0,
        owner: user,
        group: user_group,
        capabilities: false,
        user,
        user_group,
        nosuid: false,
        no_new_privileges: false,
    };
    if matches!(image, Image::Script(_) | Image::Unknown) {
        return Ok(none);
    }
    let status = fs::metadata(path)?;
    let capabilities = user != 0 && sys::has_attribute(path, c"security.capability")?;
    if status.mode() & SET_ID == 0 && !capabilities {
        return Ok(none);
    }
    let flags = statvfs(path)?.flags();
    Ok(Privileges {
        mode: status.mode(),
        owner: status.uid(),
        group: status.gid(),
        capabilities,
        user,
        user_group,
        nosuid: flags.contains(FsFlags::ST_NOSUID),
        no_new_privileges: guard == Guarded::Binding || get_no_new_privs()?,
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    #[test]
    fn programs_and_scripts() {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        let write = |name: &str, content: &[u8]| fs::write(at(name), content).expect("written");
        let mut foreign = head(Path::new("/bin/sh")).expect("readable");
        foreign[18] ^= 0x55;
        write("foreign", &foreign);
        write("plain", b"echo");
        write("script", b"#!/bin/sh -e\n");
        write("orphan", b"#!/nonexistent/perl\n");
        for (name, interpreter) in [("by-foreign", "foreign"), ("by-script", "script"), ("round", "round")] {
            let line = [OsString::from("#!"), at(interpreter).into(), OsString::from("\n")];
            write(name, &line.into_iter().flat_map(OsString::into_vec).collect::<Vec<u8>>());
        }
        let exceptions = Exceptions { trusted: &[], own: FileId { device: 0, inode: 0 }, guard: Guarded::No };
        let check = |path: &Path| check(path, exceptions);
        for good in [Path::new("/bin/sh"), &at("plain"), &at("script"), &at("by-script")] {
            assert_eq!(check(good), Ok(()), "{}", good.display());
        }
        let failure = |name: &str| check(&at(name)).expect_err(name);
        assert!(failure("foreign").message.contains("/foreign is of another architecture"));
        assert_eq!(failure("by-foreign"), failure("foreign"));
        assert!(failure("round").message.contains("too many interpreters"));
        assert_eq!((failure("round").status, failure("orphan").status), (126, 127));
        assert!(failure("orphan").message.starts_with("/nonexistent/perl: not found"));
        assert_eq!(["plain", "script", "foreign"].map(|name| is_shell_script(&at(name))), [true, false, false]);
        assert_eq!(executable(&at("by-script")), Path::new("/bin/sh"));
        assert_eq!(executable(&at("plain")), Path::new("/bin/sh"));
        assert_eq!(executable(&at("foreign")), at("foreign"));

        for guard in [Guarded::Yes, Guarded::Binding] {
            let guarded = Exceptions { guard, ..exceptions };
            assert_eq!(super::check(&at("by-foreign"), guarded), Ok(()));
            assert_eq!(super::check(&at("orphan"), guarded), Err(failure("orphan")));
        }

        let clock = |name: &str, trusted: &[PathBuf]| check_clock(&at(name), trusted, exceptions.own);
        assert_eq!(clock("script", &[]), Ok(()));
        let blind = clock("by-foreign", &[]).expect_err("it loads nothing");
        assert_eq!(blind.status, 126);
        assert!(blind.message.contains("/foreign is of another architecture and would see the real time"));
        assert_eq!(clock("by-foreign", &[at("foreign")]), Ok(()));

        let own = Exceptions { own: file_id(&at("foreign")).expect("there"), ..exceptions };
        let trusted = [at("foreign")];
        for allowing in [own, Exceptions { trusted: &trusted, ..exceptions }] {
            assert_eq!(super::check(&at("by-foreign"), allowing), Ok(()));
        }
    }
}
