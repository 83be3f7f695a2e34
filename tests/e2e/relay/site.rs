//! Where programs run: a workstation of its own in front of a mock gateway of its own.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use support::gateway::{Behaviour, Gateway, GatewayOptions, Service};
use support::netns::{GATEWAY_V4, Identity, Namespaces, Workstation};
use support::process::die_with_parent;
use support::wait::wait_until;
use tempfile::TempDir;

/// Nothing here takes longer on any machine; what does is killed, and the test fails.
pub(crate) const LIMIT: Duration = Duration::from_secs(40);
/// How long a connect waits where it matters that it waits.
pub(crate) const DELAY: Duration = Duration::from_secs(1);
/// By this variable the processes of a site are known, their helper among them.
const MARK: &str = "UWT_RELAY_TEST";
/// What a helper is called in `/proc/PID/comm`.
const HELPER: &str = "uwt-helper";

/// Who runs a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    Root,
    Nobody,
}

/// Both.
pub(crate) const USERS: [User; 2] = [User::Root, User::Nobody];

/// A workstation and a gateway. Nothing may have left past the gateway when it is dropped.
pub(crate) struct Site {
    // Dropped before the workstation: its last words on hundreds of connections still find who they are for.
    pub(crate) gateway: Gateway,
    workstation: Workstation,
    config: TempDir,
    mark: String,
    /// Outlives the workstation.
    namespaces: Arc<Namespaces>,
}

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The lines of standard output, joined by `; `.
    pub(crate) output: String,
    /// The lines of standard error.
    pub(crate) notes: Vec<String>,
    pub(crate) status: ExitStatus,
}

impl Site {
    /// In front of a gateway that does what the program's first line says, and behaves in a certain way.
    pub(crate) fn new(change: impl FnOnce(&mut Behaviour)) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let namespaces = Namespaces::shared().expect("namespaces");
        let workstation = namespaces.add_workstation().expect("a workstation");
        let mut options = GatewayOptions::new().listen(SocketAddr::from((GATEWAY_V4, 0))).service(Service::Obey);
        change(&mut options.behaviour);
        let gateway = Gateway::start_in(Some(namespaces.gateway()), options).expect("a gateway");
        workstation.allow_gateway_port(gateway.address().port()).expect("nft");
        let config = tempfile::Builder::new().prefix("uwt-relay-").tempdir().expect("a folder");
        let mark = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let site = Self { gateway, workstation, config, mark, namespaces };
        site.configure("");
        site
    }

    /// In front of a gateway that takes its time.
    pub(crate) fn late() -> Self {
        Self::new(|behaviour| behaviour.delay = DELAY)
    }

    /// Writes the configuration.
    pub(crate) fn configure(&self, lines: &str) {
        let lines = format!("gateway = \"{GATEWAY_V4}\"\nport = {}\n{lines}", self.gateway.address().port());
        fs::write(self.config.path().join("50_test.toml"), lines).expect("written");
        open_to_all(self.config.path());
    }

    /// The workstation.
    pub(crate) fn workstation(&self) -> &Workstation {
        &self.workstation
    }

    /// `uwt OPTIONS --`, to which a program is to be added.
    pub(crate) fn uwt(&self, user: User, options: &[&str]) -> Command {
        let uwt = programs().join("uwt");
        let mut command = match user {
            User::Root => self.workstation.command(uwt),
            User::Nobody => self.workstation.command_as(uwt, Identity::nobody()),
        };
        command.args(options).arg("--");
        plain(&mut command);
        command.env("UWT_CONFIG_PATH", self.config.path()).env(MARK, &self.mark);
        command
    }

    /// Runs a script of the probe under `uwt OPTIONS`.
    pub(crate) fn run(&self, user: User, options: &[&str], script: &str) -> Seen {
        watch(self.uwt(user, options).arg(probe()).arg(script))
    }

    /// Runs a script without `uwt`; only where nothing can leave the machine.
    pub(crate) fn run_bare(&self, user: User, script: &str) -> Seen {
        let mut command = match user {
            User::Root => self.workstation.command(probe()),
            User::Nobody => self.workstation.command_as(probe(), Identity::nobody()),
        };
        plain(&mut command);
        watch(command.arg(script))
    }

    /// Starts a script that pauses.
    pub(crate) fn start(&self, user: User, options: &[&str], script: &str) -> Started {
        Started::spawn(self.uwt(user, options).arg(probe()).arg(script))
    }

    /// Ends the gateway and its connections. The one that takes its place here is on a port that nobody knows.
    pub(crate) fn stop_gateway(&mut self) {
        let options = GatewayOptions::new().listen(SocketAddr::from((GATEWAY_V4, 0)));
        self.gateway = Gateway::start_in(Some(self.namespaces.gateway()), options).expect("a gateway");
    }

    /// The helpers of this site, with what they have outside the cage.
    pub(crate) fn helpers(&self) -> Vec<i32> {
        let mark = format!("{MARK}={}", self.mark);
        let pids = fs::read_dir("/proc").expect("/proc").flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(|pid| {
            let comm = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let marked = environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes());
            marked && comm.trim_end() == HELPER
        })
        .collect()
    }

    /// How many descriptors the helpers have open.
    pub(crate) fn descriptors(&self) -> usize {
        let count = |pid| fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
        self.helpers().into_iter().map(count).sum()
    }

    /// How much memory the helpers use, in KiB (`RssAnon`, `proc_pid_status(5)`).
    pub(crate) fn memory(&self) -> u64 {
        let of = |pid| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap_or_default();
            line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0)
        };
        self.helpers().into_iter().map(of).sum()
    }

    /// Kills the helpers, and waits until they are gone.
    #[track_caller]
    pub(crate) fn kill_helpers(&self) {
        use nix::sys::signal::{Signal, kill};
        let found = wait_until(LIMIT, || Some(self.helpers()).filter(|found| !found.is_empty()));
        for pid in found.expect("a helper") {
            // One may end because the other did.
            let _ = kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL);
        }
        self.assert_helpers_end();
    }

    /// Fails unless the helpers end by themselves, and are not left as zombies.
    #[track_caller]
    pub(crate) fn assert_helpers_end(&self) {
        let gone = wait_until(LIMIT, || self.helpers().is_empty().then_some(()));
        assert!(gone.is_some(), "a helper stays: {:?}", self.helpers());
    }

    /// Fails unless the gateway soon has just so many connections.
    #[track_caller]
    pub(crate) fn assert_open(&self, count: usize) {
        let reached = wait_until(LIMIT, || (self.gateway.open() == count).then_some(()));
        assert!(reached.is_some(), "{} connections instead of {count}", self.gateway.open());
    }

    /// Waits until the gateway was asked for so many connections; gives the targets, names in quotes.
    #[track_caller]
    pub(crate) fn asked(&self, count: usize) -> Vec<String> {
        let log = self.gateway.wait_log(LIMIT, |log| log.len() >= count);
        let log = log.unwrap_or_else(|| panic!("not asked {count} times: {:?}", self.gateway.log()));
        drop(self.gateway.take_log());
        let quote = |by_name| if by_name { "\"" } else { "" };
        log.iter()
            .map(|one| {
                format!("{quote}{host}{quote}:{port}", quote = quote(one.by_name), host = one.host, port = one.port)
            })
            .collect()
    }
}

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
    output: Receiver<String>,
}

impl Started {
    /// Starts a command that can be talked to.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        die_with_parent(command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().expect("started");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let (sender, output) = mpsc::channel();
        // Until nobody listens any more.
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { input: child.stdin.take(), child, output }
    }

    /// The lines up to `paused`, joined by `; `.
    #[track_caller]
    pub(crate) fn until_paused(&mut self) -> String {
        let mut lines = Vec::new();
        loop {
            match self.output.recv_timeout(LIMIT) {
                Ok(line) if line == "paused" => return lines.join("; "),
                Ok(line) => lines.push(line),
                Err(error) => panic!("it does not pause ({error}): {lines:?}"),
            }
        }
    }

    /// Lets a script go on that pauses.
    pub(crate) fn go_on(&mut self) {
        self.input.as_mut().expect("a pipe").write_all(b"\n").expect("it reads");
    }

    /// Waits for its end; gives the lines it still said, joined by `; `.
    #[track_caller]
    pub(crate) fn end(mut self) -> String {
        drop(self.input.take());
        wait_until(LIMIT, || self.child.try_wait().expect("a child")).expect("it ends");
        // The pipe is at its end when no child has it either.
        let mut lines = Vec::new();
        loop {
            match self.output.recv_timeout(LIMIT) {
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Disconnected) => return lines.join("; "),
                Err(RecvTimeoutError::Timeout) => panic!("a child of it stays: {lines:?}"),
            }
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Nothing of the environment of the tests.
pub(crate) fn plain(command: &mut Command) {
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").env("HOME", "/nonexistent").current_dir("/");
}

/// Runs a command to its end.
pub(crate) fn watch(command: &mut Command) -> Seen {
    die_with_parent(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("started");
    let (output, notes) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let ended = wait_until(LIMIT, || child.try_wait().expect("a child"));
    let status = ended.unwrap_or_else(|| {
        let _ = child.kill();
        child.wait().expect("killed")
    });
    let output = output.join().expect("read").join("; ");
    Seen { output, notes: notes.join().expect("read"), status }
}

/// Reads the lines of a pipe to its end, on a thread.
fn reader(pipe: Option<impl std::io::Read + Send + 'static>) -> std::thread::JoinHandle<Vec<String>> {
    let lines = BufReader::new(pipe.expect("a pipe")).lines();
    std::thread::spawn(move || lines.map_while(Result::ok).collect())
}

/// A folder with `uwt`, its library and the programs that run below it, which every user can read, whatever the checkout
/// is.
pub(crate) fn programs() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let built = std::env::var_os("UWT_BIN_DIR").expect("UWT_BIN_DIR names the folder with uwt: `cargo xtask test`");
        let folder = folder();
        fs::create_dir_all(&folder).expect("a folder");
        let files = ["uwt", "libuwt_preload.so"].map(|file| Path::new(&built).join(file));
        let more = [env!("CARGO_BIN_EXE_probe"), env!("CARGO_BIN_EXE_crowd")];
        // Not by this process: a child forked meanwhile would hold them open for writing, and exec says ETXTBSY.
        let copied = Command::new("install").args(["-m", "0755"]).args(files).args(more).arg(&folder).status();
        assert!(copied.expect("install").success(), "no programs in {}", Path::new(&built).display());
        open_to_all(&folder);
        // The process ends without destructors of statics: this one is for the folder.
        #[expect(unsafe_code, reason = "atexit(3) takes a C function")]
        // SAFETY: the function is one of this program and panics at nothing.
        unsafe {
            libc::atexit(remove_programs);
        }
        folder
    })
}

fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("uwt-relay-{}", std::process::id()))
}

extern "C" fn remove_programs() {
    let _ = fs::remove_dir_all(folder());
}

/// The probe.
pub(crate) fn probe() -> PathBuf {
    programs().join("probe")
}

/// Lets every user read a folder.
fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("chmod");
}
