//! Builds what is shipped. `cargo xtask` and `debian/rules` do it by the same code; this part of xtask has few
//! dependencies, so that a package is built quickly.

pub mod artifacts;
pub mod elf;
pub mod workspace;
