//! The kind of machine, and its resolver.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use serde::Serialize;
use uwt_config::{DetectError, Place, Settings, Surroundings};

use super::finding::{Finding, Severity};

/// What the markers of Whonix and Qubes say.
#[derive(Debug, Serialize)]
pub(super) struct Machine {
    /// `plain`, `qubes`, `whonix-workstation` or `whonix-gateway`.
    place: &'static str,
    /// Whether it is a Whonix-Workstation, inside Qubes or not.
    workstation: bool,
    /// How that is known.
    reason: String,
}

impl Machine {
    pub(super) fn of(found: &Surroundings) -> Self {
        let place = match found.place {
            Place::Qubes => "qubes",
            Place::WhonixWorkstation => "whonix-workstation",
            Place::WhonixGateway => "whonix-gateway",
            Place::Plain => "plain",
        };
        Self { place, workstation: found.is_workstation(), reason: found.reason.clone() }
    }

    /// For people.
    pub(super) fn text(&self) -> &'static str {
        match (self.place, self.workstation) {
            ("qubes", true) => "Whonix-Workstation in Qubes OS",
            ("qubes", false) => "Qubes OS, without the marker of Whonix",
            ("whonix-workstation", _) => "Whonix-Workstation",
            ("whonix-gateway", _) => "Whonix-Gateway",
            _ => "without the markers of Whonix and Qubes OS",
        }
    }
}

/// Whether what runs without uwt goes through Tor too, as far as that can be known without sending anything.
pub(super) fn transparent(settings: &Settings, found: Option<&Surroundings>) -> Option<Finding> {
    let set = settings.transparent_proxy.value;
    let (about, how) = match (set, found) {
        (Some(true), _) => (settings.transparent_proxy.origin.to_string(), "transparent_proxy = true"),
        (None, Some(found)) if found.transparent => ("transparent proxying".to_owned(), "a Whonix-Gateway has it on"),
        _ => return None,
    };
    let what = format!("{how}, so that programs without uwt work too, on circuits that they share");
    let advice = "`uwtctl check transparent-proxy` says whether it is on; `uwtctl gateway firewall --no-transparent` \
                  prints what switches it off";
    Some(Finding::new(Severity::Warning, about, what, advice))
}

/// That the kind of machine is not known.
pub(super) fn undetected(error: &DetectError) -> Finding {
    let advice = "without it uwt runs nothing";
    Finding::new(Severity::Bad, "gateway", error.to_string(), advice)
}

/// A resolver on this machine.
pub(super) fn resolver(root: &Path) -> Option<Finding> {
    let text = fs::read_to_string(root.join("etc/resolv.conf")).ok()?;
    let servers = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next())?
    });
    // A scope (`%lo`) is no part of an address.
    let address = |text: &str| text.split('%').next()?.parse::<IpAddr>().ok();
    let local = servers.filter_map(address).find(|address| address.to_canonical().is_loopback())?;
    let whose = match local.to_string().as_str() {
        "127.0.0.53" | "127.0.0.54" => " (systemd-resolved)",
        _ => "",
    };
    let what = format!(
        "nameserver {local}{whose} is on this machine: what programs without uwt look up leaves it as one program's, at best \
         on one circuit for all"
    );
    let advice = "wrapped commands do not use it; for the others name the gateway's resolver there";
    Some(Finding::new(Severity::Warning, "/etc/resolv.conf", what, advice))
}
