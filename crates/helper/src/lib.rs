//! The helper: one process beside each guarded tree, outside its filter, for what the preload does not see.
//!
//! The launcher calls [`prepare`] and [`Spare::start`], installs the filter, hands its listener over and executes the
//! program in its own place: process id, exit status, signals and job control are the program's. The helper is nobody's
//! child and in no terminal's session; it ends when no process is under the filter any more and what they sent is
//! delivered. When it is killed, nothing gets out: trapped calls fail with ENOSYS, connections of the cage see their end.
//!
//! | module | does |
//! |---|---|
//! | `notify` | answers the calls that the filter asks about |
//! | `cage` | sockets in a network namespace of their own, each connection carried to the gateway |
//! | `relay` | connects of the preload's programs that do not wait |
//! | `native` | programs that speak to the SocksPort themselves, heard for the report |
//! | `names`, `stub` | the tree's names, and DNS for programs that speak it themselves |
//! | `link` | what the preload and nested `uwt` ask |
//! | `service` | programs that start services, run outside the tree |
//! | `tree` | which process has which session, and so which credential |
//! | `report` | what the tree does with the network, written down (`uwt --report`) |
//! | `outside` | what has to be done in the host's namespaces once the helper has left them |
//!
//! Everything runs on one thread and one event loop.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod cage;
mod destination;
mod diag;
mod dial;
mod link;
mod names;
mod native;
mod netlink;
mod notify;
mod outside;
mod probe;
mod pump;
mod relay;
mod report;
mod route;
mod run;
mod say;
mod service;
mod shared;
mod start;
mod stub;
mod sys;
mod tcp;
#[cfg(test)]
mod tests;
mod tree;

pub use link::join;
pub use probe::probe;
pub use route::source_address;
pub use service::{Ending, Order, Outcome, Refusal, Service, start as start_service};
pub use start::{Helper, Spare, is_asked_for, prepare, serve};
