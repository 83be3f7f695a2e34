//! Which sockets may exist.

use crate::Errno;

/// The three arguments of socket(2), flags (`SOCK_NONBLOCK`, `SOCK_CLOEXEC`) removed from the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketSpec {
    /// Address family, `AF_*`.
    pub domain: i32,
    /// Socket type, `SOCK_*`.
    pub kind: i32,
    /// Protocol, `IPPROTO_*`, 0 for the type's default.
    pub protocol: i32,
}

/// What an existing socket is to uwt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketKind {
    /// Not of the internet: unix, netlink, kernel crypto. None of our business.
    Local,
    /// TCP, or Multipath TCP which speaks TCP to the gateway.
    Stream,
    /// UDP and UDP-Lite: they may speak to this machine only.
    Datagram,
    /// Everything that may not send: raw, ICMP, SCTP, packet, vsock, …
    Other,
}

/// The mark (socket(7), `SO_MARK`) of the programs' sockets in the cage, where connections are carried without the preload.
///
/// Only the cage's maker and root can set it, and [`set_option`](crate::set_option) keeps root's programs from it.
pub const CAGED_MARK: u32 = 3;

/// The verdict on socket(2).
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketVerdict {
    /// Make the socket as asked.
    Pass,
    /// Make it, bound to the loopback device (`SO_BINDTODEVICE`) so that the kernel itself keeps it on this machine.
    Confine,
    /// Answer with this errno.
    Refuse(Errno),
}

const SOCK_TYPE_MASK: i32 = 0xf;
const IPPROTO_UDPLITE: i32 = 136;
const IPPROTO_MPTCP: i32 = 262;

impl SocketSpec {
    /// From the raw arguments of socket(2): the type's flag bits are masked off.
    #[must_use]
    pub fn from_raw(domain: i32, kind: i32, protocol: i32) -> Self {
        Self { domain, kind: kind & SOCK_TYPE_MASK, protocol }
    }

    /// What this socket is, by an allow-list: the unknown is [`SocketKind::Other`].
    #[must_use]
    pub fn class(self) -> SocketKind {
        match (self.domain, self.kind, self.protocol) {
            (libc::AF_UNIX | libc::AF_NETLINK | libc::AF_ALG, _, _) => SocketKind::Local,
            (libc::AF_INET | libc::AF_INET6, libc::SOCK_STREAM, 0 | libc::IPPROTO_TCP | IPPROTO_MPTCP) => {
                SocketKind::Stream
            }
            (libc::AF_INET | libc::AF_INET6, libc::SOCK_DGRAM, 0 | libc::IPPROTO_UDP | IPPROTO_UDPLITE) => {
                SocketKind::Datagram
            }
            _ => SocketKind::Other,
        }
    }
}

/// Decides on socket(2).
pub fn socket(spec: SocketSpec) -> SocketVerdict {
    match spec.class() {
        SocketKind::Local | SocketKind::Stream => SocketVerdict::Pass,
        SocketKind::Datagram => SocketVerdict::Confine,
        SocketKind::Other => SocketVerdict::Refuse(Errno::EACCES),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use libc::{AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX, AF_VSOCK, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM};

    #[test]
    fn allow_list() {
        let refuse = SocketVerdict::Refuse(Errno::EACCES);
        for (raw, verdict) in [
            ((AF_UNIX, SOCK_STREAM, 0), SocketVerdict::Pass),
            ((AF_NETLINK, SOCK_RAW, 0), SocketVerdict::Pass),
            ((AF_INET, SOCK_STREAM, 0), SocketVerdict::Pass),
            ((AF_INET6, SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 6), SocketVerdict::Pass),
            ((AF_INET, SOCK_STREAM, 262), SocketVerdict::Pass),
            ((AF_INET, SOCK_DGRAM, 0), SocketVerdict::Confine),
            ((AF_INET6, SOCK_DGRAM, 17), SocketVerdict::Confine),
            ((AF_INET, SOCK_DGRAM, 136), SocketVerdict::Confine),
            ((AF_INET, SOCK_DGRAM, 1), refuse),
            ((AF_INET6, SOCK_DGRAM, 58), refuse),
            ((AF_INET, SOCK_RAW, 1), refuse),
            ((AF_INET, SOCK_STREAM, 132), refuse),
            ((AF_INET, libc::SOCK_SEQPACKET, 132), refuse),
            ((AF_PACKET, SOCK_RAW, 3), refuse),
            ((AF_VSOCK, SOCK_STREAM, 0), refuse),
            ((43, SOCK_STREAM, 0), refuse),
        ] {
            let (domain, kind, protocol) = raw;
            assert_eq!(socket(SocketSpec::from_raw(domain, kind, protocol)), verdict, "{raw:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_unlisted_passes(domain in 0..64, kind in 0..16, protocol in 0..300) {
            let internet = domain == AF_INET || domain == AF_INET6;
            let verdict = socket(SocketSpec { domain, kind, protocol });
            if verdict == SocketVerdict::Pass && internet {
                assert!(kind == SOCK_STREAM && matches!(protocol, 0 | 6 | 262));
            }
            if verdict == SocketVerdict::Confine {
                assert!(internet && kind == SOCK_DGRAM && matches!(protocol, 0 | 17 | 136));
            }
        }
    }
}
