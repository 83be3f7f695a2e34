//! The files that a wrapper consists of, and how a command that is named becomes the path of one.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::program;

/// Where programs are that can be wrapped: those of packages, which others find there.
pub(crate) const FOLDERS: [&str; 3] = ["/usr/bin", "/usr/sbin", "/usr/games"];
/// What we and the maintainer scripts append to a command's name.
const SUFFIXES: [&str; 3] = [".anondist-orig", ".anondist-new", ".anondist"];
/// As many symbolic links as the kernel follows (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// The path of a file whose name has something behind it.
pub(super) fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Where the distribution's file is kept.
pub(crate) fn original(path: &Path) -> PathBuf {
    with(path, ".anondist-orig")
}

/// The link between the command's and uwt.
pub(crate) fn middle(path: &Path) -> PathBuf {
    with(path, ".anondist")
}

/// A command's path without what we append to it.
pub(super) fn without_suffix(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stripped = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)).filter(|name| !name.is_empty());
    stripped.map_or_else(|| path.to_owned(), |name| path.with_file_name(name))
}

/// A command's path, its folders without symbolic links (`/bin` is `/usr/bin`), its name as it is.
pub(super) fn known(path: &Path) -> PathBuf {
    match (path.parent().map(Path::canonicalize), path.file_name()) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// The path of the command that is called so: as PATH has it, else as one of [`FOLDERS`] has it or its wrapper. `None`
/// where there is nothing.
pub(super) fn find(name: &OsStr) -> Option<PathBuf> {
    let path = Path::new(name);
    let is_there = |path: &PathBuf| fs::symlink_metadata(path).is_ok() || fs::symlink_metadata(middle(path)).is_ok();
    if path.components().count() > 1 {
        let absolute = std::path::absolute(path).ok()?;
        return Some(without_suffix(&known(&absolute))).filter(is_there);
    }
    // Nothing, `.` and `..` are folders, and not names in one.
    path.file_name()?;
    let bare = without_suffix(path);
    // A wrapper that leads nowhere is no program.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(FOLDERS.map(PathBuf::from));
    let there = || folders.map(|folder| folder.join(&bare)).find(is_there);
    program::find(&bare).or_else(there).map(|path| known(&path))
}

/// The path itself, and each one that the symbolic link before it names.
pub(crate) fn links(start: &Path) -> Vec<PathBuf> {
    let mut chain = vec![start.to_owned()];
    while chain.len() <= MAX_LINKS {
        let Some(last) = chain.last() else { break };
        let Ok(next) = fs::read_link(last) else { break };
        let next = last.parent().unwrap_or(Path::new("/")).join(next);
        chain.push(known(&next));
    }
    chain
}

/// Whether the path is a link to its own `.anondist`.
pub(crate) fn is_wrapper(path: &Path) -> bool {
    let mut target = path.file_name().unwrap_or_default().to_owned();
    target.push(".anondist");
    fs::read_link(path).is_ok_and(|there| there == Path::new(&target))
}

/// Whether the path leads to uwt.
pub(crate) fn leads_to_uwt(path: &Path) -> bool {
    path.canonicalize().is_ok_and(|end| end.file_name() == Some(OsStr::new("uwt")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_ours() {
        for (path, name) in [
            ("/usr/bin/a.anondist", "/usr/bin/a"),
            ("/usr/bin/a.anondist-orig", "/usr/bin/a"),
            ("/usr/bin/a", "/usr/bin/a"),
            ("/usr/bin/.anondist", "/usr/bin/.anondist"),
        ] {
            assert_eq!(without_suffix(Path::new(path)), Path::new(name));
        }
        assert_eq!(original(Path::new("/usr/bin/a")), Path::new("/usr/bin/a.anondist-orig"));
    }
}
