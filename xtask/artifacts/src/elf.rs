//! What readelf and nm say about a built file.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::workspace::text;

/// What a file needs from the dynamic linker.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Dynamic {
    /// The interpreter (`PT_INTERP`), none for a static program.
    pub interpreter: Option<String>,
    /// The libraries (`DT_NEEDED`).
    pub needed: Vec<String>,
}

/// Reads program headers and dynamic section.
///
/// # Errors
/// readelf cannot be run, or cannot read the file.
pub fn dynamic(file: &Path) -> Result<Dynamic> {
    Ok(parse_dynamic(&text(readelf().arg("-ldW").arg(file))?))
}

/// The names that a shared library exports, sorted.
///
/// # Errors
/// nm cannot be run, or cannot read the file.
pub fn exported(file: &Path) -> Result<Vec<String>> {
    Ok(parse_names(&text(nm().args(["--defined-only", "--extern-only"]).arg(file))?))
}

/// The names that a shared library takes from others, sorted.
///
/// # Errors
/// nm cannot be run, or cannot read the file.
pub fn undefined(file: &Path) -> Result<Vec<String>> {
    Ok(parse_names(&text(nm().arg("--undefined-only").arg(file))?))
}

fn readelf() -> Command {
    let mut command = Command::new("readelf");
    command.env("LC_ALL", "C");
    command
}

fn nm() -> Command {
    let mut command = Command::new("nm");
    command.env("LC_ALL", "C").args(["-D", "--format=posix"]);
    command
}

fn parse_dynamic(listing: &str) -> Dynamic {
    let mut found = Dynamic::default();
    for line in listing.lines() {
        if let Some((_, rest)) = line.split_once("[Requesting program interpreter: ") {
            found.interpreter = rest.split(']').next().map(str::to_owned);
        } else if line.contains("(NEEDED)")
            && let Some((_, rest)) = line.split_once('[')
        {
            found.needed.extend(rest.split(']').next().map(str::to_owned));
        }
    }
    found
}

/// The first column of `nm --format=posix`; the version after `@` is the C library's business.
fn parse_names(listing: &str) -> Vec<String> {
    let mut names: Vec<String> = listing
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter_map(|symbol| symbol.split('@').next())
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readelf_is_understood() {
        let listing = "  INTERP   0x0002e0 0x1 R\n      [Requesting program interpreter: /lib64/ld-linux-x86-64.so.2]\n\
            Dynamic section:\n 0x0000000000000001 (NEEDED)             Shared library: [libgcc_s.so.1]\n\
             0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]\n\
             0x000000000000000e (SONAME)  Library soname: [libx.so]\n";
        let found = parse_dynamic(listing);
        assert_eq!(found.interpreter.as_deref(), Some("/lib64/ld-linux-x86-64.so.2"));
        assert_eq!(found.needed, ["libgcc_s.so.1", "libc.so.6"]);
        assert_eq!(parse_dynamic("There is no dynamic section in this file.\n"), Dynamic::default());
    }

    #[test]
    fn nm_is_understood() {
        assert_eq!(
            parse_names("socket T 1139 0\nconnect@@GLIBC_2.2.5 T 1140 10\nfree@GLIBC_2.2.5 U         \nfree w\n"),
            ["connect", "free", "socket"]
        );
    }

    #[test]
    fn the_shell_is_dynamic() {
        let shell = dynamic(Path::new("/bin/sh")).expect("readelf works");
        assert!(shell.interpreter.is_some());
        assert!(shell.needed.iter().any(|library| library.starts_with("libc.so")), "{shell:?}");
    }
}
