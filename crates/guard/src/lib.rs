//! The guard: a seccomp filter that is inherited by a whole process tree and sees every system call, whoever makes it.
//!
//! The preload sees what programs ask of libc; programs without libc, and children with a scrubbed environment, ask the
//! kernel alone. The guard is what they meet there. It makes a promise about *sockets*: one of the internet comes to be
//! only for who knows the session's cookie (the preload, which carries what happens on it), or as an answer of the tree's
//! helper, or not at all.
//!
//! # The cookie
//!
//! A filter sees the six argument registers, not memory, and socket(2), connect(2), listen(2), sendmsg(2) and sendmmsg(2)
//! use at most four of them. The preload puts a random number of 64 bits into the fifth; the kernel ignores it there, the
//! filter passes the call. It is no secret from the program itself: the guard is against leaks by accident, and a program
//! that means to get out reads the cookie from its own memory.
//!
//! # From rules to a filter
//!
//! [`Rules`] are the intent, and [`Rules::verdict`] says in plain code what becomes of each call. [`compile`] makes the
//! same decisions a [`Program`] of classic BPF, and [`install`] gives it to the kernel. What the calls are called on each
//! architecture is in one table (`numbers.rs`); another architecture is another entry there.
//!
//! A call that is asked about ([`Verdict::Ask`]) stops its thread until someone with the [`Listener`] answers the
//! [`Notification`]: with an errno, with a number, with a new descriptor, or by letting it go on. seccomp_unotify(2) has
//! the kernel's side of it. Letting a call go on is safe only where its *integer* arguments decided, since memory may
//! change in the meantime; the calls in [`Call`] carry no others.
//!
//! # Order of events
//!
//! 1. [`probe::notifications`] says whether [`Foreign::Ask`] will work here.
//! 2. The launcher, with no second thread, calls [`install`], and sends the listener to a process *outside* the filter
//!    ([`Listener::hand_over`], [`Listener::receive`]).
//! 3. It executes the target. The filter stays, through fork(2) and execve(2), until the last process of the tree ended.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

// An unknown architecture would be one whose every call kills the program: better said by the compiler.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
compile_error!("the guard knows the system calls of Linux on x86-64 only: add the architecture to numbers.rs");

mod bpf;
mod compile;
#[cfg(test)]
mod interpreter;
mod notification;
mod numbers;
pub mod probe;
mod rules;
mod sys;

pub use bpf::{CompileError, Instruction, Program};
pub use compile::compile;
pub use notification::{Call, Notification, Refused};
pub use rules::{Foreign, Rules, SystemCall, Verdict};
pub use sys::listener::Listener;
pub use sys::{InstallError, Installed, install};
