//! Where a connection or a datagram may go.

use core::net::{IpAddr, SocketAddr, SocketAddrV4};

use crate::peer::{is_link_local, is_resolver_port};
use crate::{Errno, Peer, SocketKind, canonical};

/// Where Tor listens on the machine it runs on: its SocksPort, and that of Tor Browser's. On a Whonix-Workstation these
/// ports are forwarded to the gateway.
const TOR: [u16; 2] = [9050, 9150];

/// What the configuration says about destinations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The gateway's SocksPort: speaking to it directly is what proxy settings do, so it passes.
    pub gateway: SocketAddrV4,
    /// Whether services of this machine may be reached.
    pub allow_loopback: bool,
    /// Whether a Tor on this machine may be reached; if not, it looks as if there were none.
    pub local_tor: bool,
}

/// The verdict on connect(2).
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectVerdict {
    /// Connect as asked.
    Pass,
    /// Carry to this address through the gateway.
    Tunnel(SocketAddr),
    /// Carry to the name this reserved address stands for, this port.
    TunnelName(IpAddr, u16),
    /// Answer with this errno.
    Refuse(Errno),
}

/// The verdict on a datagram's destination.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatagramVerdict {
    /// Send as asked.
    Pass,
    /// Answer with this errno.
    Refuse(Errno),
}

/// Decides on connect(2) of an internet socket to `peer`.
///
/// Loopback is direct when allowed, except for the ports of local resolvers: what is asked there leaves the machine by
/// another process. Unspecified-family disconnects and other families are the caller's to tell apart.
pub fn connect(kind: SocketKind, peer: SocketAddr, route: &Route) -> ConnectVerdict {
    match kind {
        SocketKind::Local => return ConnectVerdict::Pass,
        SocketKind::Other => return ConnectVerdict::Refuse(Errno::EACCES),
        SocketKind::Datagram => {
            return match datagram(peer, route) {
                DatagramVerdict::Pass => ConnectVerdict::Pass,
                DatagramVerdict::Refuse(errno) => ConnectVerdict::Refuse(errno),
            };
        }
        SocketKind::Stream => {}
    }
    let (ip, port) = (canonical(peer.ip()), peer.port());
    if !route.local_tor && TOR.contains(&port) && Peer::of(ip) == Peer::Loopback {
        return ConnectVerdict::Refuse(Errno::ECONNREFUSED);
    }
    if ip == IpAddr::V4(*route.gateway.ip()) && port == route.gateway.port() {
        return ConnectVerdict::Pass;
    }
    match Peer::of(ip) {
        Peer::Loopback if is_resolver_port(port) => ConnectVerdict::Refuse(Errno::EACCES),
        Peer::Loopback if route.allow_loopback => ConnectVerdict::Pass,
        Peer::Loopback => ConnectVerdict::Refuse(Errno::EACCES),
        Peer::Reserved => ConnectVerdict::TunnelName(ip, port),
        Peer::Group => ConnectVerdict::Refuse(Errno::ENETUNREACH),
        Peer::Remote => match ip {
            IpAddr::V6(v6) if is_link_local(v6) => ConnectVerdict::Refuse(Errno::ENETUNREACH),
            ip => ConnectVerdict::Tunnel(SocketAddr::new(ip, port)),
        },
    }
}

/// Decides on the destination of sendto(2), sendmsg(2) or connect(2) on a UDP socket: this machine only.
pub fn datagram(peer: SocketAddr, route: &Route) -> DatagramVerdict {
    let local = Peer::of(peer.ip()) == Peer::Loopback;
    if local && route.allow_loopback && !is_resolver_port(peer.port()) {
        DatagramVerdict::Pass
    } else {
        DatagramVerdict::Refuse(Errno::EACCES)
    }
}

/// Whether what goes to `peer` is a question to a name server, which the cage answers whoever is asked.
#[must_use]
pub fn asks_name_server(kind: SocketKind, peer: SocketAddr) -> bool {
    let carries = matches!(kind, SocketKind::Stream | SocketKind::Datagram);
    carries && peer.port() == DNS && Peer::of(peer.ip()) != Peer::Group
}

/// The port of name servers (RFC 1035 §4.2).
const DNS: u16 = 53;

#[cfg(test)]
mod tests {
    use super::*;

    fn route(allow_loopback: bool) -> Route {
        Route { gateway: "10.152.152.10:9050".parse().unwrap(), allow_loopback, local_tor: true }
    }

    fn verdict(kind: SocketKind, peer: &str) -> ConnectVerdict {
        connect(kind, peer.parse().unwrap(), &route(true))
    }

    #[test]
    fn streams() {
        use ConnectVerdict::{Pass, Refuse, Tunnel, TunnelName};
        for (peer, expected) in [
            ("127.0.0.1:80", Pass),
            ("[::1]:80", Pass),
            ("0.0.0.0:80", Pass),
            ("[::ffff:127.0.0.1]:80", Pass),
            ("10.152.152.10:9050", Pass),
            ("[::ffff:10.152.152.10]:9050", Pass),
            ("10.152.152.10:9051", Tunnel("10.152.152.10:9051".parse().unwrap())),
            ("127.0.0.53:53", Refuse(Errno::EACCES)),
            ("[::1]:853", Refuse(Errno::EACCES)),
            ("203.0.113.9:443", Tunnel("203.0.113.9:443".parse().unwrap())),
            ("[::ffff:203.0.113.9]:443", Tunnel("203.0.113.9:443".parse().unwrap())),
            ("[2001:db8::1]:22", Tunnel("[2001:db8::1]:22".parse().unwrap())),
            ("127.200.0.1:80", TunnelName("127.200.0.1".parse().unwrap(), 80)),
            ("[::ffff:127.200.0.1]:80", TunnelName("127.200.0.1".parse().unwrap(), 80)),
            ("224.0.0.1:80", Refuse(Errno::ENETUNREACH)),
            ("255.255.255.255:80", Refuse(Errno::ENETUNREACH)),
            ("[fe80::1]:80", Refuse(Errno::ENETUNREACH)),
        ] {
            assert_eq!(verdict(SocketKind::Stream, peer), expected, "{peer}");
        }
    }

    #[test]
    fn a_tor_on_this_machine_can_be_hidden() {
        let tor = ["127.0.0.1:9050", "127.0.0.1:9150", "[::1]:9150", "[::ffff:127.0.0.1]:9050", "0.0.0.0:9050"];
        for gateway in ["10.152.152.10:9050", "127.0.0.1:9050"].map(|gateway| gateway.parse().unwrap()) {
            for (local_tor, expected) in
                [(true, ConnectVerdict::Pass), (false, ConnectVerdict::Refuse(Errno::ECONNREFUSED))]
            {
                let route = Route { gateway, allow_loopback: true, local_tor };
                for peer in tor {
                    assert_eq!(connect(SocketKind::Stream, peer.parse().unwrap(), &route), expected, "{peer}");
                }
                for peer in ["127.0.0.1:9051", "10.152.152.10:80"] {
                    let verdict = connect(SocketKind::Stream, peer.parse().unwrap(), &route);
                    assert_ne!(verdict, ConnectVerdict::Refuse(Errno::ECONNREFUSED), "{peer}");
                }
            }
        }
    }

    #[test]
    fn loopback_can_be_closed_but_the_gateway_stays_open() {
        let closed = Route { gateway: "127.0.0.1:9050".parse().unwrap(), allow_loopback: false, local_tor: true };
        let to = |peer: &str| connect(SocketKind::Stream, peer.parse().unwrap(), &closed);
        assert_eq!(to("127.0.0.1:80"), ConnectVerdict::Refuse(Errno::EACCES));
        assert_eq!(to("127.0.0.1:9050"), ConnectVerdict::Pass);
    }

    #[test]
    fn datagrams_stay_here() {
        let refused = ConnectVerdict::Refuse(Errno::EACCES);
        for peer in [
            "203.0.113.9:53",
            "127.0.0.53:53",
            "224.0.0.251:5353",
            "[2001:db8::1]:123",
            "127.200.0.1:9",
            "255.255.255.255:67",
            "10.152.152.10:9050",
        ] {
            assert_eq!(verdict(SocketKind::Datagram, peer), refused, "{peer}");
        }
        assert_eq!(verdict(SocketKind::Datagram, "127.0.0.1:4000"), ConnectVerdict::Pass);
        assert_eq!(verdict(SocketKind::Other, "127.0.0.1:4000"), refused);
    }

    #[test]
    fn name_servers() {
        let asks = |kind, peer: &str| asks_name_server(kind, peer.parse().unwrap());
        for peer in ["203.0.113.9:53", "127.0.0.53:53", "127.200.0.1:53", "[2001:db8::1]:53", "[::ffff:10.0.0.1]:53"] {
            assert!(asks(SocketKind::Datagram, peer) && asks(SocketKind::Stream, peer), "{peer}");
            assert!(!asks(SocketKind::Local, peer) && !asks(SocketKind::Other, peer), "{peer}");
        }
        for peer in ["203.0.113.9:853", "224.0.0.251:53", "255.255.255.255:53", "[ff02::fb]:53"] {
            assert!(!asks(SocketKind::Datagram, peer), "{peer}");
        }
    }

    proptest::proptest! {
        #[test]
        fn only_this_machine_and_the_gateway_pass(bits: u32, port: u16) {
            let peer = SocketAddr::new(core::net::Ipv4Addr::from(bits).into(), port);
            if connect(SocketKind::Stream, peer, &route(true)) == ConnectVerdict::Pass {
                assert!(peer.ip().is_loopback() || peer.ip().is_unspecified() || peer == SocketAddr::V4(route(true).gateway));
            }
        }
    }
}
