//! The scripts, and what they say. `START` begins a connect, `TALK` shows that the connection carries bytes.

#[path = "rows/failed.rs"]
mod failed;
#[path = "rows/kinds.rs"]
mod kinds;
#[path = "rows/ready.rs"]
mod ready;
#[path = "rows/shared.rs"]
mod shared;

/// A script of the probe.
pub(crate) struct Row {
    /// What is special about it.
    pub(crate) what: &'static str,
    pub(crate) script: &'static str,
    /// The lines it prints, joined by `; `: without `uwt`, and with it.
    pub(crate) says: [&'static str; 2],
}

/// One that sees the same.
const fn row(what: &'static str, script: &'static str, says: &'static str) -> Row {
    Row { what, script, says: [says; 2] }
}

/// One that sees a difference; what differs, and why, is said where it is used.
const fn differs(what: &'static str, script: &'static str, bare: &'static str, wrapped: &'static str) -> Row {
    Row { what, script, says: [bare, wrapped] }
}

/// Every one.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    [ready::ROWS, failed::ROWS, shared::ROWS, kinds::ROWS].into_iter().flatten()
}
