//! Commands that are wrapped, or not any more.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::bail;
use nix::unistd::geteuid;
use serde::Serialize;
use uwt_cli::ctl::WrapperNames;

use super::candidate::{self, Candidate};
use super::list::short;
use super::machine::{Machine, WRAPPERS};
use super::names::{find, leads_to_uwt, links};
use super::state::owner;
use super::{lock, script};
use crate::answer::{Answer, Status};
use crate::page::{Mood, Page};

/// Where wrappers lead.
const UWT: &str = "/usr/bin/uwt";

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Wish {
    Add,
    Remove,
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    /// It was done.
    Done,
    /// It would be done.
    Planned,
    /// There was nothing to do.
    Already,
    /// It must not be done.
    Refused,
    /// It was tried in vain.
    Failed,
}

/// What became of all of them.
#[derive(Debug, Serialize)]
pub(crate) struct Changed {
    /// What was asked for.
    command: Wish,
    dry_run: bool,
    commands: Vec<Command>,
    /// What would be done, as commands of a shell.
    steps: Vec<String>,
    /// What else was said.
    messages: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Command {
    /// As it was given.
    name: String,
    /// Where it is.
    path: PathBuf,
    outcome: Outcome,
    why: Option<String>,
}

/// Wraps commands, or unwraps those that were wrapped so.
///
/// # Errors
/// It is no Debian system or has no uwt, the caller may not, packages are being changed just now, or a step failed.
pub(crate) fn change(wish: Wish, options: &WrapperNames) -> anyhow::Result<Changed> {
    let verb = if wish == Wish::Add { "add" } else { "remove" };
    let mut machine = Machine::read()?;
    if machine.diversions.is_none() {
        let name = options.names.first().map_or("NAME".into(), |name| name.to_string_lossy());
        bail!(
            "commands are wrapped by dpkg-divert, which is not here; type `uwt {name}`, or give your shell an alias: \
             alias {name}='uwt {name}'"
        );
    }
    if !options.dry_run && !geteuid().is_root() {
        bail!(
            "wrappers are everybody's: run `uwtctl wrapper {verb}` as root (sudo), or with --dry-run to see what it does"
        );
    }
    let locked = if options.dry_run { None } else { Some(lock::lock()?) };
    if locked.is_some() {
        // What others have done while we waited counts.
        machine = Machine::read()?;
    }
    let mut commands = Vec::new();
    for name in &options.names {
        commands.push(if wish == Wish::Add { added(name, &machine)? } else { removed(name, &machine) });
    }
    let mut changed =
        Changed { command: wish, dry_run: options.dry_run, commands, steps: Vec::new(), messages: Vec::new() };
    changed.work(&machine)?;
    Ok(changed)
}

fn added(name: &OsStr, machine: &Machine) -> anyhow::Result<Command> {
    let (path, outcome, why) = match candidate::look(name, machine)? {
        Candidate::Wrap(path, note) => (path, Outcome::Planned, note),
        Candidate::Already(path, by) => (path, Outcome::Already, Some(by)),
        Candidate::Refused(path, why) => (path, Outcome::Refused, Some(why)),
    };
    Ok(Command { name: name.to_string_lossy().into_owned(), path, outcome, why })
}

fn removed(name: &OsStr, machine: &Machine) -> Command {
    let path = named(name, machine);
    let links = links(&path);
    let ours = links.iter().find(|link| machine.added.contains(*link) || machine.changing.contains(*link));
    let other = links.iter().find_map(|link| Some((link, owner(link, machine)?)));
    let (path, outcome, why) = match (ours, other) {
        (Some(ours), _) if machine.added.contains(ours) => (ours.clone(), Outcome::Planned, None),
        (_, Some((wrapped, by))) if leads_to_uwt(&path) => {
            (wrapped.clone(), Outcome::Refused, Some(not_ours(&by, wrapped)))
        }
        (Some(ours), _) => (ours.clone(), Outcome::Planned, None),
        _ => (path, Outcome::Already, None),
    };
    Command { name: name.to_string_lossy().into_owned(), path, outcome, why }
}

/// What was wrapped by us under this name, wherever PATH leads now; else what is found.
fn named(name: &OsStr, machine: &Machine) -> PathBuf {
    let ours = machine.added.iter().find(|path| path.file_name() == Some(name));
    ours.cloned().or_else(|| find(name)).unwrap_or_else(|| PathBuf::from(name))
}

fn not_ours(by: &str, wrapped: &Path) -> String {
    match by {
        WRAPPERS => format!(
            "the package {WRAPPERS} wraps it; `uwtctl wrapper disable {}` lets it run without uwt, \
             `apt-get remove {WRAPPERS}` all of its commands",
            wrapped.file_name().unwrap_or_default().display()
        ),
        "administrator" => {
            format!("the administrator has wrapped it by hand (`dpkg-divert --list {}`)", wrapped.display())
        }
        package => format!("the package {package} wraps it"),
    }
}

impl Changed {
    fn work(&mut self, machine: &Machine) -> anyhow::Result<()> {
        let planned = self.commands.iter().filter(|it| it.outcome == Outcome::Planned).map(|it| it.path.clone());
        let planned: BTreeSet<PathBuf> = planned.collect();
        // What was interrupted is completed even if there is nothing else to do.
        if planned.is_empty() && !machine.changing.iter().any(|path| machine.added.contains(path)) {
            return Ok(());
        }
        if !Path::new(UWT).exists() {
            bail!("wrappers are links that lead to {UWT}, which is not there: install the package uwt first");
        }
        let wanted: BTreeSet<PathBuf> = match self.command {
            Wish::Add => machine.added.union(&planned).cloned().collect(),
            Wish::Remove => machine.added.difference(&planned).cloned().collect(),
        };
        // The list names what is ours as long as anything of it is.
        if self.command == Wish::Add && !self.dry_run {
            script::remember(&wanted)?;
        }
        let done = script::wrap(&wanted, self.dry_run)?;
        (self.steps, self.messages) = (done.steps, done.messages);
        if self.dry_run {
            return Ok(());
        }
        let now = Machine::read()?;
        for command in self.commands.iter_mut().filter(|command| command.outcome == Outcome::Planned) {
            let is_wrapped = now.diversion(&command.path).is_some() && leads_to_uwt(&command.path);
            let as_wished = is_wrapped == (self.command == Wish::Add);
            command.outcome = if as_wished { Outcome::Done } else { Outcome::Failed };
        }
        let failed = |it: &&Command| it.outcome == Outcome::Failed;
        let failed: BTreeSet<PathBuf> = self.commands.iter().filter(failed).map(|it| it.path.clone()).collect();
        match self.command {
            Wish::Add if failed.is_empty() => Ok(()),
            Wish::Add => script::remember(&wanted.difference(&failed).cloned().collect()),
            Wish::Remove => script::remember(&wanted.union(&failed).cloned().collect()),
        }
    }
}

impl Answer for Changed {
    fn write(&self, page: &mut Page) {
        for command in &self.commands {
            let (mood, said) = self.said(command);
            let why = command.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
            page.paragraph(mood.text(format!("{}: {said}{why}", short(&command.path))));
        }
        if self.dry_run && !self.steps.is_empty() {
            page.heading("Steps");
            self.steps.iter().for_each(|step| page.command(step));
        }
        for message in &self.messages {
            page.gap();
            page.paragraph(Mood::Warning.text(message));
        }
    }

    fn status(&self) -> Status {
        let is_bad = |command: &Command| matches!(command.outcome, Outcome::Refused | Outcome::Failed);
        if self.commands.iter().any(is_bad) { Status::Failed } else { Status::Good }
    }
}

impl Changed {
    fn said(&self, command: &Command) -> (Mood, &'static str) {
        match (command.outcome, self.command) {
            (Outcome::Done, Wish::Add) => (Mood::Good, "wrapped"),
            (Outcome::Done, Wish::Remove) => (Mood::Good, "not wrapped any more"),
            (Outcome::Planned, Wish::Add) => (Mood::Plain, "would be wrapped"),
            (Outcome::Planned, Wish::Remove) => (Mood::Plain, "would be unwrapped"),
            (Outcome::Already, Wish::Add) => (Mood::Good, "already wrapped"),
            (Outcome::Already, Wish::Remove) => (Mood::Good, "not wrapped"),
            (Outcome::Refused, _) => (Mood::Bad, "refused"),
            (Outcome::Failed, _) => (Mood::Bad, "failed"),
        }
    }
}
