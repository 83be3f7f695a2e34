//! The tree that is built: the checkout's files, as they are.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use anyhow::{Context, Result};

/// The folder that [`super::vendor`] fills.
pub(super) const VENDOR: &str = "vendor";

/// Makes `to` hold the files and nothing else but [`VENDOR`], and says whether anything was different. A file that is the
/// same is not touched: cargo goes by its time.
pub(super) fn tree(from: &Path, files: &[String], to: &Path) -> Result<bool> {
    fs::create_dir_all(to).with_context(|| format!("{}", to.display()))?;
    let wanted: BTreeSet<&Path> = files.iter().flat_map(|file| Path::new(file).ancestors()).collect();
    let mut changed = remove_others(to, to, &wanted)?;
    for file in files {
        changed |= one(&from.join(file), &to.join(file)).with_context(|| file.clone())?;
    }
    Ok(changed)
}

/// Removes what is in the folder and not wanted in the tree.
fn remove_others(tree: &Path, folder: &Path, wanted: &BTreeSet<&Path>) -> Result<bool> {
    let mut changed = false;
    for entry in fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        let name = path.strip_prefix(tree)?;
        if name == Path::new(VENDOR) {
            continue;
        }
        let is_folder = path.symlink_metadata()?.is_dir();
        if wanted.contains(name) {
            changed |= is_folder && remove_others(tree, &path, wanted)?;
        } else {
            if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }?;
            changed = true;
        }
    }
    Ok(changed)
}

/// Makes the file or link `to` the same as `from`.
fn one(from: &Path, to: &Path) -> Result<bool> {
    if let Ok(target) = fs::read_link(from) {
        if fs::read_link(to).is_ok_and(|present| present == target) {
            return Ok(false);
        }
        make_way(to)?;
        symlink(target, to)?;
        return Ok(true);
    }
    let content = fs::read(from)?;
    // As git keeps it: executable or not.
    let executable = fs::metadata(from)?.permissions().mode() & 0o100 != 0;
    let mode = if executable { 0o755 } else { 0o644 };
    let present = to.symlink_metadata().ok().filter(fs::Metadata::is_file);
    if present.is_some_and(|status| status.permissions().mode() & 0o777 == mode) && fs::read(to)? == content {
        return Ok(false);
    }
    make_way(to)?;
    fs::write(to, content)?;
    fs::set_permissions(to, Permissions::from_mode(mode))?;
    Ok(true)
}

fn make_way(to: &Path) -> Result<()> {
    if let Ok(status) = to.symlink_metadata() {
        if status.is_dir() { fs::remove_dir_all(to) } else { fs::remove_file(to) }?;
    }
    fs::create_dir_all(to.parent().context("a file is in a folder")?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_follows_and_what_is_the_same_is_not_touched() {
        let place = tempfile::tempdir().expect("a directory");
        let (from, to) = (place.path().join("from"), place.path().join("to"));
        fs::create_dir_all(from.join("src")).expect("made");
        fs::write(from.join("src/a"), "a").expect("written");
        fs::write(from.join("run"), "#!/bin/sh\n").expect("written");
        fs::set_permissions(from.join("run"), Permissions::from_mode(0o700)).expect("set");
        symlink("run", from.join("link")).expect("linked");
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let all = names(&["link", "run", "src/a"]);
        assert!(tree(&from, &all, &to).expect("copied"));
        fs::create_dir_all(to.join("vendor/clap")).expect("made");
        let time = || fs::metadata(to.join("src/a")).and_then(|status| status.modified()).expect("a time");
        let before = time();
        assert!(!tree(&from, &all, &to).expect("compared"));
        assert_eq!(fs::metadata(to.join("run")).expect("there").permissions().mode() & 0o777, 0o755);
        assert_eq!(fs::read_link(to.join("link")).expect("a link"), Path::new("run"));

        fs::write(to.join("left-over"), "").expect("written");
        fs::set_permissions(from.join("run"), Permissions::from_mode(0o600)).expect("set");
        assert!(tree(&from, &all, &to).expect("copied"));
        assert!(!to.join("left-over").exists());
        assert_eq!(fs::metadata(to.join("run")).expect("there").permissions().mode() & 0o777, 0o644);
        assert_eq!(time(), before);

        // A folder becomes a file, and a link another.
        fs::remove_dir_all(from.join("src")).expect("removed");
        fs::write(from.join("src"), "file").expect("written");
        fs::remove_file(from.join("link")).expect("removed");
        symlink("src", from.join("link")).expect("linked");
        assert!(tree(&from, &names(&["link", "src"]), &to).expect("copied"));
        assert_eq!(fs::read_to_string(to.join("link")).expect("through the link"), "file");
        assert!(!to.join("run").exists());
        assert!(to.join("vendor/clap").is_dir());
    }
}
