//! nft counters in the workstation's output hook.

use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::Netns;
use super::gateway::GATEWAY_V4;
use crate::process::run;

/// Packets that left a workstation, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// TCP to an allowed port of the gateway: the `SocksPort`.
    pub socks: u64,
    /// Other TCP over IPv4.
    pub tcp: u64,
    /// UDP over IPv4 to port 53.
    pub dns: u64,
    /// Other UDP over IPv4.
    pub udp: u64,
    /// ICMP over IPv4.
    pub icmp: u64,
    /// Anything over IPv6.
    pub v6: u64,
    /// Anything else over IPv4.
    pub other: u64,
}

impl Counters {
    /// How many packets were not for the `SocksPort`.
    #[must_use]
    pub fn leaked(&self) -> u64 {
        self.tcp + self.dns + self.udp + self.icmp + self.v6 + self.other
    }
}

/// The ruleset that counts; it drops nothing.
pub(super) fn ruleset(ports: &[u16]) -> String {
    let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
    format!(
        "table inet uwt {{
            counter n_socks {{ }}
            counter n_tcp {{ }}
            counter n_dns {{ }}
            counter n_udp {{ }}
            counter n_icmp {{ }}
            counter n_v6 {{ }}
            counter n_other {{ }}
            set allowed {{ type inet_service; elements = {{ {ports} }}; }}
            chain output {{
                type filter hook output priority raw; policy accept;
                oifname \"lo\" accept
                ip daddr {GATEWAY_V4} tcp dport @allowed counter name \"n_socks\" accept
                meta nfproto ipv6 counter name \"n_v6\" accept
                meta l4proto tcp counter name \"n_tcp\" accept
                udp dport 53 counter name \"n_dns\" accept
                meta l4proto udp counter name \"n_udp\" accept
                meta l4proto icmp counter name \"n_icmp\" accept
                counter name \"n_other\"
            }}
        }}",
        ports = ports.join(", "),
    )
}

/// `nft -j list counters`
#[derive(Deserialize)]
struct Listing {
    nftables: Vec<Item>,
}

/// One element of the listing; only counters matter.
#[derive(Deserialize)]
struct Item {
    counter: Option<Named>,
}

/// A counter.
#[derive(Deserialize)]
struct Named {
    name: String,
    packets: u64,
}

/// Reads all counters.
pub(super) fn read(netns: &Netns) -> Result<Counters> {
    let output = run(nft(netns).args(["-j", "list", "counters", "table", "inet", "uwt"]))?;
    parse(&output.stdout)
}

/// Sets all counters to 0.
pub(super) fn reset(netns: &Netns) -> Result<()> {
    run(nft(netns).args(["reset", "counters", "table", "inet", "uwt"])).map(drop)
}

/// nft inside the namespace.
fn nft(netns: &Netns) -> Command {
    netns.command("nft")
}

/// From JSON.
fn parse(json: &[u8]) -> Result<Counters> {
    let listing: Listing = serde_json::from_slice(json).context("read nft's JSON")?;
    let mut counters = Counters::default();
    let mut found = 0;
    for counter in listing.nftables.into_iter().filter_map(|item| item.counter) {
        let field = match counter.name.as_str() {
            "n_socks" => &mut counters.socks,
            "n_tcp" => &mut counters.tcp,
            "n_dns" => &mut counters.dns,
            "n_udp" => &mut counters.udp,
            "n_icmp" => &mut counters.icmp,
            "n_v6" => &mut counters.v6,
            "n_other" => &mut counters.other,
            _ => continue,
        };
        *field = counter.packets;
        found += 1;
    }
    // A ruleset somebody flushed must not look like silence.
    anyhow::ensure!(found == 7, "nft shows {found} of 7 counters");
    Ok(counters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_counters_are_an_error() {
        assert!(parse(br#"{"nftables": [{"metainfo": {}}]}"#).is_err());
        assert!(parse(b"").is_err());
    }

    #[test]
    fn the_socks_port_is_no_leak() {
        let names = ["socks", "tcp", "dns", "udp", "icmp", "v6", "other"];
        let items: Vec<String> =
            names.iter().map(|name| format!(r#"{{"counter": {{"name": "n_{name}", "packets": 2}}}}"#)).collect();
        let counters = parse(format!(r#"{{"nftables": [{}]}}"#, items.join(",")).as_bytes()).expect("counters");
        assert_eq!((counters.socks, counters.leaked()), (2, 12));
    }
}
