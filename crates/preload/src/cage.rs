//! Sockets in the cage: what is sent there the helper carries, so it needs no hook.
//!
//! A program that speaks to name servers itself (dig, c-ares, Node) gets there with the socket it has: the first time it
//! names port 53, a socket in the cage takes the place of its own, and whichever server it asks, the session's names are
//! what answers. What depends on the old socket and not on its number is lost: its membership in an epoll set.

use core::ffi::c_int;
use core::net::SocketAddr;

use uwt_policy::{CAGED_MARK, Errno, Level, SocketKind, SocketSpec, asks_name_server};
use uwt_session::Session;

use crate::sys;

/// Whether a socket that shall go to `peer` is in the cage: all along, or from now on because `peer` is a name server.
///
/// # Errors
/// Those of socket(2), EACCES when there is no cage: then the socket is as it was.
pub(crate) fn carries(session: &Session<'_>, fd: c_int, spec: SocketSpec, peer: SocketAddr) -> Result<bool, Errno> {
    if session.guard.is_none_or(|guard| guard.level != Level::Tunnel) {
        return Ok(false);
    }
    if is_caged(fd) {
        return Ok(true);
    }
    let kind = spec.class();
    // A stream socket that has a peer keeps it: the kernel says so.
    let free = kind != SocketKind::Stream || sys::name(libc::SYS_getpeername, fd).is_err();
    if !free || !asks_name_server(kind, peer) {
        return Ok(false);
    }
    let flags = sys::status_flags(fd)? & libc::O_NONBLOCK;
    let new = sys::caged_socket(spec.domain, spec.kind | libc::SOCK_CLOEXEC | flags, spec.protocol)?;
    let result = if is_caged(new) { Ok(()) } else { Err(Errno::EACCES) }.and_then(|()| {
        copy_options(fd, new);
        sys::replace(fd, new)
    });
    sys::close(new);
    result.map(|()| true)
}

fn is_caged(fd: c_int) -> bool {
    sys::option(fd, libc::SOL_SOCKET, libc::SO_MARK) == Ok(CAGED_MARK)
}

/// Those that change how a resolver waits and what it is told.
const OPTIONS: [(c_int, c_int); 14] = [
    (libc::SOL_SOCKET, libc::SO_REUSEADDR),
    (libc::SOL_SOCKET, libc::SO_REUSEPORT),
    (libc::SOL_SOCKET, libc::SO_KEEPALIVE),
    (libc::SOL_SOCKET, libc::SO_TIMESTAMP),
    (libc::SOL_SOCKET, libc::SO_RCVBUF),
    (libc::SOL_SOCKET, libc::SO_SNDBUF),
    (libc::IPPROTO_TCP, libc::TCP_NODELAY),
    (libc::IPPROTO_IP, libc::IP_RECVERR),
    (libc::IPPROTO_IP, libc::IP_PKTINFO),
    (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER),
    (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY),
    (libc::IPPROTO_IPV6, libc::IPV6_RECVERR),
    (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
    (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER),
];

/// As far as it goes: an option or an address that can't be had here is none that an answer from the stub depends on.
fn copy_options(from: c_int, to: c_int) {
    for (level, name) in OPTIONS {
        let (old, new) = (sys::option::<c_int>(from, level, name), sys::option::<c_int>(to, level, name));
        if let Ok(value) = old
            && old != new
        {
            // The kernel gives twice what it was given (socket(7)).
            let doubled = level == libc::SOL_SOCKET && matches!(name, libc::SO_RCVBUF | libc::SO_SNDBUF);
            let value = if doubled { value / 2 } else { value };
            let _ = sys::set_option(to, level, name, &value.to_ne_bytes());
        }
    }
    for name in [libc::SO_RCVTIMEO, libc::SO_SNDTIMEO] {
        if let Ok(time) = sys::option::<u128>(from, libc::SOL_SOCKET, name) {
            let _ = sys::set_option(to, libc::SOL_SOCKET, name, &time.to_ne_bytes());
        }
    }
    if let Ok((address, len)) = sys::name(libc::SYS_getsockname, from) {
        let address = address.get(..len).unwrap_or_default();
        // Without a port it was not bound.
        if address.get(2..4).is_some_and(|port| port != [0, 0]) {
            let _ = sys::bind(to, address);
        }
    }
}
