//! The crates in the source package, so that it is built without network.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use toml::{Table, Value as Toml};

use super::needed::Crate;
use super::sync::VENDOR;
use super::{Place, read, remove_dir, remove_file};
use crate::workspace::{self, Workspace};

/// Puts the crates into the tree, and says whether it had others before. Cargo wants every crate that Cargo.lock names; of
/// those that are not compiled it gets the manifest only.
pub(super) fn fill(workspace: &Workspace, crates: &BTreeSet<Crate>, place: &Place) -> Result<bool> {
    let folder = place.tree().join(VENDOR);
    let note = place.work.join("vendor-of");
    let mut wanted = read(&workspace.root.join("Cargo.lock"))?;
    for package in crates {
        // Writing to a String cannot fail.
        let _ = writeln!(wanted, "# {}", package.folder);
    }
    if folder.is_dir() && fs::read_to_string(&note).is_ok_and(|present| present == wanted) {
        return Ok(false);
    }
    remove_file(&note)?;
    let [_, archive] = &place.archives;
    remove_file(archive)?;
    remove_dir(&folder)?;
    let mut cargo = workspace.cargo("vendor");
    workspace::output(cargo.args(["--quiet", "--locked", "--versioned-dirs"]).arg(&folder))?;
    for entry in fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))? {
        let entry = entry?;
        let needed = entry.file_name().to_str().is_some_and(|name| crates.iter().any(|kept| kept.folder == name));
        if !needed {
            hollow(&entry.path()).with_context(|| format!("{}", entry.path().display()))?;
        }
    }
    fs::write(&note, wanted).with_context(|| format!("{}", note.display()))?;
    Ok(true)
}

/// Leaves of a crate what cargo needs to see that nothing else needs it.
fn hollow(folder: &Path) -> Result<()> {
    let manifest = without_targets(&read(&folder.join("Cargo.toml"))?)?;
    let sums = without_files(&read(&folder.join(".cargo-checksum.json"))?)?;
    fs::remove_dir_all(folder)?;
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join(".cargo-checksum.json"), sums)?;
    fs::write(folder.join("src/lib.rs"), "")?;
    Ok(())
}

/// The manifest of a crate with an empty library and nothing else in it, but the same features and dependencies.
fn without_targets(manifest: &str) -> Result<String> {
    let mut manifest: Table = manifest.parse().context("Cargo.toml")?;
    for target in ["bench", "bin", "example", "test"] {
        manifest.remove(target);
    }
    if let Some(Toml::Table(library)) = manifest.get_mut("lib") {
        library.insert("path".to_owned(), "src/lib.rs".into());
    }
    let package = manifest.get_mut("package").and_then(Toml::as_table_mut).context("Cargo.toml has no [package]")?;
    package.insert("build".to_owned(), false.into());
    // The first asks for a build script, the others name files.
    for key in ["links", "default-run", "readme", "license-file"] {
        package.remove(key);
    }
    Ok(manifest.to_string())
}

/// The checksums of no file; that of the crate's archive stays, for Cargo.lock has it, too.
fn without_files(sums: &str) -> Result<String> {
    let sums: Value = serde_json::from_str(sums).context(".cargo-checksum.json")?;
    Ok(json!({"files": {}, "package": sums["package"]}).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
[package]
name = "ring"
version = "0.17.14"
links = "ring_core"
build = "build.rs"
default-run = "tool"

[features]
default = ["alloc"]
alloc = []

[lib]
name = "ring"
path = "src/ring.rs"
proc-macro = true

[[bin]]
name = "tool"
path = "src/tool.rs"

[[test]]
name = "aead"
path = "tests/aead.rs"

[target.'cfg(windows)'.dependencies.windows-sys]
version = "0.52"
"#;

    #[test]
    fn what_is_left_resolves_the_same_and_compiles_to_nothing() {
        let manifest: Table = without_targets(MANIFEST).expect("edited").parse().expect("TOML");
        let before: Table = MANIFEST.parse().expect("TOML");
        for same in ["features", "target"] {
            assert_eq!(manifest[same], before[same]);
        }
        let mut keys: Vec<&str> = manifest.keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["features", "lib", "package", "target"]);
        assert_eq!(manifest["lib"]["path"].as_str(), Some("src/lib.rs"));
        assert_eq!(manifest["lib"]["proc-macro"].as_bool(), Some(true));
        assert_eq!(manifest["package"]["build"].as_bool(), Some(false));
        assert!(manifest["package"].get("links").is_none());
    }

    #[test]
    fn the_archive_keeps_its_checksum() {
        let sums = without_files(r#"{"files":{"src/ring.rs":"aa"},"package":"bb"}"#).expect("edited");
        assert_eq!(serde_json::from_str::<Value>(&sums).expect("JSON"), json!({"files": {}, "package": "bb"}));
    }

    #[test]
    fn a_hollow_crate_is_three_files() {
        let folder = tempfile::tempdir().expect("a directory");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("crate/lib")).expect("made");
        fs::write(at("crate/Cargo.toml"), MANIFEST).expect("written");
        fs::write(at("crate/lib/windows.lib"), "MZ").expect("written");
        fs::write(at("crate/.cargo-checksum.json"), r#"{"files":{"lib/windows.lib":"aa"},"package":"bb"}"#)
            .expect("written");
        hollow(&at("crate")).expect("hollowed");
        assert_eq!(fs::read(at("crate/src/lib.rs")).expect("there"), b"");
        let mut names: Vec<_> =
            fs::read_dir(at("crate")).expect("there").map(|entry| entry.expect("entry").file_name()).collect();
        names.sort();
        assert_eq!(names, [".cargo-checksum.json", "Cargo.toml", "src"]);
    }
}
