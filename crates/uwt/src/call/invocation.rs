//! How we were called: as `uwt`, or by the name of a wrapped command.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use uwt_helper::Service;
use uwt_session::FileId;

use super::search::{Found, search};
use super::target::file_id;
use super::torsocks;
use crate::environment::Environment;
use crate::message::Failure;

/// How we were called.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Invocation {
    /// As `uwt`: the arguments are options and a command.
    Direct,
    /// As `torsocks`: the same in its words.
    Torsocks,
    /// By this path, which stands for a wrapped command: all arguments are the command's.
    Wrapper(PathBuf),
    /// By a path in the folder of programs that start services, which stands for one of them.
    Service(Service),
}

/// The folder of links to us that stand for programs that start services, as its path ends.
const SERVICES: &str = "uwt/services";

/// Whether this is such a folder.
pub(crate) fn is_of_services(folder: &Path) -> bool {
    folder.ends_with(SERVICES)
}

/// Our name; every other one but torsocks' is that of a wrapped command.
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
    let name = called.file_name().unwrap_or_default();
    if name == NAME {
        return Ok(Invocation::Direct);
    }
    if name == torsocks::NAME {
        return Ok(Invocation::Torsocks);
    }
    let service = Service::of(name.as_bytes()).filter(|_| called.parent().is_some_and(is_of_services));
    Ok(match service {
        Some(service) => Invocation::Service(service),
        None => Invocation::Wrapper(called),
    })
}

/// Whether a call by this path is told what to run, rather than standing for a program.
pub(crate) fn takes_a_command(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == NAME || name == torsocks::NAME)
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
    fn programs_that_start_services_are_known_by_their_folder() {
        let root = tempfile::tempdir().expect("folder");
        let at = |name: &str| root.path().join(name);
        fs::create_dir_all(at("libexec/uwt/services")).expect("made");
        fs::create_dir_all(at("sbin")).expect("made");
        fs::write(at("uwt"), "").expect("written");
        let own = file_id(&at("uwt")).expect("there");
        let nothing = environment(&[]);
        let call = |path: &str| {
            symlink(at("uwt"), at(path)).expect("linked");
            of(Some(&at(path)), None, &nothing, own).expect("known")
        };
        for (name, service) in [
            ("invoke-rc.d", Service::InvokeRcD),
            ("service", Service::Service),
            ("start-stop-daemon", Service::StartStopDaemon),
        ] {
            let path = format!("libexec/uwt/services/{name}");
            assert_eq!(call(&path), Invocation::Service(service));
            let elsewhere = format!("sbin/{name}");
            assert_eq!(call(&elsewhere), Invocation::Wrapper(at(&elsewhere)));
        }
        let other = "libexec/uwt/services/curl";
        assert_eq!(call(other), Invocation::Wrapper(at(other)));
    }

    #[test]
    fn by_what_was_executed_and_else_by_what_was_typed() {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("uwt"), "").expect("written");
        fs::set_permissions(at("uwt"), Permissions::from_mode(0o755)).expect("executable");
        fs::write(at("script"), "").expect("written");
        symlink("uwt", at("curl")).expect("linked");
        symlink("uwt", at("torsocks")).expect("linked");
        let own = file_id(&at("uwt")).expect("there");
        let environment = environment(&[&format!("PATH=/nonexistent:{}", folder.path().display())]);
        let call = |executed: Option<&Path>, typed: &str| of(executed, Some(&typed.into()), &environment, own);

        assert_eq!(call(Some(&at("uwt")), "anything"), Ok(Invocation::Direct));
        assert_eq!(call(Some(&at("curl")), "uwt"), Ok(Invocation::Wrapper(at("curl"))));
        assert_eq!(call(Some(&at("torsocks")), "uwt"), Ok(Invocation::Torsocks));
        // A script with us as its interpreter, fexecve(3), and no path at all.
        for useless in [Some(at("script")), Some("/dev/fd/7".into()), Some("/proc/self/exe".into()), None] {
            assert_eq!(call(useless.as_deref(), "curl"), Ok(Invocation::Wrapper(at("curl"))));
            assert_eq!(call(useless.as_deref(), "uwt"), Ok(Invocation::Direct));
            assert_eq!(call(useless.as_deref(), "/a/uwt"), Ok(Invocation::Direct));
            assert_eq!(call(useless.as_deref(), "/a/torsocks"), Ok(Invocation::Torsocks));
            for nothing in ["", "wget"] {
                assert_eq!(call(useless.as_deref(), nothing).expect_err("unknown").status, Failure::OURS);
            }
        }
    }
}
