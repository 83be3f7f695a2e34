//! What dpkg knows of commands: who diverts them, and which packages bring them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// That a file of packages goes elsewhere (dpkg-divert(1)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Diversion {
    /// The name that dpkg knows.
    pub(super) from: PathBuf,
    /// Where the file goes.
    pub(super) to: PathBuf,
    /// For which package; `None`: for the administrator.
    pub(super) by: Option<String>,
}

/// The diversions there are; `None` where there is no dpkg.
///
/// # Errors
/// dpkg-divert(1) is there and does not tell them.
pub(super) fn diversions() -> anyhow::Result<Option<Vec<Diversion>>> {
    let Some(list) = said("dpkg-divert", ["--list"]).context("dpkg-divert --list")? else { return Ok(None) };
    list.lines()
        .map(|line| parse(line).with_context(|| format!("dpkg-divert --list: {line}")))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// A line of the list.
fn parse(line: &str) -> Option<Diversion> {
    let (local, line) = match line.strip_prefix("local ") {
        Some(line) => (true, line),
        None => (false, line),
    };
    let (from, rest) = line.strip_prefix("diversion of ")?.split_once(" to ")?;
    let (to, by) =
        if local { (rest, None) } else { rest.rsplit_once(" by ").map(|(to, by)| (to, Some(by.to_owned())))? };
    Some(Diversion { from: from.into(), to: to.into(), by })
}

/// The packages that bring these files; files that none brings are left out, and all where there is no dpkg.
///
/// # Errors
/// dpkg-query(1) is there and does not tell them.
pub(super) fn packages<'a>(files: impl IntoIterator<Item = &'a Path>) -> anyhow::Result<BTreeMap<PathBuf, String>> {
    let words = ["--search", "--"].map(OsStr::new).into_iter().chain(files.into_iter().map(Path::as_os_str));
    let found = said("dpkg-query", words).context("dpkg-query --search")?.unwrap_or_default();
    // "diversion by …" and "local diversion …" are about names, not files.
    let lines =
        found.lines().filter_map(|line| line.split_once(": ")).filter(|(package, _)| !package.contains("diversion "));
    Ok(lines.map(|(package, file)| (PathBuf::from(file), package.to_owned())).collect())
}

/// Whether the system needs a package to start, and packages need it to be installed.
///
/// # Errors
/// dpkg-query(1) does not tell.
pub(super) fn is_essential(package: &str) -> anyhow::Result<bool> {
    let answer =
        said("dpkg-query", ["--show", "--showformat=${Essential}\n", "--", package]).context("dpkg-query --show")?;
    Ok(answer.is_some_and(|answer| answer.lines().any(|line| line == "yes")))
}

/// What a program of dpkg says; `None` where it isn't installed.
fn said<S: AsRef<OsStr>>(program: &str, words: impl IntoIterator<Item = S>) -> anyhow::Result<Option<String>> {
    let mut command = Command::new(program);
    command.args(words).env("LC_ALL", "C").env_remove("DPKG_ROOT").stdin(Stdio::null());
    let output = match command.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        output => output?,
    };
    // dpkg-query(1): 1 is for what is not found, besides which there may be what is.
    if !matches!(output.status.code(), Some(0 | 1)) {
        bail!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(Some(String::from_utf8(output.stdout)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diversions_are_read() {
        let local = Diversion { from: "/usr/bin/a".into(), to: "/usr/bin/a.anondist-orig".into(), by: None };
        assert_eq!(parse("local diversion of /usr/bin/a to /usr/bin/a.anondist-orig"), Some(local.clone()));
        let packaged = Diversion { by: Some("uwt-wrappers".to_owned()), ..local };
        assert_eq!(parse("diversion of /usr/bin/a to /usr/bin/a.anondist-orig by uwt-wrappers"), Some(packaged));
        assert_eq!(parse("nothing"), None);
    }
}
