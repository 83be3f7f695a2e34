//! What shall be run: how we were called, and which file that means.

pub(crate) mod carry;
pub(crate) mod chain;
pub(crate) mod cli;
pub(crate) mod image;
pub(crate) mod invocation;
pub(crate) mod missing;
pub(crate) mod search;
pub(crate) mod services;
pub(crate) mod target;
pub(crate) mod torsocks;
