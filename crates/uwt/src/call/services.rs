//! Called in place of a program that starts services: `/usr/libexec/uwt/services/start-stop-daemon`, say.
//!
//! apt gives maintainer scripts a PATH that begins with that folder (`/etc/apt/apt.conf.d/70uwt`). Where they are wrapped,
//! the real program is run outside, by the helper: the daemons that it starts are the machine's, and must not be held by
//! the guard of whoever has installed a package.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::geteuid;
use uwt_helper::{Ending, Order, Outcome, Service};
use uwt_session::{FileId, Guard, Session, VARIABLE, Voice};

use super::chain;
use super::invocation::{NAME, is_of_services};
use super::search::{Found, look};
use super::target::{self, Target, file_id};
use crate::apply::{self, c_string};
use crate::environment::Environment;
use crate::guard::tree::Tree;
use crate::hand_down::environment;
use crate::message::{self, Failure};
use crate::sys;

/// A call of such a program.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// Which one.
    pub(crate) service: Service,
    /// Its arguments, `argv[0]` first.
    pub(crate) arguments: Vec<OsString>,
    /// Our environment.
    pub(crate) environment: &'a Environment,
    /// The session in it.
    pub(crate) session: Option<&'a Session<'a>>,
    /// Our own program.
    pub(crate) own: FileId,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Ran {
    /// It ran outside, and ended with this exit status.
    Ended(u8),
    /// It shall run like any other program, with these arguments after `argv[0]`.
    Inside(Target, Vec<OsString>),
}

/// Runs the real program: in our place where no filter holds us, by the helper where one does.
///
/// # Errors
/// It is not installed, or cannot be executed, or how it ended cannot be known.
pub(crate) fn run(call: Call<'_>) -> Result<Ran, Failure> {
    let is_root = geteuid().is_root();
    let wrapped = call.environment.get_filled(VARIABLE).is_some();
    let reason = match Tree::find(call.session) {
        // There is nothing of ours, or the library only.
        Tree::Free if is_root || !wrapped => call.execute()?,
        Tree::Known(guard) if is_root => match call.ask(&guard)? {
            Ok(status) => return Ok(Ran::Ended(status)),
            Err(reason) => Some(reason),
        },
        Tree::Lost if is_root => Some(format!("{VARIABLE} did not reach it")),
        // What others start is their own.
        _ => None,
    };
    if let Some(reason) = reason {
        let name = call.service.name();
        message::print(format_args!(
            "{name} stays wrapped, and so does a daemon that it starts: {reason} (afterwards restart the daemon from a shell \
             that is not wrapped)"
        ));
    }
    call.inside()
}

impl Call<'_> {
    /// The environment without us.
    fn outside(&self) -> Environment {
        environment::outside(self.environment, self.session.map(|session| session.preload).as_slice())
    }

    /// Executes the real program in our place.
    fn execute(&self) -> Result<Option<String>, Failure> {
        let path = self.real()?;
        let (typed, rest) =
            self.arguments.split_first().map_or((path.as_os_str(), &[][..]), |(typed, rest)| (typed, rest));
        match apply::execute(&path, typed, rest, &self.outside())? {}
    }

    /// Has the helper run it: the exit status, or why it does not.
    fn ask(&self, guard: &Guard) -> Result<Result<u8, String>, Failure> {
        let name = self.service.name();
        let order = Order {
            service: self.service,
            arguments: self.arguments.iter().map(|argument| c_string(argument)).collect::<Result<_, _>>()?,
            environment: self.outside().entries().iter().map(|entry| entry.clone().into_owned()).collect(),
        };
        if self.session.is_some_and(|session| session.voice == Voice::Verbose) {
            message::print(format_args!("{name} runs outside the guarded tree"));
        }
        match uwt_helper::start_service(guard, order) {
            Ok(Outcome::Ended(Ending::Status(status))) => Ok(Ok(status)),
            Ok(Outcome::Ended(Ending::Signal(signal))) => Ok(Ok(sys::end_by(signal))),
            Ok(Outcome::Refused(refusal)) => Ok(Err(refusal.to_string())),
            Ok(Outcome::Failed(Errno::ENOENT)) => Err(self.missing()),
            Ok(Outcome::Failed(errno)) => {
                Err(Failure::not_executable(format!("{name}: {}; not run (`ls -l /usr/sbin/{name}`)", errno.desc())))
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                Ok(Err("the helper of its guarded tree is gone".to_owned()))
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Err(Failure::not_executable(format!(
                "{name}: the arguments and the environment are longer than {} bytes; not run (shorten them)",
                Order::MAX
            ))),
            Err(error) => Err(Failure::ours(format!(
                "{name}: the helper of the guarded tree has gone while it was to run this ({error}); it may run on, see what \
                 it has done"
            ))),
        }
    }

    fn inside(self) -> Result<Ran, Failure> {
        let path = self.real()?;
        let mut arguments = self.arguments.into_iter();
        let typed = arguments.next();
        let target = target::of_command(path.as_os_str(), self.environment, self.own)?;
        Ok(Ran::Inside(Target { typed: typed.unwrap_or_else(|| path.into()), ..target }, arguments.collect()))
    }

    /// The first of this name in PATH, then in the usual folders, that is not one of our links.
    fn real(&self) -> Result<PathBuf, Failure> {
        let path = self.environment.get("PATH").unwrap_or_default().as_bytes().split(|byte| *byte == b':');
        let folders = path.map(|folder| Path::new(OsStr::from_bytes(folder))).chain(Service::FOLDERS.map(Path::new));
        let mut candidates = folders
            .filter(|folder| folder.is_absolute() && !is_of_services(folder))
            .map(|folder| folder.join(self.service.name()));
        let real = candidates.find(|path| matches!(look(path), Found::Executable(_)) && !self.is_ours(path));
        real.ok_or_else(|| self.missing())
    }

    /// Whether a path leads to us, or to another copy of us.
    fn is_ours(&self, path: &Path) -> bool {
        file_id(path).is_ok_and(|id| id == self.own)
            || chain::links(path).last().is_some_and(|last| last.file_name() == Some(OsStr::new(NAME)))
    }

    fn missing(&self) -> Failure {
        let package = match self.service {
            Service::InvokeRcD | Service::Service => "init-system-helpers",
            Service::StartStopDaemon => "dpkg",
        };
        Failure::not_found(format!("{}: not found; install the package {package}", self.service.name()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::environment::tests::environment;

    #[test]
    fn the_real_program_is_never_one_of_our_links() {
        let root = tempfile::tempdir().expect("folder");
        let at = |name: &str| root.path().join(name);
        let program = |name: &str| {
            fs::create_dir_all(at(name).parent().expect("a folder")).expect("made");
            fs::write(at(name), "").expect("written");
            fs::set_permissions(at(name), Permissions::from_mode(0o755)).expect("set");
        };
        for name in ["uwt", "other/uwt", "libexec/uwt/services/service", "real/service", "late/service"] {
            program(name);
        }
        for folder in ["linked", "copy", "round"] {
            fs::create_dir(at(folder)).expect("made");
        }
        symlink(at("uwt"), at("linked/service")).expect("linked");
        symlink(at("other/uwt"), at("copy/service")).expect("linked");
        symlink("service", at("round/service")).expect("linked");
        let own = file_id(&at("uwt")).expect("there");
        let real = |folders: &[&str], service| {
            let folders: Vec<String> = folders.iter().map(|folder| at(folder).display().to_string()).collect();
            let environment = environment(&[&format!("PATH=:relative:{}", folders.join(":"))]);
            Call { service, arguments: Vec::new(), environment: &environment, session: None, own }.real()
        };
        let ours = ["libexec/uwt/services", "linked", "copy", "round", "none"];
        assert_eq!(real(&[&ours[..], &["real", "late"]].concat(), Service::Service), Ok(at("real/service")));
        // PATH has none, the usual folders have: every Debian has dpkg.
        let usual = real(&ours, Service::StartStopDaemon).expect("found");
        assert!(usual.is_absolute() && !usual.starts_with(root.path()), "{}", usual.display());
    }
}
