//! How we were called: as `uwt`, or by the name of a wrapped command.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use uwt_session::FileId;

use super::search::{Found, search};
use super::target::file_id;
use crate::environment::Environment;
use crate::message::Failure;

/// How we were called.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Invocation {
    /// As `uwt`: the arguments are options and a command.
    Direct,
    /// By this path, which stands for a wrapped command: all arguments are the command's.
    Wrapper(PathBuf),
}

/// Our name; every other one is that of a wrapped command.
pub(crate) const NAME: &str = "uwt";

/// Decides by the path that execve(2) was given (`AT_EXECFN`), since argv[0] may be anything.
///
/// That path can be useless: fexecve(3) makes it `/dev/fd/N`, and for a script that names us as its interpreter it is
/// the script's. Then argv[0] counts, looked up as the shell did.
///
/// # Errors
/// Neither says how we were called.
pub(crate) fn of(
    executed: Option<&Path>,
    typed: Option<&OsString>,
    environment: &Environment,
    own: FileId,
) -> Result<Invocation, Failure> {
    let called = match executed.filter(|path| is_ours(path, own)) {
        Some(path) => path.to_owned(),
        None => by_argument(typed, environment)
            .ok_or_else(|| Failure::ours("cannot tell how it was called; run it by its path or through PATH"))?,
    };
    if called.file_name() == Some(OsStr::new(NAME)) { Ok(Invocation::Direct) } else { Ok(Invocation::Wrapper(called)) }
}

fn is_ours(path: &Path, own: FileId) -> bool {
    let by_descriptor = path.starts_with("/dev/fd") || path.starts_with("/proc");
    !by_descriptor && file_id(path).is_ok_and(|id| id == own)
}

fn by_argument(typed: Option<&OsString>, environment: &Environment) -> Option<PathBuf> {
    let typed = typed.filter(|typed| !typed.is_empty())?;
    if typed.as_encoded_bytes().contains(&b'/') {
        return Some(PathBuf::from(typed));
    }
    match search(typed, environment.get("PATH")) {
        Found::Executable(path) => Some(path),
        Found::Denied(_) | Found::Nothing => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::environment::tests::environment;

    #[test]
    fn by_what_was_executed_and_else_by_what_was_typed() {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("uwt"), "").expect("written");
        fs::set_permissions(at("uwt"), Permissions::from_mode(0o755)).expect("executable");
        fs::write(at("script"), "").expect("written");
        symlink("uwt", at("curl")).expect("linked");
        let own = file_id(&at("uwt")).expect("there");
        let environment = environment(&[&format!("PATH=/nonexistent:{}", folder.path().display())]);
        let call = |executed: Option<&Path>, typed: &str| of(executed, Some(&typed.into()), &environment, own);

        assert_eq!(call(Some(&at("uwt")), "anything"), Ok(Invocation::Direct));
        assert_eq!(call(Some(&at("curl")), "uwt"), Ok(Invocation::Wrapper(at("curl"))));
        // A script with us as its interpreter, fexecve(3), and no path at all.
        for useless in [Some(at("script")), Some("/dev/fd/7".into()), Some("/proc/self/exe".into()), None] {
            assert_eq!(call(useless.as_deref(), "curl"), Ok(Invocation::Wrapper(at("curl"))));
            assert_eq!(call(useless.as_deref(), "uwt"), Ok(Invocation::Direct));
            assert_eq!(call(useless.as_deref(), "/a/uwt"), Ok(Invocation::Direct));
            for nothing in ["", "wget"] {
                assert_eq!(call(useless.as_deref(), nothing).expect_err("unknown").status, Failure::OURS);
            }
        }
    }
}
