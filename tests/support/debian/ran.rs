//! How a command ended.

use std::process::Command;

/// Status and output of a command that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// `None` when a signal ended it.
    pub status: Option<i32>,
    /// Standard output; what is no UTF-8 is replaced.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// Runs a command to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    #[must_use]
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Its standard output; it succeeded without a word of complaint.
    ///
    /// # Panics
    /// When it failed, or wrote to standard error.
    #[track_caller]
    #[must_use]
    pub fn succeeded(&self) -> &str {
        assert_eq!((self.status, self.err.as_str()), (Some(0), ""), "{self:#?}");
        &self.out
    }
}
