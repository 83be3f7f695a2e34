//! `cargo xtask tidy`: what the layout of the repository promises and no compiler checks.

mod arrows;
mod attributes;
mod exports;
mod lexer;
mod sizes;
mod top_level;
mod words;

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::artifacts;
use crate::prereq::{self, Group};
use crate::tracked;
use crate::workspace::Workspace;

/// Something that is not as it should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// `file` or `file:line`, relative to the root.
    place: String,
    /// What is wrong and what is expected.
    message: String,
}

impl Finding {
    fn in_file(path: &str, message: impl Into<String>) -> Self {
        Self { place: path.to_owned(), message: message.into() }
    }

    fn at(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { place: format!("{path}:{line}"), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.message)
    }
}

/// A Rust source file.
#[derive(Debug)]
struct Source {
    /// Relative to the root.
    path: String,
    text: String,
}

/// Prints every finding; an error when there is one.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    prereq::ensure(&[Group::Build])?;
    let files = tracked::files(&workspace.root)?;
    let sources = sources(&workspace.root, &files)?;
    let mut findings = top_level::check(&files);
    findings.extend(arrows::check(&workspace.metadata));
    findings.extend(attributes::check_roots(&sources));
    for source in &sources {
        findings.extend(sizes::check(source));
        findings.extend(words::check(source));
        findings.extend(attributes::check_unsafe(source));
    }
    show(&findings);
    // Said first: a library that cannot be built at the moment hides nothing else.
    let preload = artifacts::preload(workspace)?;
    let surface = exports::check(&workspace.root, &preload)?;
    show(&surface);
    match findings.len() + surface.len() {
        0 => {
            println!("tidy: {} files, {} of them Rust: nothing to complain about", files.len(), sources.len());
            Ok(())
        }
        1 => bail!("1 finding"),
        count => bail!("{count} findings"),
    }
}

fn show(findings: &[Finding]) {
    for finding in findings {
        println!("{finding}");
    }
}

fn sources(root: &Path, files: &[String]) -> Result<Vec<Source>> {
    let rust = files.iter().filter(|path| Path::new(path).extension().is_some_and(|extension| extension == "rs"));
    rust.map(|path| {
        let text = fs::read_to_string(root.join(path)).with_context(|| path.clone())?;
        Ok(Source { path: path.clone(), text })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_where() {
        assert_eq!(Finding::at("a.rs", 7, "no").to_string(), "a.rs:7: no");
        assert_eq!(Finding::in_file("a.rs", "no").to_string(), "a.rs: no");
    }
}
