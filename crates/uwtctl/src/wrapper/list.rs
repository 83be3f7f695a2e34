//! The commands that are wrapped, and their state.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use super::dpkg;
use super::machine::Machine;
use super::names::{FOLDERS, find, known};
use super::state::{self, State, Wrapper};
use crate::answer::{Answer, Status};
use crate::configuration;
use crate::page::{Mood, Page, Text};

/// The list.
#[derive(Debug, Serialize)]
pub(crate) struct List {
    /// What was asked for.
    command: &'static str,
    /// Whether there is a dpkg to be asked who has wrapped what.
    dpkg: bool,
    commands: Vec<Wrapper>,
    /// Whether commands were named, which are to be wrapped then.
    #[serde(skip)]
    named: bool,
}

/// The commands of these names, or all that are wrapped.
///
/// # Errors
/// dpkg's answer or the configuration cannot be read.
pub(crate) fn list(names: &[OsString]) -> anyhow::Result<List> {
    let machine = Machine::read()?;
    let config = configuration::load()?.config;
    let paths: Vec<PathBuf> = if names.is_empty() {
        machine.commands().into_iter().collect()
    } else {
        names.iter().map(|name| find(name).unwrap_or_else(|| PathBuf::from(name))).collect()
    };
    let mut commands: Vec<Wrapper> = paths.iter().map(|path| state::of(path, &machine, &config)).collect();
    if machine.diversions.is_some() && !paths.is_empty() {
        bring(&mut commands)?;
    }
    Ok(List { command: "list", dpkg: machine.diversions.is_some(), commands, named: !names.is_empty() })
}

/// Fills in which package brings which, and what follows from that.
fn bring(commands: &mut [Wrapper]) -> anyhow::Result<()> {
    // Packages may know /usr/bin/NAME as /bin/NAME.
    let aliases = commands.iter().filter_map(|it| Some(Path::new("/").join(it.path.strip_prefix("/usr").ok()?)));
    let names: Vec<PathBuf> = aliases.chain(commands.iter().map(|it| it.path.clone())).collect();
    let packages = dpkg::packages(names.iter().map(PathBuf::as_path)).context("which packages bring them")?;
    for (file, package) in packages {
        let file = known(&file);
        for command in commands.iter_mut().filter(|command| command.path == file) {
            command.package = Some(package.clone());
        }
    }
    for command in commands.iter_mut().filter(|command| command.state == State::OriginalMissing) {
        let lost = command.package.as_ref();
        command.why = lost.map(|package| format!("{package} should have brought it; install that again"));
    }
    Ok(())
}

impl Answer for List {
    fn write(&self, page: &mut Page) {
        if self.commands.is_empty() {
            let advice = "`uwtctl wrapper add NAME` wraps one, the package uwt-wrappers the usual ones.";
            page.paragraph(format!("No command is wrapped. {advice}"));
        } else {
            page.table(&["Command", "State", "Wrapped by"], self.commands.iter().map(row));
        }
        page.gap();
        for command in &self.commands {
            if let Some(why) = &command.why {
                page.paragraph(format!("{}: {why}.", short(&command.path)));
            }
        }
        if self.commands.iter().any(|it| it.state == State::OriginalMissing && it.why.is_none()) {
            let meaning =
                "Original missing: no installed package brings the command. It is wrapped from its first moment on.";
            page.paragraph(Mood::Faint.text(if self.dpkg {
                meaning
            } else {
                "Original missing: it is not installed."
            }));
        }
        if !self.dpkg {
            let unknown = "There is no dpkg here: who has wrapped a command, whether that outlasts an upgrade, and which \
                           package brings it cannot be known.";
            page.paragraph(Mood::Faint.text(unknown));
        }
    }

    fn status(&self) -> Status {
        let is_bad = |command: &Wrapper| match command.state {
            State::Wrapped => false,
            // Its package is there, and it isn't.
            State::OriginalMissing => command.package.is_some(),
            State::SwitchedOff => self.named,
            State::Broken | State::NotWrapped => true,
        };
        if self.commands.iter().any(is_bad) { Status::Bad } else { Status::Good }
    }
}

fn row(command: &Wrapper) -> [Text; 3] {
    let (mood, state) = match command.state {
        State::Wrapped => (Mood::Good, "wrapped"),
        State::SwitchedOff => (Mood::Warning, "switched off"),
        State::OriginalMissing => (Mood::Faint, "original missing"),
        State::Broken => (Mood::Bad, "broken"),
        State::NotWrapped => (Mood::Bad, "not wrapped"),
    };
    let rest = if mood == Mood::Faint { Mood::Faint } else { Mood::Plain };
    let by = command.by.as_deref().unwrap_or_default();
    [rest.text(short(&command.path)), mood.text(state), rest.text(by)]
}

/// A command as it is typed, where that says which it is.
pub(super) fn short(path: &Path) -> String {
    let usual = path.parent().is_some_and(|folder| FOLDERS.iter().any(|usual| folder == Path::new(usual)));
    let shown =
        path.file_name().filter(|_| usual).map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
    shown.into_owned()
}
