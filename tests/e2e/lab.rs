//! The lab must be trustworthy itself: its gateway, its leak counters, its Tor and its Debian.

#[path = "lab/debian.rs"]
mod debian;
#[path = "lab/gateway.rs"]
mod gateway;
#[path = "lab/namespaces.rs"]
mod namespaces;
#[path = "lab/tor.rs"]
mod tor;
