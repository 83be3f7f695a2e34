//! The top level holds what it must and nothing else.

use std::collections::BTreeSet;

use super::Finding;

const REQUIRED: &[&str] = &[
    ".cargo",
    ".ci",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "crates",
    "etc",
    "tests",
    "xtask",
];
/// May be there: rustfmt reads its settings nowhere else; packaging comes with the package.
const OPTIONAL: &[&str] = &[".rustfmt.toml", "debian"];

/// Compares the first components of the files' paths with the lists.
pub(super) fn check(files: &[String]) -> Vec<Finding> {
    let found: BTreeSet<&str> = files.iter().filter_map(|path| path.split('/').next()).collect();
    let unexpected = found
        .iter()
        .filter(|name| !REQUIRED.contains(name) && !OPTIONAL.contains(name))
        .map(|name| Finding::in_file(name, "unexpected at the top level: move it below crates, etc, tests or xtask"));
    let missing = REQUIRED
        .iter()
        .filter(|name| !found.contains(*name))
        .map(|name| Finding::in_file(name, "missing at the top level"));
    unexpected.chain(missing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> Vec<String> {
        let directories = ["crates", "etc", "tests", "xtask", ".ci", ".cargo"];
        REQUIRED
            .iter()
            .map(|name| if directories.contains(name) { format!("{name}/file") } else { (*name).to_owned() })
            .collect()
    }

    #[test]
    fn the_lists_are_exact() {
        let mut files = complete();
        assert_eq!(check(&files), []);
        files.push("debian/control".to_owned());
        assert_eq!(check(&files), []);
        files.push("notes/plan.md".to_owned());
        files.retain(|path| path != "LICENSE");
        let places: Vec<String> = check(&files).into_iter().map(|finding| finding.place).collect();
        assert_eq!(places, ["notes", "LICENSE"]);
    }
}
