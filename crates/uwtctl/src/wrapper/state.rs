//! The state of one command.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use uwt_config::Config;

use super::machine::{Machine, WRAPPERS};
use super::names::{is_wrapper, leads_to_uwt, links, middle, original};
use crate::program;

/// What is the matter with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    /// It runs isolated.
    Wrapped,
    /// It is wrapped, and the configuration has it run without uwt.
    SwitchedOff,
    /// It is wrapped, and the program itself is not here.
    OriginalMissing,
    /// It should be wrapped, or looks so, and is not, or not for long.
    Broken,
    /// It runs without uwt.
    NotWrapped,
}

/// A command.
#[derive(Debug, Serialize)]
pub(super) struct Wrapper {
    /// Its file name.
    pub(super) name: String,
    /// Where it is.
    pub(super) path: PathBuf,
    pub(super) state: State,
    /// Whose wrapper it is: a package, `uwtctl` or `administrator`. `None`: nobody's, or that cannot be known.
    pub(super) by: Option<String>,
    /// The package that brings the program, if one does and that can be known.
    pub(super) package: Option<String>,
    /// What there is to say about its state.
    pub(super) why: Option<String>,
}

/// Looks at the command at `path`. The package is filled in by whoever asks dpkg about all of them.
pub(super) fn of(path: &Path, machine: &Machine, config: &Config) -> Wrapper {
    let links = links(path);
    let wrapped = links.iter().find(|link| exists(&original(link)) || machine.diversion(link).is_some());
    let (state, why) = looked_at(path, wrapped.map_or(path, PathBuf::as_path), machine, config);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let by = (state != State::NotWrapped).then(|| owner(wrapped.map_or(path, PathBuf::as_path), machine)).flatten();
    Wrapper { name, path: path.to_owned(), state, by, package: None, why }
}

/// Who has wrapped the command.
pub(super) fn owner(path: &Path, machine: &Machine) -> Option<String> {
    let diversion = machine.diversion(path)?;
    Some(match &diversion.by {
        Some(package) => package.clone(),
        None if machine.added.contains(path) => "uwtctl".to_owned(),
        None => "administrator".to_owned(),
    })
}

/// `wrapped` is the link of `path` that was wrapped.
fn looked_at(path: &Path, wrapped: &Path, machine: &Machine, config: &Config) -> (State, Option<String>) {
    if machine.changing.contains(wrapped) {
        let why = "it is being changed, or that was interrupted; `dpkg --configure -a` and the same command of uwtctl \
                   again complete it";
        return (State::Broken, Some(why.to_owned()));
    }
    if leads_to_uwt(path) {
        if let Some(fault) = unprotected(wrapped, machine) {
            return (State::Broken, Some(fault));
        }
        if !original(wrapped).exists() {
            return (State::OriginalMissing, None);
        }
        let enabled = program::settings(config, &path.to_string_lossy()).enabled;
        if !enabled.value {
            return (State::SwitchedOff, Some(format!("enabled = false, {}", enabled.origin)));
        }
        let with = (wrapped != path).then(|| format!("it leads to {}", wrapped.display()));
        return (State::Wrapped, with);
    }
    let ours =
        machine.added.contains(wrapped) || machine.diversion(wrapped).is_some_and(|it| it.to == original(&it.from));
    if ours || is_wrapper(path) {
        return (State::Broken, Some(broken(wrapped, machine)));
    }
    let why = match machine.diversion(wrapped) {
        Some(diversion) => Some(format!("it is diverted to {} {}", diversion.to.display(), for_whom(machine, wrapped))),
        None if exists(path) => None,
        None => Some("there is no such program".to_owned()),
    };
    (State::NotWrapped, why)
}

/// Why a wrapper that works will not do so for long; only dpkg can tell.
fn unprotected(wrapped: &Path, machine: &Machine) -> Option<String> {
    machine.diversions.as_ref()?;
    match machine.diversion(wrapped) {
        None => Some(format!(
            "nothing diverts it, so the next upgrade of its package takes the wrapper's place; {}",
            repair(wrapped, machine)
        )),
        Some(diversion) if diversion.to != original(&diversion.from) => {
            Some(format!("its package's file goes to {}, where uwt does not look for it", diversion.to.display()))
        }
        Some(_) => None,
    }
}

/// What is wrong with what should be a wrapper.
fn broken(wrapped: &Path, machine: &Machine) -> String {
    let shown = wrapped.display();
    let between = middle(wrapped);
    let by_other = machine.diversion(wrapped).and_then(|it| it.by.as_deref()).filter(|by| *by != WRAPPERS);
    let what = if let Some(package) = by_other {
        return format!("the package {package} has wrapped it, by something else than this uwt");
    } else if !exists(wrapped) {
        format!("the link {shown} is gone")
    } else if !is_wrapper(wrapped) {
        format!("something else has taken the place of the link {shown}")
    } else if !exists(&between) {
        format!("{} is gone, to which it leads", between.display())
    } else {
        format!("{} does not lead to uwt", between.display())
    };
    format!("{what}; {}", repair(wrapped, machine))
}

/// Who can mend it.
pub(super) fn repair(wrapped: &Path, machine: &Machine) -> String {
    let by_package = machine.diversion(wrapped).is_some_and(|it| it.by.as_deref() == Some(WRAPPERS));
    if by_package {
        format!("`dpkg-reconfigure {WRAPPERS}` mends it")
    } else {
        format!("`uwtctl wrapper add {}` mends it", wrapped.display())
    }
}

fn for_whom(machine: &Machine, wrapped: &Path) -> String {
    match owner(wrapped, machine).as_deref() {
        Some("administrator") | None => "by the administrator (dpkg-divert --local)".to_owned(),
        Some(package) => format!("by the package {package}"),
    }
}

/// Whether something is there, be it a link to nothing.
pub(super) fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}
