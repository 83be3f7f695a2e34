//! What the program gets from us: the library, the session, the environment.

pub(crate) mod environment;
pub(crate) mod faketime;
pub(crate) mod library;
pub(crate) mod native;
pub(crate) mod preloads;
pub(crate) mod session;
