//! How well the program is guarded.

use std::fmt;

use uwt_config::{GuardChoice, Origin, Setting};
use uwt_policy::Level;
use uwt_session::Guard;

use super::{Request, passthrough};
use crate::guard::abilities::Abilities;
use crate::guard::tree::Tree;
use crate::message::Failure;
use crate::plan::machine::Machine;

/// The guard of a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Guarding {
    /// What was asked for, and by whom.
    pub(crate) asked: Setting<GuardChoice>,
    /// What is done.
    pub(crate) course: Course,
    /// Why it is not, or only just, what was asked for.
    pub(crate) because: Option<String>,
}

/// What is done about the guard.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    /// There is none.
    Off,
    /// This call makes one, and with it a tree of its own.
    New {
        /// What it does.
        level: Level,
        /// Whether the helper is asked about each call; else the filter alone refuses.
        asks: bool,
    },
    /// This call is inside a guarded tree and stays there.
    Tree(Guard),
}

impl Course {
    /// What becomes of the sockets that the preload library does not see.
    pub(crate) const fn level(self) -> Level {
        match self {
            Self::Off => Level::Off,
            Self::New { level, .. } => level,
            Self::Tree(guard) => guard.level,
        }
    }

    /// Whether somebody else can wait for the gateway's answers.
    pub(crate) const fn has_helper(self) -> bool {
        match self {
            Self::Off => false,
            Self::New { asks, .. } => asks,
            Self::Tree(_) => true,
        }
    }
}

impl Guarding {
    /// Who decided, in the words of `--explain`.
    pub(crate) fn why(&self) -> Why<'_> {
        Why(self)
    }
}

/// See [`Guarding::why`].
pub(crate) struct Why<'a>(&'a Guarding);

impl fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Guarding { asked, course, because } = self.0;
        match (course, asked.value) {
            (Course::Tree(_), _) => write!(f, "{}", Origin::Session)?,
            (_, GuardChoice::Auto) => write!(f, "auto, {}", asked.origin)?,
            _ => write!(f, "{}", asked.origin)?,
        }
        because.as_ref().map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}

/// Whether there will most likely be a new guard: known before the plan is, for what is better begun early.
pub(crate) fn is_likely_new(request: &Request<'_>) -> bool {
    let choice = request.options.guard.unwrap_or(request.settings.guard.value);
    let carried = request.settings.enabled.value && !passthrough::is_switched_off(request.environment);
    let nested = request.session.is_some_and(|session| session.guard.is_some());
    carried && !nested && choice != GuardChoice::Off && request.options.explain.is_none()
}

/// Command line, else the configuration; a tree that is guarded stays as it is, since a filter cannot be taken off.
///
/// # Errors
/// What is asked for cannot be had here, or there can be no guard at all: nothing runs without one unasked.
pub(crate) fn settle(request: &Request<'_>, tree: Tree, machine: &impl Machine) -> Result<Guarding, Failure> {
    let asked = match request.options.guard {
        Some(choice) => Setting::new(choice, Origin::CommandLine("--guard")),
        None => request.settings.guard.clone(),
    };
    let (course, because) = match (tree, asked.value) {
        (Tree::Known(guard), choice) => (Course::Tree(guard), within(guard, choice, &asked.origin)?),
        (_, GuardChoice::Off) => (Course::Off, None),
        (_, choice) => new(choice, &asked.origin, &machine.abilities(request.environment))?,
    };
    Ok(Guarding { asked, course, because })
}

/// What there is to say to somebody who wants something else than the tree has.
fn within(guard: Guard, choice: GuardChoice, origin: &Origin) -> Result<Option<String>, Failure> {
    let same = match choice {
        GuardChoice::Auto => true,
        GuardChoice::Tunnel => guard.level == Level::Tunnel,
        GuardChoice::Deny => guard.level == Level::Deny,
        GuardChoice::Off => false,
    };
    match (same, origin, choice) {
        (true, ..) => Ok(None),
        // To switch it off is what a habit or a script asks for; to go on guarded harms nobody.
        (false, Origin::CommandLine(option), GuardChoice::Tunnel | GuardChoice::Deny) => Err(Failure::ours(format!(
            "{option}={choice}: this call is inside a tree that is guarded by `{}`, which cannot be changed any more; \
             nothing was run (leave the option out, or give it to the outermost uwt)",
            guard.level
        ))),
        (false, ..) => Ok(Some(format!("it cannot be changed any more, not by guard = \"{choice}\", {origin} either"))),
    }
}

fn new(choice: GuardChoice, origin: &Origin, abilities: &Abilities) -> Result<(Course, Option<String>), Failure> {
    let Abilities { notifications, cage } = abilities;
    let tunnel = notifications.as_ref().and(cage.as_ref());
    match (choice, tunnel) {
        (GuardChoice::Auto | GuardChoice::Tunnel, Ok(())) => {
            Ok((Course::New { level: Level::Tunnel, asks: true }, None))
        }
        (GuardChoice::Tunnel, Err(reason)) => Err(Failure::ours(format!(
            "guard \"tunnel\" ({origin}): {reason}; nothing was run (or use \"deny\", which refuses what the preload library \
             does not see, or \"auto\")"
        ))),
        (GuardChoice::Off, _) => Ok((Course::Off, None)),
        (GuardChoice::Auto | GuardChoice::Deny, _) => {
            let because = match (choice, tunnel) {
                (GuardChoice::Auto, Err(reason)) => Some(format!("no tunnel: {reason}")),
                _ => notifications.as_ref().err().map(|reason| format!("nobody is asked: {reason}")),
            };
            Ok((Course::New { level: Level::Deny, asks: notifications.is_ok() }, because))
        }
    }
}

#[cfg(test)]
mod tests;
