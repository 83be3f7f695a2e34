//! Names of addresses, and addresses that an exit found.

use core::net::{IpAddr, Ipv4Addr};

use crate::{HostName, Peer, canonical};

/// What this machine's own name resolves to: what Debian's /etc/hosts has for it.
pub const OWN_ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 1);

/// The verdict on the lookup of an address's name.
#[expect(clippy::large_enum_variant, reason = "there is no heap to box the name on")]
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReverseVerdict {
    /// The name that this reserved address stands for.
    Reserved(Ipv4Addr),
    /// This name.
    Known(HostName),
    /// To be asked of the gateway (RESOLVE_PTR), in this form.
    Remote(IpAddr),
    /// There is none.
    NotFound,
}

/// Decides on the lookup of an address's name; `own` is this machine's, `bound` the address that its servers are bound to: a
/// server that asks for the name of its own address would tell it to an exit.
pub fn reverse(address: IpAddr, own: &[u8], bound: Option<Ipv4Addr>) -> ReverseVerdict {
    let address = canonical(address);
    let known = |name| HostName::parse(name).map_or(ReverseVerdict::NotFound, ReverseVerdict::Known);
    match (Peer::of(address), address) {
        (_, IpAddr::V4(v4)) if Some(v4) == bound => known(own),
        (Peer::Reserved, IpAddr::V4(address)) => ReverseVerdict::Reserved(address),
        (Peer::Reserved | Peer::Group, _) => ReverseVerdict::NotFound,
        (Peer::Loopback, _) if address.is_unspecified() => ReverseVerdict::NotFound,
        (Peer::Loopback, _) if address == OWN_ADDRESS => known(own),
        (Peer::Loopback, _) => known(b"localhost"),
        (Peer::Remote, _) => ReverseVerdict::Remote(address),
    }
}

/// The address that an exit found for a name, in the form a program may get; `None` for what an exit must not be able to
/// point a program at: this machine (DNS rebinding) or another name's address.
#[must_use]
pub fn resolved(address: IpAddr) -> Option<IpAddr> {
    (Peer::of(address) == Peer::Remote).then(|| canonical(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVERS: Ipv4Addr = Ipv4Addr::new(10, 152, 152, 11);

    #[test]
    fn names_of_addresses() {
        let known = |name: &str| ReverseVerdict::Known(HostName::parse(name.as_bytes()).unwrap());
        for (address, expected) in [
            ("127.0.0.1", known("localhost")),
            ("::1", known("localhost")),
            ("127.0.1.1", known("host.example")),
            ("::ffff:127.0.1.1", known("host.example")),
            ("10.152.152.11", known("host.example")),
            ("::ffff:10.152.152.11", known("host.example")),
            ("0.0.0.0", ReverseVerdict::NotFound),
            ("::", ReverseVerdict::NotFound),
            ("224.0.0.1", ReverseVerdict::NotFound),
            ("127.200.0.1", ReverseVerdict::Reserved(Ipv4Addr::new(127, 200, 0, 1))),
            ("::ffff:127.200.0.1", ReverseVerdict::Reserved(Ipv4Addr::new(127, 200, 0, 1))),
            ("203.0.113.9", ReverseVerdict::Remote("203.0.113.9".parse().unwrap())),
            ("::ffff:203.0.113.9", ReverseVerdict::Remote("203.0.113.9".parse().unwrap())),
            ("2001:db8::1", ReverseVerdict::Remote("2001:db8::1".parse().unwrap())),
        ] {
            assert_eq!(reverse(address.parse().unwrap(), b"host.example", Some(SERVERS)), expected, "{address}");
        }
        for address in [OWN_ADDRESS, SERVERS] {
            assert_eq!(reverse(address.into(), b"", Some(SERVERS)), ReverseVerdict::NotFound);
        }
        assert_eq!(reverse(SERVERS.into(), b"host.example", None), ReverseVerdict::Remote(SERVERS.into()));
    }

    #[test]
    fn an_exit_points_at_no_machine_of_ours() {
        for address in ["127.0.0.1", "::1", "0.0.0.0", "127.200.0.1", "::ffff:127.0.0.1", "224.0.0.1"] {
            assert_eq!(resolved(address.parse().unwrap()), None, "{address}");
        }
        let v4: IpAddr = "203.0.113.9".parse().unwrap();
        assert_eq!(resolved("::ffff:203.0.113.9".parse().unwrap()), Some(v4));
    }
}
