//! The commands: which ones, whether they are wrapped, and what holds for them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Serialize;
use uwt_config::{Config, Settings, command_name};

use super::finding::{Finding, Severity};
use super::wrapped::{self, Wrapping};
use crate::program;
use crate::wrapper::names::{FOLDERS, leads_to_uwt};

/// A command.
#[derive(Debug, Serialize)]
pub(super) struct Command {
    /// As it is typed.
    pub(super) name: String,
    /// Its file; `None` if there is none.
    pub(super) path: Option<PathBuf>,
    pub(super) wrapper: Wrapping,
    /// What is wrong with its wrapper.
    pub(super) problem: Option<String>,
    /// What the configuration says; `None` if that cannot be read.
    pub(super) settings: Option<Chosen>,
    #[serde(skip)]
    pub(super) all: Option<Settings>,
}

/// The settings that say how well a command is isolated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Chosen {
    pub(super) enabled: bool,
    pub(super) gateway: String,
    pub(super) port: u16,
    pub(super) scope: String,
    pub(super) identity: Option<String>,
    /// What is asked for, `auto` too.
    pub(super) guard: String,
}

impl Chosen {
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            enabled: settings.enabled.value,
            gateway: settings.gateway.value.to_string(),
            port: settings.port.value,
            scope: settings.scope.value.to_string(),
            identity: settings.identity.value.as_ref().map(ToString::to_string),
            guard: settings.guard.value.to_string(),
        }
    }

    /// What shares circuits, for people.
    pub(super) fn isolation(&self) -> String {
        match &self.identity {
            Some(name) => format!("{} {name}", self.scope),
            None => self.scope.clone(),
        }
    }
}

impl Command {
    fn new(name: String, path: Option<PathBuf>, config: Option<&Config>) -> Self {
        let (wrapper, problem) = path.as_deref().map_or((Wrapping::None, None), wrapped::look);
        let called = path.as_ref().map_or_else(|| name.clone(), |path| path.to_string_lossy().into_owned());
        let all = config.map(|config| program::settings(config, &called));
        // A wrapper whose link is gone is no program.
        let path = path.filter(|path| wrapper != Wrapping::None || path.exists());
        Self { settings: all.as_ref().map(Chosen::of), name, path, wrapper, problem, all }
    }
}

/// Every command that is wrapped or looks so.
pub(super) fn wrapped_ones(config: Option<&Config>) -> Vec<Command> {
    let paths = wrapped::find(&FOLDERS.map(Path::new));
    paths.into_iter().map(|path| Command::new(short(&path), Some(path), config)).collect()
}

/// Those of these names, or all that are wrapped or configured, and installed, by name.
pub(super) fn all(names: &[OsString], config: Option<&Config>) -> Vec<Command> {
    if !names.is_empty() {
        return names.iter().map(|name| named(name, config)).collect();
    }
    let mut commands: BTreeMap<String, Command> =
        wrapped_ones(config).into_iter().map(|command| (command.name.clone(), command)).collect();
    for table in config.map(Config::commands).unwrap_or_default() {
        let Some(path) = program::find(Path::new(&table.command)) else { continue };
        let name = short(&path);
        commands.entry(name.clone()).or_insert_with(|| Command::new(name, Some(path), config));
    }
    commands.into_values().collect()
}

fn named(name: &OsString, config: Option<&Config>) -> Command {
    // Without the suffixes of a wrapper's files.
    let shown = name.to_string_lossy();
    let called = command_name(&shown).unwrap_or_else(|_| shown.into_owned());
    let known = wrapped::find(&FOLDERS.map(Path::new));
    let broken = || known.into_iter().find(|path| Path::new(&called).file_name() == path.file_name());
    let path = program::find(Path::new(&called)).or_else(broken);
    Command::new(called, path, config)
}

/// A path as it is typed, where that says which it is.
fn short(path: &Path) -> String {
    let usual = path.parent().is_some_and(|folder| FOLDERS.iter().any(|usual| folder == Path::new(usual)));
    let shown =
        path.file_name().filter(|_| usual).map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
    shown.into_owned()
}

/// The program that runs in place of a wrapped command when its name is typed, as PATH has it before the wrapper.
pub(super) fn shadow(command: &Command, typed: impl FnOnce(&Path) -> Option<PathBuf>) -> Option<Finding> {
    let path = command.path.as_deref().filter(|_| command.wrapper == Wrapping::Wrapped)?;
    let typed = typed(Path::new(path.file_name()?)).filter(|typed| !leads_to_uwt(typed))?;
    let (path, typed) = (path.display(), typed.display());
    let what = format!("PATH has {typed}, which is not wrapped, before the wrapped {path}");
    let advice = format!("typed, it runs without uwt: remove {typed}, type {path}, or change PATH");
    Some(Finding::new(Severity::Bad, &command.name, what, advice))
}

/// What is wrong with a command; `asked` is whether it was named, and is to be isolated then.
pub(super) fn finding(command: &Command, asked: bool) -> Option<Finding> {
    let name = &command.name;
    let bad = |what: String, advice: String| Some(Finding::new(Severity::Bad, name, what, advice));
    if let Some(problem) = &command.problem {
        let advice = format!(
            "`uwtctl wrapper list {name}` says who has made it, `uwtctl wrapper add {name}` mends one of uwtctl's"
        );
        return bad(format!("its wrapper is broken: {problem}"), advice);
    }
    if !asked {
        return None;
    }
    let off = command.all.as_ref().filter(|all| !all.enabled.value);
    match command.wrapper {
        Wrapping::None if command.path.is_none() => {
            let advice = "give the name of a program that is installed, or its path";
            Some(Finding::new(Severity::Unknown, name, "there is no such program", advice))
        }
        Wrapping::None => {
            let advice = format!("`uwtctl wrapper add {name}` wraps it, `uwt {name}` runs it isolated once");
            bad("it is not wrapped: when it is typed, it runs without uwt".to_owned(), advice)
        }
        Wrapping::OriginalMissing => {
            Some(Finding::new(Severity::Unknown, name, "it is wrapped, and not installed", "install it"))
        }
        Wrapping::Wrapped | Wrapping::Broken => off.and_then(|all| {
            let what = format!("it runs without uwt: enabled = false, {}", all.enabled.origin);
            bad(what, format!("`uwtctl wrapper enable {name}` changes that"))
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_wrapper_that_another_program_of_the_name_precedes() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["uwt", "other"] {
            fs::write(at(name), "").unwrap();
        }
        symlink("uwt", at("wrapped")).unwrap();
        let command = |wrapper| Command {
            name: "wrapped".to_owned(),
            path: Some(at("wrapped")),
            wrapper,
            problem: None,
            settings: None,
            all: None,
        };
        let found = shadow(&command(Wrapping::Wrapped), |name| {
            assert_eq!(name, "wrapped");
            Some(at("other"))
        });
        assert_eq!(found.as_ref().map(|found| found.severity), Some(Severity::Bad));
        assert!(found.is_some_and(|found| found.what.contains(&at("other").display().to_string())));
        assert_eq!(shadow(&command(Wrapping::Wrapped), |_| Some(at("wrapped"))), None);
        assert_eq!(shadow(&command(Wrapping::Wrapped), |_| None), None);
        assert_eq!(shadow(&command(Wrapping::None), |_| Some(at("other"))), None);
    }
}
