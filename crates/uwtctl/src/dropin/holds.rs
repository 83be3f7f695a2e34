//! Whether what was written is what holds.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use uwt_config::{Config, Folder, Sources};

use super::{Change, Held};
use crate::config::{place, to_json};
use crate::program;

/// A configuration, and where its files seem to be and really are.
pub(super) struct Loaded {
    config: Config,
    moved: Option<(PathBuf, PathBuf)>,
}

/// The configuration as it is.
///
/// # Errors
/// It is wrong somewhere.
pub(super) fn as_it_is(sources: &Sources) -> anyhow::Result<Loaded> {
    let config = Config::load(sources).context("uwt runs nothing, see `uwtctl config check`")?;
    Ok(Loaded { config, moved: None })
}

/// The configuration as it would be if `file`, which is in one of the folders, said this.
///
/// # Errors
/// It would be wrong somewhere.
pub(super) fn with(sources: &Sources, file: &Path, text: &str) -> anyhow::Result<Loaded> {
    let shadow =
        tempfile::tempdir().context("no temporary folder can be made to try it in; set TMPDIR to a folder of yours")?;
    let (real, name) = file.parent().zip(file.file_name()).context("no file")?;
    for other in Folder::list(real)?.files {
        if let Some(other_name) = other.file_name().filter(|other| *other != name) {
            symlink(&other, shadow.path().join(other_name))?;
        }
    }
    fs::write(shadow.path().join(name), text)?;
    let folders = sources.folders.iter();
    let folders =
        folders.map(|folder| if folder == real { shadow.path().to_owned() } else { folder.clone() }).collect();
    let moved = (shadow.path().to_owned(), real.to_owned());
    let config = Config::load(&Sources { folders }).map_err(|error| {
        let said = error.to_string().replace(&*moved.0.to_string_lossy(), &moved.1.to_string_lossy());
        anyhow::anyhow!("{said}; nothing was written, see `uwtctl config check`")
    })?;
    Ok(Loaded { config, moved: Some(moved) })
}

impl Loaded {
    fn real(&self, path: &str) -> String {
        let moved = self.moved.as_ref().and_then(|(from, to)| Some(to.join(Path::new(path).strip_prefix(from).ok()?)));
        moved.map_or_else(|| path.to_owned(), |path| path.display().to_string())
    }
}

/// What holds of each change.
pub(super) fn looked_up(loaded: &Loaded, changes: &[Change]) -> Vec<Held> {
    let mut keys = Vec::new();
    for change in changes {
        let entries = program::settings(&loaded.config, &change.command).entries();
        let entry = entries.into_iter().find(|entry| entry.key == change.key);
        let holds = entry.as_ref().is_some_and(|entry| entry.value == change.value);
        let other = entry.filter(|_| !holds);
        let instead_by = other.as_ref().map(|entry| match (&entry.origin, place(&entry.origin)) {
            (_, Some((path, line))) => format!("{}:{line}", loaded.real(&path)),
            (origin, None) => origin.to_string(),
        });
        keys.push(Held {
            command: change.command.clone(),
            key: change.key,
            value: to_json(&change.value),
            holds,
            instead: other.map(|entry| to_json(&entry.value)),
            instead_by,
        });
    }
    keys
}
