//! Socket options that send packets by themselves or choose another way out.

use core::net::Ipv4Addr;

use crate::{CAGED_MARK, Errno, SocketKind};

/// The verdict on setsockopt(2).
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionVerdict {
    /// Set it as asked.
    Pass,
    /// Answer with this errno.
    Refuse(Errno),
}

/// How an option names an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionScope {
    /// It names none: any value is fine.
    Free,
    /// By the device's name.
    Device,
    /// By an interface index at this offset of the value, in host byte order.
    Index(usize),
    /// By an interface index in network byte order (`IP_UNICAST_IF`).
    NetworkIndex,
    /// By an interface address at this offset and, in the longer form of the structure, an index behind it.
    Address(usize),
    /// By something only the kernel knows: never.
    Never,
    /// Not at all, but by a mark that rules of routing look at: any but [`CAGED_MARK`].
    Mark,
}

/// Binds a socket to an interface by its index (socket(7), asm/socket.h).
pub const SO_BINDTOIFINDEX: i32 = 62;
const IP_UNICAST_IF: i32 = 50;
const IPV6_UNICAST_IF: i32 = 76;
const IPV6_JOIN_ANYCAST: i32 = 27;
const MCAST_JOIN_GROUP: i32 = 42;
const MCAST_JOIN_SOURCE_GROUP: i32 = 46;
/// The loopback device is the first one of every network namespace.
pub const LOOPBACK_INDEX: u32 = 1;

impl OptionScope {
    /// Of option `name` at `level` (socket(7), ip(7), ipv6(7)).
    #[must_use]
    #[inline(never)]
    pub fn of(level: i32, name: i32) -> Self {
        match (level, name) {
            (libc::SOL_SOCKET, libc::SO_BINDTODEVICE) => Self::Device,
            (libc::SOL_SOCKET, SO_BINDTOIFINDEX) => Self::Index(0),
            (libc::IPPROTO_IP, IP_UNICAST_IF) | (libc::IPPROTO_IPV6, IPV6_UNICAST_IF) => Self::NetworkIndex,
            (libc::IPPROTO_IP, libc::IP_ADD_MEMBERSHIP | libc::IP_ADD_SOURCE_MEMBERSHIP) => Self::Address(4),
            (libc::IPPROTO_IPV6, libc::IPV6_ADD_MEMBERSHIP) => Self::Index(16),
            (libc::IPPROTO_IP | libc::IPPROTO_IPV6, MCAST_JOIN_GROUP | MCAST_JOIN_SOURCE_GROUP) => Self::Index(0),
            (libc::IPPROTO_IPV6, IPV6_JOIN_ANYCAST) => Self::Never,
            (libc::SOL_SOCKET, libc::SO_MARK) => Self::Mark,
            _ => Self::Free,
        }
    }
}

/// Decides on setsockopt(2) of a socket.
///
/// Joining a group sends IGMP or MLD reports, binding to a device can route the gateway's address elsewhere: both pass
/// only on the loopback device. A stream socket may be unbound, a datagram socket not: it would no longer be confined.
pub fn set_option(kind: SocketKind, level: i32, name: i32, value: &[u8]) -> OptionVerdict {
    if kind == SocketKind::Local {
        return OptionVerdict::Pass;
    }
    let may_unbind = kind == SocketKind::Stream;
    let harmless = match OptionScope::of(level, name) {
        OptionScope::Free => true,
        OptionScope::Device => {
            let device = value.split(|byte| *byte == 0).next().unwrap_or_default();
            device == b"lo" || (device.is_empty() && may_unbind)
        }
        OptionScope::Index(offset) => {
            let binding = level == libc::SOL_SOCKET && may_unbind;
            word(value, offset).is_some_and(|index| {
                let index = u32::from_ne_bytes(index);
                index == LOOPBACK_INDEX || (binding && index == 0)
            })
        }
        OptionScope::NetworkIndex => {
            word(value, 0).is_some_and(|index| matches!(u32::from_be_bytes(index), 0 | LOOPBACK_INDEX))
        }
        OptionScope::Address(offset) => {
            let by_index = (name == libc::IP_ADD_MEMBERSHIP).then(|| word(value, offset.saturating_add(4))).flatten();
            match by_index.map(u32::from_ne_bytes) {
                Some(index) if index != 0 => index == LOOPBACK_INDEX,
                _ => word(value, offset).is_some_and(|address| Ipv4Addr::from(address).is_loopback()),
            }
        }
        OptionScope::Never => false,
        OptionScope::Mark => word(value, 0).is_none_or(|mark| u32::from_ne_bytes(mark) != CAGED_MARK),
    };
    if harmless { OptionVerdict::Pass } else { OptionVerdict::Refuse(Errno::EACCES) }
}

fn word(value: &[u8], offset: usize) -> Option<[u8; 4]> {
    value.get(offset..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use OptionVerdict::{Pass, Refuse};
    use libc::{IPPROTO_IP, IPPROTO_IPV6, SOL_SOCKET};
    use std::vec::Vec;

    fn on_stream(level: i32, name: i32, value: &[u8]) -> OptionVerdict {
        set_option(SocketKind::Stream, level, name, value)
    }

    #[test]
    fn confined_sockets_stay_so() {
        let bind = |kind, name: &[u8]| set_option(kind, SOL_SOCKET, libc::SO_BINDTODEVICE, name);
        assert_eq!(bind(SocketKind::Datagram, b""), NO);
        assert_eq!(bind(SocketKind::Datagram, b"lo"), Pass);
        assert_eq!(set_option(SocketKind::Datagram, SOL_SOCKET, SO_BINDTOIFINDEX, &0_u32.to_ne_bytes()), NO);
        assert_eq!(bind(SocketKind::Local, b"eth0"), Pass);
    }

    const NO: OptionVerdict = Refuse(Errno::EACCES);

    #[test]
    fn devices() {
        let bind = |name: &[u8]| on_stream(SOL_SOCKET, libc::SO_BINDTODEVICE, name);
        assert_eq!(bind(b"lo\0"), Pass);
        assert_eq!(bind(b"lo"), Pass);
        assert_eq!(bind(b""), Pass);
        assert_eq!(bind(b"eth0\0"), NO);
        assert_eq!(bind(b"lo2"), NO);
        assert_eq!(on_stream(SOL_SOCKET, 62, &2_u32.to_ne_bytes()), NO);
        assert_eq!(on_stream(SOL_SOCKET, 62, &0_u32.to_ne_bytes()), Pass);
        assert_eq!(on_stream(SOL_SOCKET, 62, &[0, 0]), NO);
        assert_eq!(on_stream(IPPROTO_IP, 50, &2_u32.to_be_bytes()), NO);
        assert_eq!(on_stream(IPPROTO_IP, 50, &1_u32.to_be_bytes()), Pass);
    }

    #[test]
    fn marks() {
        let mark = |kind, mark: u32| set_option(kind, SOL_SOCKET, libc::SO_MARK, &mark.to_ne_bytes());
        assert_eq!(mark(SocketKind::Stream, CAGED_MARK), NO);
        assert_eq!(mark(SocketKind::Datagram, CAGED_MARK), NO);
        assert_eq!(mark(SocketKind::Stream, 0xca6c), Pass);
        assert_eq!(mark(SocketKind::Local, CAGED_MARK), Pass);
        // The kernel refuses it.
        assert_eq!(on_stream(SOL_SOCKET, libc::SO_MARK, &[3]), Pass);
    }

    #[test]
    fn groups() {
        let join = |parts: &[[u8; 4]]| {
            let value: Vec<u8> = parts.concat();
            on_stream(IPPROTO_IP, libc::IP_ADD_MEMBERSHIP, &value)
        };
        let group = [224, 0, 0, 251];
        assert_eq!(join(&[group, [0; 4]]), NO);
        assert_eq!(join(&[group, [10, 152, 152, 11]]), NO);
        assert_eq!(join(&[group, [127, 0, 0, 1]]), Pass);
        assert_eq!(join(&[group, [127, 0, 0, 1], 2_u32.to_ne_bytes()]), NO);
        assert_eq!(join(&[group, [0; 4], 1_u32.to_ne_bytes()]), Pass);
        assert_eq!(join(&[group]), NO);
        let mut v6 = [0_u8; 20];
        assert_eq!(on_stream(IPPROTO_IPV6, libc::IPV6_ADD_MEMBERSHIP, &v6), NO);
        v6[16..].copy_from_slice(&1_u32.to_ne_bytes());
        assert_eq!(on_stream(IPPROTO_IPV6, libc::IPV6_ADD_MEMBERSHIP, &v6), Pass);
        assert_eq!(on_stream(IPPROTO_IPV6, IPV6_JOIN_ANYCAST, &v6), NO);
        assert_eq!(on_stream(IPPROTO_IP, MCAST_JOIN_GROUP, &2_u32.to_ne_bytes()), NO);
    }

    #[test]
    fn everything_else_is_free() {
        assert_eq!(on_stream(SOL_SOCKET, libc::SO_REUSEADDR, &[]), Pass);
        assert_eq!(on_stream(libc::IPPROTO_TCP, libc::TCP_NODELAY, &[1, 0, 0, 0]), Pass);
    }
}
