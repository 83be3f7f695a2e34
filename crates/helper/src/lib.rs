//! The helper: one process beside each guarded tree, outside its filter, for what the preload does not see.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod dial;
mod link;
mod names;
mod outside;
mod pump;
mod say;
mod shared;
mod stub;
mod sys;
#[cfg(test)]
mod tests;
mod tree;

pub use link::join;
