//! A file is one idea.

use std::path::Path;

use super::{Finding, Source};

const FILE: usize = 400;
const MAIN: usize = 20;

/// Counts lines.
pub(super) fn check(source: &Source) -> Option<Finding> {
    let lines = source.text.lines().count();
    let main = Path::new(&source.path).file_name().is_some_and(|name| name == "main.rs");
    let limit = if main { MAIN } else { FILE };
    (lines > limit).then(|| Finding::at(&source.path, limit + 1, format!("{lines} lines, at most {limit} are allowed")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_inclusive() {
        let source = |path: &str, lines: usize| Source { path: path.to_owned(), text: "//\n".repeat(lines) };
        assert_eq!(check(&source("a/b.rs", 400)), None);
        assert_eq!(check(&source("a/main.rs", 20)), None);
        assert_eq!(check(&source("a/domain.rs", 21)), None);
        assert_eq!(check(&source("a/b.rs", 401)).expect("too long").place, "a/b.rs:401");
        assert_eq!(check(&source("a/main.rs", 21)).expect("too long").place, "a/main.rs:21");
    }
}
