//! "The internet" behind the gateway: the servers real clients talk to.

pub mod apt;
pub mod cgi;
pub mod http;
pub mod keys;
pub mod message;
pub mod repository;
pub mod rpm;
pub mod server;
pub mod ssh;
