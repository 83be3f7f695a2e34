//! The SocksPorts, for Tor.

use std::fmt::Write as _;

use uwt_cli::ctl::GatewayKind;

use super::target::{SocksPort, Target};
use super::{File, comment};
use crate::ports::plan::{DEFAULT, TOR_BROWSER};

/// Tor's own help against closing circuits that Tor Browser still needs (tor(1)).
const KEEP_ALIVE: &str = " KeepAliveIsolateSOCKSAuth";

/// The lines for a gateway.
pub(super) fn lines(target: &Target, no_transparent: bool) -> File {
    let (path, head) = match target.kind {
        GatewayKind::Whonix => (
            "/usr/local/etc/torrc.d/50_user.conf",
            "For /usr/local/etc/torrc.d/50_user.conf on the Whonix-Gateway, by uwtctl gateway torrc.",
        ),
        GatewayKind::Debian => (
            "/etc/tor/torrc",
            "For /etc/tor/torrc on the gateway, in place of the lines SocksPort there, by uwtctl gateway torrc.",
        ),
    };
    let ports = target.ports();
    let mut text = comment(head);
    text += "# Then: sudo -u debian-tor tor --verify-config\n# and:  sudo systemctl reload tor@default\n";
    if target.kind == GatewayKind::Debian && !target.is_here() {
        text += &comment("Whoever reaches this address can use these ports; the firewall has to say who.");
    }
    if !target.elsewhere.is_empty() {
        text += &comment(&format!("Not for these, whose gateway is another one: {}.", target.elsewhere.join(", ")));
    }
    text += "\n";
    if ports.is_empty() {
        text += &comment("Every SocksPort that is used is there from the start.");
    }
    for port in &ports {
        if let Some(said) = said(target, port) {
            text += &comment(&said);
        }
        let keep_alive = if port.port == TOR_BROWSER { KEEP_ALIVE } else { "" };
        let _ = writeln!(text, "{}{keep_alive}", target.line(port));
    }
    if no_transparent {
        text += "\n";
        text += &comment(
            "No transparent proxying: what uses no SocksPort does not connect. This takes back what files before this \
             one set, for Tor refuses a port beside a 0; the gateway's own TransPort and DnsPort are off too.",
        );
        text += "/TransPort\nTransPort 0\n/DnsPort\nDnsPort 0\n";
    }
    File { path, ports, text }
}

/// Whom a port is for.
fn said(target: &Target, SocksPort { port, r#for, .. }: &SocksPort) -> Option<String> {
    let whom = r#for.join(", ");
    if *port == DEFAULT && target.kind == GatewayKind::Debian {
        return Some(format!("{whom}; Tor has this one by itself only as long as it is told no other"));
    }
    (!whom.is_empty()).then_some(whom)
}
