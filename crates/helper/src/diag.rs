//! Whose a connection's socket is: exact questions to the kernel (sock_diag(7)).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

use nix::sys::socket::SockProtocol;

use crate::netlink::{Netlink, REQUEST, message};

/// `SOCK_DIAG_BY_FAMILY`.
const BY_FAMILY: u16 = 20;
/// `TCP_LISTEN` of the kernel's socket states.
const LISTENING: u8 = 10;
/// Where `struct inet_diag_msg` has the inode number.
const INODE: usize = 68;

/// The addresses of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pair {
    /// The program's end.
    pub(crate) from: SocketAddr,
    /// Where it wants to go.
    pub(crate) to: SocketAddr,
}

/// The index of the loopback device, the first of every network namespace: what is asked about goes there.
const LOOPBACK: u32 = 1;

/// Asks about sockets.
#[derive(Debug)]
pub(crate) struct Diag(Netlink);

impl Diag {
    /// For sockets of the current network namespace.
    ///
    /// # Errors
    /// Those of socket(2).
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(Netlink::new(SockProtocol::NetlinkSockDiag)?))
    }

    /// For sockets of another network namespace, by a socket that was made there.
    pub(crate) fn by(socket: OwnedFd) -> Self {
        Self(Netlink::by(socket))
    }

    /// Gives the socket up.
    pub(crate) fn into_socket(self) -> OwnedFd {
        self.0.into_socket()
    }

    /// The inode number of the TCP socket that connects or is connected; `None` when there is none (any more).
    pub(crate) fn stream(&self, pair: Pair) -> Option<u64> {
        let (state, inode) = self.ask(libc::IPPROTO_TCP, pair.from, pair.to)?;
        // Where no connection has these addresses, the kernel goes on to listening sockets.
        (state != LISTENING).then_some(inode)
    }

    /// The inode number of the UDP socket that `pair.from` belongs to.
    pub(crate) fn datagram(&self, pair: Pair) -> Option<u64> {
        // With UDP the kernel has the two ends the other way round.
        self.ask(libc::IPPROTO_UDP, pair.to, pair.from).map(|(_, inode)| inode)
    }

    /// State and inode number.
    fn ask(&self, protocol: i32, source: SocketAddr, destination: SocketAddr) -> Option<(u8, u64)> {
        let body = request(protocol, source, destination);
        let message = message(BY_FAMILY, REQUEST, &body, &[]);
        let read = |body: &[u8]| {
            let inode = u32::from_ne_bytes(*body.get(INODE..)?.first_chunk()?);
            Some((*body.get(1)?, u64::from(inode)))
        };
        self.0.ask(&message, BY_FAMILY, read).ok()
    }
}

/// `struct inet_diag_req_v2`.
fn request(protocol: i32, source: SocketAddr, destination: SocketAddr) -> Vec<u8> {
    let family = if source.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let mut body: Vec<u8> = [family, protocol, 0, 0].into_iter().filter_map(|byte| u8::try_from(byte).ok()).collect();
    // Any state.
    body.extend([0xff; 4]);
    body.extend(source.port().to_be_bytes());
    body.extend(destination.port().to_be_bytes());
    for address in [source.ip(), destination.ip()] {
        match address {
            IpAddr::V4(v4) => {
                body.extend(v4.octets());
                body.extend([0; 12]);
            }
            IpAddr::V6(v6) => body.extend(v6.octets()),
        }
    }
    // Any cookie (INET_DIAG_NOCOOKIE).
    body.extend(LOOPBACK.to_ne_bytes());
    body.extend([0xff; 8]);
    body
}
