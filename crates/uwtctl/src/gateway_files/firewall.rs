//! Who gets to the SocksPorts, for the firewall.

use uwt_cli::ctl::GatewayKind;

use super::target::Target;
use super::{File, comment};

/// The lines for a gateway.
pub(super) fn lines(target: &Target, no_transparent: bool) -> File {
    match target.kind {
        GatewayKind::Whonix => whonix(target, no_transparent),
        GatewayKind::Debian => debian(target, no_transparent),
    }
}

/// Variables of whonix_firewall, which reads its files with a shell.
fn whonix(target: &Target, no_transparent: bool) -> File {
    let ports = if target.is_here() { Vec::new() } else { target.ports() };
    let mut text =
        comment("For /usr/local/etc/whonix_firewall.d/50_user.conf on the Whonix-Gateway, by uwtctl gateway firewall.");
    text += "# Then: sudo whonix_firewall\n\n";
    if ports.is_empty() {
        text += &comment("Nothing has to be opened: workstations reach every SocksPort that they use.");
    } else {
        let ports: Vec<String> = ports.iter().map(|port| port.port.to_string()).collect();
        text += &comment("SocksPorts that workstations reach besides those of Whonix.");
        text.extend(["INTERNAL_OPEN_PORTS+=\" ", &ports.join(" "), " \"\n"]);
    }
    if no_transparent {
        text += "\n";
        text += &comment("No transparent proxying: what uses no SocksPort does not connect.");
        text += "WORKSTATION_TRANSPARENT_TCP=0\nWORKSTATION_TRANSPARENT_DNS=0\n";
    }
    File { path: "/usr/local/etc/whonix_firewall.d/50_user.conf", ports, text }
}

/// nft(8).
fn debian(target: &Target, no_transparent: bool) -> File {
    let path = "/etc/nftables.conf";
    let mut text = comment("For nftables on the gateway, by uwtctl gateway firewall.");
    text += "# Check it: nft --check --file FILE\n\n";
    if target.is_here() {
        text += &comment("Nothing has to be opened: the SocksPorts are on this machine and for it alone.");
        if no_transparent {
            text += &comment(
                "Nothing is redirected to Tor's TransPort or DnsPort unless a rule of yours does that; look for it \
                 with: nft list ruleset",
            );
        }
        return File { path, ports: Vec::new(), text };
    }
    let ports = target.ports();
    let numbers: Vec<String> = ports.iter().map(|port| port.port.to_string()).collect();
    text += &comment(
        "The SocksPorts. This belongs in the chain that filters what comes in, before what drops there; where nothing is \
         dropped it changes nothing.",
    );
    let opened = format!(
        "table inet filter {{\n    chain input {{\n        ip daddr {} tcp dport {{\n            {}\n        }} accept\n    }}\n}}\n",
        target.address,
        rows(&numbers).join(",\n            ")
    );
    text += &opened;
    if no_transparent {
        text += "\n";
        text += &comment(
            "No transparent proxying: before anything can redirect it, all is refused that others send and that is not \
             for this machine itself, and their DNS lookups here. This machine forwards nothing then.",
        );
        text += NO_TRANSPARENT;
    }
    File { path, ports, text }
}

/// Loading it again replaces it. A hook at the priority raw (-300) comes before every dstnat (-100), and before connection
/// tracking.
const NO_TRANSPARENT: &str = "\
table inet uwt_no_transparent
delete table inet uwt_no_transparent
table inet uwt_no_transparent {
    chain prerouting {
        type filter hook prerouting priority raw; policy accept;
        iif \"lo\" accept
        tcp dport 53 reject with tcp reset
        udp dport 53 reject
        fib daddr type { local, broadcast, multicast, anycast } accept
        meta l4proto tcp reject with tcp reset
        reject
    }
}
";

/// Numbers in lines of eight.
fn rows(numbers: &[String]) -> Vec<String> {
    numbers.chunks(8).map(|row| row.join(", ")).collect()
}
