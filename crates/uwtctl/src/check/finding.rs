//! What a check found out.

use serde::Serialize;

use crate::answer::{Answer, Status};
use crate::page::{Mood, Page, Text};

/// All checks that were asked for.
#[derive(Debug, Serialize)]
pub(super) struct Checks {
    pub(super) checks: Vec<Finding>,
}

/// What one check found out.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// Which check.
    pub(super) check: &'static str,
    /// How it ended.
    pub(super) outcome: Outcome,
    /// What should be.
    pub(super) expected: &'static str,
    /// What was, a fact each.
    pub(super) seen: Vec<String>,
    /// What follows from that.
    pub(super) meaning: String,
    /// What to do, a step each.
    pub(super) advice: Vec<String>,
    /// In `isolation`, each process that was looked at.
    pub(super) processes: Vec<Looked>,
}

/// A process that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Looked {
    /// Its id.
    pub(super) pid: u32,
    /// The label of its credential, if it sent one.
    pub(super) credential: Option<String>,
    /// Tor's numbers of the circuits that carried it; `null` where Tor was not asked.
    pub(super) circuits: Option<Vec<String>>,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// As it should be.
    Good,
    /// Not so.
    Bad,
    /// It cannot be told.
    Unknown,
}

impl Answer for Checks {
    fn write(&self, page: &mut Page) {
        for finding in &self.checks {
            finding.write(page);
        }
    }

    fn status(&self) -> Status {
        self.checks.iter().map(|finding| finding.outcome.status()).max().unwrap_or(Status::Unknown)
    }
}

impl Finding {
    fn write(&self, page: &mut Page) {
        page.heading(self.check);
        page.table(&[], [[Text::from("outcome"), self.outcome.shown()], ["expected".into(), self.expected.into()]]);
        let mut rows: Vec<[Text; 2]> = Vec::new();
        for (index, fact) in self.seen.iter().enumerate() {
            rows.push([if index == 0 { "seen    " } else { "" }.into(), fact.as_str().into()]);
        }
        page.table(&[], rows);
        page.gap();
        page.paragraph(self.meaning.as_str());
        for step in &self.advice {
            page.item(step);
        }
    }
}

impl Outcome {
    fn status(self) -> Status {
        match self {
            Self::Good => Status::Good,
            Self::Bad => Status::Bad,
            Self::Unknown => Status::Unknown,
        }
    }

    fn shown(self) -> Text {
        match self {
            Self::Good => Mood::Good.text("good"),
            Self::Bad => Mood::Bad.text("bad"),
            Self::Unknown => Mood::Warning.text("unknown"),
        }
    }
}
