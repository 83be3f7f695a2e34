//! The plan of SocksPorts that Whonix-Gateways have, and that other gateways can have.

use std::ops::RangeInclusive;

use serde::Serialize;

/// What gets circuits of its own on a SocksPort, besides every credential (tor(1), isolation flags).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Isolation {
    /// `IsolateDestAddr`: each destination address.
    pub(crate) address: bool,
    /// `IsolateDestPort`: each destination port.
    pub(crate) port: bool,
}

const NONE: Isolation = Isolation { address: false, port: false };
const ADDRESS: Isolation = Isolation { address: true, port: false };
const PORT: Isolation = Isolation { address: false, port: true };
const BOTH: Isolation = Isolation { address: true, port: true };

impl Isolation {
    /// The flags in Tor's words.
    pub(crate) fn flags(self) -> Vec<&'static str> {
        [(self.address, "IsolateDestAddr"), (self.port, "IsolateDestPort")]
            .into_iter()
            .filter_map(|(is_set, flag)| is_set.then_some(flag))
            .collect()
    }
}

/// Ports of the plan, and what they are for.
#[derive(Debug)]
pub(crate) struct Purpose {
    /// Its ports.
    pub(crate) ports: RangeInclusive<u16>,
    /// Whom it is for.
    pub(crate) whom: &'static str,
    /// How they are told to use it.
    pub(crate) how: How,
    pub(crate) isolation: Isolation,
    /// The programs it is for, by their names.
    pub(crate) programs: &'static [&'static str],
}

/// How programs are told to use a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum How {
    /// By uwt, with a credential.
    Uwt,
    /// By their own settings.
    OwnSettings,
    /// By `uwtctl ports assign`.
    Assigned,
}

/// The port of everything that has none of its own: what uses it is told apart by credentials.
pub(crate) const DEFAULT: u16 = 9050;
/// Tor Browser's, which its own Tor has on a machine without a gateway.
pub(crate) const TOR_BROWSER: u16 = 9150;

const fn app(port: u16, whom: &'static str, isolation: Isolation, programs: &'static [&'static str]) -> Purpose {
    Purpose { ports: port..=port, whom, how: How::OwnSettings, isolation, programs }
}

const fn custom(isolation: Isolation) -> Purpose {
    Purpose {
        ports: assignable(isolation),
        whom: "programs of your choice",
        how: How::Assigned,
        isolation,
        programs: &[],
    }
}

/// The ports that can be given to a command that wants this isolation.
pub(crate) const fn assignable(isolation: Isolation) -> RangeInclusive<u16> {
    match (isolation.address, isolation.port) {
        (false, false) => 9153..=9159,
        (true, false) => 9160..=9169,
        (false, true) => 9170..=9179,
        (true, true) => 9180..=9189,
    }
}

/// All of it, in the order of the ports.
pub(crate) const PLAN: &[Purpose] = &[
    Purpose {
        ports: DEFAULT..=DEFAULT,
        whom: "what has no port of its own",
        how: How::Uwt,
        isolation: NONE,
        programs: &[],
    },
    app(9102, "Thunderbird", BOTH, &["thunderbird"]),
    app(9103, "instant messengers", BOTH, &["dino", "gajim", "pidgin"]),
    app(9108, "sdwdate", BOTH, &["sdwdate"]),
    app(9110, "systemcheck", BOTH, &["systemcheck"]),
    app(9111, "Electrum", NONE, &["electrum"]),
    app(9115, "Tor Browser Downloader", BOTH, &["update-torbrowser"]),
    app(9122, "KDE's proxy settings", NONE, &[]),
    app(TOR_BROWSER, "Tor Browser", NONE, &["torbrowser"]),
    custom(NONE),
    custom(ADDRESS),
    custom(PORT),
    custom(BOTH),
];

/// What a port of the plan is for.
pub(crate) fn purpose(port: u16) -> Option<&'static Purpose> {
    PLAN.iter().find(|it| it.ports.contains(&port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_has_two_purposes_and_every_isolation_has_ports() {
        for (one, other) in PLAN.iter().zip(PLAN.iter().skip(1)) {
            assert!(one.ports.end() < other.ports.start(), "{one:?} {other:?}");
        }
        for (isolation, ports, flags) in [
            (NONE, 9153..=9159, &[][..]),
            (ADDRESS, 9160..=9169, &["IsolateDestAddr"]),
            (PORT, 9170..=9179, &["IsolateDestPort"]),
            (BOTH, 9180..=9189, &["IsolateDestAddr", "IsolateDestPort"]),
        ] {
            assert_eq!((assignable(isolation), isolation.flags().as_slice()), (ports.clone(), flags));
            assert_eq!(purpose(*ports.end()).map(|it| it.isolation), Some(isolation));
        }
        assert_eq!(purpose(9152).map(|it| it.whom), None);
    }
}
