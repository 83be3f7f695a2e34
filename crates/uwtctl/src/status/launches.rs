//! What `uwt` says it would do. Only the launcher knows, so it is asked; commands with the same settings, as far as these
//! decide whether it can start them, are asked about once.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde::Deserialize;
use uwt_config::Settings;

use crate::launcher;

/// A line of `uwt --explain=json`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Line {
    label: String,
    pub(super) value: String,
    pub(super) why: String,
}

/// What it would do with a command, or why it would do nothing: its own words.
pub(super) type Plan = Result<Vec<Line>, String>;

/// The line of this label.
pub(super) fn line<'a>(plan: &'a [Line], label: &str) -> Option<&'a Line> {
    plan.iter().find(|line| line.label == label)
}

/// A process of `uwt` that is under way.
pub(super) struct Asked(io::Result<Child>);

/// Starts asking; several answers can be waited for at once.
fn start(uwt: &Path, arguments: &[&OsStr]) -> Asked {
    let mut command = Command::new(uwt);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Asked(command.spawn())
}

impl Asked {
    /// What it printed, or what it complained about.
    fn output(self) -> Result<String, String> {
        let Output { status, stdout, stderr } =
            self.0.and_then(Child::wait_with_output).map_err(|error| format!("uwt cannot be started: {error}"))?;
        if status.success() {
            return Ok(String::from_utf8_lossy(&stdout).into_owned());
        }
        let text = String::from_utf8_lossy(&stderr);
        let said = text.trim().strip_prefix("uwt: ").unwrap_or(text.trim());
        Err(if said.is_empty() { format!("uwt ended with {status}") } else { said.to_owned() })
    }

    /// The plan that it printed.
    pub(super) fn plan(self) -> Plan {
        serde_json::from_str(&self.output()?).map_err(|error| format!("uwt's answer is not understood: {error}"))
    }
}

/// The launcher that belongs to us.
#[derive(Clone, Debug)]
pub(super) struct Launcher(pub(super) PathBuf);

impl Launcher {
    /// Finds it.
    ///
    /// # Errors
    /// There is none; says what to do.
    pub(super) fn find() -> Result<Self, String> {
        launcher::uwt().map(Self).map_err(|error| error.to_string())
    }

    /// Asks for its version.
    pub(super) fn version(&self) -> Asked {
        start(&self.0, &[OsStr::new("--version")])
    }

    /// Asks what it would do with a command.
    pub(super) fn explain(&self, command: &OsStr) -> Asked {
        start(&self.0, &[OsStr::new("--explain=json"), OsStr::new("--"), command])
    }

    /// Asks what it would do with a command that nothing is configured for: our own program, which is there.
    pub(super) fn explain_any(&self) -> Asked {
        let own = std::env::current_exe().map_or_else(|_| OsString::from("true"), PathBuf::into_os_string);
        self.explain(&own)
    }
}

/// The version in what `--version` prints.
pub(super) fn version(asked: Asked) -> Option<String> {
    let text = asked.output().ok()?;
    text.trim().strip_prefix("uwt ").map(str::to_owned)
}

/// Whether the same can keep both from starting.
pub(super) fn is_alike(one: &Settings, other: &Settings) -> bool {
    let key = |it: &Settings| {
        let gateway = (it.gateway.value, it.port.value);
        let means = (it.guard.value, it.time_privacy.value, it.localhost.value);
        (it.enabled.value, gateway, means, it.bind.value.clone(), it.trusted.value.clone())
    };
    key(one) == key(other)
}
