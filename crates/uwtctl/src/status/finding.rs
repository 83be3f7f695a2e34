//! Something that is worth telling.

use serde::Serialize;

use crate::answer::Status;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Severity {
    /// Something is not isolated, or does not run, that should.
    Bad,
    /// Whether it is cannot be known.
    Unknown,
    /// It is as configured, or concerns programs without uwt.
    Warning,
}

impl From<Severity> for Status {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Bad => Self::Bad,
            Severity::Unknown => Self::Unknown,
            Severity::Warning => Self::Good,
        }
    }
}

/// It.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    /// The file, variable or command.
    pub(super) about: String,
    pub(super) what: String,
    /// What to do.
    pub(super) advice: String,
}

impl Finding {
    /// A new one.
    pub(super) fn new(
        severity: Severity,
        about: impl Into<String>,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { severity, about: about.into(), what: what.into(), advice: advice.into() }
    }
}
