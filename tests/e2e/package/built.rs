//! The packages under test.

use std::path::PathBuf;

/// The package `name` as it was built.
pub(crate) fn built(name: &str) -> PathBuf {
    let Some(folder) = std::env::var_os("UWT_DEB_DIR") else {
        panic!("UWT_DEB_DIR is not set: run `cargo xtask test`, or build with `cargo xtask deb` and name its folder")
    };
    let prefix = format!("{name}_");
    let is_it = |path: &PathBuf| {
        let file = path.file_name().and_then(|file| file.to_str()).unwrap_or_default();
        file.starts_with(&prefix) && path.extension().is_some_and(|extension| extension == "deb")
    };
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_it).collect();
    let [only] = found.as_slice() else { panic!("one {prefix}*.deb in {}, not {found:?}", folder.display()) };
    only.clone()
}
