//! A workstation in front of real Tor, and `uwtctl` in it.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use support::lab::Lab;
use support::netns::{Identity, Workstation};

use crate::place::{Place, Ran, bin_dir, run};
use crate::program::wide;
use crate::schema::check;

/// A name behind the exits, and what it stands for.
pub(crate) const HOST: &str = "www.lab.test";
/// Its web server.
pub(crate) const WEB: &str = "203.0.113.1:80";

/// Where a test is made: the configuration names the lab's gateway, and says that it carries everything.
pub(crate) struct Site {
    pub(crate) lab: Lab,
    pub(crate) workstation: Workstation,
    pub(crate) place: Place,
}

impl Site {
    pub(crate) fn new() -> Self {
        let lab = Lab::attach();
        let workstation = lab.private_workstation();
        let site = Self { lab, workstation, place: Place::new() };
        site.configure("transparent_proxy = true");
        site
    }

    /// The configuration, below the gateway's address.
    pub(crate) fn configure(&self, lines: &str) {
        self.place.configure(&format!("gateway = \"{}\"\n{lines}\n", self.lab.socks().ip()));
    }

    /// The path of Tor's control socket.
    pub(crate) fn control(&self) -> String {
        self.lab.state().control.display().to_string()
    }

    /// `uwtctl`, with `uwt` and the library beside it, where every user may run them.
    fn programs(&self) -> (PathBuf, PathBuf) {
        let (uwt, _) = (self.lab.uwt(), self.lab.preload());
        (uwt, self.lab.install(&bin_dir().join("uwtctl")))
    }

    /// `program` in the workstation, with the environment of the place.
    pub(crate) fn command(&self, program: &str, arguments: &[&str], user: Option<Identity>) -> Command {
        let (uwt, uwtctl) = self.programs();
        let program = match program {
            "uwt" => uwt,
            "uwtctl" => uwtctl,
            other => other.into(),
        };
        let outside = self.place.command(program);
        let mut command = self.workstation.netns().command_as(outside.get_program(), user);
        command.args(outside.get_args()).args(arguments);
        command
    }

    /// Runs `uwtctl` for people; every line fits a terminal.
    #[track_caller]
    pub(crate) fn text(&self, arguments: &[&str]) -> Ran {
        let ran = run(&mut self.command("uwtctl", arguments, None));
        assert!(ran.out.lines().chain(ran.err.lines()).all(|line| !line.ends_with(' ')), "{ran:?}");
        let own: Vec<&str> = wide(&ran.out).into_iter().filter(|line| !line.contains('/')).collect();
        assert!(own.is_empty(), "{own:#?}");
        ran
    }

    /// Runs `uwtctl` for programs, as a user; what it prints is as its schema says.
    #[track_caller]
    pub(crate) fn json_as(&self, user: Option<Identity>, arguments: &[&str]) -> (Ran, Value) {
        let ran = run(&mut self.command("uwtctl", &[&["--json"], arguments].concat(), user));
        let document = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        check(arguments[0], &document);
        (ran, document)
    }

    /// As [`Self::json_as`], as root.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> (Ran, Value) {
        self.json_as(None, arguments)
    }
}
