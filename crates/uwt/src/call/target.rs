//! Which file is executed.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use uwt_session::FileId;

use super::chain;
use super::invocation::{NAME, takes_a_command};
use super::missing;
use super::search::{Found, look, search};
use crate::environment::Environment;
use crate::message::Failure;

/// The file that is executed, and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Its path for execve(2).
    pub(crate) path: PathBuf,
    /// The path the configuration knows it by: absolute, without symbolic links and without `.anondist-orig`.
    pub(crate) program: PathBuf,
    /// The path it was called by, made absolute; an alternative (`/usr/bin/awk`) has a name of its own.
    pub(crate) called: PathBuf,
    /// argv[0]: what was typed.
    pub(crate) typed: OsString,
}

/// The file by which a process can be recognised, whatever its path.
///
/// # Errors
/// stat(2)'s.
pub(crate) fn file_id(path: &Path) -> io::Result<FileId> {
    let status = fs::metadata(path)?;
    Ok(FileId { device: status.dev(), inode: status.ino() })
}

/// The target of a call through the wrapper `called`.
///
/// # Errors
/// The original is missing.
pub(crate) fn of_wrapper(called: &Path, typed: OsString, environment: &Environment) -> Result<Target, Failure> {
    match chain::original(called) {
        Some(original) => {
            let called = known_path(called);
            Ok(Target { program: known_path(&original.program), path: original.path, called, typed })
        }
        None => Err(missing::report(called, environment)),
    }
}

/// The target of `uwt COMMAND`, found as execvp(3) would. If it is a wrapper, its original is taken at once.
///
/// # Errors
/// It is not there or cannot be executed.
pub(crate) fn of_command(command: &OsStr, environment: &Environment, own: FileId) -> Result<Target, Failure> {
    let by_path = command.as_bytes().contains(&b'/');
    let found = if by_path { look(Path::new(command)) } else { search(command, environment.get("PATH")) };
    let path = match found {
        Found::Executable(path) => path,
        Found::Denied(path) if path.is_dir() => {
            return Err(Failure::not_executable(format!("{}: is a folder; name a program", path.display())));
        }
        Found::Denied(path) => {
            let shown = path.display();
            return Err(Failure::not_executable(format!(
                "{shown}: permission denied; is it executable? (`ls -l {shown}`)"
            )));
        }
        Found::Nothing => return Err(not_found(command, by_path)),
    };
    let typed = command.to_owned();
    let is_own = file_id(&path).is_ok_and(|id| id == own);
    // Another copy of uwt may be the one that wraps.
    let links = chain::links(&path);
    let is_uwt = is_own || links.last().is_some_and(|last| last.file_name() == Some(OsStr::new(NAME)));
    if is_uwt && takes_a_command(&path) {
        return Ok(Target { program: known_path(&path), called: known_path(&path), path, typed });
    }
    if is_uwt {
        return of_wrapper(&path, typed, environment);
    }
    let called = known_path(&chain::without_original(&path));
    let followed = (links.len() > 1).then(|| path.canonicalize().ok()).flatten();
    let program = followed.map_or_else(|| called.clone(), |path| chain::without_original(&path));
    Ok(Target { path, program, called, typed })
}

fn not_found(command: &OsStr, by_path: bool) -> Failure {
    let shown = command.display();
    if command.is_empty() {
        Failure::not_found("the command is empty; usage: uwt [OPTIONS] [--] COMMAND [ARGS…]")
    } else if by_path {
        Failure::not_found(format!("{shown}: not found; check the path"))
    } else {
        Failure::not_found(format!("{shown}: not found in PATH; check the name, or install the package that brings it"))
    }
}

/// The absolute path, its folders without symbolic links (`/bin` is `/usr/bin`), its name as it is.
fn known_path(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (absolute.parent().map(Path::canonicalize), absolute.file_name()) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => absolute,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::environment::tests::environment;

    fn program(path: &Path) {
        fs::write(path, "").expect("written");
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("executable");
    }

    #[test]
    fn commands_become_files() {
        let folder = tempfile::tempdir().expect("folder");
        let root = folder.path().canonicalize().expect("there");
        let at = |name: &str| root.join(name);
        for name in ["uwt", "curl.anondist-orig", "plain", "wget.anondist-orig"] {
            program(&at(name));
        }
        for other in ["other", "folder"] {
            fs::create_dir(at(other)).expect("made");
        }
        program(&at("other/uwt"));
        symlink("uwt", at("curl")).expect("linked");
        symlink("other/uwt", at("wget")).expect("linked");
        symlink("uwt", at("lost")).expect("linked");
        symlink(".", at("same")).expect("linked");
        fs::write(at("data"), "").expect("written");
        let own = file_id(&at("uwt")).expect("there");
        let environment = environment(&[&format!("PATH={}", at("same").display())]);
        let of = |command: &str| of_command(OsStr::new(command), &environment, own);

        let target = |path: &str, name: &str, typed: &str| Target {
            path: at(path),
            program: at(name),
            called: at(if typed == "curl.anondist-orig" { "curl" } else { typed }),
            typed: typed.into(),
        };
        assert_eq!(of("plain"), Ok(target("same/plain", "plain", "plain")));
        assert_eq!(of("curl"), Ok(target("same/curl.anondist-orig", "curl", "curl")));
        assert_eq!(of("wget"), Ok(target("same/wget.anondist-orig", "wget", "wget")));
        assert_eq!(of("uwt"), Ok(target("same/uwt", "uwt", "uwt")));
        assert_eq!(of("curl.anondist-orig"), Ok(target("same/curl.anondist-orig", "curl", "curl.anondist-orig")));
        symlink("plain", at("alternative")).expect("linked");
        assert_eq!(of("alternative"), Ok(target("same/alternative", "plain", "alternative")));
        for (command, status) in [
            ("none", 127),
            ("./none", 127),
            ("", 127),
            ("lost", 127),
            ("data", 126),
            ("folder", 126),
            ("/", 126),
            ("/dev/null", 126),
        ] {
            let failure = of(command).expect_err(command);
            assert_eq!(failure.status, status, "{command}: {}", failure.message);
        }
        assert_eq!(of("/dev/null/x").expect_err("no folder").status, 127);
    }
}
