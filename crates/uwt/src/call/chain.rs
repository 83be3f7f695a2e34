//! From the path of a wrapper to the program it stands for.
//!
//! `/usr/bin/apt-get` → `/usr/bin/apt-get.anondist` → `uwt`, the program is `/usr/bin/apt-get.anondist-orig`. A name may
//! get there by more links (`git-receive-pack` → `git`, `aptitude` → `/etc/alternatives/aptitude` →
//! `aptitude-curses`): the first of them that has an original is the one that was wrapped.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

/// Appended to the name of the wrapper.
const WRAPPER: &[u8] = b".anondist";
/// Appended to the name of the distribution's file.
const ORIGINAL: &[u8] = b".anondist-orig";

/// As many symbolic links as the kernel follows (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// A wrapped program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Original {
    /// Where the distribution's file is now.
    pub(crate) path: PathBuf,
    /// Where the distribution put it, which is the name the configuration knows.
    pub(crate) program: PathBuf,
}

/// The path itself, and each one that the symbolic link before it names.
pub(crate) fn links(start: &Path) -> Vec<PathBuf> {
    let mut chain = vec![start.to_owned()];
    while chain.len() <= MAX_LINKS {
        let Some(last) = chain.last() else { break };
        let Ok(next) = fs::read_link(last) else { break };
        let next = last.parent().unwrap_or(Path::new("")).join(next);
        chain.push(next);
    }
    chain
}

/// The program that the wrapper `start` stands for, if there is one.
pub(crate) fn original(start: &Path) -> Option<Original> {
    links(start).iter().find_map(|link| {
        let program = unwrapped(link)?;
        let path = with_original(&program);
        path.exists().then_some(Original { path, program })
    })
}

/// The path of the program that `wrapper` wraps: without `.anondist`.
pub(crate) fn unwrapped(wrapper: &Path) -> Option<PathBuf> {
    let name = wrapper.file_name()?.as_bytes();
    let name = name.strip_suffix(WRAPPER).unwrap_or(name);
    Some(wrapper.with_file_name(OsStr::from_bytes(name)))
}

/// Where the distribution's file of `program` is kept.
pub(crate) fn with_original(program: &Path) -> PathBuf {
    let path = program.as_os_str().as_bytes();
    PathBuf::from(OsString::from_vec([path, ORIGINAL].concat()))
}

/// The name the configuration knows `path` by: a diverted file keeps its own.
pub(crate) fn without_original(path: &Path) -> PathBuf {
    let bytes = path.as_os_str().as_bytes();
    PathBuf::from(OsStr::from_bytes(bytes.strip_suffix(ORIGINAL).unwrap_or(bytes)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A file system of links (name, target) and files.
    fn tree(links: &[(&str, &str)], files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("folder");
        let place = |path: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("parent")).expect("made");
            path
        };
        for (name, target) in links {
            let target = target.strip_prefix('/').map_or_else(|| PathBuf::from(target), |rest| root.path().join(rest));
            symlink(target, place(name)).expect("linked");
        }
        for file in files {
            fs::write(place(file), "").expect("written");
        }
        root
    }

    #[test]
    fn from_every_name_to_the_original() {
        let root = tree(
            &[
                ("bin", "usr/bin"),
                ("usr/bin/apt-get", "/usr/bin/apt-get.anondist"),
                ("usr/bin/apt-get.anondist", "uwt"),
                ("usr/bin/git", "git.anondist"),
                ("usr/bin/git.anondist", "/usr/bin/uwt"),
                ("usr/bin/git-receive-pack", "git"),
                ("usr/lib/git-core/git-upload-pack", "../../bin/git"),
                ("usr/bin/aptitude", "/etc/alternatives/aptitude"),
                ("etc/alternatives/aptitude", "/usr/bin/aptitude-curses"),
                ("usr/bin/aptitude-curses", "aptitude-curses.anondist"),
                ("usr/bin/aptitude-curses.anondist", "uwt"),
                ("usr/bin/short", "uwt"),
                ("usr/bin/lost", "lost.anondist"),
                ("usr/bin/lost.anondist", "uwt"),
                ("usr/bin/dangling", "uwt"),
                ("usr/bin/dangling.anondist-orig", "nowhere"),
                ("usr/bin/round", "round2"),
                ("usr/bin/round2", "round"),
            ],
            &[
                "usr/bin/uwt",
                "usr/bin/apt-get.anondist-orig",
                "usr/bin/git.anondist-orig",
                "usr/bin/aptitude-curses.anondist-orig",
                "usr/bin/short.anondist-orig",
                "usr/bin/copied.anondist",
                "usr/bin/copied.anondist-orig",
            ],
        );
        for (called, program) in [
            ("usr/bin/apt-get", Some("usr/bin/apt-get")),
            ("usr/bin/apt-get.anondist", Some("usr/bin/apt-get")),
            ("bin/apt-get", Some("bin/apt-get")),
            ("usr/bin/git-receive-pack", Some("usr/bin/git")),
            ("usr/lib/git-core/git-upload-pack", Some("usr/lib/git-core/../../bin/git")),
            ("usr/bin/aptitude", Some("usr/bin/aptitude-curses")),
            ("usr/bin/short", Some("usr/bin/short")),
            ("usr/bin/copied.anondist", Some("usr/bin/copied")),
            ("usr/bin/lost", None),
            ("usr/bin/dangling", None),
            ("usr/bin/round", None),
            ("usr/bin/uwt", None),
            ("nowhere", None),
        ] {
            let found = original(&root.path().join(called));
            let expected = program.map(|program| {
                let program = root.path().join(program);
                Original { path: with_original(&program), program }
            });
            assert_eq!(found, expected, "{called}");
        }
    }

    #[test]
    fn names() {
        assert_eq!(unwrapped(Path::new("/usr/bin/apt.anondist")), Some("/usr/bin/apt".into()));
        assert_eq!(with_original(Path::new("/usr/bin/apt")), Path::new("/usr/bin/apt.anondist-orig"));
        assert_eq!(without_original(Path::new("/usr/bin/apt.anondist-orig")), Path::new("/usr/bin/apt"));
        assert_eq!(without_original(Path::new("/usr/bin/apt")), Path::new("/usr/bin/apt"));
        assert_eq!(unwrapped(Path::new("/")), None);
    }
}
