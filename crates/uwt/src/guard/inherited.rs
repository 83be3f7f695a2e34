//! Sockets that were there before us. Nobody could take a socket of the host's network away from a program that starts with
//! it, so what such a socket could still reach is looked at before the program runs.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::RawFd;

use crate::message::Failure;
use crate::sys::socket;

const DESCRIPTORS: &str = "/proc/self/fd";

/// What is known of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Inherited {
    family: i32,
    kind: i32,
    protocol: i32,
    listening: bool,
    has_peer: bool,
}

impl Inherited {
    /// `None` for what is no socket.
    fn of(fd: RawFd) -> io::Result<Option<Self>> {
        let family = match socket::option(fd, libc::SO_DOMAIN) {
            Ok(family) => family,
            // A file; or one that is open with O_PATH, or not any more.
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOTSOCK | libc::EBADF)) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(Self {
            family,
            kind: socket::option(fd, libc::SO_TYPE)?,
            protocol: socket::option(fd, libc::SO_PROTOCOL)?,
            listening: socket::option(fd, libc::SO_ACCEPTCONN)? != 0,
            has_peer: socket::has_peer(fd),
        }))
    }

    /// Whether it reaches nothing but what it was opened for: the filter judges every later connect(2).
    fn may_stay(self) -> bool {
        match self.family {
            // They reach this machine only.
            libc::AF_UNIX | libc::AF_NETLINK | libc::AF_ALG => true,
            // Whoever writes to one says in each packet where it goes.
            libc::AF_PACKET => false,
            _ => match self.kind {
                libc::SOCK_STREAM | libc::SOCK_SEQPACKET | libc::SOCK_DGRAM => self.listening || self.has_peer,
                _ => false,
            },
        }
    }
}

impl fmt::Display for Inherited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (family, kind, protocol) = (self.family, self.kind, self.protocol);
        let name = match (family, kind, protocol) {
            (libc::AF_PACKET, _, _) => return f.write_str("a packet socket"),
            (libc::AF_INET | libc::AF_INET6, libc::SOCK_RAW, _) => return f.write_str("a raw socket"),
            (libc::AF_INET | libc::AF_INET6, _, libc::IPPROTO_TCP | libc::IPPROTO_MPTCP) => "TCP",
            (libc::AF_INET | libc::AF_INET6, _, libc::IPPROTO_UDP) => "UDP",
            (libc::AF_INET | libc::AF_INET6, _, libc::IPPROTO_ICMP | libc::IPPROTO_ICMPV6) => "ICMP",
            _ => return write!(f, "an unconnected socket of family {family}, type {kind} and protocol {protocol}"),
        };
        write!(f, "an unconnected {name} socket")
    }
}

/// Looks at every descriptor that the program will have.
///
/// # Errors
/// One is a socket that could reach the network past us.
pub(crate) fn check() -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::ours(format!("{DESCRIPTORS}: {error}; mount /proc"));
    for entry in fs::read_dir(DESCRIPTORS).map_err(failed)? {
        let Some(fd) = entry.map_err(failed)?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        match Inherited::of(fd) {
            Ok(Some(socket)) if !socket.may_stay() => return Err(refused(fd, &socket.to_string())),
            Ok(_) => {}
            Err(error) => return Err(refused(fd, &format!("a socket of a kind that cannot be told ({error})"))),
        }
    }
    Ok(())
}

fn refused(fd: RawFd, kind: &str) -> Failure {
    Failure::ours(format!(
        "descriptor {fd} is {kind} from before uwt was started, which the program could use directly; nothing was run (close \
         it, `{fd}>&-` in a shell, or give up the guard by --guard=off)"
    ))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, UdpSocket};
    use std::os::fd::AsRawFd as _;

    use super::*;

    #[test]
    fn what_may_stay() {
        let of = |family, kind, protocol| Inherited { family, kind, protocol, listening: false, has_peer: false };
        let idle = |family, kind| of(family, kind, 0);
        let (stream, datagram) = (libc::SOCK_STREAM, libc::SOCK_DGRAM);
        for good in [
            idle(libc::AF_UNIX, datagram),
            idle(libc::AF_NETLINK, libc::SOCK_RAW),
            idle(libc::AF_ALG, libc::SOCK_SEQPACKET),
            Inherited { has_peer: true, ..idle(libc::AF_INET, stream) },
            Inherited { listening: true, ..idle(libc::AF_INET6, stream) },
            Inherited { has_peer: true, ..idle(libc::AF_INET6, datagram) },
            Inherited { has_peer: true, ..idle(libc::AF_VSOCK, stream) },
        ] {
            assert!(good.may_stay(), "{good:?}");
        }
        for (bad, shown) in [
            (of(libc::AF_INET, stream, libc::IPPROTO_TCP), "an unconnected TCP socket"),
            (of(libc::AF_INET6, datagram, libc::IPPROTO_UDP), "an unconnected UDP socket"),
            (of(libc::AF_INET, datagram, libc::IPPROTO_ICMP), "an unconnected ICMP socket"),
            (Inherited { has_peer: true, ..idle(libc::AF_INET, libc::SOCK_RAW) }, "a raw socket"),
            (Inherited { has_peer: true, ..idle(libc::AF_PACKET, datagram) }, "a packet socket"),
            (idle(libc::AF_VSOCK, stream), "an unconnected socket of family 40, type 1 and protocol 0"),
        ] {
            assert!(!bad.may_stay(), "{bad:?}");
            assert_eq!(bad.to_string(), shown);
        }
    }

    #[test]
    fn descriptors_are_told_apart() {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("bound");
        let found = Inherited::of(socket.as_raw_fd()).expect("told").expect("a socket");
        assert_eq!(
            found,
            Inherited {
                family: libc::AF_INET,
                kind: libc::SOCK_DGRAM,
                protocol: libc::IPPROTO_UDP,
                listening: false,
                has_peer: false
            }
        );
        socket.connect(socket.local_addr().expect("bound")).expect("connected");
        assert!(Inherited::of(socket.as_raw_fd()).expect("told").expect("a socket").may_stay());
        let file = fs::File::open("/dev/null").expect("opened");
        assert_eq!(Inherited::of(file.as_raw_fd()).expect("told"), None);
    }
}
