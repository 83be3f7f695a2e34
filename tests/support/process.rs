//! Processes the lab starts: each is ended by its own pid, however the lab ends.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;

use crate::wait::wait_until;

/// How long a process may take to end after SIGTERM before it gets SIGKILL.
const GRACE: Duration = Duration::from_millis(500);

/// A server process of the lab: ended when dropped, and by the kernel when the starting thread ends.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with standard output and error in `log`.
    ///
    /// The process dies with the *thread* that called this (`PR_SET_PDEATHSIG`), so call it from one that lives as
    /// long as the server is needed.
    ///
    /// # Errors
    /// When the log cannot be created or the program not be started; the program is named.
    pub fn spawn(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let out = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("open {}", log.display()))?;
        let err: File = out.try_clone()?;
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        die_with_parent(command);
        let child = command.spawn().with_context(|| format!("start {} for {name}", command.get_program().display()))?;
        Ok(Self { name: name.to_owned(), child, log: log.to_owned() })
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Fails when the process has ended, with its status and the end of its log.
    ///
    /// # Errors
    /// When it has ended.
    pub fn check(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} ended with {status}; its log ends with:\n{}", self.name, log_tail(&self.log, 15));
        }
        Ok(())
    }
}

impl Process {
    /// Asks it to end; dropping it then waits. For many at once, so that they end side by side.
    pub(crate) fn terminate(&mut self) {
        // Not reaped yet, so the pid is still ours. A failure means it is gone, which is what we want.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.terminate();
        let ended = wait_until(GRACE, || self.child.try_wait().ok().flatten());
        if ended.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Makes the kernel kill the command when the thread that spawns it ends, and lets signals reach it whatever this
/// process blocks (a child inherits the mask).
pub fn die_with_parent(command: &mut Command) {
    let hook = || {
        SigSet::empty().thread_set_mask()?;
        set_pdeathsig(Signal::SIGKILL).map_err(io::Error::from)
    };
    #[expect(unsafe_code, reason = "pre_exec is the only way to run prctl in the child")]
    // SAFETY: the closure makes two system calls, allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(hook);
    }
}

/// Runs a command to its end and fails unless it succeeded, quoting what it wrote to standard error.
///
/// # Errors
/// When it cannot be started or does not exit with 0.
pub fn run(command: &mut Command) -> Result<Output> {
    let shown = format!("{command:?}");
    let output = command.output().with_context(|| format!("start {shown}"))?;
    if !output.status.success() {
        bail!("{shown}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(output)
}

/// Runs a command with `input` on its standard input; otherwise as [`run`].
///
/// # Errors
/// When it cannot be started or does not exit with 0.
pub fn run_with_input(command: &mut Command, input: &str) -> Result<Output> {
    use std::io::Write as _;
    let shown = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("start {shown}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).with_context(|| format!("write to {shown}"))?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!(
            "{shown}: {}\n{}\ninput was:\n{input}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    Ok(output)
}

/// Whether a process runs. One that has ended but was not reaped by its parent does not.
#[must_use]
pub fn is_running(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name, in parentheses, may contain anything; the state follows it (proc(5)).
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().next());
    state.is_some_and(|state| !matches!(state, "Z" | "X"))
}

/// Where a program is: in Debian's own directories (sbin included, which users' `PATH`s often lack), else in `PATH`. The
/// bare name when nowhere, so that starting it gives the usual error.
#[must_use]
pub fn find(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"].map(PathBuf::from);
    let mut places = debian.into_iter().chain(std::env::split_paths(&path));
    places.find_map(|dir| Some(dir.join(program)).filter(|file| file.is_file())).unwrap_or_else(|| program.into())
}

/// The last `lines` lines of a log file, for error messages.
#[must_use]
pub fn log_tail(path: &Path, lines: usize) -> String {
    let text = match std::fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => return format!("({}: {error})", path.display()),
    };
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zombies_do_not_run() {
        assert!(is_running(std::process::id()));
        let mut child = Command::new("/bin/true").spawn().expect("true");
        let gone = wait_until(Duration::from_secs(20), || (!is_running(child.id())).then_some(()));
        assert!(gone.is_some(), "an unreaped child counts as running");
        child.wait().expect("wait");
    }

    #[test]
    fn a_dropped_process_is_gone_even_when_it_ignores_sigterm() {
        let dir = tempfile::tempdir().expect("directory");
        let log = dir.path().join("log");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"]);
        let mut process = Process::spawn("stubborn", &mut command, &log).expect("spawn");
        let ready = wait_until(Duration::from_secs(20), || log_tail(&log, 1).contains("ready").then_some(()));
        assert!(ready.is_some());
        process.check().expect("it runs");
        let pid = process.pid();
        drop(process);
        assert!(!is_running(pid));
    }

    #[test]
    fn an_ended_process_shows_its_log() {
        let dir = tempfile::tempdir().expect("directory");
        let log = dir.path().join("log");
        let mut process =
            Process::spawn("short", Command::new("/bin/sh").args(["-c", "echo oops; exit 3"]), &log).expect("spawn");
        let error = wait_until(Duration::from_secs(20), || process.check().err()).expect("it ended").to_string();
        assert!(error.contains("oops") && error.contains("short"), "{error}");
    }
}
