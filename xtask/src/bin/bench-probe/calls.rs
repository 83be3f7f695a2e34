//! Single system calls.

use std::hint::black_box;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::parent_id;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, MsgFlags, SockFlag, SockType, UnixAddr, accept4, bind, connect, listen, send, socket,
};
use nix::unistd::close;

use super::cli::Result;

/// Unaccepted connections at a time: as many as the backlog holds.
const AT_ONCE: u8 = 64;

/// Nanoseconds of so many getppid(2), which asks nothing of its arguments.
pub(crate) fn getppid(count: u32) -> u128 {
    let start = Instant::now();
    for _ in 0..count {
        black_box(parent_id());
    }
    start.elapsed().as_nanos()
}

/// Nanoseconds of so many sendto(2) without an address; on no descriptor, so that the kernel does nothing else.
pub(crate) fn send_nowhere(count: u32) -> Result<u128> {
    let start = Instant::now();
    for _ in 0..count {
        if black_box(send(-1, &[0], MsgFlags::empty())) != Err(Errno::EBADF) {
            return Err("send on no descriptor did not give EBADF".into());
        }
    }
    Ok(start.elapsed().as_nanos())
}

/// Nanoseconds of so many connect(2) of stream sockets to an abstract address: the connects alone, without what makes
/// and closes the sockets.
pub(crate) fn connect_unix(count: u32) -> Result<u128> {
    let new = || socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None);
    // 13 characters: the address is as long as one of IPv4, and so the kind that a filter by length has to look at.
    let address = UnixAddr::new_abstract(format!("uwtbench{:05x}", std::process::id() & 0xf_ffff).as_bytes())?;
    let listener = new()?;
    bind(listener.as_raw_fd(), &address)?;
    listen(&listener, Backlog::new(AT_ONCE)?)?;
    let mut took = Duration::ZERO;
    for _ in 0..count.div_ceil(AT_ONCE.into()) {
        let sockets = (0..AT_ONCE).map(|_| new()).collect::<nix::Result<Vec<OwnedFd>>>()?;
        let start = Instant::now();
        for one in &sockets {
            connect(one.as_raw_fd(), &address)?;
        }
        took += start.elapsed();
        for _ in &sockets {
            close(accept4(listener.as_raw_fd(), SockFlag::SOCK_CLOEXEC)?)?;
        }
    }
    Ok(took.as_nanos() * u128::from(count) / u128::from(count.next_multiple_of(AT_ONCE.into())))
}

/// Nanoseconds of the first socket(2) and close(2), and of so many more.
pub(crate) fn sockets(count: u32) -> Result<(u128, u128)> {
    let one = || socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).map(drop);
    let start = Instant::now();
    one()?;
    let first = start.elapsed();
    let start = Instant::now();
    for _ in 0..count {
        one()?;
    }
    Ok((first.as_nanos(), start.elapsed().as_nanos()))
}
