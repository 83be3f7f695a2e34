//! Whether debian/copyright says of each crate in the source package what the crate says of itself.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::needed::Crate;

/// A paragraph on files: their patterns, and the license's name.
#[derive(Debug, PartialEq, Eq)]
struct Files<'a> {
    patterns: Vec<&'a str>,
    license: &'a str,
}

/// An error that names every crate of which the file says something else, or says it without need.
pub(super) fn check(copyright: &str, crates: &BTreeSet<Crate>) -> Result<()> {
    let paragraphs = paragraphs(copyright);
    let mut wrong: Vec<String> = crates
        .iter()
        .filter_map(|package| {
            let path = format!("vendor/{}/", package.folder);
            let said = last_match(&paragraphs, &path).map_or("", |paragraph| paragraph.license);
            (words(said) != words(&package.license))
                .then(|| format!("{}: the crate says `{}`, the file `{said}`", package.folder, package.license))
        })
        .collect();
    let patterns = paragraphs.iter().flat_map(|paragraph| &paragraph.patterns);
    wrong.extend(
        patterns
            .filter(|pattern| pattern.starts_with("vendor/"))
            .filter(|pattern| !crates.iter().any(|package| matches(pattern, &format!("vendor/{}/", package.folder))))
            .map(|pattern| format!("{pattern}: there is no such crate")),
    );
    if wrong.is_empty() { Ok(()) } else { bail!("debian/copyright:\n  {}", wrong.join("\n  ")) }
}

/// The paragraphs on files, in the form of Debian's machine-readable copyright files.
fn paragraphs(copyright: &str) -> Vec<Files<'_>> {
    let of_files = copyright.split("\n\n").filter(|paragraph| paragraph.starts_with("Files:"));
    of_files.map(|paragraph| Files { patterns: field(paragraph, "Files:"), license: first(paragraph) }).collect()
}

/// The words of a field, up to the next one's name.
fn field<'a>(paragraph: &'a str, name: &str) -> Vec<&'a str> {
    let mut lines = paragraph.lines().skip_while(|line| !line.starts_with(name));
    let beginning = lines.next().map_or("", |line| &line[name.len()..]);
    let rest = lines.take_while(|line| line.starts_with(' '));
    std::iter::once(beginning).chain(rest).flat_map(str::split_whitespace).collect()
}

/// The name of the license.
fn first(paragraph: &str) -> &str {
    paragraph.lines().find_map(|line| line.strip_prefix("License:")).map_or("", str::trim)
}

/// Of several paragraphs that match, the last counts.
fn last_match<'a>(paragraphs: &'a [Files<'_>], path: &str) -> Option<&'a Files<'a>> {
    paragraphs.iter().rev().find(|paragraph| paragraph.patterns.iter().any(|pattern| matches(pattern, path)))
}

/// Asterisks are at the ends of our patterns only.
fn matches(pattern: &str, path: &str) -> bool {
    pattern.strip_suffix('*').map_or(path == pattern, |beginning| path.starts_with(beginning))
}

/// What a license's name says, whatever the order and the words for it: SPDX's MIT is Debian's Expat, and its
/// `LLVM-exception` Debian's `LLVM exception`.
fn words(license: &str) -> BTreeSet<String> {
    license
        .replace("-exception", " exception")
        .split(|letter: char| letter.is_whitespace() || matches!(letter, '(' | ')' | '/'))
        .filter(|word| !word.is_empty() && !word.eq_ignore_ascii_case("or"))
        .map(|word| if word == "MIT" { "expat".to_owned() } else { word.to_lowercase() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COPYRIGHT: &str = "Format: x\n\nFiles: *\nLicense: Expat\n\nFiles: vendor/*\nCopyright: them\nLicense: Expat or \
        Apache-2.0\n\nFiles:\n vendor/bytes-*\n vendor/tables-*\nCopyright: x\nLicense: (Apache-2.0 or Expat) and \
        Unicode-3.0\n\nLicense: Expat\n Files: none\n";

    fn found(crates: &[(&str, &str)]) -> String {
        let crates = crates
            .iter()
            .map(|(folder, license)| Crate { folder: (*folder).to_owned(), license: (*license).to_owned() })
            .collect();
        check(COPYRIGHT, &crates).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn the_same_in_other_words_is_the_same() {
        let unicode = "(MIT OR Apache-2.0) AND Unicode-3.0";
        assert_eq!(found(&[("bytes-1", unicode), ("tables-2", unicode), ("clap-4", "Apache-2.0 OR MIT")]), "");
        assert_eq!(found(&[("bytes-1", unicode), ("tables-2", unicode), ("old-0.1", "MIT/Apache-2.0")]), "");
        assert_eq!(words("Apache-2.0 WITH LLVM-exception OR MIT"), words("Apache-2.0 with LLVM exception or Expat"));
    }

    #[test]
    fn every_difference_is_named() {
        let message = found(&[("bytes-1", "MIT"), ("new-1", "GPL-3.0-only"), ("clap-4", "MIT OR Apache-2.0")]);
        for part in ["bytes-1:", "new-1:", "vendor/tables-*: there is no such crate"] {
            assert!(message.contains(part), "{part}: {message}");
        }
        assert!(!message.contains("clap-4"), "{message}");
    }
}
