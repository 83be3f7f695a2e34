//! Commands that are audited in front of a gateway that logs.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use support::gateway::{Gateway, GatewayOptions};
use support::lab::Lab;
use support::netns::{GATEWAY_V4, Identity, Workstation};
use support::programs::{LEAKS, make_all};
use tempfile::TempDir;

use crate::place::bin_dir;
use crate::schema::check;

/// Seconds until timeout(1) ends a command; none takes longer on any machine.
const LIMIT: &str = "100";

/// Who runs a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    Root,
    Nobody,
}

/// A workstation in front of a gateway.
pub(crate) struct Laboratory {
    pub(crate) lab: Lab,
    pub(crate) workstation: Workstation,
    pub(crate) gateway: Gateway,
    folder: TempDir,
}

/// What became of an audit.
#[derive(Debug)]
pub(crate) struct Audited {
    /// uwtctl's exit status.
    pub(crate) status: Option<i32>,
    /// What the command said, and uwtctl.
    pub(crate) out: String,
    pub(crate) err: String,
    /// The report.
    pub(crate) report: Value,
    /// What the gateway was asked for, with the credential's label.
    pub(crate) asked: Vec<(String, Option<String>)>,
}

impl Laboratory {
    /// With a configuration that names the gateway.
    pub(crate) fn new() -> Self {
        let lab = Lab::attach();
        let (workstation, gateway) = lab.mock(GatewayOptions::new().hosts(lab.hosts()));
        let folder = tempfile::Builder::new().prefix("uwt-audit-").tempdir().expect("a folder");
        open_to_all(folder.path());
        let laboratory = Self { lab, workstation, gateway, folder };
        laboratory.configure("");
        laboratory
    }

    /// A path that every user may write to.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Adds to the configuration.
    pub(crate) fn configure(&self, lines: &str) {
        let SocketAddr::V4(address) = self.gateway.address() else { unreachable!("the lab's gateways are IPv4") };
        let etc = self.at("etc");
        fs::create_dir_all(&etc).expect("made");
        open_to_all(&etc);
        let lines = format!("gateway = \"{GATEWAY_V4}\"\nport = {}\nconnect_timeout = 30\n{lines}", address.port());
        fs::write(etc.join("50_test.toml"), lines).expect("written");
    }

    /// One of our programs, where every user may run it.
    pub(crate) fn program(&self, name: &str) -> String {
        let made = make_all(&LEAKS, &Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("leaks"));
        let made = made.unwrap_or_else(|error| panic!("{error:#}"));
        let program = made.iter().find(|path| path.ends_with(name)).unwrap_or_else(|| panic!("{name} in {made:?}"));
        self.lab.install(program).display().to_string()
    }

    /// `uwtctl` with arguments.
    pub(crate) fn uwtctl(&self, user: User, arguments: &[&str]) -> Command {
        // uwt is looked for beside it, and the library beside that.
        let _ = (self.lab.uwt(), self.lab.preload());
        let uwtctl = self.lab.install(&bin_dir().join("uwtctl"));
        let timeout = Path::new("/usr/bin/timeout");
        let mut command = match user {
            User::Root => self.workstation.command(timeout),
            User::Nobody => self.workstation.command_as(timeout, Identity::nobody()),
        };
        command.env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin").env("LC_ALL", "C");
        command.env("HOME", self.folder.path()).env("UWT_CONFIG_PATH", self.at("etc")).current_dir("/");
        // In the foreground: signals of the terminal reach it as they reach any command.
        command.args(["--foreground", LIMIT]).arg(uwtctl).args(arguments);
        command
    }

    /// Audits a command, whose words may begin with options of uwt.
    #[track_caller]
    pub(crate) fn audit(&self, user: User, words: &[&str]) -> Audited {
        let file = self.at(if user == User::Root { "root.json" } else { "nobody.json" });
        drop(self.gateway.take_log());
        let path = file.to_str().expect("UTF-8");
        let output = self.uwtctl(user, &[&["--json", "audit", "--output", path], words].concat()).output();
        let audited = self.read(output.expect("started"), &file);
        self.workstation.assert_no_leaks();
        audited
    }

    /// What became of one whose report is in a file.
    #[track_caller]
    pub(crate) fn read(&self, output: Output, file: &Path) -> Audited {
        let Output { status, stdout, stderr } = output;
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let (out, err) = (text(stdout), text(stderr));
        let report = fs::read_to_string(file).expect("a report");
        let report = serde_json::from_str(&report).unwrap_or_else(|error| panic!("{error}: {report}\n{out}\n{err}"));
        check("audit", &report);
        let asked = self.gateway.take_log().into_iter().map(|request| (request.target(), request.username)).collect();
        Audited { status: status.code(), out, err, report, asked }
    }
}

impl Audited {
    /// The processes that ran a program of this name last.
    pub(crate) fn all(&self, program: &str) -> Vec<&Value> {
        let processes = self.report["processes"].as_array().expect("a list");
        let last = |process: &Value| process["programs"].as_array().and_then(|programs| programs.last().cloned());
        let runs = |process: &&Value| {
            let path = last(process).map(|program| program["path"].clone());
            path.is_some_and(|path| path.as_str().is_some_and(|path| path.rsplit('/').next() == Some(program)))
        };
        processes.iter().filter(runs).collect()
    }

    /// The only one.
    #[track_caller]
    pub(crate) fn process(&self, program: &str) -> &Value {
        let [process] = self.all(program)[..] else { panic!("one {program}: {self:#?}") };
        process
    }

    /// A process connected there by this layer, it is what the gateway saw, and with this verdict.
    #[track_caller]
    pub(crate) fn connected(&self, program: &str, layers: &[&str], target: &str, verdict: &str) {
        let process = self.process(program);
        let connections = process["connections"].as_array().expect("a list");
        let connection = connections.iter().find(|connection| {
            let destination = &connection["destination"];
            format!("{}:{}", destination["host"].as_str().unwrap_or_default(), destination["port"]) == target
        });
        let connection = connection.unwrap_or_else(|| panic!("{target}: {self:#?}"));
        assert!(layers.contains(&connection["layer"].as_str().unwrap_or_default()), "{self:#?}");
        assert_eq!((&connection["failed"], &connection["count"]), (&Value::Null, &Value::from(1)), "{self:#?}");
        let credential = connection["credential"].as_str().map(str::to_owned);
        assert!(credential.is_some(), "{self:#?}");
        assert!(self.asked.contains(&(target.to_owned(), credential)), "{self:#?}");
        assert_eq!(process["verdict"], verdict, "{self:#?}");
    }
}

/// Lets every user read and write in a folder.
fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).expect("chmod");
}
