//! `uwtctl gateway`: the lines, as the programs of the gateway take them.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::place::{Place, run};
use crate::program::{ran, wide};
use crate::schema::json;

/// The text for people, which is the one in the JSON.
fn lines(place: &Place, arguments: &[&str]) -> (Value, String) {
    let arguments = [&["gateway"], arguments].concat();
    let (_, document) = json(place, &arguments);
    let text = ran(place, &arguments).succeeded().to_owned();
    assert_eq!(document["text"], text);
    assert!(wide(&text).is_empty(), "{:#?}", wide(&text));
    (document, text)
}

/// What Tor makes of a torrc; `Err`: what it complains about.
fn tor(place: &Place, torrc: &Path) -> Result<String, String> {
    let defaults = place.file("defaults", "");
    let options = |task: &[&str]| {
        let mut command = Command::new("tor");
        command.args(task).arg("--DataDirectory").arg(place.at("tor")).arg("--defaults-torrc").arg(&defaults);
        run(command.arg("-f").arg(torrc))
    };
    let verified = options(&["--verify-config"]);
    if verified.status != 0 || verified.out.contains("Failed to") {
        return Err(verified.out);
    }
    let dumped = options(&["--dump-config", "short", "--hush"]);
    assert_eq!(dumped.status, 0, "{dumped:?}");
    Ok(dumped.out)
}

/// The SocksPorts of a dumped configuration.
fn socks_ports(dumped: &str) -> Vec<&str> {
    dumped.lines().filter_map(|line| line.strip_prefix("SocksPort ")).collect()
}

#[test]
fn a_debian_gateway_gets_the_whole_plan() {
    let place = Place::new();
    place.configure("gateway = \"10.9.8.7\"\n[command.git]\nport = 9160\n[command.ssh]\nport = 9400\n");
    let (document, text) = lines(&place, &["torrc", "--for", "debian"]);
    let dumped = tor(&place, &place.file("torrc", &text)).expect("valid");
    let ports = socks_ports(&dumped);
    assert_eq!(ports.len(), 9 + 37 + 1, "{ports:#?}");
    for line in [
        "10.9.8.7:9050",
        "10.9.8.7:9102 IsolateDestAddr IsolateDestPort",
        "10.9.8.7:9150 KeepAliveIsolateSOCKSAuth",
        "10.9.8.7:9153",
        "10.9.8.7:9160 IsolateDestAddr",
        "10.9.8.7:9179 IsolateDestPort",
        "10.9.8.7:9189 IsolateDestAddr IsolateDestPort",
        "10.9.8.7:9400",
    ] {
        assert!(ports.contains(&line), "{line}: {ports:#?}");
    }
    assert!(text.contains("# git\nSocksPort 10.9.8.7:9160 IsolateDestAddr\n"), "{text}");
    assert_eq!((&document["kind"], &document["address"]), (&json!("debian"), &json!("10.9.8.7")));
    assert_eq!(document["ports"].as_array().map(Vec::len), Some(ports.len()));
    assert!(!dumped.contains("TransPort 0"), "{dumped}");
}

#[test]
fn a_tor_on_this_machine_leaves_tor_browsers_own_its_port() {
    let place = Place::new();
    place.configure("gateway = \"127.0.0.1\"\n");
    let (_, text) = lines(&place, &["torrc", "--for", "debian"]);
    let dumped = tor(&place, &place.file("torrc", &text)).expect("valid");
    let ports = socks_ports(&dumped);
    assert!(ports.contains(&"127.0.0.1:9050") && !ports.iter().any(|port| port.contains("9150")), "{ports:#?}");
    let (_, text) = lines(&place, &["firewall", "--for", "debian", "--no-transparent"]);
    assert!(text.lines().all(|line| line.starts_with('#') || line.is_empty()), "{text}");
}

/// As a Whonix-Gateway has it: its own lines come first, the user's file last, all of them one configuration.
fn whonix(place: &Place, lines: &str) -> Result<String, String> {
    let own = "SocksPort 10.152.152.10:9050\nSocksPort 10.152.152.10:9153\nSocksPort 10.152.152.10:9160 IsolateDestAddr\n\
        TransPort 127.0.0.1:9041\nTransPort 10.152.152.10:9040\nDnsPort 127.0.0.1:5400\nDnsPort 10.152.152.10:5300\n";
    let (own, user) = (place.file("70_workstation.conf", own), place.file("50_user.conf", lines));
    let torrc = format!("%include {}\n%include {}\n", own.display(), user.display());
    tor(place, &place.file("torrc", torrc))
}

#[test]
fn a_whonix_gateway_gets_what_it_lacks() {
    let place = Place::new();
    let configured = "gateway = \"10.152.152.10\"\n[command.git]\nport = 9160\n[command.wget]\nport = 9104\n";
    place.configure(configured);
    let (document, text) = lines(&place, &["torrc", "--for", "whonix"]);
    assert_eq!(document["ports"], json!([]));
    assert!(!text.contains("\nSocksPort"), "{text}");
    let (_, text) = lines(&place, &["firewall", "--for", "whonix"]);
    assert!(!text.contains("INTERNAL_OPEN_PORTS"), "{text}");

    place.configure(&format!("{configured}[command.ssh]\nport = 9400\n"));
    let (document, text) = lines(&place, &["torrc", "--for", "whonix"]);
    assert_eq!(document["ports"], json!([{"port": 9400, "isolation": [], "for": ["ssh"]}]));
    let dumped = whonix(&place, &text).expect("valid");
    assert_eq!(socks_ports(&dumped).len(), 4, "{dumped}");
    assert!(dumped.contains("TransPort 10.152.152.10:9040"), "{dumped}");
}

#[test]
fn without_transparent_proxying_tor_has_no_such_port_left() {
    let place = Place::new();
    place.configure("gateway = \"10.152.152.10\"\n");
    let refused = whonix(&place, "TransPort 0\nDnsPort 0\n").expect_err("Tor refuses the two lines alone");
    assert!(refused.contains("along with"), "{refused}");
    let (_, text) = lines(&place, &["torrc", "--for", "whonix", "--no-transparent"]);
    let dumped = whonix(&place, &text).expect("valid");
    let transparent: Vec<&str> =
        dumped.lines().filter(|line| line.contains("TransPort") || line.contains("DNSPort")).collect();
    assert_eq!(transparent, ["DNSPort 0", "TransPort 0"]);
    assert_eq!(socks_ports(&dumped).len(), 3, "{dumped}");
    let (_, text) = lines(&place, &["torrc", "--for", "debian", "--no-transparent"]);
    assert!(tor(&place, &place.file("torrc", &text)).expect("valid").contains("TransPort 0"));
}

#[test]
fn whonix_firewall_reads_its_lines_with_a_shell() {
    let place = Place::new();
    place.configure("gateway = \"10.152.152.10\"\n[command.ssh]\nport = 9400\n[command.git]\nport = 9401\n");
    let (_, text) = lines(&place, &["firewall", "--for", "whonix", "--no-transparent"]);
    let file = place.file("50_user.conf", &text);
    let script = "INTERNAL_OPEN_PORTS=' 80 '; WORKSTATION_TRANSPARENT_TCP=1; WORKSTATION_TRANSPARENT_DNS=1; . \"$1\"\n\
        echo $INTERNAL_OPEN_PORTS $WORKSTATION_TRANSPARENT_TCP $WORKSTATION_TRANSPARENT_DNS";
    let read = run(Command::new("bash").args(["-euc", script, "bash"]).arg(file));
    assert_eq!(read.succeeded(), "80 9400 9401 0 0\n");
    let (_, text) = lines(&place, &["firewall", "--for", "whonix"]);
    assert!(!text.contains("TRANSPARENT"), "{text}");
}

#[test]
fn nftables_takes_its_lines_once_and_again() {
    let place = Place::new();
    place.configure("gateway = \"10.9.8.7\"\n[command.ssh]\nport = 9400\n");
    for arguments in [&["firewall", "--for", "debian"][..], &["firewall", "--for", "debian", "--no-transparent"]] {
        let (_, text) = lines(&place, arguments);
        let file = place.file("lines.nft", &text);
        // A network of its own, in which its root is whoever runs this.
        let script = "nft --check --file \"$1\" && nft --file \"$1\" && nft --file \"$1\" && nft list ruleset";
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--net", "sh", "-ec", script, "sh"]).arg(&file);
        let listed = run(&mut command);
        let listed = listed.succeeded();
        assert!(listed.contains("9180") && listed.contains("9400") && listed.contains("10.9.8.7"), "{listed}");
        let refusals = listed.matches("reject with tcp reset").count();
        assert_eq!(refusals, if arguments.len() > 3 { 2 } else { 0 }, "{listed}");
    }
}

#[test]
fn a_port_that_is_no_socks_port_on_whonix_is_refused() {
    let place = Place::new();
    for port in [9040, 9051, 9190, 9229] {
        place.configure(&format!("gateway = \"10.152.152.10\"\n[command.ssh]\nport = {port}\n"));
        let refused = ran(&place, &["gateway", "torrc", "--for", "whonix"]);
        assert_eq!((refused.status, refused.out.as_str()), (2, ""), "{refused:?}");
        assert!(refused.err.contains(&format!("port {port}, set for ssh")), "{refused:?}");
    }
}

#[test]
fn where_there_is_no_whonix_its_gateway_has_no_known_address() {
    let refused = ran(&Place::new(), &["gateway", "firewall", "--for", "whonix"]);
    assert_eq!((refused.status, refused.out.as_str()), (2, ""), "{refused:?}");
    assert!(refused.err.contains("there is no Whonix here"), "{refused:?}");
}

#[test]
fn commands_with_another_gateway_are_named_and_left_out() {
    let place = Place::new();
    place.configure("gateway = \"10.9.8.7\"\n[command.ssh]\nport = 9400\ngateway = \"10.1.1.1\"\n");
    let (document, text) = lines(&place, &["torrc", "--for", "debian"]);
    assert!(text.contains("ssh") && !text.contains("9400"), "{text}");
    assert!(document["ports"].as_array().is_some_and(|ports| ports.iter().all(|port| port["port"] != 9400)));
    assert!(fs::read_dir(place.at("etc")).expect("a folder").count() == 1, "it writes nothing");
}
