//! The crates that the packages are built of. Cargo.lock names more: those of the tests and the bench, and those of other
//! systems.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};

use crate::workspace::{Workspace, text};

/// What debian/rules compiles.
const ROOTS: &[&str] = &["uwt", "uwt-preload", "uwt-texts", "uwtctl", "xtask-artifacts"];
/// For what: the architecture of debian/control.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// A crate that is not ours.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Crate {
    /// `NAME-VERSION`, which is also its folder when cargo vendors it.
    pub(super) folder: String,
    /// The SPDX expression of its Cargo.toml.
    pub(super) license: String,
}

/// Asks cargo for the crates that are compiled for the packages.
pub(super) fn crates(workspace: &Workspace) -> Result<BTreeSet<Crate>> {
    let mut cargo = workspace.cargo("tree");
    cargo.args(["--quiet", "--locked", "--edges", "normal,build", "--target", TARGET]);
    cargo.args(["--prefix", "none", "--format", "{p}\t{l}\t"]);
    for root in ROOTS {
        cargo.args(["--package", root]);
    }
    parse(&text(&mut cargo)?)
}

/// Understands `NAME vVERSION[ (NOTE)]\tLICENSE\t`; a crate of ours has its path for a note.
fn parse(listing: &str) -> Result<BTreeSet<Crate>> {
    // A line without anything is between the trees of two roots.
    let lines = listing.lines().filter(|line| !line.is_empty() && !line.contains(" (/"));
    lines
        .map(|line| {
            let odd = || format!("cargo tree prints {line:?}");
            let mut columns = line.split('\t');
            let mut words = columns.next().unwrap_or_default().split(' ');
            let name = words.next().with_context(odd)?;
            let version = words.next().and_then(|word| word.strip_prefix('v')).with_context(odd)?;
            let license = columns.next().with_context(odd)?;
            if license.is_empty() {
                bail!("the crate {name} names no license");
            }
            Ok(Crate { folder: format!("{name}-{version}"), license: license.to_owned() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_tree_is_understood() {
        let listing = "uwt v0.1.0 (/src/crates/uwt)\tMIT\t\nclap v4.6.9\tMIT OR Apache-2.0\t\nclap_derive v4.6.9 \
            (proc-macro)\tMIT\t\n\nuwt-preload v0.1.0 (/src/crates/preload)\tMIT\t\nclap v4.6.9\tMIT OR Apache-2.0\t (*)\n\
            toml v1.2.1+spec-1.1.0\tMIT\t\n";
        let found = parse(listing).expect("understood");
        let found: Vec<_> = found.iter().map(|found| (found.folder.as_str(), found.license.as_str())).collect();
        assert_eq!(
            found,
            [("clap-4.6.9", "MIT OR Apache-2.0"), ("clap_derive-4.6.9", "MIT"), ("toml-1.2.1+spec-1.1.0", "MIT")]
        );
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for odd in ["clap", "clap 4.6.9\tMIT\t", "clap v4.6.9", "clap v4.6.9\t\t"] {
            assert!(parse(odd).is_err(), "{odd}");
        }
    }
}
