//! The lab: everything the end-to-end tests run against.

pub mod control;
pub mod dns;
pub mod gateway;
pub mod hosts;
pub mod internet;
pub mod lab;
pub mod netns;
pub mod process;
pub mod tor;
pub mod wait;
