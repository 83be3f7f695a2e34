//! The guard: a seccomp filter that is inherited by a whole process tree and sees every system call, whoever makes it.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
