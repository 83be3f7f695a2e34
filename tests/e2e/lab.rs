//! The lab must be trustworthy itself: its gateway, its leak counters and its Tor.

#[path = "lab/gateway.rs"]
mod gateway;
#[path = "lab/namespaces.rs"]
mod namespaces;
#[path = "lab/tor.rs"]
mod tor;
