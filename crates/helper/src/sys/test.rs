//! What only tests need.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _};

use nix::unistd::ForkResult;

/// fork(2) on a thread of the test harness.
pub(crate) fn fork_from_test() -> ForkResult {
    // SAFETY: callers run one test in a process of its own, whose only other thread waits for it: it holds no lock.
    unsafe { nix::unistd::fork() }.expect("fork")
}

/// Dissolves what connect(2) began or made, by an address of the family `AF_UNSPEC`.
pub(crate) fn disconnect(socket: impl AsFd) {
    let address = libc::sockaddr { sa_family: libc::AF_UNSPEC.try_into().unwrap(), sa_data: [0; 14] };
    let len = size_of_val(&address).try_into().unwrap();
    // SAFETY: a complete structure, and its length.
    let result = unsafe { libc::connect(socket.as_fd().as_raw_fd(), &raw const address, len) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}
