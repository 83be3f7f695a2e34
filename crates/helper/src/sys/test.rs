//! What only tests need.

use nix::unistd::ForkResult;

/// fork(2) on a thread of the test harness.
pub(crate) fn fork_from_test() -> ForkResult {
    // SAFETY: callers run one test in a process of its own, whose only other thread waits for it: it holds no lock.
    unsafe { nix::unistd::fork() }.expect("fork")
}
