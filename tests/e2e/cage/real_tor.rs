//! Through real Tor: each process with a credential and a circuit of its own.

use std::path::Path;

use crate::place::{Place, User};
use crate::programs::programs;

const WWW: &str = "www.lab.test:80";

/// Runs a client as both users below the tunnel; each run has one credential and one circuit, its own.
#[track_caller]
fn carried(client: &[&str], targets: &[&str], says: &str) {
    let mut place = Place::new();
    let folder = programs(&place.lab);
    let path = |word: &&str| word.strip_prefix('@').map_or_else(|| Path::new(word).into(), |name| folder.join(name));
    let mut seen = Vec::new();
    for user in [User::Root, User::Nobody] {
        let words = std::iter::once("--guard=tunnel".into()).chain(client.iter().map(path));
        let mut command = place.uwt(user, words);
        let ran = place.run(&mut command);
        assert!(ran.asked_for(targets).contains(says), "{ran:#?}");
        assert_eq!((ran.users().len(), ran.circuits().len()), (1, 1), "{ran:#?}");
        seen.push((ran.users()[0].to_owned(), ran.circuits()[0]));
    }
    assert!(seen[0].0 != seen[1].0 && seen[0].1 != seen[1].1, "{seen:?}");
}

#[test]
fn static_go_by_name_and_by_address() {
    carried(&["@go-static", "get", "http://www.lab.test/"], &[WWW], "answer 200 OK");
    carried(&["@go-static", "get", "http://203.0.113.1/"], &["203.0.113.1:80"], "answer 200 OK");
}

#[test]
fn go_with_cgo() {
    carried(&["@go-cgo", "get", "http://www.lab.test/"], &[WWW], "answer 200 OK");
}

#[test]
fn musl() {
    carried(&["@musl", "fetch", "www.lab.test", "80", "/"], &[WWW], "200 OK");
}

#[test]
fn busybox_wget() {
    carried(&["busybox", "wget", "-q", "-O", "-", "http://www.lab.test/"], &[WWW], "\"path\":\"/\"");
}

#[test]
fn curl_without_environment() {
    carried(&["env", "-i", "/usr/bin/curl", "-sS", "http://www.lab.test/"], &[WWW], "\"path\":\"/\"");
    // As configured by the distribution: curl knows the gateway, and so would do without the preload.
    let shipped = Place::shipped().root(&["--guard=tunnel", "curl", "-sS", "http://www.lab.test/"]);
    assert!(shipped.asked_for(&[WWW]).contains("\"path\":\"/\""), "{shipped:#?}");
    let unseen = ["@static", "execve", "/usr/bin/curl", "-sS", "http://www.lab.test/"];
    carried(&unseen, &[WWW], "\"path\":\"/\"");
}

#[test]
fn node_by_the_cage() {
    let code = "fetch('http://www.lab.test/').then(reply => console.log('answer', reply.status))";
    carried(&["node", "-e", code], &[WWW], "answer 200");
    carried(&["@static", "execve", "/usr/bin/node", "-e", code], &[WWW], "answer 200");
}

#[test]
fn dig_asks_the_stub() {
    let mut place = Place::new();
    for user in [User::Root, User::Nobody] {
        for server in [None, Some("@192.0.2.53")] {
            let words = ["--guard=tunnel", "dig", "+short", "+tries=1", "www.lab.test"].into_iter().chain(server);
            let mut command = place.uwt(user, words);
            let ran = place.run(&mut command);
            assert_eq!((ran.status, ran.err.as_str()), (Some(0), ""), "{ran:#?}");
            let address: std::net::Ipv4Addr = ran.out.trim().parse().expect("an address");
            assert_eq!((address.octets()[0], address.octets()[1] & 0xc0), (127, 192), "{address}");
        }
        let words = ["--guard=tunnel", "--dns", "resolve", "dig", "+short", "+tries=1", "www.lab.test"];
        let mut command = place.uwt(user, words);
        let ran = place.run(&mut command);
        assert_eq!((ran.status, ran.out.trim()), (Some(0), "203.0.113.1"), "{ran:#?}");
        assert!(!ran.flows.is_empty() && ran.targets().iter().all(|name| *name == "www.lab.test:0"), "{ran:#?}");
    }
}

#[test]
fn a_name_found_by_one_process_is_connected_by_another() {
    let mut place = Place::new();
    let folder = programs(&place.lab);
    // libc finds and a static program connects; and the other way round.
    let leak = folder.join("static");
    let there = format!("{} fetch $(getent ahostsv4 www.lab.test | head -n 1 | cut -d' ' -f1) 80 /", leak.display());
    let back = "curl -sS http://$(busybox nslookup www.lab.test | sed -n 's/^Address: //p' | tail -n 1)/";
    for user in [User::Root, User::Nobody] {
        for (script, says) in [(there.as_str(), "200 OK"), (back, "\"path\":\"/\"")] {
            let mut command = place.uwt(user, ["--guard=tunnel", "sh", "-c", script]);
            let ran = place.run(&mut command);
            assert!(ran.asked_for(&[WWW]).contains(says), "{ran:#?}");
        }
    }
}
