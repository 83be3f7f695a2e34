//! Where the rows run.

use std::fs;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::sys::socket::SockType;
use support::gateway::{Gateway, GatewayOptions, Outcome, Request};
use support::lab::Lab;
use support::netns::{GATEWAY_V4, Identity, Netns, Workstation};
use tempfile::TempDir;

use crate::outside;
use crate::programs::{open_to_all, programs};
use crate::row::{Expect, Row, Seen};
use crate::{report, table};

/// Seconds until timeout(1) ends a program; none takes longer on any machine.
const LIMIT: &str = "60";
/// The number that an inherited descriptor gets.
const INHERITED: i32 = 20;

/// How a row is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Bare,
    Off,
    Deny,
    Tunnel,
    /// A tunnel whose helper (and everything else) may not look into other processes.
    Forbidden,
    /// A tunnel for programs nobody may look into.
    Undumpable,
}

/// Who runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum User {
    Root,
    Nobody,
}

impl Level {
    /// The words before a command.
    fn wrapper(self, place: &Place) -> Vec<String> {
        let uwt = |level: &str| vec![place.lab.uwt().display().to_string(), format!("--guard={level}")];
        match self {
            Self::Bare => vec![],
            Self::Off => uwt("off"),
            Self::Deny => uwt("deny"),
            Self::Tunnel | Self::Undumpable => uwt("tunnel"),
            Self::Forbidden => [vec![place.path("@forbid")], uwt("tunnel")].concat(),
        }
    }

    /// What is expected of a row.
    fn expectation(self, row: &Row) -> Expect {
        match self {
            Self::Bare => row.bare,
            Self::Off => row.off,
            Self::Deny => row.deny,
            Self::Tunnel | Self::Forbidden | Self::Undumpable => row.tunnel,
        }
    }
}

/// Two workstations in front of one gateway.
pub(crate) struct Place {
    lab: Lab,
    /// Nothing may leave this one.
    calm: Workstation,
    /// Rows that leak run here: the last packets of a closed connection may come a little later.
    leaky: Workstation,
    gateway: Gateway,
    programs: &'static Path,
    config: TempDir,
}

/// Runs every row; what differs from the table is told in one go.
#[track_caller]
pub(crate) fn check(level: Level, user: User) {
    let place = Place::new();
    let mut wrong = Vec::new();
    for row in table::rows() {
        let seen = place.run(row, level, user);
        let expected = level.expectation(row);
        if !expected.fits(&seen, user == User::Root) {
            wrong.push(format!("{}: {}\n  wanted {expected:?}\n  {seen:?}", row.name, row.command));
        }
        report::record(row.name, level, user, seen.verdict());
    }
    report::write();
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), table::rows().count(), wrong.join("\n"));
    place.calm.assert_no_leaks();
}

impl Place {
    /// With both services in both workstations.
    pub(crate) fn new() -> Self {
        let lab = Lab::attach();
        let programs = programs(&lab);
        let (calm, gateway) = lab.mock(GatewayOptions::new().hosts(lab.hosts()));
        let leaky = lab.private_workstation();
        leaky.allow_gateway_port(gateway.address().port()).expect("nft");
        for workstation in [&calm, &leaky] {
            outside::serve(workstation);
            // As most distributions have it: everybody may use ICMP's datagram sockets (icmp(7)).
            let range = || Ok(fs::write("/proc/sys/net/ipv4/ping_group_range", "0 2147483647")?);
            workstation.netns().run(range).expect("sysctl");
        }
        let config = tempfile::Builder::new().prefix("uwt-leaks-").tempdir().expect("a folder");
        open_to_all(config.path());
        let SocketAddr::V4(address) = gateway.address() else { unreachable!("the lab's gateways are IPv4") };
        let lines = format!("gateway = \"{GATEWAY_V4}\"\nport = {}\nconnect_timeout = 30\n", address.port());
        fs::write(config.path().join("50_test.toml"), lines).expect("written");
        Self { lab, calm, leaky, gateway, programs, config }
    }

    /// The workstation that nothing leaves.
    pub(crate) fn calm(&self) -> &Workstation {
        &self.calm
    }

    /// What is outside.
    pub(crate) fn gateway_netns(&self) -> &Netns {
        self.lab.gateway()
    }

    /// Runs a row to its end.
    fn run(&self, row: &Row, level: Level, user: User) -> Seen {
        let leaky = level.expectation(row).leaks(user == User::Root);
        let workstation = if leaky { &self.leaky } else { &self.calm };
        let before = workstation.leaks().expect("the packet socket").len();
        drop(self.gateway.take_log());
        let (mut command, held) = self.command(row, level, user, workstation);
        let output = command.output().expect("started");
        drop(held);
        let packets = workstation.leaks().expect("the packet socket");
        let log = self.gateway.take_log();
        let asked = log.iter().filter(|request| !matches!(request.outcome, Outcome::Malformed(_)));
        let credential = |name: &Option<String>| name.as_deref().is_some_and(|name| name.starts_with("uwt-"));
        let status = output.status.to_string().into_bytes();
        let lines = [output.stdout, output.stderr, status].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Seen {
            leaks: packets[before..].iter().map(ToString::to_string).collect(),
            targets: asked.map(Request::target).collect(),
            isolated: log.iter().all(|request| credential(&request.username)),
            said: lines.iter().flat_map(|text| text.lines()).collect::<Vec<_>>().join("; "),
        }
    }

    /// The command of a row, and sockets that must live as long as it runs.
    pub(crate) fn command(
        &self,
        row: &Row,
        level: Level,
        user: User,
        workstation: &Workstation,
    ) -> (Command, Vec<OwnedFd>) {
        let mut sockets = Vec::new();
        let mut fresh = |kind| {
            sockets.push(outside::unconnected(workstation, kind));
            sockets.last().expect("just made").as_raw_fd()
        };
        let kind = if row.command.contains("{inherited-udp}") { SockType::Datagram } else { SockType::Stream };
        let inherited = row.command.contains("{inherited-").then(|| fresh(kind));
        // A service of this machine may look at who asks it, too.
        let late = row.command.contains("{passes}") || row.command.contains("{answers}");
        let words = row.command.split(' ').map(|word| match word {
            "{passes}" if level == Level::Undumpable => format!("{} nodump", outside::PASSES),
            "{passes}" => outside::PASSES.to_owned(),
            "{answers}" => outside::ANSWERS.to_owned(),
            "{inherited-tcp}" | "{inherited-udp}" => INHERITED.to_string(),
            "{pid}" => std::process::id().to_string(),
            "{fd}" => fresh(SockType::Stream).to_string(),
            // The modifier of our programs that sets PR_SET_DUMPABLE to 0, as daemons that keep secrets do.
            "@static" | "@static32" | "@musl" | "@dynamic" if level == Level::Undumpable && !late => {
                format!("{} nodump", self.path(word))
            }
            word => self.path(word),
        });
        let words: Vec<String> = words.collect();
        let words = words.iter().flat_map(|word| word.split(' '));
        let timeout = Path::new("/usr/bin/timeout");
        let mut command = match user {
            User::Root => workstation.command(timeout),
            User::Nobody => workstation.command_as(timeout, Identity::nobody()),
        };
        command.arg(LIMIT).args(level.wrapper(self)).args(words).current_dir("/").stdin(Stdio::null());
        command.env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin").env("LC_ALL", "C").env("HOME", "/nonexistent");
        command.env("UWT_CONFIG_PATH", self.config.path());
        if let Some(fd) = inherited {
            pass_on(&mut command, fd);
        }
        (command, sockets)
    }

    /// The path of one of our programs; other words stay as they are.
    fn path(&self, word: &str) -> String {
        let Some(name) = word.strip_prefix('@') else { return word.to_owned() };
        self.programs.join(name).display().to_string()
    }
}

/// Gives a command a descriptor under the number [`INHERITED`].
fn pass_on(command: &mut Command, fd: i32) {
    #[expect(unsafe_code, reason = "pre_exec is the only way to give a command a descriptor")]
    // SAFETY: the closure makes two system calls on numbers; the descriptor is open for as long as the command runs.
    unsafe {
        command.pre_exec(move || {
            Errno::result(libc::dup2(fd, INHERITED))?;
            // Where both are the same dup2(2) does nothing.
            Errno::result(libc::fcntl(INHERITED, libc::F_SETFD, 0))?;
            Ok(())
        });
    }
}
