//! Whether a command is wrapped, as far as its files tell: its name leads to `uwt`, and the original is beside it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::program;
use crate::wrapper::names::{is_wrapper, leads_to_uwt, links, middle, original};

/// What is the matter with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Wrapping {
    /// It runs by uwt when it is typed.
    Wrapped,
    /// It would, and the program itself is not installed.
    OriginalMissing,
    /// It looks wrapped and is not.
    Broken,
    /// It runs without uwt when it is typed.
    None,
}

/// The commands in `folders` that are wrapped or look so.
pub(super) fn find(folders: &[&Path]) -> Vec<PathBuf> {
    let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let links = entries.map(|entry| entry.path()).filter(|path| path.extension() == Some(OsStr::new("anondist")));
    let mut commands: Vec<PathBuf> = links.map(|path| path.with_extension("")).collect();
    commands.sort();
    commands
}

/// Looks at the command at `path`; of a broken one, what is wrong with it.
pub(super) fn look(path: &Path) -> (Wrapping, Option<String>) {
    if leads_to_uwt(path) {
        let found = links(path).iter().any(|link| program::find(&original(link)).is_some());
        return (if found { Wrapping::Wrapped } else { Wrapping::OriginalMissing }, None);
    }
    let middle = middle(path);
    // A diversion alone makes no wrapper: uwt's own torsocks diverts the other one.
    if !exists(&middle) && !is_wrapper(path) {
        return (Wrapping::None, None);
    }
    let what = if !exists(path) {
        "the link is gone"
    } else if !is_wrapper(path) {
        "something else has taken the link's place"
    } else if !exists(&middle) {
        "the link between it and uwt (.anondist) is gone"
    } else {
        "its link does not lead to uwt"
    };
    (Wrapping::Broken, Some(what.to_owned()))
}

/// Whether something is there, be it a link to nothing.
fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn files_tell() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("uwt"), "").unwrap();
        for name in ["whole", "gone", "absent", "taken"] {
            symlink("uwt", at(&format!("{name}.anondist"))).unwrap();
            fs::write(at(&format!("{name}.anondist-orig")), "").unwrap();
            fs::set_permissions(at(&format!("{name}.anondist-orig")), fs::Permissions::from_mode(0o755)).unwrap();
        }
        symlink("whole.anondist", at("whole")).unwrap();
        symlink("absent.anondist", at("absent")).unwrap();
        fs::remove_file(at("absent.anondist-orig")).unwrap();
        fs::write(at("taken"), "").unwrap();
        fs::write(at("other"), "").unwrap();
        symlink("whole", at("alias")).unwrap();
        let found = find(&[folder.path(), Path::new("/nonexistent")]);
        assert_eq!(found, ["absent", "gone", "taken", "whole"].map(at));
        for (name, expected, why) in [
            ("whole", Wrapping::Wrapped, None),
            ("alias", Wrapping::Wrapped, None),
            ("absent", Wrapping::OriginalMissing, None),
            ("other", Wrapping::None, None),
            ("gone", Wrapping::Broken, Some("the link is gone")),
            ("taken", Wrapping::Broken, Some("something else has taken the link's place")),
        ] {
            assert_eq!(look(&at(name)), (expected, why.map(str::to_owned)), "{name}");
        }
    }
}
