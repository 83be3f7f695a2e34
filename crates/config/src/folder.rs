//! The files of a configuration folder.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Invalid};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// What is in a configuration folder, sorted by the bytes of the names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    /// The configuration files.
    pub files: Vec<PathBuf>,
    /// What is not read, its name being none of a configuration file.
    pub others: Vec<PathBuf>,
}

impl Folder {
    /// Looks what is there; nothing where there is no folder.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn list(folder: &Path) -> Result<Self, Error> {
        let unreadable = |fault: io::Error| Error::new(folder, None, cannot_read(&fault, "a folder that can be read"));
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            // A symlink that leads nowhere is there: somebody meant something by it.
            Err(fault) if fault.kind() == ErrorKind::NotFound && fs::symlink_metadata(folder).is_err() => {
                return Ok(Self::default());
            }
            Err(fault) => return Err(unreadable(fault)),
        };
        let mut paths = Vec::new();
        for entry in entries {
            paths.push(entry.map_err(unreadable)?.path());
        }
        paths.sort_by(|one, other| one.file_name().cmp(&other.file_name()));
        let (files, others) = paths.into_iter().partition(|path| Format::of(path).is_some());
        Ok(Self { files, others })
    }
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// `*.toml`
    Toml,
    /// `*.conf`
    Legacy,
}

impl Format {
    /// `None` for what is no configuration file: hidden files, editors' and dpkg's leftovers, anything else.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.as_bytes();
        match name {
            [b'.', ..] => None,
            _ if name.ends_with(b".toml") => Some(Self::Toml),
            _ if name.ends_with(b".conf") => Some(Self::Legacy),
            _ => None,
        }
    }
}

/// The text of a file.
pub(crate) fn read(path: &Path) -> Result<String, Error> {
    let unreadable = |fault: io::Error| {
        // A symlink that leads nowhere is there, and something else is wrong.
        let gone = fault.kind() == ErrorKind::NotFound && fs::symlink_metadata(path).is_err();
        let expected = "a file that can be read";
        let invalid = if gone { Invalid::new("is not there", expected) } else { cannot_read(&fault, expected) };
        Error::new(path, None, invalid)
    };
    // Asked before it is opened: opening a fifo waits for its writer.
    let status = fs::metadata(path).map_err(unreadable)?;
    if !status.is_file() {
        return Err(Error::new(path, None, Invalid::new("is no file", "a regular file")));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(status.len().min(LARGEST)).unwrap_or_default() + 1);
    let file = File::open(path).map_err(unreadable)?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::new(path, None, Invalid::new("is too large", "at most 1 MiB")));
    }
    String::from_utf8(bytes).map_err(|fault| {
        let valid = fault.as_bytes().get(..fault.utf8_error().valid_up_to()).unwrap_or_default();
        let line = valid.split(|byte| *byte == b'\n').count();
        Error::new(path, Some(line), Invalid::new("a byte that is not UTF-8", "UTF-8 text"))
    })
}

fn cannot_read(fault: &io::Error, expected: &str) -> Invalid {
    let problem = match fault.kind() {
        ErrorKind::NotFound => "is a symlink that leads nowhere".to_owned(),
        _ => format!("cannot be read: {fault}"),
    };
    Invalid::new(problem, expected)
}
