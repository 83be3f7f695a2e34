//! Who may connect to a wrapped server.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::keyword::keyword_enum;
use crate::{Errno, Peer, canonical};

keyword_enum! {
    /// The inbound policy, `inbound = "…"` in the configuration.
    Inbound {
        /// Only programs of this machine can connect (the default).
        Loopback = "loopback",
        /// Servers listen as they ask to; their answers go to the network directly.
        Allow = "allow",
        /// listen(2) is refused.
        Deny = "deny",
    }
}

/// The verdict on listen(2).
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenVerdict {
    /// Listen as asked.
    Pass,
    /// Listen, with the socket bound to the loopback device first, so that the kernel drops what comes from elsewhere.
    Confine,
    /// Answer with this errno.
    Refuse(Errno),
}

/// The verdict on a connection that accept(2) delivered.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptVerdict {
    /// Hand it to the program.
    Pass,
    /// Close it and go on waiting, as if it had been aborted.
    Drop,
}

/// Where a TCP socket that asks for `local` is bound when servers are to be bound to the address `to`, `bind = "…"` in the
/// configuration; and where that server is found. `None`: there, for it names an address of its own.
///
/// What is moved is IPv4's loopback and every address, in the family of `local`. `::` counts, for as a rule it takes IPv4
/// along; the caller knows sockets for which it doesn't (ipv6(7), `IPV6_V6ONLY`). `::1` stays: a program that has both
/// loopback addresses would want `to` twice.
#[must_use]
pub fn moved(local: SocketAddr, to: Ipv4Addr) -> Option<SocketAddr> {
    let asked = canonical(local.ip());
    let moves = Peer::of(asked) == Peer::Loopback && (asked.is_ipv4() || asked.is_unspecified());
    let address = if local.is_ipv4() { IpAddr::V4(to) } else { IpAddr::V6(to.to_ipv6_mapped()) };
    moves.then(|| SocketAddr::new(address, local.port()))
}

/// Where a server that was [`moved`] to `bound` is found by its own program, which asks for it at `peer`: there, or where it
/// wanted to be. What asks for `::1` is not led away: there may be a server of its own beside the one that was moved.
#[must_use]
pub fn found_at(peer: SocketAddr, bound: Ipv4Addr) -> Option<SocketAddr> {
    if is_bound(peer, Some(bound)) {
        return Some(peer);
    }
    moved(peer, bound).filter(|_| canonical(peer.ip()).is_ipv4())
}

/// Whether `local` is the address that servers are [`moved`] to.
#[must_use]
#[inline(never)]
pub fn is_bound(local: SocketAddr, bound: Option<Ipv4Addr>) -> bool {
    bound.is_some_and(|bound| canonical(local.ip()) == IpAddr::V4(bound))
}

/// Decides on listen(2) of a TCP socket bound to `local`, where servers are [`moved`] to the address `bound`.
///
/// A server on every address is confined to this machine, for that is where it can be reached anyway. One that names an
/// address of the network wants to be reached from there: that is refused, not quietly narrowed, unless it is the one for
/// servers.
pub fn listen(local: SocketAddr, inbound: Inbound, bound: Option<Ipv4Addr>) -> ListenVerdict {
    match inbound {
        Inbound::Allow => ListenVerdict::Pass,
        Inbound::Deny => ListenVerdict::Refuse(Errno::EACCES),
        Inbound::Loopback if is_bound(local, bound) => ListenVerdict::Pass,
        Inbound::Loopback => match Peer::of(local.ip()) {
            Peer::Loopback if canonical(local.ip()).is_unspecified() => ListenVerdict::Confine,
            Peer::Loopback | Peer::Reserved => ListenVerdict::Pass,
            Peer::Group | Peer::Remote => ListenVerdict::Refuse(Errno::EACCES),
        },
    }
}

/// Decides on an accepted TCP connection: concerns listening sockets that were there before the program was wrapped.
///
/// A peer with the socket's own local address is this machine too. Who connects to the address for servers, `bound`, may.
pub fn accept(peer: SocketAddr, local: SocketAddr, inbound: Inbound, bound: Option<Ipv4Addr>) -> AcceptVerdict {
    let own = Peer::of(peer.ip()) == Peer::Loopback || peer.ip() == local.ip() || is_bound(local, bound);
    match inbound {
        Inbound::Allow => AcceptVerdict::Pass,
        Inbound::Loopback if own => AcceptVerdict::Pass,
        Inbound::Loopback | Inbound::Deny => AcceptVerdict::Drop,
    }
}

#[cfg(test)]
mod tests {
    use core::net::Ipv6Addr;

    use proptest::prelude::*;

    use super::*;

    const SERVERS: Ipv4Addr = Ipv4Addr::new(10, 152, 152, 11);

    #[test]
    fn listening() {
        let on = |local: &str, inbound| listen(local.parse().unwrap(), inbound, None);
        assert_eq!(on("127.0.0.1:80", Inbound::Loopback), ListenVerdict::Pass);
        assert_eq!(on("[::1]:80", Inbound::Loopback), ListenVerdict::Pass);
        assert_eq!(on("0.0.0.0:80", Inbound::Loopback), ListenVerdict::Confine);
        assert_eq!(on("[::]:80", Inbound::Loopback), ListenVerdict::Confine);
        assert_eq!(on("[::ffff:0.0.0.0]:80", Inbound::Loopback), ListenVerdict::Confine);
        assert_eq!(on("10.152.152.11:80", Inbound::Loopback), ListenVerdict::Refuse(Errno::EACCES));
        assert_eq!(on("10.152.152.11:80", Inbound::Allow), ListenVerdict::Pass);
        assert_eq!(on("127.0.0.1:80", Inbound::Deny), ListenVerdict::Refuse(Errno::EACCES));
    }

    #[test]
    fn listening_where_servers_are_moved_to() {
        let on = |local: &str, inbound| listen(local.parse().unwrap(), inbound, Some(SERVERS));
        for local in ["10.152.152.11:80", "[::ffff:10.152.152.11]:80"] {
            assert_eq!(on(local, Inbound::Loopback), ListenVerdict::Pass);
            assert_eq!(on(local, Inbound::Allow), ListenVerdict::Pass);
            assert_eq!(on(local, Inbound::Deny), ListenVerdict::Refuse(Errno::EACCES));
        }
        assert_eq!(on("10.152.152.12:80", Inbound::Loopback), ListenVerdict::Refuse(Errno::EACCES));
        // Bound before anybody could move it.
        assert_eq!(on("0.0.0.0:80", Inbound::Loopback), ListenVerdict::Confine);
        assert_eq!(on("[::1]:80", Inbound::Loopback), ListenVerdict::Pass);
    }

    #[test]
    fn moving() {
        let to = |local: &str| moved(local.parse().unwrap(), SERVERS).map(|address| std::format!("{address}"));
        for local in ["127.0.0.1:80", "0.0.0.0:80", "127.9.9.9:80"] {
            assert_eq!(to(local).as_deref(), Some("10.152.152.11:80"), "{local}");
        }
        for local in ["[::]:80", "[::ffff:127.0.0.1]:80", "[::ffff:0.0.0.0]:80"] {
            assert_eq!(to(local).as_deref(), Some("[::ffff:10.152.152.11]:80"), "{local}");
        }
        for local in ["[::1]:80", "10.152.152.11:80", "10.152.152.12:80", "127.200.0.1:80", "[2001:db8::1]:80"] {
            assert_eq!(to(local), None, "{local}");
        }
    }

    #[test]
    fn finding() {
        let at = |peer: &str| found_at(peer.parse().unwrap(), SERVERS).map(|address| std::format!("{address}"));
        for peer in ["127.0.0.1:80", "0.0.0.0:80", "10.152.152.11:80"] {
            assert_eq!(at(peer).as_deref(), Some("10.152.152.11:80"), "{peer}");
        }
        for peer in ["[::ffff:127.0.0.1]:80", "[::ffff:10.152.152.11]:80"] {
            assert_eq!(at(peer).as_deref(), Some("[::ffff:10.152.152.11]:80"), "{peer}");
        }
        for peer in ["[::1]:80", "[::]:80", "10.152.152.12:80", "127.200.0.1:80"] {
            assert_eq!(at(peer), None, "{peer}");
        }
    }

    #[test]
    fn accepting() {
        let from = |peer: &str, inbound, bound| {
            accept(peer.parse().unwrap(), "10.152.152.11:80".parse().unwrap(), inbound, bound)
        };
        assert_eq!(from("127.0.0.1:5000", Inbound::Loopback, None), AcceptVerdict::Pass);
        assert_eq!(from("10.152.152.11:5000", Inbound::Loopback, None), AcceptVerdict::Pass);
        assert_eq!(from("203.0.113.7:5000", Inbound::Loopback, None), AcceptVerdict::Drop);
        assert_eq!(from("203.0.113.7:5000", Inbound::Allow, None), AcceptVerdict::Pass);
        assert_eq!(from("127.0.0.1:5000", Inbound::Deny, None), AcceptVerdict::Drop);
        assert_eq!(from("203.0.113.7:5000", Inbound::Loopback, Some(SERVERS)), AcceptVerdict::Pass);
        assert_eq!(from("203.0.113.7:5000", Inbound::Loopback, Some(Ipv4Addr::new(10, 0, 0, 1))), AcceptVerdict::Drop);
        assert_eq!(from("203.0.113.7:5000", Inbound::Deny, Some(SERVERS)), AcceptVerdict::Drop);
    }

    #[test]
    fn words_are_read_back() {
        for inbound in Inbound::ALL {
            assert_eq!(inbound.as_str().parse(), Ok(*inbound));
        }
    }

    fn address() -> impl Strategy<Value = SocketAddr> {
        let v4 = prop_oneof![Just(0), Just(0x7f00_0001), any::<u32>()].prop_map(Ipv4Addr::from);
        let v6 = prop_oneof![Just(0), Just(1), any::<u128>()].prop_map(Ipv6Addr::from);
        let ip = prop_oneof![
            v4.clone().prop_map(IpAddr::V4),
            v4.prop_map(|v4| v4.to_ipv6_mapped().into()),
            v6.prop_map(IpAddr::V6),
        ];
        (ip, any::<u16>()).prop_map(SocketAddr::from)
    }

    proptest! {
        #[test]
        fn only_loopback_and_every_address_move_once_in_their_family(local in address(), to: u32) {
            let to = Ipv4Addr::from(to);
            prop_assume!(Peer::of(to.into()) == Peer::Remote);
            if let Some(there) = moved(local, to) {
                prop_assert!(Peer::of(local.ip()) == Peer::Loopback);
                prop_assert_eq!((there.is_ipv6(), there.port()), (local.is_ipv6(), local.port()));
                prop_assert_eq!(canonical(there.ip()), IpAddr::V4(to));
                prop_assert_eq!(moved(there, to), None);
                prop_assert_eq!(listen(there, Inbound::Loopback, Some(to)), ListenVerdict::Pass);
                prop_assert_eq!(listen(there, Inbound::Deny, Some(to)), ListenVerdict::Refuse(Errno::EACCES));
            } else if canonical(local.ip()) != IpAddr::V4(to) {
                prop_assert_eq!(listen(local, Inbound::Loopback, Some(to)), listen(local, Inbound::Loopback, None));
            }
        }
    }
}
