//! The library that `LD_PRELOAD` maps into every wrapped program: it carries the program's connections and name lookups
//! to the SocksPort, on the program's own sockets and with the process's own credential.
//!
//! It runs inside somebody else's program, before its constructors, in its signal handlers, between its fork and exec.
//! So: no std, no heap (what an interface must return on the heap comes from libc's malloc), no threads, no descriptors
//! kept open, no hooked libc function called. Decisions are [`uwt_policy`]'s; every error becomes an errno, and a
//! missing or garbled session means that nothing but this machine can be reached.
//!
//! - `hooks`: what the program calls, one file per family of libc functions: decode, decide, act.
//! - `carry`, `lookup`, `launch`: the acts: connecting, looking up names, executing programs; `helper`: what is known to
//!   the whole process tree; `report`: telling it what is done.
//! - `sys`, `abi`: the only places that know about system calls and C structures.
#![no_std]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![expect(clippy::many_single_char_names, reason = "a to f are the six arguments of a system call")]

mod abi;
mod cage;
mod carry;
mod dial;
mod env;
mod helper;
mod hooks;
mod launch;
mod lock;
mod lookup;
mod next;
mod notice;
mod process;
mod relay;
mod report;
mod serve;
mod state;
mod sys;
mod wire;

/// Nothing here panics by design; if it does all the same, ending the program is safer than going on half-way.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    sys::abort()
}
