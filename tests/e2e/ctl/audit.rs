//! `uwtctl audit`.

#[path = "audit/laboratory.rs"]
mod laboratory;

#[path = "audit/ends.rs"]
mod ends;
#[path = "audit/programs.rs"]
mod programs;
#[path = "audit/reports.rs"]
mod reports;
#[path = "audit/tor.rs"]
mod tor;
