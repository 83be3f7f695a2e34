//! A workstation of one's own in front of real Tor, and commands in it with a clean environment.

use std::ffi::OsStr;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::lab::Lab;
use support::netns::{Identity, Workstation};
use tempfile::TempDir;

use crate::flow::{self, Flow, Flows};

/// Debian's programs: not what a developer's machine has elsewhere under the same names.
pub(crate) const PATH: &str = "/usr/bin:/bin:/usr/sbin:/sbin";

/// Seconds until timeout(1) ends a command; none takes longer on any machine.
const LIMIT: &str = "150";

/// Who runs a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    Root,
    Nobody,
}

/// Where a test runs its clients.
pub(crate) struct Place {
    pub(crate) lab: Lab,
    pub(crate) workstation: Workstation,
    flows: Flows,
    dir: TempDir,
}

/// How a command ended, and what Tor was asked for meanwhile.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) flows: Vec<Flow>,
}

impl Place {
    /// With a configuration that names the lab's gateway and says nothing else.
    pub(crate) fn new() -> Self {
        let lab = Lab::attach();
        let workstation = lab.private_workstation();
        let flows = Flows::watch(lab.control(), workstation.address());
        let dir = tempfile::Builder::new().prefix("uwt-client-").tempdir().expect("directory");
        let place = Self { lab, workstation, flows, dir };
        place.mode("", 0o755);
        std::fs::create_dir(place.at("etc")).expect("directory");
        place.mode("etc", 0o755);
        let (gateway, port) = (place.lab.socks().ip(), place.lab.socks().port());
        place.file("etc/50_lab.toml", &format!("gateway = \"{gateway}\"\nport = {port}\n"));
        // Homes are private; nobody's is elsewhere than root's.
        for home in ["root", "nobody"] {
            std::fs::create_dir(place.at(home)).expect("directory");
            place.mode(home, 0o700);
        }
        chown(place.at("nobody"), Some(65534), Some(65534)).expect("chown");
        place
    }

    /// With the configuration that is shipped, and the lab's gateway on top of it.
    pub(crate) fn shipped() -> Self {
        let place = Self::new();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../etc/uwt.d/30_default.toml");
        let text = std::fs::read_to_string(shipped).expect("the shipped configuration");
        place.file("etc/30_default.toml", &text);
        place
    }

    /// A path in the directory of this place, which everybody may read.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Writes a file that everybody may read.
    pub(crate) fn file(&self, path: &str, text: &str) -> PathBuf {
        std::fs::write(self.at(path), text).expect("written");
        self.mode(path, 0o644);
        self.at(path)
    }

    fn mode(&self, path: &str, mode: u32) {
        std::fs::set_permissions(self.at(path), std::fs::Permissions::from_mode(mode)).expect("mode");
    }

    /// `uwt` with arguments, as a user, ended after a while by timeout(1).
    pub(crate) fn uwt<S: AsRef<OsStr>>(&self, user: User, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = match user {
            User::Root => self.workstation.command("/usr/bin/timeout"),
            User::Nobody => self.workstation.command_as("/usr/bin/timeout", Identity::nobody()),
        };
        let home = self.at(if user == User::Root { "root" } else { "nobody" });
        command.env_clear().env("PATH", PATH).env("LC_ALL", "C").env("UWT_CONFIG_PATH", self.at("etc"));
        command.env("HOME", &home).env("XDG_RUNTIME_DIR", &home).current_dir(self.dir.path());
        command.arg(LIMIT).arg(self.lab.uwt()).args(arguments);
        command
    }

    /// Runs a command to its end. Not one packet may have left past the `SocksPort`, and what Tor was asked for is
    /// found in its list of circuits.
    #[track_caller]
    pub(crate) fn run(&mut self, command: &mut Command) -> Ran {
        let Output { status, stdout, stderr } = command.output().expect("starts");
        let flows = self.flows.take();
        self.flows.assert_listed(&flows);
        self.workstation.assert_no_leaks();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran { status: status.code(), out: text(stdout), err: text(stderr), flows }
    }

    /// Runs `uwt` with arguments as root.
    #[track_caller]
    pub(crate) fn root(&mut self, arguments: &[&str]) -> Ran {
        let mut command = self.uwt(User::Root, arguments);
        self.run(&mut command)
    }
}

impl Ran {
    /// It succeeded without a word of complaint, and asked Tor for these targets, in this order, each with a credential
    /// of ours. Gives its output.
    #[track_caller]
    pub(crate) fn asked_for(&self, targets: &[&str]) -> &str {
        assert_eq!((self.status, self.err.as_str()), (Some(0), ""), "{self:#?}");
        assert_eq!(self.targets(), targets, "{self:#?}");
        &self.out
    }

    /// What Tor was asked for, each with a credential of ours.
    #[track_caller]
    pub(crate) fn targets(&self) -> Vec<&str> {
        flow::targets(&self.flows)
    }

    /// The different usernames, in order of appearance.
    pub(crate) fn users(&self) -> Vec<&str> {
        distinct(self.flows.iter().map(|flow| flow.username.as_deref().unwrap_or_default()))
    }

    /// The different circuits, in order of appearance.
    pub(crate) fn circuits(&self) -> Vec<u32> {
        distinct(self.flows.iter().map(|flow| flow.circuit))
    }
}

/// Each value once, in order of appearance.
pub(crate) fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    values.fold(Vec::new(), |mut seen, value| {
        if !seen.contains(&value) {
            seen.push(value);
        }
        seen
    })
}
