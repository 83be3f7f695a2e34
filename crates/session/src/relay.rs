//! What the bodies of [`Kind::Connect`](crate::link::Kind::Connect) and [`Kind::Outcome`](crate::link::Kind::Outcome) say.
//!
//! The relay connects a program's own socket without blocking the program: the socket waits, as the kernel lets a connect
//! wait, until the gateway has answered the helper.

use core::net::{IpAddr, Ipv6Addr, SocketAddr};

use uwt_policy::{Errno, canonical};

/// What the preload asks for a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Where the program wants to go, reserved or real; an IPv4 address in its own form, whatever the socket's family.
    pub peer: SocketAddr,
}

impl Order {
    /// Its length in bytes.
    pub const LEN: usize = 18;

    /// The body of a request.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let address = match self.peer.ip() {
            IpAddr::V4(v4) => v4.to_ipv6_mapped(),
            IpAddr::V6(v6) => v6,
        };
        let mut bytes = [0; Self::LEN];
        let [.., low, high] = &mut bytes;
        [*low, *high] = self.peer.port().to_le_bytes();
        if let Some(place) = bytes.first_chunk_mut() {
            *place = address.octets();
        }
        bytes
    }

    /// Reads the body of a request; `None` for anything that [`Self::to_bytes`] does not write.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let (address, port) = body.split_first_chunk::<16>()?;
        let port = u16::from_le_bytes(port.try_into().ok()?);
        Some(Self { peer: SocketAddr::new(canonical(Ipv6Addr::from(*address).into()), port) })
    }
}

/// What becomes of it.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// connect(2) was called on the socket and answered this: EINPROGRESS for one that has begun, EALREADY, EISCONN and so
    /// on as always.
    Called {
        /// `None` for success.
        errno: Option<Errno>,
        /// The port of this machine's loopback address that the kernel believes the socket to be connected to.
        port: u16,
    },
    /// This socket can't be relayed; nothing was done to it.
    NotThis,
    /// No socket can be relayed on this machine; nothing was done to it.
    None,
}

impl Reply {
    /// The longest body in bytes.
    pub const LEN: usize = 5;

    /// The body of a reply.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let (kind, errno, port) = match self {
            // The kernel's errno values are below 4096.
            Self::Called { errno, port } => {
                (0, errno.map_or(0, |errno| u16::try_from(errno.0).unwrap_or(u16::MAX)), port)
            }
            Self::NotThis => (1, 0, 0),
            Self::None => (2, 0, 0),
        };
        let ([errno_low, errno_high], [port_low, port_high]) = (errno.to_le_bytes(), port.to_le_bytes());
        [kind, errno_low, errno_high, port_low, port_high]
    }

    /// Reads the body of a reply.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let [kind, errno_low, errno_high, port_low, port_high] = *<&[u8; Self::LEN]>::try_from(body).ok()?;
        let errno = u16::from_le_bytes([errno_low, errno_high]);
        let errno = (errno != 0).then_some(Errno(errno.into()));
        match kind {
            0 => Some(Self::Called { errno, port: u16::from_le_bytes([port_low, port_high]) }),
            1 => Some(Self::NotThis),
            2 => Some(Self::None),
            _ => None,
        }
    }
}

/// The body of the reply to [`Kind::Outcome`](crate::link::Kind::Outcome), whose request's body is the eight bytes of the
/// cookie in little-endian order: why that socket's connect failed, `None` where it did not or it is not known any more.
#[must_use]
pub fn outcome_to_bytes(errno: Option<Errno>) -> [u8; 4] {
    errno.map_or(0, |errno| errno.0).to_le_bytes()
}

/// Reads what [`outcome_to_bytes`] writes.
#[must_use]
pub fn parse_outcome(body: &[u8]) -> Option<Errno> {
    let errno = i32::from_le_bytes(body.try_into().ok()?);
    (errno > 0).then_some(Errno(errno))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_back() {
        for peer in ["203.0.113.9:443", "[2001:db8::1]:22", "127.192.0.1:65535"] {
            let order = Order { peer: peer.parse().unwrap() };
            assert_eq!(Order::parse(&order.to_bytes()), Some(order));
        }
        let mapped = Order { peer: "[::ffff:203.0.113.9]:1".parse().unwrap() };
        assert_eq!(Order::parse(&mapped.to_bytes()).unwrap().peer, "203.0.113.9:1".parse().unwrap());
        for bad in [&[][..], &[0; 17], &[0; 19]] {
            assert_eq!(Order::parse(bad), None);
        }
    }

    #[test]
    fn replies_are_read_back() {
        let called = |errno| Reply::Called { errno, port: 40_000 };
        for reply in [called(None), called(Some(Errno::EINPROGRESS)), Reply::NotThis, Reply::None] {
            assert_eq!(Reply::parse(&reply.to_bytes()), Some(reply));
        }
        for bad in [&[][..], &[0; 4], &[0; 6], &[3, 0, 0, 0, 0]] {
            assert_eq!(Reply::parse(bad), None);
        }
    }

    #[test]
    fn outcomes_are_read_back() {
        for errno in [None, Some(Errno::EHOSTUNREACH)] {
            assert_eq!(parse_outcome(&outcome_to_bytes(errno)), errno);
        }
        for bad in [&[][..], &[1, 0, 0], &[255; 4]] {
            assert_eq!(parse_outcome(bad), None);
        }
    }
}
