//! What the preload leaves to the guard and the helper: name servers, and names that the whole tree knows.

use crate::site::Site;

/// The first line that a program prints, and whom the gateway was asked for.
fn first(site: &Site, command: &[&str]) -> (String, Vec<String>) {
    let seen = site.watch(site.uwt(&["--guard", "tunnel"]).args(command));
    assert!(seen.status.success() && seen.notes.is_empty(), "{seen:?}");
    (seen.output.split("; ").next().unwrap_or_default().to_owned(), seen.targets())
}

#[test]
fn a_program_that_asks_name_servers_finds_names() {
    let site = Site::new();
    for server in ["@203.0.113.9", "@127.0.0.53", "@2001:db8::53", "@127.0.0.1"] {
        for over in ["+notcp", "+tcp"] {
            let (address, _) = first(&site, &["dig", server, over, "+short", "+tries=1", "www.example.test"]);
            let address: std::net::Ipv4Addr = address.parse().unwrap_or_else(|_| panic!("{server} {over}: {address}"));
            assert!(address.octets()[0] == 127 && address.octets()[1] >= 192, "{server} {over}: {address}");
        }
    }
}

#[test]
fn a_name_is_known_to_the_whole_tree() {
    let site = Site::new();
    for ask in ["getent ahostsv4 www.example.test", "dig @203.0.113.9 +short www.example.test"] {
        let script = format!("exec 3<>/dev/tcp/$({ask} | head -n1 | cut -d' ' -f1)/80; echo hi >&3; head -n1 <&3");
        let seen = first(&site, &["/bin/bash", "-c", &script]);
        assert_eq!(seen, ("hi".to_owned(), vec!["\"www.example.test\":80".to_owned()]), "{ask}");
    }
}

#[test]
fn a_moved_socket_keeps_what_it_was_set_to() {
    let site = Site::new();
    let script = "socket inet dgram+nonblock; setopt device text=lo; connect 203.0.113.9:53; getopt device; recv 1";
    let seen = site.run_with(&["--guard", "tunnel"], script);
    // In the cage it is bound to no device, and a socket that does not wait still does not.
    assert_eq!(seen.output, "ok; ok; ok; ; EAGAIN", "{seen:?}");
}
