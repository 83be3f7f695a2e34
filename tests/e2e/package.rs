//! The packages, installed in a fresh Debian 12, and the wrapped commands as people type them.

#[path = "package/life/mod.rs"]
mod life;
