//! The lab: everything the end-to-end tests run against.

pub mod control;
pub mod dns;
pub mod hosts;
pub mod process;
pub mod tor;
pub mod wait;
