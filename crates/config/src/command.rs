//! Which command a per-command table is about.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::error::{Invalid, quoted};

/// The name of a per-command table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Command {
    /// A bare name: the name that was typed, or the program's file name.
    Name(String),
    /// An absolute path.
    Path(PathBuf),
}

impl Command {
    /// Reads a table's name; the suffixes of a diverted program are taken off.
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        if text.contains('/') {
            return Self::path(text);
        }
        if text.is_empty() || text == "." || text == ".." || text.contains(char::is_control) {
            return Err(Invalid::new(format!("{} is no command", quoted(text)), EXPECTED));
        }
        let name = stripped(OsStr::new(text)).to_string_lossy().into_owned();
        Ok(Self::Name(name))
    }

    /// Reads an absolute path.
    pub(crate) fn path(text: &str) -> Result<Self, Invalid> {
        let path = Path::new(text);
        // Components pass over a last '/' and '/.', which name a folder.
        let whole =
            path.is_absolute() && path.file_name().is_some_and(|name| text.as_bytes().ends_with(name.as_bytes()));
        let straight = !path.components().any(|part| part == Component::ParentDir);
        if !whole || !straight || text.contains(char::is_control) {
            return Err(Invalid::new(
                format!("{} is no path of a program", quoted(text)),
                "an absolute path as \"/usr/bin/git\"",
            ));
        }
        Ok(Self::Path(stripped_path(path)))
    }
}

/// What a per-command table is called that is about `text`, a name or an absolute path: the suffixes of a diverted program
/// are taken off.
///
/// # Errors
/// It names no command.
pub fn command_name(text: &str) -> Result<String, Invalid> {
    Command::parse(text).map(|command| command.to_string())
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

const EXPECTED: &str = "a name as in [command.git] or a path as in [command.\"/usr/bin/git\"]";

/// The path a program has without our wrapper.
pub(crate) fn stripped_path(path: &Path) -> PathBuf {
    path.file_name().map_or_else(|| path.to_owned(), |name| path.with_file_name(stripped(name)))
}

/// A file name without `.anondist` or `.anondist-orig`.
pub(crate) fn stripped(name: &OsStr) -> &OsStr {
    let bytes = name.as_bytes();
    let rest = bytes.strip_suffix(b".anondist-orig").or_else(|| bytes.strip_suffix(b".anondist"));
    rest.filter(|rest| !rest.is_empty()).map_or(name, OsStr::from_bytes)
}
