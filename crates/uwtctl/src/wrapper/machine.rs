//! What is known of the wrappers of this machine, read once.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::dpkg::{self, Diversion};
use super::names::{FOLDERS, known, without_suffix};

/// Where the maintainer scripts and we keep what they have to remember.
pub(super) const MEMORY: &str = "/var/lib/uwt";
/// In it: the commands that we have wrapped, a path a line.
pub(super) const ADDED: &str = "local";
/// In it: the commands that are being changed, or were when that was interrupted, by package.
const CHANGING: [&str; 2] = ["local.changing", "uwt-wrappers.changing"];
/// The package that wraps a fixed list of commands.
pub(super) const WRAPPERS: &str = "uwt-wrappers";

/// What dpkg and the files of our memory say.
#[derive(Debug, Default)]
pub(super) struct Machine {
    /// `None` where there is no dpkg.
    pub(super) diversions: Option<Vec<Diversion>>,
    /// The commands that `uwtctl wrapper add` has wrapped.
    pub(super) added: BTreeSet<PathBuf>,
    /// The commands a change of which was interrupted, or goes on just now.
    pub(super) changing: BTreeSet<PathBuf>,
}

impl Machine {
    /// Reads it.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub(super) fn read() -> anyhow::Result<Self> {
        let memory = Path::new(MEMORY);
        let mut changing = BTreeSet::new();
        for name in CHANGING {
            changing.extend(paths(&memory.join(name))?);
        }
        Ok(Self { diversions: dpkg::diversions()?, added: paths(&memory.join(ADDED))?, changing })
    }

    /// Who diverts the command, by any name that dpkg may know it by.
    pub(super) fn diversion(&self, path: &Path) -> Option<&Diversion> {
        self.diversions.iter().flatten().find(|diversion| known(&diversion.from) == path)
    }

    /// Every command that is wrapped, or looks so, or should be.
    pub(super) fn commands(&self) -> BTreeSet<PathBuf> {
        let is_wrapper = |it: &&Diversion| it.to.to_string_lossy().ends_with(".anondist-orig");
        let diverted = self.diversions.iter().flatten().filter(is_wrapper).map(|it| known(&it.from));
        // Not the one that is no wrapper, although it is diverted as one (uwt-torsocks).
        let diverted = diverted.filter(|path| path.file_name().is_none_or(|name| name != "torsocks"));
        let entries = FOLDERS.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
        let links =
            entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|it| it == "anondist"));
        let there = links.map(|path| known(&without_suffix(&path)));
        diverted.chain(there).chain(self.added.iter().cloned()).chain(self.changing.iter().cloned()).collect()
    }
}

/// The lines of a file; none where it is not there.
fn paths(file: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    match fs::read_to_string(file) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(BTreeSet::new()),
        text => Ok(text.with_context(|| file.display().to_string())?.lines().map(PathBuf::from).collect()),
    }
}
