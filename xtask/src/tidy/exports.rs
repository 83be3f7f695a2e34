//! The preload's surface: what it exports, what it needs, how large it is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Finding;
use crate::elf;

/// The committed list: one name a line, sorted; `#` starts a comment.
const LIST: &str = "crates/preload/exports.txt";
/// Bytes on disk; it is mapped into every process.
const LARGEST: u64 = 65536;
/// What every dynamic program has loaded already.
const LIBRARIES: &[&str] = &["libc.so.6", "ld-linux"];
/// Names whose use breaks a promise: no allocation of its own, no threads, no unwinder.
const FORBIDDEN: &[(&str, &str)] = &[
    ("__tls_get_addr", "thread-local storage of a library allocates at first use, inside a hook"),
    ("pthread_create", "the preload starts no threads"),
    ("dlopen", "the preload loads nothing"),
    ("_Unwind_", "the preload has no unwinder"),
    ("__cxa_", "the preload has no unwinder and no destructors"),
];

/// Compares the built library with what is promised.
pub(super) fn check(root: &Path, library: &Path) -> Result<Vec<Finding>> {
    let mut findings = match fs::read_to_string(root.join(LIST)) {
        Ok(list) => compare(&list, &elf::exported(library)?),
        Err(error) => vec![Finding::in_file(LIST, format!("the list of exported symbols: {error}"))],
    };
    findings.extend(check_undefined(&elf::undefined(library)?));
    findings.extend(check_needed(&elf::dynamic(library)?.needed));
    let size = fs::metadata(library).with_context(|| format!("{}", library.display()))?.len();
    if size > LARGEST {
        let message = format!("the built library has {size} bytes, at most {LARGEST} are allowed");
        findings.push(Finding::in_file("crates/preload", message));
    }
    Ok(findings)
}

fn compare(list: &str, exported: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut listed = BTreeSet::new();
    let mut before = "";
    for (index, line) in list.lines().enumerate() {
        let name = line.split('#').next().unwrap_or_default().trim();
        if name.is_empty() {
            continue;
        }
        let at = |message: String| Finding::at(LIST, index + 1, message);
        if name <= before {
            findings.push(at(format!("{name} must stand before {before}, once: the list is sorted")));
        }
        if !exported.iter().any(|symbol| symbol == name) {
            findings.push(at(format!("{name} is listed, but the built library does not export it")));
        }
        listed.insert(name);
        before = name;
    }
    for symbol in exported.iter().filter(|symbol| !listed.contains(symbol.as_str())) {
        findings.push(Finding::in_file(LIST, format!("the built library exports {symbol}, which is not listed")));
    }
    findings
}

fn check_undefined(undefined: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for symbol in undefined.iter().filter(|symbol| *symbol != "__cxa_finalize") {
        for (forbidden, reason) in FORBIDDEN {
            if symbol.starts_with(forbidden) {
                findings.push(Finding::in_file("crates/preload", format!("the built library uses {symbol}: {reason}")));
            }
        }
    }
    findings
}

fn check_needed(needed: &[String]) -> Vec<Finding> {
    needed
        .iter()
        .filter(|library| !LIBRARIES.iter().any(|allowed| library.starts_with(allowed)))
        .map(|library| {
            let message = format!("the built library needs {library}; only libc.so.6 and ld-linux are allowed");
            Finding::in_file("crates/preload", message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_list_and_the_library_agree_both_ways() {
        let list = "# sockets\nconnect # the main one\n\nsocket\n";
        assert_eq!(compare(list, &names(&["connect", "socket"])), []);
        let findings = compare(list, &names(&["bind", "socket"]));
        assert_eq!(findings.len(), 2);
        assert_eq!(findings[0].place, "crates/preload/exports.txt:2");
        assert!(findings[1].message.contains("exports bind"), "{findings:?}");
    }

    #[test]
    fn the_list_is_sorted_and_without_doubles() {
        for list in ["socket\nconnect\n", "connect\nconnect\nsocket\n"] {
            let findings = compare(list, &names(&["connect", "socket"]));
            assert_eq!(findings.len(), 1, "{list}");
            assert_eq!(findings[0].place, "crates/preload/exports.txt:2");
        }
    }

    #[test]
    fn broken_promises_are_seen() {
        assert_eq!(check_undefined(&names(&["malloc", "dlsym", "__cxa_finalize"])), []);
        assert_eq!(check_undefined(&names(&["_Unwind_Resume", "pthread_create", "__tls_get_addr"])).len(), 3);
        assert_eq!(check_needed(&names(&["libc.so.6", "ld-linux-x86-64.so.2"])), []);
        assert_eq!(check_needed(&names(&["libgcc_s.so.1"])).len(), 1);
    }
}
