//! What a command finds out, and how it is given.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use serde::Serialize;

use crate::page::{Page, is_control};

/// What an error is about where nothing can be written to standard output.
pub(crate) const OUTPUT: &str = "standard output cannot be written";

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// All is as it should be.
    Good,
    /// What was asked cannot be known.
    Unknown,
    /// Something is not as it should be.
    Bad,
    /// `uwtctl` could not do its work.
    Failed,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Good => 0,
            Status::Bad => 1,
            Status::Failed => 2,
            Status::Unknown => 3,
        })
    }
}

/// What a command found out. It is serialized for programs as it is.
pub(crate) trait Answer: Serialize {
    /// For people.
    fn write(&self, page: &mut Page);
    /// Whether all is as it should be.
    fn status(&self) -> Status;
}

/// How answers are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// For programs.
    Json,
    /// For people.
    Text {
        /// With colours.
        colour: bool,
    },
}

impl Shown {
    /// As the user asked, and as fits where standard output goes.
    pub(crate) fn new(json: bool) -> Self {
        if json { Self::Json } else { Self::Text { colour: is_coloured(&io::stdout()) } }
    }

    /// The same in a file.
    pub(crate) fn without_colour(self) -> Self {
        match self {
            Self::Json => Self::Json,
            Self::Text { .. } => Self::Text { colour: false },
        }
    }

    /// Prints an answer to standard error, where standard output is somebody else's.
    ///
    /// # Errors
    /// That of write(2); a reader that has seen enough (EPIPE) is none.
    pub(crate) fn print_apart(self, answer: &impl Answer) -> anyhow::Result<Status> {
        let shown = match self {
            Self::Json => Self::Json,
            Self::Text { .. } => Self::Text { colour: is_coloured(&io::stderr()) },
        };
        match io::stderr().write_all(shown.text(answer)?.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(error).context("standard error cannot be written")
            }
            _ => Ok(answer.status()),
        }
    }

    /// Prints an answer to standard output and gives its status.
    ///
    /// # Errors
    /// That of write(2); a reader that has seen enough (EPIPE) is none.
    pub(crate) fn print(self, answer: &impl Answer) -> anyhow::Result<Status> {
        match io::stdout().write_all(self.text(answer)?.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context(OUTPUT),
            _ => Ok(answer.status()),
        }
    }

    /// An answer as it is printed.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub(crate) fn text(self, answer: &impl Answer) -> anyhow::Result<String> {
        match self {
            Self::Json => Ok(harmless(&serde_json::to_string_pretty(answer)?) + "\n"),
            Self::Text { colour } => {
                let mut page = Page::new(colour);
                answer.write(&mut page);
                Ok(page.finish())
            }
        }
    }
}

/// JSON that a terminal takes for nothing else: serde escapes what is below U+0020 only.
pub(crate) fn harmless(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter != '\n' && is_control(letter) {
            // Each is one UTF-16 unit, and stands within a string.
            let _ = write!(text, "\\u{:04x}", u32::from(letter));
        } else {
            text.push(letter);
        }
    }
    text
}

/// Whether colours can be seen there and are wanted (<https://no-color.org>).
fn is_coloured(stream: &impl io::IsTerminal) -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    stream.is_terminal() && !is_set("NO_COLOR") && !dumb
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_says_the_same_without_control_characters() {
        let value = serde_json::json!({ "a\u{9b}31m\u{7f}": "b\n\u{1b}\u{202e}\u{e4}" });
        let json = harmless(&serde_json::to_string_pretty(&value).unwrap());
        assert!(json.chars().all(|letter| letter == '\n' || !is_control(letter)), "{json:?}");
        assert!(json.contains('\u{e4}'), "{json}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), value);
    }
}
