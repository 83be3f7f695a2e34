//! What has to be known before a guard: which one is there, what could be made, and which sockets are older than it.

pub(crate) mod abilities;
pub(crate) mod inherited;
pub(crate) mod tree;
