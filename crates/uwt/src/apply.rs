//! From a plan to the running program: the same process, with another program in it.

mod guard;
mod report;

use std::borrow::Cow;
use std::convert::Infallible;
use std::ffi::{CString, OsStr, OsString};
use std::net::SocketAddrV4;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::{fs, process};

use nix::errno::Errno;
use nix::unistd::execve;
use uwt_config::Native;
use uwt_helper::Spare;
use uwt_policy::Scope;
use uwt_session::{Credential, FileId, Secret, Session, Subject};

use crate::call::carry;
use crate::environment::Environment;
use crate::hand_down::{environment, faketime, native, session};
use crate::message::Failure;
use crate::plan::carried::Carried;
use crate::plan::isolation::SecretSource;
use crate::plan::time::Time;
use crate::plan::{Plan, Protection};
use crate::runtime::clock;
use crate::secrets;

/// What it takes besides the plan.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    /// Our environment.
    pub(crate) environment: &'a Environment,
    /// The session this call is nested in.
    pub(crate) session: Option<&'a Session<'a>>,
    /// A library that the configuration names.
    pub(crate) configured_library: Option<PathBuf>,
    /// Our own program.
    pub(crate) own: FileId,
}

/// Executes the program; it returns only if that fails.
///
/// # Errors
/// The session cannot be made, or execve(2) fails.
pub(crate) fn apply(plan: &Plan, context: &Context<'_>, spare: Option<Spare>) -> Result<Infallible, Failure> {
    let count = plan.nesting.count;
    let mut entry = None;
    let former = context.session.map(|session| session.preload);
    let before = timed(plan, context.environment)?;
    let environment = match &plan.protection {
        Protection::Off(_) => {
            let configured = context.configured_library.as_deref().and_then(Path::to_str);
            let libraries: Vec<&str> = former.into_iter().chain(configured).collect();
            environment::bare(&before, count, &libraries)
        }
        // Whoever took the session away took the library too, or it would now refuse everything.
        Protection::Tree { .. } => environment::bare(&before, count, &[]),
        Protection::On(carried) => {
            let secret = secret(&carried.isolation.secret, context)?;
            let guard = guard::of(carried.guard.course)?;
            let text = session::text(carried, guard, secret, context.own)?;
            let mut result = environment::wrapped(&before, count, &carried.library.path, former, &text);
            if carried.native.value == Native::AllProxy {
                set_native(&mut result, carried, &text, &plan.target.path)?;
            }
            entry = Some((carried, guard, text));
            result
        }
    };
    let program = Executable::new(&plan.target.path, &plan.target.typed, &plan.arguments)?;
    // The last thing that can fail before execve(2): what follows is under the filter.
    match entry {
        Some((carried, Some(guard), text)) => {
            let report = report::open(&carried.report.value)?;
            let report = report.as_ref().map(AsFd::as_fd);
            guard::enter(carried.guard.course, &guard, &text, carried.voice, report, spare)?;
        }
        // The program must not find a child it knows nothing of.
        _ => drop(spare),
    }
    program.execute(&environment)
}

/// Executes a program with this environment and nothing of ours; it returns only if that fails.
///
/// # Errors
/// execve(2) fails.
pub(crate) fn execute(
    path: &Path,
    typed: &OsStr,
    arguments: &[OsString],
    environment: &Environment,
) -> Result<Infallible, Failure> {
    Executable::new(path, typed, arguments)?.execute(environment)
}

/// The environment with the clock that the plan says; where that changes nothing, the same one.
fn timed<'a>(plan: &Plan, environment: &'a Environment) -> Result<Cow<'a, Environment>, Failure> {
    Ok(match &plan.time {
        Time::Outer => Cow::Borrowed(environment),
        Time::Real(_) if faketime::is_inherited(environment) => Cow::Owned(faketime::without(environment)),
        Time::Real(_) => Cow::Borrowed(environment),
        Time::Own { library, .. } => {
            Cow::Owned(faketime::set(environment, library, clock::ahead(environment, &plan.target.program)?))
        }
    })
}

fn secret(source: &SecretSource, context: &Context<'_>) -> Result<Secret, Failure> {
    match (source, context.session) {
        (SecretSource::Session, Some(session)) => Ok(session.secret),
        (SecretSource::New | SecretSource::Session, _) => secrets::new(),
        (SecretSource::User, _) => secrets::of_user(context.environment),
        (SecretSource::Identity(name), _) => Ok(secrets::of_user(context.environment)?.of_identity(name)),
        (SecretSource::Pair(pair), _) => {
            Ok(secrets::of_user(context.environment)?.of_pair(&pair.username, &pair.password))
        }
    }
}

/// One proxy URL has one credential: in the scope `destination` the preload library carries everything alone.
fn set_native(environment: &mut Environment, carried: &Carried, text: &str, path: &Path) -> Result<(), Failure> {
    if carried.isolation.scope.value == Scope::Destination {
        return Ok(());
    }
    let failed = |what: &str| Failure::ours(format!("native = \"all_proxy\": {what}; set native = \"none\""));
    let session = Session::parse(text).map_err(|_| failed("the session cannot be read"))?;
    // execve(2) keeps both, so this is what the preload library will find too.
    let start = start_time().ok_or_else(|| failed("/proc/self/stat cannot be read"))?;
    let program = carry::executable(path).canonicalize().map_err(|error| failed(&error.to_string()))?;
    let program = program.as_os_str().as_bytes();
    let credential = Credential::of(&session, &Subject { pid: process::id(), start, program, destination: "" });
    let gateway = SocketAddrV4::new(carried.gateway.value, carried.port.value);
    native::set(environment, gateway, credential.as_ref());
    Ok(())
}

/// In clock ticks since boot (proc_pid_stat(5), field 22).
fn start_time() -> Option<u64> {
    let stat = fs::read("/proc/self/stat").ok()?;
    // The second field, the name in parentheses, may hold anything.
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
    rest.split_ascii_whitespace().nth(22 - 3)?.parse().ok()
}

/// What execve(2) is given.
struct Executable<'a> {
    path: &'a Path,
    file: CString,
    arguments: Vec<CString>,
}

impl<'a> Executable<'a> {
    fn new(path: &'a Path, typed: &OsStr, arguments: &[OsString]) -> Result<Self, Failure> {
        let arguments = std::iter::once(typed).chain(arguments.iter().map(OsString::as_os_str)).map(c_string);
        Ok(Self { path, file: c_string(path.as_os_str())?, arguments: arguments.collect::<Result<_, _>>()? })
    }

    fn execute(self, environment: &Environment) -> Result<Infallible, Failure> {
        let Self { path, file, mut arguments } = self;
        let environment = environment.entries();
        let Err(mut errno) = execve(&file, &arguments, environment);
        if errno == Errno::ENOEXEC && carry::is_shell_script(path) {
            // As execvp(3): what is no program is a script of the shell.
            let shell = c_string(OsStr::new(carry::SHELL))?;
            arguments.splice(0..1, [shell.clone(), file]);
            let Err(of_shell) = execve(&shell, &arguments, environment);
            errno = of_shell;
        }
        let shown = path.display();
        Err(match errno {
            Errno::ENOENT => Failure::not_found(format!("{shown}: it or its interpreter was not found; install it")),
            Errno::E2BIG => Failure::not_executable(format!(
                "{shown}: the arguments and the environment are too long; shorten them"
            )),
            _ => Failure::not_executable(format!("{shown}: {}; not run (`ls -l {shown}`)", errno.desc())),
        })
    }
}

/// As execve(2) takes it.
///
/// # Errors
/// There is a NUL in it.
pub(crate) fn c_string(text: &OsStr) -> Result<CString, Failure> {
    // Arguments came from C strings; a path from the configuration may hold anything.
    CString::new(text.as_bytes())
        .map_err(|_| Failure::ours(format!("{} has a NUL byte in it; remove it", text.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_time_is_what_the_kernel_says() {
        let ticks = start_time().expect("readable");
        let uptime = fs::read_to_string("/proc/uptime").expect("readable");
        let seconds: f64 = uptime.split_whitespace().next().and_then(|word| word.parse().ok()).expect("a number");
        // 100 clock ticks per second is what every Linux of ours has (sysconf(3), `_SC_CLK_TCK`).
        let age = seconds - f64::from(u32::try_from(ticks).expect("small")) / 100.0;
        assert!((-1.0..600.0).contains(&age), "started {age} s ago");
    }

    #[test]
    fn what_cannot_be_executed() {
        let failure = |path: &str| {
            let program = Executable::new(Path::new(path), OsStr::new("x"), &[]);
            let Err(failure) = program.and_then(|program| program.execute(&Environment::default()));
            failure
        };
        assert_eq!(failure("/nonexistent").status, 127);
        assert_eq!(failure("/dev/null").status, 126);
        assert_eq!(failure("/dev/null\0").status, 125);
    }
}
