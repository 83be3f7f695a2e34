//! For which gateway lines are, and which SocksPorts it has to have.

use std::net::Ipv4Addr;

use anyhow::bail;
use serde::Serialize;
use uwt_cli::ctl::GatewayKind;
use uwt_config::{Config, GatewayChoice, Place, Probe, Surroundings, detect};

use crate::ports::plan::{DEFAULT, How, PLAN, TOR_BROWSER, purpose};
use crate::ports::usage::{User, users};

/// A gateway.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) kind: GatewayKind,
    /// Where its SocksPorts listen for the commands of this machine.
    pub(super) address: Ipv4Addr,
    pub(super) reason: String,
    /// The commands that use it and have a port of their own.
    users: Vec<User>,
    /// The port of all others.
    default: u16,
    /// The commands with a port of their own that use another gateway.
    pub(super) elsewhere: Vec<String>,
}

/// A SocksPort, and whom it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct SocksPort {
    pub(super) port: u16,
    pub(super) isolation: Vec<&'static str>,
    pub(super) r#for: Vec<String>,
}

/// The SocksPorts that a Whonix-Gateway has of its own, whatever they are for: its default torrc, of 2025.
const OF_WHONIX: &[(u16, u16)] = &[(9050, 9050), (9100, 9111), (9114, 9115), (9117, 9118), (9122, 9125), (9150, 9150)];
/// Those that it has for workstations only.
const FOR_WORKSTATIONS: &[(u16, u16)] = &[(9152, 9189)];
/// What else listens there: TransPorts, Tor's control port, DnsPorts, HTTPTunnelPorts.
const TAKEN_IN_WHONIX: &[(u16, u16)] = &[(5300, 5300), (5400, 5400), (9040, 9041), (9051, 9051), (9190, 9229)];

fn is_in(ranges: &[(u16, u16)], port: u16) -> bool {
    ranges.iter().any(|(first, last)| (*first..=*last).contains(&port))
}

impl Target {
    /// The gateway that commands use unless they have another one.
    ///
    /// # Errors
    /// It cannot be told where it is or of which kind; a command's port can be no SocksPort there.
    pub(super) fn new(config: &Config, kind: Option<GatewayKind>) -> anyhow::Result<Self> {
        let setting = config.global().gateway;
        let (kind, address, reason) = match (setting.value, kind) {
            (GatewayChoice::Address(address), Some(kind)) => (kind, address, setting.origin.to_string()),
            (GatewayChoice::Address(address), None) => {
                (of(&detect(&Probe::default())?), address, setting.origin.to_string())
            }
            (GatewayChoice::Auto, kind) => {
                let found = detect(&Probe::default())?;
                let kind = kind.unwrap_or_else(|| of(&found));
                if kind == GatewayKind::Whonix && of(&found) != kind {
                    bail!(
                        "there is no Whonix here, so that its gateway's address is not known; set gateway = \"ADDRESS\" in \
                         /etc/uwt.d/50_user.toml"
                    );
                }
                (kind, found.gateway, found.reason)
            }
        };
        let is_here = |user: &User| user.gateway == setting.value || user.gateway == GatewayChoice::Address(address);
        let enabled = users(config).into_iter().filter(|user| user.enabled);
        let (users, elsewhere): (Vec<User>, Vec<User>) = enabled.partition(is_here);
        let elsewhere = elsewhere.into_iter().map(|user| user.command).collect();
        let target = Self { kind, address, reason, users, default: config.global().port.value, elsewhere };
        target.check()?;
        Ok(target)
    }

    fn check(&self) -> anyhow::Result<()> {
        let used = self.users.iter().map(|user| (user.port, user.command.as_str()));
        for (port, who) in used.chain([(self.default, "every command")]) {
            if self.kind == GatewayKind::Whonix && is_in(TAKEN_IN_WHONIX, port) {
                bail!(
                    "port {port}, set for {who}, is no SocksPort on a Whonix-Gateway, and something else listens there; \
                     set another one (`uwtctl ports assign` finds one for a command)"
                );
            }
        }
        Ok(())
    }

    /// In JSON.
    pub(super) fn word(&self) -> &'static str {
        match self.kind {
            GatewayKind::Whonix => "whonix",
            GatewayKind::Debian => "debian",
        }
    }

    /// Whether it is this machine.
    pub(super) fn is_here(&self) -> bool {
        self.address.is_loopback()
    }

    /// Whether it has a SocksPort there without any line.
    pub(super) fn has(&self, port: u16) -> bool {
        self.kind == GatewayKind::Whonix
            && (is_in(OF_WHONIX, port) || (!self.is_here() && is_in(FOR_WORKSTATIONS, port)))
    }

    /// The SocksPorts that it has to have: on Debian the whole plan, on Whonix what is used.
    pub(super) fn ports(&self) -> Vec<SocksPort> {
        let planned = PLAN.iter().flat_map(|purpose| purpose.ports.clone());
        // Tor Browser brings a Tor that listens at this port of the machine it runs on.
        let planned =
            planned.filter(|port| self.kind == GatewayKind::Debian && !(self.is_here() && *port == TOR_BROWSER));
        let used = self.users.iter().map(|user| user.port).chain([self.default]);
        let mut ports: Vec<u16> = planned.chain(used).filter(|port| !self.has(*port)).collect();
        ports.sort_unstable();
        ports.dedup();
        ports.into_iter().map(|port| self.socks_port(port)).collect()
    }

    fn socks_port(&self, port: u16) -> SocksPort {
        let known = purpose(port);
        let mut r#for: Vec<String> =
            self.users.iter().filter(|user| user.port == port).map(|user| user.command.clone()).collect();
        if port == self.default && port != DEFAULT {
            r#for.push("everything that has no port of its own".to_owned());
        }
        if let Some(known) = known.filter(|known| known.how != How::Assigned) {
            r#for.insert(0, known.whom.to_owned());
        }
        SocksPort { port, isolation: known.map(|known| known.isolation.flags()).unwrap_or_default(), r#for }
    }

    /// The line of torrc.
    pub(super) fn line(&self, SocksPort { port, isolation, .. }: &SocksPort) -> String {
        let words = std::iter::once(format!("SocksPort {}:{port}", self.address));
        words.chain(isolation.iter().map(|&flag| flag.to_owned())).collect::<Vec<_>>().join(" ")
    }
}

fn of(found: &Surroundings) -> GatewayKind {
    if found.is_workstation() || found.place == Place::WhonixGateway {
        GatewayKind::Whonix
    } else {
        GatewayKind::Debian
    }
}

/// What the gateway needs for a port, for people.
pub(crate) fn needed(config: &Config, port: u16) -> String {
    let target = match Target::new(config, None) {
        Ok(target) => target,
        Err(error) => return format!("Whether the gateway has this SocksPort cannot be told: {error:#}"),
    };
    if target.has(port) {
        return format!("A Whonix-Gateway has SocksPort {port} from the start: nothing is to be done there.");
    }
    let line = target.line(&target.socks_port(port));
    format!("Tor on the gateway needs the line `{line}`. `uwtctl gateway torrc` prints all that it needs.")
}
