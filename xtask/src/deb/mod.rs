//! `cargo xtask deb`: the Debian packages of this checkout, built as anybody would build them from their source package.

mod check;
mod copyright;
mod needed;
mod package;
mod sync;
mod vendor;
mod version;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use crate::prereq::{self, Group};
use crate::tracked;
use crate::workspace::Workspace;
use package::Builder;
use version::Version;

/// What can be chosen.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Look the packages over with lintian, and build them from their source package a second time, elsewhere: the result
    /// must be the same
    #[arg(long)]
    check: bool,
}

/// Builds what has changed and says where it is.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    prereq::ensure(&[Group::Build, Group::Packaging])?;
    let folder = build(workspace)?;
    if options.check {
        check::source(&folder)?;
        lint(&folder)?;
        check::reproducible(workspace, &folder)?;
    }
    for file in package::binaries(&folder)? {
        println!("{}", file.display());
    }
    Ok(())
}

/// The folder of the packages of this checkout, after building what has changed since they were.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    let root = &workspace.root;
    let version = version::read(&root.join("debian/changelog"))?;
    version.must_be_of(&workspace.metadata)?;
    let crates = needed::crates(workspace)?;
    copyright::check(&read(&root.join("debian/copyright"))?, &crates)?;
    let builder = Builder::new(workspace)?;
    let place = Place::new(&workspace.target, &version);
    let fresh = read(&place.stamp()).is_ok_and(|stamp| stamp == builder.toolchain);
    // Whatever interrupts us from here on, the next run builds.
    remove_file(&place.stamp())?;
    if !fresh {
        // What the linker brings in changes without cargo's knowing.
        remove_dir(&place.cargo())?;
    }
    let changed = sync::tree(root, &tracked::files(root)?, &place.tree())?;
    let changed = vendor::fill(workspace, &crates, &place)? | changed;
    if changed || !fresh || !place.result.is_dir() {
        package::pack(&place, &version)?;
        builder.build(&place.tree(), Some(&place.cargo()))?;
        package::collect(&version, &place.work, &place.result)?;
    }
    fs::write(place.stamp(), &builder.toolchain).context("target/deb-build")?;
    Ok(place.result)
}

/// lintian on the packages in the folder: errors are errors, warnings are printed.
pub(crate) fn lint(folder: &Path) -> Result<()> {
    check::lintian(&package::binaries(folder)?)
}

/// Where things are below cargo's target directory.
#[derive(Debug)]
struct Place {
    /// Holds what follows, and what dpkg-buildpackage puts beside its tree.
    work: PathBuf,
    /// The packages, for whoever asked for them.
    result: PathBuf,
    /// The checkout without debian/, and the crates, as the source package has them.
    archives: [PathBuf; 2],
}

impl Place {
    fn new(target: &Path, version: &Version) -> Self {
        let (work, result) = (target.join("deb-build"), target.join("deb"));
        let archives = ["", "-vendor"].map(|part| work.join(format!("uwt_{}.orig{part}.tar.xz", version.upstream)));
        Self { work, result, archives }
    }

    /// What is built: the checkout and the crates.
    fn tree(&self) -> PathBuf {
        self.work.join("tree")
    }

    /// Cargo's target directory of the packages, kept from one build to the next.
    fn cargo(&self) -> PathBuf {
        self.work.join("cargo")
    }

    /// What the packages in [`Place::result`] were built by; only there when they are of the tree as it is.
    fn stamp(&self) -> PathBuf {
        self.work.join("built-by")
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("{}", path.display()))
}

/// Removes a file that may not be there.
fn remove_file(path: &Path) -> Result<()> {
    gone(fs::remove_file(path), path)
}

/// Removes a folder that may not be there, with its content.
fn remove_dir(path: &Path) -> Result<()> {
    gone(fs::remove_dir_all(path), path)
}

fn gone(result: std::io::Result<()>, path: &Path) -> Result<()> {
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_names_what_is_wrapped() {
        let debian = Path::new(env!("CARGO_MANIFEST_DIR")).join("../debian");
        let readme = read(&debian.join("README.Debian")).expect("readable");
        let section = readme.split("-----\n").nth(1).expect("the first section");
        let list = read(&debian.join("wrapped-commands")).expect("readable");
        let commands: Vec<&str> = list.lines().filter_map(|line| line.strip_prefix("/usr/bin/")).collect();
        assert!(commands.len() > 10, "{commands:?}");
        for command in commands {
            assert!(section.split_whitespace().any(|word| word == command), "{command}");
        }
    }
}
