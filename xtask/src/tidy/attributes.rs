//! Where `unsafe` may stand, and what the crates' roots must declare.

use super::lexer::{code, lines_with};
use super::{Finding, Source};

/// Crates that decide and parse: they hold no unsafe code at all.
const FORBID_UNSAFE: &[&str] = &["policy", "socks5", "session", "config"];
/// Crates that end up in the preload, and it.
const NO_STD: &[&str] = &["policy", "socks5", "session", "preload"];
/// Files, and directories with a slash at the end, that may hold unsafe code.
const UNSAFE_HOMES: &[&str] = &[
    "crates/preload/src/sys.rs",
    "crates/preload/src/sys/",
    "crates/preload/src/abi.rs",
    "crates/preload/src/abi/",
    "crates/preload/src/hooks/",
    // What is the process's own: its environment, libc's definition of what we hook, the one global state.
    "crates/preload/src/env.rs",
    "crates/preload/src/next.rs",
    "crates/preload/src/state.rs",
    "crates/guard/src/sys.rs",
    "crates/guard/src/sys/",
    "crates/helper/src/sys.rs",
    "crates/helper/src/sys/",
    "crates/uwt/src/sys.rs",
    "crates/uwt/src/sys/",
    // The probes make the calls that programs make, the plain C ones.
    "tests/",
];

/// Whether the roots forbid unsafe code and do without the standard library where they must.
pub(super) fn check_roots(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (crates, attributes, shown) in [
        (FORBID_UNSAFE, &["#![forbid(unsafe_code)]"][..], "#![forbid(unsafe_code)]"),
        (NO_STD, &["#![no_std]", "#![cfg_attr(not(test), no_std)]"][..], "#![no_std]"),
    ] {
        for name in crates {
            let path = format!("crates/{name}/src/lib.rs");
            let text = sources.iter().find(|source| source.path == path).map(|source| code(&source.text));
            match text {
                None => findings.push(Finding::in_file(&path, "missing")),
                Some(text) if text.lines().any(|line| attributes.contains(&line.trim())) => {}
                Some(_) => findings.push(Finding::in_file(&path, format!("`{shown}` is missing"))),
            }
        }
    }
    findings
}

/// Whether unsafe code is where it may be, and no lint is switched off for it without a reason.
pub(super) fn check_unsafe(source: &Source) -> Vec<Finding> {
    let code = code(&source.text);
    let mut findings = Vec::new();
    for (index, line) in code.lines().enumerate() {
        if line.contains("allow(unsafe_code") {
            let message = "write `expect(unsafe_code, reason = …)`: it ends with the need for it";
            findings.push(Finding::at(&source.path, index + 1, message));
        }
    }
    let at_home =
        |home: &&str| if home.ends_with('/') { source.path.starts_with(*home) } else { source.path == **home };
    if !UNSAFE_HOMES.iter().any(at_home) {
        findings.extend(lines_with(&code, "unsafe").into_iter().map(|line| {
            Finding::at(&source.path, line, "`unsafe` is allowed only in the homes of xtask/src/tidy/attributes.rs")
        }));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    fn roots() -> Vec<Source> {
        ["policy", "socks5", "session", "config", "preload"]
            .map(|name| source(&format!("crates/{name}/src/lib.rs"), "#![no_std]\n#![forbid(unsafe_code)]\n"))
            .into()
    }

    #[test]
    fn roots_declare_what_they_are() {
        let mut sources = roots();
        assert_eq!(check_roots(&sources), []);
        sources[0].text = "#![cfg_attr(not(test), no_std)]\n// #![forbid(unsafe_code)]\n".to_owned();
        sources[1].text = "#![forbid(unsafe_code)]\n".to_owned();
        sources.pop();
        let findings: Vec<String> = check_roots(&sources).iter().map(ToString::to_string).collect();
        assert_eq!(
            findings,
            [
                "crates/policy/src/lib.rs: `#![forbid(unsafe_code)]` is missing",
                "crates/socks5/src/lib.rs: `#![no_std]` is missing",
                "crates/preload/src/lib.rs: missing",
            ]
        );
    }

    #[test]
    fn unsafe_has_its_homes() {
        let text = "// unsafe\n#![deny(unsafe_code)]\nlet a = unsafe { b() };\n";
        assert_eq!(check_unsafe(&source("crates/preload/src/hooks/exec.rs", text)), []);
        assert_eq!(check_unsafe(&source("crates/preload/src/sys.rs", text)), []);
        let allowed = source("crates/preload/src/sys.rs", "#![allow(unsafe_code)]\n");
        assert_eq!(check_unsafe(&allowed).len(), 1);
        for stray in ["crates/preload/src/dial.rs", "crates/policy/src/lib.rs", "crates/uwt/src/plan/sys.rs"] {
            let findings = check_unsafe(&source(stray, text));
            assert_eq!(findings.len(), 1, "{stray}");
            assert_eq!(findings[0].place, format!("{stray}:3"));
        }
    }
}
