//! Stream isolation, proven at the control port of a real Tor: who has which credential, and which circuit took it.
//!
//! Everything in a test comes from one workstation, so that Tor's isolation by client address plays no part.

#[path = "clients/flow.rs"]
mod flow;
#[path = "clients/place.rs"]
mod place;

#[path = "circuits/processes.rs"]
mod processes;
#[path = "circuits/scopes.rs"]
mod scopes;
