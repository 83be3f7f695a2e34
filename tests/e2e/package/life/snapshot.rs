//! What a file system is made of, to be compared: everything that ls, cat and getfattr would show.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{lgetxattr, llistxattr};

/// Files by their names, and what each is.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    entries: BTreeMap<PathBuf, Entry>,
    /// As they were then. A file whose number and time of change (st_ctime, which nobody can set) are the same is the same.
    stamps: BTreeMap<PathBuf, Stamp>,
}

/// Number of the file, seconds, nanoseconds.
type Stamp = (u64, i64, i64);

/// Folders have no time and no number of links: both change with what is in them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    mode: u32,
    owner: (u32, u32),
    size: u64,
    modified: (i64, i64),
    links: u64,
    sha256: String,
    target: Option<PathBuf>,
    attributes: BTreeMap<String, Vec<u8>>,
}

impl Snapshot {
    /// What is in the folders below `root`, without what is `left_out`, with the sums of files of at most this many bytes.
    pub(super) fn of(root: &Path, folders: &[&str], left_out: &[&str], largest: u64) -> Self {
        Self::after(&Self::default(), root, folders, left_out, largest)
    }

    /// The same, where `earlier` was taken before of the same files.
    pub(super) fn after(earlier: &Self, root: &Path, folders: &[&str], left_out: &[&str], largest: u64) -> Self {
        let mut taken = Self::default();
        let relative = |path: &Path| path.strip_prefix(root).expect("below it").to_owned();
        let mut summed = Vec::new();
        let left_out: Vec<PathBuf> = left_out.iter().map(|path| root.join(path)).collect();
        let mut waiting: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
        while let Some(path) = waiting.pop() {
            let Ok(status) = path.symlink_metadata() else { continue };
            if left_out.contains(&path) {
                continue;
            }
            if status.is_dir() {
                let below = fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                waiting.extend(below.map(|entry| entry.expect("readable").path()));
            }
            let (name, stamp) = (relative(&path), (status.ino(), status.ctime(), status.ctime_nsec()));
            let known = earlier.entries.get(&name).filter(|_| earlier.stamps.get(&name) == Some(&stamp)).cloned();
            if known.is_none() && status.is_file() && status.size() <= largest {
                summed.push(path.clone());
            }
            taken.entries.insert(name.clone(), known.unwrap_or_else(|| Entry::of(&path, &status)));
            taken.stamps.insert(name, stamp);
        }
        for (path, sha256) in sums(&summed) {
            taken.entries.get_mut(&relative(&path)).expect("it was asked for").sha256 = sha256;
        }
        taken
    }

    /// Without the times of symbolic links: a wrapper is as good as another one.
    pub(super) fn with_any_links(mut self) -> Self {
        for entry in self.entries.values_mut().filter(|entry| entry.target.is_some()) {
            entry.modified = (0, 0);
        }
        self
    }

    /// Says what differs, or nothing.
    pub(super) fn difference(&self, later: &Self) -> String {
        let names: BTreeSet<&PathBuf> = self.entries.keys().chain(later.entries.keys()).collect();
        let mut text = String::new();
        for name in names {
            let (before, after) = (self.entries.get(name), later.entries.get(name));
            if before != after {
                let _ = writeln!(text, "{}\n    before: {before:?}\n    after:  {after:?}", name.display());
            }
        }
        text
    }
}

impl Entry {
    fn of(path: &Path, status: &fs::Metadata) -> Self {
        let is_folder = status.is_dir();
        Self {
            mode: status.mode(),
            owner: (status.uid(), status.gid()),
            size: if is_folder { 0 } else { status.size() },
            modified: if is_folder { (0, 0) } else { (status.mtime(), status.mtime_nsec()) },
            links: if is_folder { 0 } else { status.nlink() },
            sha256: String::new(),
            target: fs::read_link(path).ok(),
            attributes: attributes(path),
        }
    }
}

/// By sha256sum(1), which is much faster than anything that was compiled for tests.
fn sums(paths: &[PathBuf]) -> Vec<(PathBuf, String)> {
    let mut sums = Vec::new();
    // As many as fit into one command line.
    for paths in paths.chunks(1000) {
        let output = Command::new("sha256sum").args(["--zero", "--"]).args(paths).output().expect("sha256sum runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        for line in output.stdout.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            // Behind the sum are a space and a letter for the mode.
            let (sum, path) = line.split_at(64);
            sums.push((OsStr::from_bytes(&path[2..]).into(), String::from_utf8_lossy(sum).into_owned()));
        }
    }
    assert_eq!(sums.len(), paths.len(), "every file has a sum");
    sums
}

/// The extended attributes, file capabilities among them.
fn attributes(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut names, mut value) = (vec![0; 1024], vec![0; 1024]);
    let length = llistxattr(path, &mut names).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let names = String::from_utf8_lossy(&names[..length]).into_owned();
    let read = |name: &str| {
        let length = lgetxattr(path, name, &mut value).expect("readable");
        (name.to_owned(), value[..length].to_vec())
    };
    names.split_terminator('\0').map(read).collect()
}
