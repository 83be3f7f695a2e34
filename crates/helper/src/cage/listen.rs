//! Servers: a host socket takes the place of a socket of the cage when it begins to listen.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd as _, OwnedFd};

use socket2::{SockRef, Socket};
use uwt_policy::{Errno, ListenVerdict};
use uwt_session::Session;

use crate::outside::Outside;
use crate::sys::net::{option, set_option};

/// Options with an int value that a listening socket or the connections it accepts make use of.
const COPIED: &[(i32, i32)] = &[
    (libc::SOL_SOCKET, libc::SO_REUSEADDR),
    (libc::SOL_SOCKET, libc::SO_REUSEPORT),
    (libc::SOL_SOCKET, libc::SO_KEEPALIVE),
    (libc::SOL_SOCKET, libc::SO_OOBINLINE),
    (libc::SOL_SOCKET, libc::SO_PRIORITY),
    (libc::IPPROTO_TCP, libc::TCP_NODELAY),
    (libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT),
    (libc::IPPROTO_TCP, libc::TCP_KEEPIDLE),
    (libc::IPPROTO_TCP, libc::TCP_KEEPINTVL),
    (libc::IPPROTO_TCP, libc::TCP_KEEPCNT),
    (libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT),
    (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY),
];
/// Options whose value the kernel doubles (socket(7)), and which switch its own tuning off.
const BUFFERS: &[i32] = &[libc::SO_RCVBUF, libc::SO_SNDBUF];

/// A listening socket of the host, as like `caged` as it can be, at the same address unless the session has one for servers;
/// and that address.
///
/// A port that was left to the kernel is asked for by its number: the program may have been told it.
pub(super) fn replace(
    caged: &OwnedFd,
    backlog: i32,
    session: &Session<'_>,
    outside: &Outside,
) -> Result<(OwnedFd, SocketAddr), Errno> {
    let caged = SockRef::from(caged);
    let local = caged.local_addr().map_err(|error| errno_of(&error))?;
    let address = local.as_socket().ok_or(Errno::EACCES)?;
    let address = session.bind.and_then(|to| moved(&caged, address, to)).unwrap_or(address);
    let confined = match uwt_policy::listen(address, session.inbound, session.bind) {
        ListenVerdict::Pass => false,
        ListenVerdict::Confine => true,
        ListenVerdict::Refuse(errno) => return Err(errno),
    };
    let host = Socket::from(outside.stream(address.is_ipv6()).map_err(|error| errno_of(&error))?);
    copy_options(&caged, &host);
    if confined {
        // The kernel drops what comes from elsewhere.
        host.bind_device(Some(b"lo")).map_err(|_| Errno::EACCES)?;
    }
    host.bind(&address.into()).and_then(|()| host.listen(backlog)).map_err(|error| errno_of(&error))?;
    host.set_nonblocking(caged.nonblocking().map_err(|error| errno_of(&error))?).map_err(|error| errno_of(&error))?;
    Ok((host.into(), address))
}

/// A socket that is for IPv6 alone can't be bound to an address of IPv4.
fn moved(caged: &Socket, local: SocketAddr, to: Ipv4Addr) -> Option<SocketAddr> {
    let there = uwt_policy::moved(local, to)?;
    let alone = there.is_ipv6() && caged.only_v6().unwrap_or(true);
    (!alone).then_some(there)
}

/// An option that can't be copied is one the program could have done without: it is as on a new socket.
fn copy_options(caged: &Socket, host: &Socket) {
    for (level, name) in COPIED {
        if let (Ok(value), Ok(usual)) = (option(caged, *level, *name), option(host, *level, *name))
            && value != usual
        {
            let _ = set_option(host, *level, *name, value);
        }
    }
    for name in BUFFERS {
        if let (Ok(value), Ok(usual)) = (option(caged, libc::SOL_SOCKET, *name), option(host, libc::SOL_SOCKET, *name))
            && value != usual
        {
            let _ = set_option(host, libc::SOL_SOCKET, *name, value / 2);
        }
    }
    let _ = copy_times(caged, host);
}

fn copy_times(caged: &Socket, host: &Socket) -> io::Result<()> {
    host.set_linger(caged.linger()?)?;
    // The time limit of accept(2).
    host.set_read_timeout(caged.read_timeout()?)?;
    host.set_write_timeout(caged.write_timeout()?)
}

/// The inode number of a socket.
pub(super) fn inode_of(socket: &OwnedFd) -> io::Result<u64> {
    Ok(nix::sys::stat::fstat(socket.as_fd())?.st_ino)
}

fn errno_of(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EACCES, Errno)
}
