//! Whether the command runs without uwt.

use std::fmt;

use uwt_config::{Localhost, Origin};

use super::{Request, localhost};
use crate::environment::Environment;
use crate::plan::machine::Machine;

/// Switches uwt off for every command below.
pub(crate) const SWITCH: &str = "UWT_DEV_PASSTHROUGH";

/// Why a command runs without uwt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The environment asks for it.
    Environment,
    /// The configuration does.
    Disabled(Origin),
    /// The arguments name this machine.
    Localhost {
        /// By this word.
        word: &'static str,
        /// Why that counts.
        because: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => write!(f, "{SWITCH}=1 in the environment"),
            Self::Disabled(origin) => write!(f, "enabled = false, {origin}"),
            Self::Localhost { word, because } => write!(f, "the arguments contain {word} and {because}"),
        }
    }
}

/// Whether the environment switches uwt off.
pub(super) fn is_switched_off(environment: &Environment) -> bool {
    environment.get(SWITCH).is_some_and(|value| value == "1")
}

/// The first reason there is.
pub(crate) fn reason(request: &Request<'_>, machine: &impl Machine) -> Option<Reason> {
    if is_switched_off(request.environment) {
        return Some(Reason::Environment);
    }
    let settings = request.settings;
    if !settings.enabled.value {
        return Some(Reason::Disabled(settings.enabled.origin.clone()));
    }
    // Wrapped unless a word and the setting say otherwise.
    let word = localhost::word(&request.arguments)?;
    match settings.localhost.value {
        Localhost::Loopback => None,
        Localhost::Passthrough => Some(Reason::Localhost {
            word,
            because: format!("localhost = \"passthrough\", {}", settings.localhost.origin),
        }),
        Localhost::Auto => transparent(request, machine).map(|because| Reason::Localhost { word, because }),
    }
}

/// Why everything goes through Tor here anyway; where that isn't certain it does not.
fn transparent(request: &Request<'_>, machine: &impl Machine) -> Option<String> {
    let setting = &request.settings.transparent_proxy;
    match setting.value {
        Some(true) => Some(format!("transparent_proxy = true, {}", setting.origin)),
        Some(false) => None,
        None => machine.surroundings().ok().filter(|found| found.transparent).map(|found| found.reason),
    }
}
