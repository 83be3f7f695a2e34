//! What kind of place an address is.

use core::net::{IpAddr, Ipv6Addr};

use crate::names::is_reserved;

/// The classes of peer addresses that are treated differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// 127.0.0.0/8 outside the reserved range, ::1, and the unspecified addresses, which Linux connects to itself.
    Loopback,
    /// An address that stands for a name.
    Reserved,
    /// Multicast or the limited broadcast address: never a TCP peer.
    Group,
    /// Anything else: reachable through the gateway only.
    Remote,
}

impl Peer {
    /// Classifies an address; v4-mapped addresses count as what they map (RFC 4291 §2.5.5.2).
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        let address = canonical(address);
        if is_reserved(address) {
            return Self::Reserved;
        }
        if address.is_loopback() || address.is_unspecified() {
            return Self::Loopback;
        }
        let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
        if address.is_multicast() || broadcast { Self::Group } else { Self::Remote }
    }
}

/// The IPv4 address of a v4-mapped one, any other address unchanged.
#[must_use]
#[inline(never)]
pub fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Ports on which name services listen on loopback: what is asked there goes to the network by another process, in
/// the clear or on a circuit shared by all (DNS, DNS over TLS, mDNS, LLMNR).
pub(crate) fn is_resolver_port(port: u16) -> bool {
    matches!(port, 53 | 853 | 5353 | 5355)
}

/// Whether a v6 address belongs to one link and so can't be meant for an exit.
pub(crate) fn is_link_local(address: Ipv6Addr) -> bool {
    address.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        for (text, class) in [
            ("127.0.0.1", Peer::Loopback),
            ("127.191.255.255", Peer::Loopback),
            ("0.0.0.0", Peer::Loopback),
            ("::", Peer::Loopback),
            ("::1", Peer::Loopback),
            ("::ffff:127.0.0.1", Peer::Loopback),
            ("127.192.0.0", Peer::Reserved),
            ("127.255.255.255", Peer::Reserved),
            ("::ffff:127.200.1.1", Peer::Reserved),
            ("224.0.0.251", Peer::Group),
            ("255.255.255.255", Peer::Group),
            ("ff02::fb", Peer::Group),
            ("203.0.113.1", Peer::Remote),
            ("10.0.0.1", Peer::Remote),
            ("2001:db8::1", Peer::Remote),
            ("::127.0.0.1", Peer::Remote),
        ] {
            assert_eq!(Peer::of(text.parse().unwrap()), class, "{text}");
        }
    }
}
