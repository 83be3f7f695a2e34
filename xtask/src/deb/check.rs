//! `cargo xtask deb --check`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::package::{Builder, binaries};
use super::remove_dir;
use crate::workspace::{self, Workspace};

/// lintian on the source package, which takes long for all the crates in it.
pub(super) fn source(folder: &Path) -> Result<()> {
    lintian(&[only(folder, "dsc")?])
}

/// lintian: errors are errors, warnings are printed.
pub(super) fn lintian(files: &[PathBuf]) -> Result<()> {
    let mut lintian = Command::new("lintian");
    lintian.args(["--allow-root", "--fail-on", "error", "--info", "--tag-display-limit", "0"]);
    workspace::run(lintian.args(files))
}

/// Builds the packages from their source package, in another folder and from nothing, and compares.
pub(super) fn reproducible(workspace: &Workspace, folder: &Path) -> Result<()> {
    let elsewhere = workspace.target.join("deb-again");
    remove_dir(&elsewhere)?;
    let tree = elsewhere.join("in/another/folder");
    fs::create_dir_all(tree.parent().context("it has one")?).with_context(|| format!("{}", elsewhere.display()))?;
    let mut unpack = Command::new("dpkg-source");
    unpack.args(["--no-check", "--extract"]).arg(only(folder, "dsc")?).arg(&tree);
    workspace::run(&mut unpack)?;
    Builder::new(workspace)?.build(&tree, None)?;
    let again = elsewhere.join("in/another");
    let different = different(&binaries(folder)?, &binaries(&again)?)?;
    if !different.is_empty() {
        bail!("built again in {}, these are different: {}", again.display(), different.join(" "));
    }
    println!("built again in another folder: the same packages, byte for byte");
    remove_dir(&elsewhere)
}

/// The one file with this extension.
fn only(folder: &Path, extension: &str) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| format!("{}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let mut found = paths.into_iter().filter(|path| path.extension().is_some_and(|found| found == extension));
    match (found.next(), found.next()) {
        (Some(path), None) => Ok(path),
        _ => bail!("{}: not one .{extension} file", folder.display()),
    }
}

/// The names of the packages that are only in one of the lists, or different.
fn different(one: &[PathBuf], other: &[PathBuf]) -> Result<Vec<String>> {
    let (one, other) = (contents(one)?, contents(other)?);
    let all: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    Ok(all.into_iter().filter(|name| one.get(*name) != other.get(*name)).cloned().collect())
}

/// Files by name.
fn contents(paths: &[PathBuf]) -> Result<BTreeMap<String, Vec<u8>>> {
    let read = |path: &PathBuf| {
        let content = fs::read(path).with_context(|| format!("{}", path.display()))?;
        Ok((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), content))
    };
    paths.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_of_content_or_name_is_found() {
        let place = tempfile::tempdir().expect("a directory");
        let file = |folder: &str, name: &str, content: &str| {
            let path = place.path().join(folder).join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(&path, content).expect("written");
            path
        };
        let one = [file("1", "a.deb", "a"), file("1", "b.deb", "b"), file("1", "c.deb", "c")];
        let other = [file("2", "a.deb", "a"), file("2", "b.deb", "B"), file("2", "d.deb", "c")];
        assert_eq!(different(&one, &other).expect("compared"), ["b.deb", "c.deb", "d.deb"]);
        assert!(different(&one, &one).expect("compared").is_empty());
    }

    #[test]
    fn one_file_is_one() {
        let place = tempfile::tempdir().expect("a directory");
        assert!(only(place.path(), "dsc").is_err());
        fs::write(place.path().join("uwt.dsc"), "").expect("written");
        assert_eq!(only(place.path(), "dsc").expect("it"), place.path().join("uwt.dsc"));
        fs::write(place.path().join("more.dsc"), "").expect("written");
        assert!(only(place.path(), "dsc").is_err());
    }
}
