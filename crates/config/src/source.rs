//! A file being read: turns places in it into origins and errors.

use std::path::Path;

use crate::command::Command;
use crate::error::{Error, Invalid};
use crate::origin::{Origin, Setting};
use crate::settings::Layer;

/// What one file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    /// The global keys.
    pub(crate) global: Layer,
    /// The per-command tables, in the file's order; a command may come more than once, the last wins key by key.
    pub(crate) commands: Vec<(Command, Layer)>,
}

/// A file and where its lines begin.
pub(crate) struct Source<'a> {
    pub(crate) path: &'a Path,
    pub(crate) text: &'a str,
    newlines: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(path: &'a Path, text: &'a str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(place, _)| place).collect();
        Self { path, text, newlines }
    }

    /// The line of a byte offset, from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        1 + self.newlines.partition_point(|newline| *newline < offset)
    }

    /// A value that is set at `offset`.
    pub(crate) fn setting<T>(&self, offset: usize, value: T) -> Setting<T> {
        Setting::new(value, Origin::File { path: self.path.to_owned(), line: self.line(offset) })
    }

    /// A fault at `offset`.
    pub(crate) fn error(&self, offset: usize, invalid: Invalid) -> Error {
        Error::new(self.path, Some(self.line(offset)), invalid)
    }
}
