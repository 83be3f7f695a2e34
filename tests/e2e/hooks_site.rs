//! Where a script of the probe runs: a workstation of its own in front of a mock gateway of its own.

use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use support::gateway::{Behaviour, Gateway, GatewayOptions, Outcome, Request, Service};
use support::hosts::Hosts;
use support::netns::{GATEWAY_V4, Identity, Namespaces, Workstation};
use support::process::die_with_parent;
use support::wait::wait_until;

/// No script takes longer on any machine; it is killed, and the test fails.
const LIMIT: Duration = Duration::from_mins(1);

/// A workstation, a gateway, and what is needed to run scripts there.
///
/// When it is dropped at the end of a test, not one packet may have left past the gateway.
pub(crate) struct Site {
    workstation: Workstation,
    pub(crate) gateway: Gateway,
    /// Services on the workstation's loopback that send everything back: TCP and UDP, IPv4 and IPv6.
    echo: u16,
    datagrams: u16,
    config: tempfile::TempDir,
    /// Outlives the workstation.
    namespaces: Arc<Namespaces>,
}

/// A script, what it prints, and what the gateway is asked for.
pub(crate) type Case<'a> = (&'a str, &'a str, &'a [&'a str]);

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The lines of standard output, joined by `; `.
    pub(crate) output: String,
    /// The lines of standard error.
    pub(crate) notes: Vec<String>,
    pub(crate) status: ExitStatus,
    /// What the gateway was asked.
    pub(crate) log: Vec<Request>,
}

impl Seen {
    /// The targets asked for, in order, names in quotes; each by a process with a credential.
    pub(crate) fn targets(&self) -> Vec<String> {
        let asked = self.log.iter().filter(|request| !matches!(request.outcome, Outcome::Malformed(_)));
        asked
            .map(|request| {
                let user = request.username.as_deref().unwrap_or_default();
                assert!(user.starts_with("uwt-") && user.len() > 20, "no credential: {request:?}");
                assert_eq!(request.password.as_deref(), Some("0"));
                assert!(request.pipelined, "in several segments: {request:?}");
                let quote = if request.by_name { "\"" } else { "" };
                format!("{quote}{}{quote}:{}", request.host, request.port)
            })
            .collect()
    }

    /// The usernames, in order.
    pub(crate) fn users(&self) -> Vec<String> {
        self.log.iter().map(|request| request.username.clone().unwrap_or_default()).collect()
    }
}

/// The names that the mock gateway knows.
fn hosts() -> Hosts {
    let hosts = Hosts::new();
    for (name, address) in [
        ("www.example.test", "203.0.113.7"),
        ("six.example.test", "2001:db8::7"),
        ("loop.example.test", "127.0.0.1"),
        ("reserved.example.test", "127.200.1.1"),
    ] {
        hosts.add(name, address.parse().expect("an address"));
    }
    hosts
}

impl Site {
    /// With a gateway that behaves and sends everything back.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// With a gateway that behaves in a certain way.
    pub(crate) fn with(change: impl FnOnce(&mut Behaviour)) -> Self {
        let namespaces = Namespaces::shared().expect("namespaces");
        let workstation = namespaces.add_workstation().expect("a workstation");
        let mut options =
            GatewayOptions::new().listen(SocketAddr::from((GATEWAY_V4, 0))).service(Service::Echo).hosts(hosts());
        change(&mut options.behaviour);
        let gateway = Gateway::start_in(Some(namespaces.gateway()), options).expect("a gateway");
        workstation.allow_gateway_port(gateway.address().port()).expect("nft");
        let echo = workstation.netns().run(|| Ok(TcpListener::bind("[::]:0")?)).expect("a listener");
        let datagrams = workstation.netns().run(|| Ok(UdpSocket::bind("[::]:0")?)).expect("a socket");
        let port = |address: std::io::Result<SocketAddr>| address.expect("an address").port();
        let (echo, datagrams) = (serve(echo, port), serve_datagrams(datagrams, port));
        let config = tempfile::tempdir().expect("a folder");
        let site = Self { workstation, gateway, echo, datagrams, config, namespaces };
        // Nothing here is slower; and where an answer never comes, it shall not take for ever.
        site.configure("connect_timeout = 30");
        site
    }

    /// Where the preload is alone: for what it refuses and forgets by itself, and a guard or helper would have an answer to.
    pub(crate) fn unguarded() -> Self {
        let site = Self::new();
        std::fs::write(site.config.path().join("40_guard.toml"), "guard = \"off\"\n").expect("written");
        open_to_all(site.config.path());
        site
    }

    /// Writes the configuration.
    pub(crate) fn configure(&self, lines: &str) {
        std::fs::write(self.config.path().join("50_test.toml"), lines).expect("written");
        open_to_all(self.config.path());
    }

    /// The folder of the configuration.
    pub(crate) fn config(&self) -> &Path {
        self.config.path()
    }

    /// The workstation.
    pub(crate) fn workstation(&self) -> &Workstation {
        &self.workstation
    }

    /// The namespaces, to be another machine than the workstation.
    pub(crate) fn namespaces(&self) -> &Namespaces {
        &self.namespaces
    }

    /// `GATEWAY_V4` and the gateway's port.
    pub(crate) fn port(&self) -> u16 {
        self.gateway.address().port()
    }

    /// Puts the ports of this site into a script.
    pub(crate) fn fill(&self, script: &str) -> String {
        script
            .replace("{echo}", &self.echo.to_string())
            .replace("{udp}", &self.datagrams.to_string())
            .replace("{gateway}", &self.gateway.address().to_string())
            .replace("{port}", &self.port().to_string())
            .replace("{own}", &self.workstation.address().to_string())
    }

    /// `uwt OPTIONS`, to which a program is to be added.
    pub(crate) fn uwt(&self, options: &[&str]) -> Command {
        self.uwt_as(options, None)
    }

    /// The same as another user.
    pub(crate) fn uwt_as(&self, options: &[&str], user: Option<Identity>) -> Command {
        let uwt = programs().join("uwt");
        let mut command = match user {
            Some(user) => self.workstation.command_as(uwt, user),
            None => self.workstation.command(uwt),
        };
        let port = self.port().to_string();
        command.args(["-i", &GATEWAY_V4.to_string(), "-p", &port]).args(options).arg("--");
        self.plain(&mut command);
        command
    }

    /// Nothing of the environment of the tests.
    fn plain(&self, command: &mut Command) {
        command.env_clear().env("PATH", "/usr/bin:/bin").env("UWT_CONFIG_PATH", self.config.path());
        command.env("HOME", "/nonexistent");
    }

    /// Runs a script wrapped.
    pub(crate) fn run(&self, script: &str) -> Seen {
        self.run_with(&[], script)
    }

    /// Runs a script wrapped, with options of uwt.
    pub(crate) fn run_with(&self, options: &[&str], script: &str) -> Seen {
        self.watch(self.uwt(options).arg(probe()).arg(self.fill(script)))
    }

    /// Runs a script without uwt; only where nothing can leave the machine.
    pub(crate) fn run_bare(&self, script: &str) -> Seen {
        let mut command = self.workstation.command(probe());
        self.plain(&mut command);
        self.watch(command.arg(self.fill(script)))
    }

    /// Runs a command to its end.
    pub(crate) fn watch(&self, command: &mut Command) -> Seen {
        drop(self.gateway.take_log());
        die_with_parent(command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("started");
        let (output, notes) = (reader(child.stdout.take()), reader(child.stderr.take()));
        let status = wait(&mut child);
        let lines = |text: std::thread::JoinHandle<String>| text.join().expect("read");
        let output = lines(output).lines().collect::<Vec<_>>().join("; ");
        let notes = lines(notes).lines().map(str::to_owned).collect();
        Seen { output, notes, status, log: self.gateway.take_log() }
    }

    /// Runs a script wrapped: it must say `output`, nothing on standard error, and the gateway be asked for `targets`.
    #[track_caller]
    pub(crate) fn check(&self, script: &str, output: &str, targets: &[&str]) {
        self.check_all(&[], &[(script, output, targets)]);
    }

    /// Checks a whole table, with options of uwt; what is wrong is told in one go.
    #[track_caller]
    pub(crate) fn check_all(&self, options: &[&str], cases: &[Case<'_>]) {
        let wrong: Vec<String> = cases.iter().filter_map(|case| self.compare(options, case).err()).collect();
        assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    }

    fn compare(&self, options: &[&str], (script, output, targets): &Case<'_>) -> Result<(), String> {
        let seen = self.run_with(options, script);
        let wanted: Vec<String> = targets.iter().map(|target| self.fill(target)).collect();
        let good = seen.output == self.fill(output) && seen.notes.is_empty() && seen.status.success();
        if good && seen.targets() == wanted {
            return Ok(());
        }
        let Seen { output: got, notes, status, .. } = &seen;
        Err(format!("{script}\n  wanted {output} {wanted:?}\n  got    {got} {:?} {notes:?} {status}", seen.targets()))
    }

    /// Runs a script wrapped that is refused something: it must say `output`, the user be told one line that contains
    /// `note`, and the gateway be asked nothing.
    #[track_caller]
    pub(crate) fn check_refused(&self, script: &str, output: &str, note: &str) {
        let seen = self.run(script);
        assert_eq!(seen.output, self.fill(output), "{script}\n{seen:?}");
        let told = matches!(&seen.notes[..], [line] if line.starts_with("uwt: ") && line.contains(note));
        assert!(told, "{script}: no line with {note:?}\n{seen:?}");
        assert!(seen.log.is_empty(), "{script}\n{seen:?}");
    }

    /// Runs a script wrapped and bare: libc's answers must be the same, and the gateway be asked nothing.
    #[track_caller]
    pub(crate) fn check_same(&self, script: &str) {
        let (bare, wrapped) = (self.run_bare(script), self.run(script));
        assert_eq!(wrapped.output, bare.output, "{script}\nbare {bare:?}\nwrapped {wrapped:?}");
        assert!(wrapped.log.is_empty() && wrapped.notes.is_empty(), "{script}\n{wrapped:?}");
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.workstation.assert_no_leaks();
        }
    }
}

/// A folder with `uwt`, its library and the probe that every user can read, whatever the checkout is.
pub(crate) fn programs() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let built = std::env::var_os("UWT_BIN_DIR").expect("UWT_BIN_DIR names the folder with uwt: `cargo xtask test`");
        let folder = std::env::temp_dir().join(format!("uwt-hooks-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let files = ["uwt", "libuwt_preload.so"].map(|file| Path::new(&built).join(file));
        // Not by this process: a child forked meanwhile would hold them open for writing, and exec says ETXTBSY.
        let copied = Command::new("cp").args(files).arg(env!("CARGO_BIN_EXE_probe")).arg(&folder).status();
        assert!(copied.expect("cp").success(), "no programs in {}", Path::new(&built).display());
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

extern "C" fn remove_programs() {
    let folder = std::env::temp_dir().join(format!("uwt-hooks-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(folder);
}

/// The probe.
pub(crate) fn probe() -> PathBuf {
    programs().join("probe")
}

/// The preload library.
pub(crate) fn library() -> PathBuf {
    programs().join("libuwt_preload.so")
}

/// Lets every user read a folder and its files.
pub(crate) fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let open = |path: &Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("chmod");
    open(folder);
    for file in std::fs::read_dir(folder).expect("readable").flatten() {
        open(&file.path());
    }
}

/// Sends back what TCP clients send, for as long as the program runs.
fn serve(listener: TcpListener, port: impl Fn(std::io::Result<SocketAddr>) -> u16) -> u16 {
    let number = port(listener.local_addr());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    if stream.write_all(&buffer[..count]).is_err() {
                        break;
                    }
                }
            });
        }
    });
    number
}

/// The same for datagrams.
fn serve_datagrams(socket: UdpSocket, port: impl Fn(std::io::Result<SocketAddr>) -> u16) -> u16 {
    let number = port(socket.local_addr());
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((count, from)) = socket.recv_from(&mut buffer) {
            // The asker may be gone.
            let _ = socket.send_to(&buffer[..count], from);
        }
    });
    number
}

/// Reads a pipe to its end, on a thread.
fn reader(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.expect("a pipe").read_to_end(&mut bytes).expect("readable");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Waits for the end, for as long as it may take.
fn wait(child: &mut Child) -> ExitStatus {
    let ended = wait_until(LIMIT, || child.try_wait().expect("a child"));
    ended.unwrap_or_else(|| {
        let _ = child.kill();
        child.wait().expect("killed")
    })
}
