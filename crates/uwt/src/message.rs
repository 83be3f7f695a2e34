//! What we say: one line on standard error, `uwt: …`.

use std::fmt::{self, Write as _};
use std::io::Write as _;

/// Why a call of uwt ends without running the program: an exit status and a line that says what to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The exit status.
    pub(crate) status: u8,
    /// What happened and what to do, without our name.
    pub(crate) message: String,
    /// Lines before it that have a form of their own.
    pub(crate) preface: Option<String>,
}

impl Failure {
    /// uwt itself failed.
    pub(crate) const OURS: u8 = 125;
    /// The program was found but cannot be run.
    pub(crate) const NOT_EXECUTABLE: u8 = 126;
    /// The program was not found.
    pub(crate) const NOT_FOUND: u8 = 127;
    /// Wrapped commands call wrapped commands without end.
    pub(crate) const NESTED: u8 = 255;

    /// Ends with [`Self::OURS`].
    pub(crate) fn ours(message: impl Into<String>) -> Self {
        Self { status: Self::OURS, message: message.into(), preface: None }
    }

    /// Ends with [`Self::NOT_EXECUTABLE`].
    pub(crate) fn not_executable(message: impl Into<String>) -> Self {
        Self { status: Self::NOT_EXECUTABLE, message: message.into(), preface: None }
    }

    /// Ends with [`Self::NOT_FOUND`].
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self { status: Self::NOT_FOUND, message: message.into(), preface: None }
    }

    /// Writes it to standard error.
    pub(crate) fn print(&self) {
        if let Some(preface) = &self.preface {
            write_line(format_args!("{preface}"));
        }
        print(format_args!("{}", self.message));
    }
}

/// Writes one line, `uwt: MESSAGE`, to standard error.
pub(crate) fn print(message: fmt::Arguments<'_>) {
    write_line(format_args!("uwt: {message}"));
}

fn write_line(text: fmt::Arguments<'_>) {
    let mut line = one_line(&text.to_string());
    line.push('\n');
    // One write, so that lines of several processes do not mix. Nobody is left to tell when it fails.
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// Names of files come from anywhere: nothing in them may end our line or talk to the terminal.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        if character.is_control() {
            let _ = write!(line, "{}", character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_the_line() {
        assert_eq!(one_line("a\nb\x1b[31mc\u{9b}é"), "a\\nb\\u{1b}[31mc\\u{9b}é");
    }
}
