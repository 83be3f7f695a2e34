//! `uwtctl`: the administrator's and the curious user's half of uwt. It shows what is wrapped and what is isolated how,
//! checks what gets out, and says what belongs on the gateway.
//!
//! Each command makes an [`answer::Answer`]: plain data, printed for people or as JSON, with an exit status. What cannot be
//! known is said to be unknown.
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod answer;
mod audit;
mod check;
mod circuits;
mod config;
mod configuration;
mod control;
mod dropin;
mod gateway;
mod gateway_files;
mod launcher;
mod page;
mod ports;
mod processes;
mod program;
mod run;
mod status;
mod wrapper;

pub use run::run;
