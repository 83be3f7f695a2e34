//! What the launcher hands down to the programs it starts, and what both sides derive from it.
//!
//! One environment variable ([`VARIABLE`]) carries a [`Session`]; a [`Credential`] follows from it and from who asks, so
//! that every layer that connects for a process uses the same one; [`dns`] is the protocol in which programs ask for names.
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

#[cfg(test)]
extern crate std;

mod blake2s;
mod credential;
pub mod dns;
mod guard;
pub mod link;
pub mod relay;
pub mod report;
mod secret;
mod variable;

pub use credential::{Credential, Subject};
pub use guard::Guard;
pub use secret::Secret;
pub use variable::{FileId, MAX_VARIABLE, Malformed, Pinned, Session, VARIABLE, Voice};
