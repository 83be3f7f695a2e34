//! `90_uwtctl.toml`: the file into which commands of uwtctl write what an administrator or a user has asked for.
//!
//! What else is in it stays as it is, with its comments. It is replaced in one piece, and only by what uwt understands: a
//! file that is wrong would stop every command.

mod edit;
mod file;
mod holds;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use nix::unistd::getuid;
use serde::Serialize;
use uwt_config::{Caller, Sources, Value};

use self::file::DropIn;
use crate::page::{Mood, Page};

const NAME: &str = "90_uwtctl.toml";

/// For whom something is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whom {
    /// Everybody on this machine.
    Everybody,
    /// Who runs us.
    Caller,
}

impl Whom {
    /// As `--user` says.
    pub(crate) fn new(user: bool) -> Self {
        if user { Self::Caller } else { Self::Everybody }
    }
}

/// A key of a command's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// What the table is called ([`uwt_config::command_name`]).
    pub(crate) command: String,
    /// The key.
    pub(crate) key: &'static str,
    /// What it is set to.
    pub(crate) value: Value,
}

/// What has become of the changes.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    /// The drop-in.
    pub(crate) file: PathBuf,
    /// Whether it was written: not if it said all that before, or nothing was to be written.
    pub(crate) written: bool,
    /// What it is about these commands, in TOML.
    pub(crate) text: String,
    /// Each change.
    pub(crate) keys: Vec<Held>,
}

/// What has become of a change.
#[derive(Debug, Serialize)]
pub(crate) struct Held {
    pub(crate) command: String,
    pub(crate) key: &'static str,
    value: serde_json::Value,
    /// Whether it is what holds for the command now, or would be.
    pub(crate) holds: bool,
    /// The value that holds instead.
    instead: Option<serde_json::Value>,
    /// Who says so: `FILE:LINE`.
    instead_by: Option<String>,
}

impl Outcome {
    /// Whether everything that was asked for is so now.
    pub(crate) fn holds(&self) -> bool {
        self.keys.iter().all(|key| key.holds)
    }

    /// For people; `dry_run` as it was asked for.
    pub(crate) fn write(&self, page: &mut Page, dry_run: bool) {
        let said = match (self.written, dry_run) {
            (true, _) => "Written to",
            (false, true) => "This would be in",
            (false, false) => "Nothing to write, for this is already in",
        };
        page.paragraph(format!("{said} {}:", self.file.display()));
        page.gap();
        page.verbatim(&self.text);
        for key in &self.keys {
            let (Some(value), Some(by)) = (&key.instead, &key.instead_by) else { continue };
            page.gap();
            page.paragraph(Mood::Bad.text(format!(
                "But for {} {} = {value} holds, as {by} says, which counts for more. Change it there.",
                key.command, key.key
            )));
        }
    }
}

/// Writes the changes into the drop-in, or with `dry_run` only finds out what that would mean, and looks whether they
/// hold for their commands then.
///
/// # Errors
/// There is no such drop-in for whoever runs us, it cannot be written or read, or the configuration is wrong somewhere:
/// then nothing is written.
pub(crate) fn set(whom: Whom, changes: &[Change], dry_run: bool) -> anyhow::Result<Outcome> {
    let (sources, folder) = folders(whom)?;
    let name = folder.join(NAME);
    let drop_in = DropIn::open(&name, whom, dry_run)?;
    let former = drop_in.text()?;
    let mut document = edit::parse(drop_in.path(), &former)?;
    for change in changes {
        edit::set(&mut document, change).with_context(|| drop_in.path().display().to_string())?;
    }
    let text = document.to_string();
    // Before anything is written: with a file that uwt does not understand no command would run any more.
    let mut keys = holds::looked_up(&holds::with(&sources, &name, &text)?, changes);
    let written = text != former && !dry_run;
    if written {
        drop_in.replace(&text)?;
        keys = holds::looked_up(&holds::as_it_is(&sources)?, changes);
    }
    let text = edit::tables(&document, changes);
    Ok(Outcome { file: drop_in.path().to_owned(), written, text, keys })
}

/// The folders that count, and the one whose drop-in it is.
fn folders(whom: Whom) -> anyhow::Result<(Sources, PathBuf)> {
    let environment: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    let get = |name: &str| {
        let mut entries = environment.iter();
        entries.find(|(key, _)| key == name).map(|(_, value)| OsStr::new(value))
    };
    let user = getuid().as_raw();
    match whom {
        Whom::Everybody => {
            // Those of root are the machine's alone.
            let (machine, _) = Sources::of(Caller { user: 0, elevated: false }, get)?;
            let folder =
                machine.folders.last().context("UWT_CONFIG_PATH names no folder; name one, or unset it")?.clone();
            let (sources, _) = Sources::of(Caller { user, elevated: false }, get)?;
            Ok((sources, folder))
        }
        Whom::Caller if user == 0 => {
            bail!("--user: root has no configuration of its own, only the machine's; leave --user out")
        }
        Whom::Caller => {
            let folder =
                Sources::own(get).context("--user: neither XDG_CONFIG_HOME nor HOME names a folder; set HOME")?;
            let (mut sources, passed_over) = Sources::of(Caller { user, elevated: false }, get)?;
            if let Some(passed_over) = passed_over {
                bail!("--user: {passed_over}; HOME should name a folder of yours");
            }
            if sources.folders.last() != Some(&folder) {
                sources.folders.push(folder.clone());
            }
            Ok((sources, folder))
        }
    }
}
