//! A workstation in front of a mock gateway, and static programs below `uwt --guard=tunnel` in it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use support::gateway::{Gateway, GatewayOptions};
use support::lab::Lab;
use support::netns::{GATEWAY_V4, Identity, Workstation};
use support::process::die_with_parent;
use support::wait::wait_until;
use tempfile::TempDir;

use crate::place::User;
use crate::programs::{open_to_all, programs};

/// Nothing here takes longer on any machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);
/// A server on the lab's internet that sends everything back.
pub(crate) const ECHO: [&str; 2] = ["203.0.113.6", "7"];
/// By this variable the processes of a site are known, their helper among them.
const MARK: &str = "UWT_CAGE_TEST";

/// A workstation, a gateway, and the programs. Nothing may have left past the gateway when it is dropped.
pub(crate) struct Site {
    lab: Lab,
    // Dropped before the workstation: its last words on hundreds of connections still find who they are for.
    pub(crate) gateway: Gateway,
    workstation: Workstation,
    config: TempDir,
    mark: String,
}

impl Site {
    /// In front of a gateway that relays to the lab's internet.
    pub(crate) fn new() -> Self {
        Self::with(GatewayOptions::new())
    }

    /// In front of a gateway with these options.
    pub(crate) fn with(options: GatewayOptions) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let lab = Lab::attach();
        let (workstation, gateway) = lab.mock(options.hosts(lab.hosts()));
        let config = tempfile::Builder::new().prefix("uwt-cage-").tempdir().expect("a folder");
        open_to_all(config.path());
        let SocketAddr::V4(address) = gateway.address() else { unreachable!("the lab's gateways are IPv4") };
        let lines = format!("gateway = \"{GATEWAY_V4}\"\nport = {}\nguard = \"tunnel\"\n", address.port());
        fs::write(config.path().join("50_test.toml"), lines).expect("written");
        let mark = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Self { lab, gateway, workstation, config, mark }
    }

    /// The path of a compiled program.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        programs(&self.lab).join(name)
    }

    /// The path of `uwt`.
    pub(crate) fn uwt_path(&self) -> PathBuf {
        self.lab.uwt()
    }

    /// Any program in the workstation, with the environment of the site.
    pub(crate) fn command(&self, program: &Path, user: User) -> Command {
        let mut command = match user {
            User::Root => self.workstation.command(program),
            User::Nobody => self.workstation.command_as(program, Identity::nobody()),
        };
        command.env_clear().env("PATH", crate::place::PATH).env("LC_ALL", "C").env("HOME", "/nonexistent");
        command.env("UWT_CONFIG_PATH", self.config.path()).env(MARK, &self.mark).current_dir("/");
        command
    }

    /// `uwt WORDS…`; `@NAME` is a compiled program.
    pub(crate) fn uwt(&self, user: User, words: &[&str]) -> Command {
        let mut command = self.command(&self.lab.uwt(), user);
        let path = |name| self.program(name).into_os_string();
        command.args(words.iter().map(|word| word.strip_prefix('@').map_or_else(|| (*word).into(), path)));
        command
    }

    /// Runs `uwt WORDS…` to its end.
    pub(crate) fn run(&self, user: User, words: &[&str]) -> Output {
        self.uwt(user, words).stdin(Stdio::null()).output().expect("started")
    }

    /// Runs `uwt WORDS…`: it must say just this on its standard output, and succeed.
    #[track_caller]
    pub(crate) fn check(&self, user: User, words: &[&str], says: &str) {
        let output = self.run(user, words);
        assert!(output.status.success() && text(&output.stdout) == says, "{words:?}: {output:?}");
    }

    /// Starts `uwt WORDS…` and keeps it.
    pub(crate) fn start(&self, user: User, words: &[&str]) -> Started {
        let mut command = self.uwt(user, words);
        die_with_parent(&mut command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("started");
        let (input, output) = (child.stdin.take(), child.stdout.take().expect("a pipe"));
        Started { child, input, output: BufReader::new(output) }
    }

    /// The processes of this site that run a certain program, by the name in `/proc/PID/comm`.
    pub(crate) fn processes(&self, name: &str) -> Vec<i32> {
        let mark = format!("{MARK}={}", self.mark);
        let pids = fs::read_dir("/proc").expect("/proc").flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(|pid| {
            let comm = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let marked = environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes());
            marked && comm.trim_end() == name
        })
        .collect()
    }

    /// The helper of the one tree that runs.
    #[track_caller]
    pub(crate) fn helpers(&self) -> Vec<i32> {
        let found = wait_until(LIMIT, || Some(self.processes(HELPER)).filter(|found| !found.is_empty()));
        found.expect("a helper")
    }

    /// Fails unless the helper ends by itself.
    #[track_caller]
    pub(crate) fn assert_helper_ends(&self) {
        let gone = wait_until(LIMIT, || self.processes(HELPER).is_empty().then_some(()));
        assert!(gone.is_some(), "a helper stays: {:?}", self.processes(HELPER));
    }
}

/// What a helper is called in `/proc/PID/comm`.
pub(crate) const HELPER: &str = "uwt-helper";

impl Drop for Site {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.workstation.assert_no_leaks();
        }
    }
}

/// A program that runs; killed when dropped.
pub(crate) struct Started {
    pub(crate) child: Child,
    input: Option<ChildStdin>,
    output: BufReader<std::process::ChildStdout>,
}

impl Started {
    /// Its process: `uwt` executes the program in place.
    pub(crate) fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Waits until uwt has executed the program, which it does when everything is in place.
    #[track_caller]
    pub(crate) fn wait_until_executed(&self) {
        let comm = || fs::read_to_string(format!("/proc/{}/comm", self.pid())).expect("it runs");
        let executed = wait_until(LIMIT, || (comm().trim_end() != "uwt").then_some(()));
        assert!(executed.is_some(), "uwt executes nothing");
    }

    /// The next line it says.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("readable");
        line.trim_end().to_owned()
    }

    /// Gives it a line.
    pub(crate) fn tell(&mut self) {
        self.input.as_mut().expect("a pipe").write_all(b"\n").expect("it reads");
    }

    /// Waits for its end; gives the rest of what it said and its status as a shell shows it.
    #[track_caller]
    pub(crate) fn end(mut self) -> (String, i32) {
        drop(self.input.take());
        let status = wait_until(LIMIT, || self.child.try_wait().expect("a child")).expect("it ends");
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("readable");
        (rest, status.code().unwrap_or_else(|| 128 + status.signal().expect("killed")))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Output as text, without the end of the last line.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}
