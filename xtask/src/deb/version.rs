//! The version of the packages.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace::text;

/// A version of the form `UPSTREAM-REVISION` (deb-version(7)).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Version {
    /// What is before the last hyphen: the workspace's version.
    pub(super) upstream: String,
    /// All of it.
    pub(super) full: String,
    /// When the changelog's entry was written, in seconds of Unix time: the date of every file in the packages.
    pub(super) date: String,
}

impl Version {
    /// An error when the programs that are packaged would name another version than the packages.
    pub(super) fn must_be_of(&self, metadata: &Value) -> Result<()> {
        let mut packages = metadata["packages"].as_array().into_iter().flatten();
        let ours = packages.find(|package| package["name"] == "uwt").and_then(|package| package["version"].as_str());
        let ours = ours.context("cargo metadata names no package uwt")?;
        if ours != self.upstream {
            bail!("Cargo.toml says that this is version {ours}, debian/changelog says {}", self.upstream);
        }
        Ok(())
    }
}

/// The version of the newest entry.
pub(super) fn read(changelog: &Path) -> Result<Version> {
    let mut parser = Command::new("dpkg-parsechangelog");
    parse(&text(parser.arg("-l").arg(changelog))?)
}

/// Understands what dpkg-parsechangelog(1) prints.
fn parse(listing: &str) -> Result<Version> {
    let field = |name: &str| {
        let mut values = listing.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        values.next().with_context(|| format!("dpkg-parsechangelog names no {name}"))
    };
    let full = field("Version")?;
    match full.rsplit_once('-') {
        Some((upstream, revision)) if !upstream.is_empty() && !revision.is_empty() && !full.contains(':') => {
            Ok(Version { upstream: upstream.to_owned(), full: full.to_owned(), date: field("Timestamp")?.to_owned() })
        }
        _ => bail!("debian/changelog: {full} is not of the form UPSTREAM-REVISION"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn listing(version: &str) -> String {
        format!("Source: uwt\nVersion: {version}\nTimestamp: 1795384800\nChanges:\n Version: 7-7\n")
    }

    #[test]
    fn the_upstream_version_ends_at_the_last_hyphen() {
        let version = parse(&listing("0.1.0-beta-2~bpo1")).expect("a version");
        assert_eq!(version.upstream, "0.1.0-beta");
        assert_eq!(version.full, "0.1.0-beta-2~bpo1");
        assert_eq!(version.date, "1795384800");
    }

    #[test]
    fn other_forms_are_refused() {
        for odd in ["0.1.0", "1:0.1.0-1", "-1", "0.1.0-", ""] {
            assert!(parse(&listing(odd)).is_err(), "{odd}");
        }
        assert!(parse("Version: 1-1\n").is_err(), "no date");
    }

    #[test]
    fn programs_and_packages_are_of_one_version() {
        let version = parse(&listing("0.2.0-1")).expect("a version");
        let metadata = |ours: &str| json!({"packages": [{"name": "xtask"}, {"name": "uwt", "version": ours}]});
        assert!(version.must_be_of(&metadata("0.2.0")).is_ok());
        let error = version.must_be_of(&metadata("0.1.0")).expect_err("another");
        assert!(error.to_string().contains("0.1.0") && error.to_string().contains("0.2.0"), "{error}");
        assert!(version.must_be_of(&json!({})).is_err());
    }
}
