//! Commands that run isolated, or not, though they are wrapped.

use std::ffi::OsStr;

use serde::Serialize;
use uwt_cli::ctl::SwitchOptions;
use uwt_config::{Value, command_name};

use super::names::{find, leads_to_uwt};
use crate::answer::{Answer, Status};
use crate::configuration::utf8;
use crate::dropin::{self, Change, Outcome, Whom};
use crate::page::{Mood, Page};

/// What was written to switch commands on or off.
#[derive(Debug, Serialize)]
pub(crate) struct Switched {
    /// What was asked for.
    command: &'static str,
    dry_run: bool,
    #[serde(flatten)]
    outcome: Outcome,
    /// What else there is to know.
    notes: Vec<String>,
}

/// Lets commands run isolated, or without uwt.
///
/// # Errors
/// A name is none, or the drop-in cannot be written.
pub(crate) fn switch(on: bool, options: &SwitchOptions) -> anyhow::Result<Switched> {
    let mut changes: Vec<Change> = Vec::new();
    for name in &options.names {
        let command = command_name(utf8(name)?)?;
        if changes.iter().all(|change| change.command != command) {
            changes.push(Change { command, key: "enabled", value: Value::Boolean(on) });
        }
    }
    let outcome = dropin::set(Whom::new(options.user), &changes, options.dry_run)?;
    let notes = changes.iter().filter_map(|change| note(&change.command, on)).collect();
    Ok(Switched { command: if on { "enable" } else { "disable" }, dry_run: options.dry_run, outcome, notes })
}

/// What makes less of it than it seems.
fn note(command: &str, on: bool) -> Option<String> {
    let Some(path) = find(OsStr::new(command)) else {
        return Some(format!("There is no program {command} here; check the spelling."));
    };
    let is_bare = on && !leads_to_uwt(&path);
    is_bare.then(|| {
        format!("{command} is not wrapped: it runs isolated after `uwt` only, until `uwtctl wrapper add {command}`.")
    })
}

impl Answer for Switched {
    fn write(&self, page: &mut Page) {
        self.outcome.write(page, self.dry_run);
        for note in &self.notes {
            page.gap();
            page.paragraph(Mood::Warning.text(note));
        }
    }

    fn status(&self) -> Status {
        if self.outcome.holds() { Status::Good } else { Status::Bad }
    }
}
