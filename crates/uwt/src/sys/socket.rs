//! What the kernel says about sockets.
#![expect(unsafe_code, reason = "calls with a spare argument, and on descriptors known by number only")]

use std::io;
use std::os::fd::RawFd;

use libc::{c_int, c_long};
use nix::errno::Errno;

/// Asks for a fast open by sendmsg(2) on no descriptor at all, with `cookie` in the fifth argument, which the call does
/// not have, and gives the error: the kernel says EBADF, the guard in front of it EOPNOTSUPP, unless the cookie is its
/// own.
pub(crate) fn knock(cookie: u64) -> Errno {
    // What is passed on is the register's bits.
    let cookie = c_long::from_ne_bytes(cookie.to_ne_bytes());
    let none = std::ptr::null::<libc::msghdr>();
    // SAFETY: the kernel looks the descriptor up before it reads the message, and -1 is never one.
    let result =
        unsafe { libc::syscall(libc::SYS_sendmsg, -1_i64, none, c_long::from(libc::MSG_FASTOPEN), 0_i64, cookie) };
    if result == -1 { Errno::last() } else { Errno::UnknownErrno }
}

/// The errors of three calls that no kernel carries out and that the guard refuses with errors of its own: socketpair(2)
/// for the internet (EOPNOTSUPP, from the guard EACCES), socket(2) for a stream of ICMP (EPROTONOSUPPORT, EACCES), and
/// pidfd_getfd(2) of nothing (EBADF, EPERM).
pub(crate) fn refusals() -> [Errno; 3] {
    let mut pair = [0; 2];
    let error = |result: c_long| if result == -1 { Errno::last() } else { Errno::UnknownErrno };
    // SAFETY: the pair is a buffer for two numbers, the other calls take no pointers. None of them makes a descriptor, since
    // there is no such pair, no such socket and no process -1.
    unsafe {
        [
            error(libc::socketpair(libc::AF_INET, libc::SOCK_STREAM, 0, pair.as_mut_ptr()).into()),
            error(libc::socket(libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_ICMP).into()),
            error(libc::syscall(libc::SYS_pidfd_getfd, -1_i64, -1_i64, 0_i64)),
        ]
    }
}

/// An option of the level SOL_SOCKET whose value is a number (socket(7)).
///
/// # Errors
/// The descriptor is no socket (ENOTSOCK) or none at all (EBADF).
pub(crate) fn option(fd: RawFd, name: c_int) -> io::Result<c_int> {
    let mut value: c_int = 0;
    let mut length = libc::socklen_t::try_from(size_of_val(&value)).unwrap_or(0);
    // SAFETY: a buffer and its length, which may be filled with anything; the descriptor may be any number.
    let result = unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, name, (&raw mut value).cast(), &raw mut length) };
    if result == 0 { Ok(value) } else { Err(io::Error::last_os_error()) }
}

/// Whether the socket has a peer (getpeername(2)).
pub(crate) fn has_peer(fd: RawFd) -> bool {
    // SAFETY: all zeros are an address of no family.
    let mut address: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let mut length = libc::socklen_t::try_from(size_of_val(&address)).unwrap_or(0);
    // SAFETY: a buffer and its length, which the kernel does not exceed; the descriptor may be any number.
    unsafe { libc::getpeername(fd, (&raw mut address).cast(), &raw mut length) == 0 }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::os::fd::AsRawFd as _;
    use std::os::unix::net::UnixDatagram;

    use super::*;

    #[test]
    fn sockets_are_described() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bound");
        let stream = TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
        let describe = |fd: RawFd| {
            let option = |name| option(fd, name).expect("a socket");
            (option(libc::SO_DOMAIN), option(libc::SO_TYPE), option(libc::SO_ACCEPTCONN), has_peer(fd))
        };
        assert_eq!(describe(listener.as_raw_fd()), (libc::AF_INET, libc::SOCK_STREAM, 1, false));
        assert_eq!(describe(stream.as_raw_fd()), (libc::AF_INET, libc::SOCK_STREAM, 0, true));
        let unix = UnixDatagram::unbound().expect("made");
        assert_eq!(describe(unix.as_raw_fd()), (libc::AF_UNIX, libc::SOCK_DGRAM, 0, false));
        let file = std::fs::File::open("/dev/null").expect("opened");
        let error = |fd| option(fd, libc::SO_TYPE).expect_err("no socket").raw_os_error();
        assert_eq!((error(file.as_raw_fd()), error(-1)), (Some(libc::ENOTSOCK), Some(libc::EBADF)));
        assert!(!has_peer(file.as_raw_fd()));
    }

    #[test]
    fn nobody_but_a_guard_minds_a_knock() {
        assert_eq!((knock(0), knock(u64::MAX)), (Errno::EBADF, Errno::EBADF));
        assert_eq!(refusals(), [Errno::EOPNOTSUPP, Errno::EPROTONOSUPPORT, Errno::EBADF]);
    }
}
