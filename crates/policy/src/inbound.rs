//! Who may connect to a wrapped server.

use core::net::SocketAddr;

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

/// Decides on listen(2) of a TCP socket bound to `local`.
///
/// A server on every address is confined to this machine, for that is where it can be reached anyway. One that names an
/// address of the network wants to be reached from there: that is refused, not quietly narrowed.
pub fn listen(local: SocketAddr, inbound: Inbound) -> ListenVerdict {
    match inbound {
        Inbound::Allow => ListenVerdict::Pass,
        Inbound::Deny => ListenVerdict::Refuse(Errno::EACCES),
        Inbound::Loopback if canonical(local.ip()).is_unspecified() => ListenVerdict::Confine,
        Inbound::Loopback => match Peer::of(local.ip()) {
            Peer::Loopback | Peer::Reserved => ListenVerdict::Pass,
            Peer::Group | Peer::Remote => ListenVerdict::Refuse(Errno::EACCES),
        },
    }
}

/// Decides on an accepted TCP connection: concerns listening sockets that were there before the program was wrapped.
///
/// A peer with the socket's own local address is this machine too.
pub fn accept(peer: SocketAddr, local: SocketAddr, inbound: Inbound) -> AcceptVerdict {
    let own = Peer::of(peer.ip()) == Peer::Loopback || peer.ip() == local.ip();
    match inbound {
        Inbound::Allow => AcceptVerdict::Pass,
        Inbound::Loopback if own => AcceptVerdict::Pass,
        Inbound::Loopback | Inbound::Deny => AcceptVerdict::Drop,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listening() {
        let on = |local: &str, inbound| listen(local.parse().unwrap(), inbound);
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
    fn accepting() {
        let from = |peer: &str, inbound| accept(peer.parse().unwrap(), "10.152.152.11:80".parse().unwrap(), inbound);
        assert_eq!(from("127.0.0.1:5000", Inbound::Loopback), AcceptVerdict::Pass);
        assert_eq!(from("10.152.152.11:5000", Inbound::Loopback), AcceptVerdict::Pass);
        assert_eq!(from("203.0.113.7:5000", Inbound::Loopback), AcceptVerdict::Drop);
        assert_eq!(from("203.0.113.7:5000", Inbound::Allow), AcceptVerdict::Pass);
        assert_eq!(from("127.0.0.1:5000", Inbound::Deny), AcceptVerdict::Drop);
    }

    #[test]
    fn words_are_read_back() {
        for inbound in Inbound::ALL {
            assert_eq!(inbound.as_str().parse(), Ok(*inbound));
        }
    }
}
