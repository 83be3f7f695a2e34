//! `uwtctl check`, with the gateway's transparent proxying on, off, and not there.

use serde_json::{Value, json};
use support::netns::Identity;

use crate::site::{HOST, Site, WEB};

/// The checks that send something unwrapped.
const TRANSPARENT: [&str; 3] = ["transparent-dns", "transparent-tcp", "transparent-proxy"];

/// The arguments of a check about the lab's web server.
fn arguments<'a>(checks: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [&["check"], checks, &["--host", HOST, "--address", WEB], more].concat()
}

/// The outcomes, in order.
fn outcomes(document: &Value) -> Vec<(&str, &str)> {
    let checks = document["checks"].as_array().expect("checks").iter();
    checks.map(|check| (text(&check["check"]), text(&check["outcome"]))).collect()
}

#[track_caller]
fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

/// All of them ended this way.
#[track_caller]
fn all(document: &Value, outcome: &str) {
    assert_eq!(outcomes(document), TRANSPARENT.map(|check| (check, outcome)), "{document:#}");
}

/// What was seen, each in a line.
fn seen(document: &Value) -> String {
    let facts = document["checks"].as_array().into_iter().flatten().filter_map(|check| check["seen"].as_array());
    facts.flatten().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_the_gateway_carries_unwrapped_is_found() {
    let site = Site::new();
    let state = site.lab.state();
    site.workstation.transparent(state.trans_port, state.dns_port).expect("on");
    let (ran, document) = site.json(&arguments(&TRANSPARENT, &[]));
    all(&document, "bad");
    assert_eq!(ran.status, 1, "{document:#}");
    let seen = seen(&document);
    assert!(seen.contains("www.lab.test: answers 203.0.113.1") && seen.contains("203.0.113.1:80: connected"), "{seen}");
    assert!(text(&document["checks"][0]["meaning"]).contains("DnsPort"), "{document:#}");
    // Whoever watches is told before something is sent.
    assert!(ran.err.contains("sends without uwt") && ran.err.contains("a lookup of www.lab.test"), "{ran:?}");
    // And it was: that is what the check is for.
    assert!(site.workstation.counters().expect("counters").leaked() > 0);
}

#[test]
fn what_the_gateway_keeps_back_is_found() {
    let site = Site::new();
    site.workstation.closed().expect("closed");
    let (ran, document) = site.json(&arguments(&TRANSPARENT, &[]));
    all(&document, "good");
    assert_eq!(ran.status, 0);
    let seen = seen(&document);
    assert_eq!(seen.matches("through Tor: ").count(), 3, "{seen}");
    assert!(site.workstation.counters().expect("counters").leaked() > 0, "nothing was even tried");
    let shown = site.text(&arguments(&["all"], &[]));
    assert_eq!(shown.status, 0, "{shown:?}");
    for check in TRANSPARENT.iter().chain(&["isolation"]) {
        assert!(shown.out.lines().any(|line| line == *check), "{shown:?}");
    }
}

#[test]
fn a_tor_that_is_down_is_not_taken_for_a_gateway_that_keeps_everything_back() {
    let site = Site::new();
    site.workstation.closed().expect("closed");
    site.configure("transparent_proxy = true\nport = 9");
    let (ran, document) = site.json(&arguments(&TRANSPARENT, &["--timeout", "2"]));
    all(&document, "unknown");
    assert_eq!(ran.status, 3);
    assert!(seen(&document).contains("through Tor: the SocksPort 10.152.152.10:9"), "{document:#}");
}

#[test]
fn a_port_that_nobody_has_proves_nothing() {
    let site = Site::new();
    let (ran, document) =
        site.json(&["check", "transparent-tcp", "--host", HOST, "--address", "203.0.113.1:4", "--timeout", "5"]);
    assert_eq!((ran.status, outcomes(&document)), (3, vec![("transparent-tcp", "unknown")]), "{document:#}");
}

#[test]
fn without_an_address_tor_is_asked_and_without_tor_it_is_unknown() {
    let site = Site::new();
    let (_, document) = site.json(&["check", "transparent-tcp", "--host", HOST, "--timeout", "5"]);
    assert!(seen(&document).contains("203.0.113.1:443: "), "{document:#}");
    site.configure("transparent_proxy = true\nport = 9");
    let (ran, document) = site.json(&["check", "transparent-tcp", "--host", HOST, "--timeout", "2"]);
    assert_eq!(ran.status, 3);
    let advice = document["checks"][0]["advice"].to_string();
    assert!(advice.contains("--address IP[:PORT]"), "{document:#}");
}

#[test]
fn nothing_is_sent_where_everybody_could_read_it() {
    let site = Site::new();
    site.configure("transparent_proxy = false");
    let (ran, document) = site.json(&arguments(&TRANSPARENT, &[]));
    all(&document, "unknown");
    assert_eq!((ran.status, ran.err.as_str()), (3, ""));
    site.workstation.assert_no_leaks();

    let (ran, document) = site.json(&arguments(&TRANSPARENT, &["--send-unprotected"]));
    all(&document, "bad");
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("for everybody on the way to see"), "{ran:?}");
    assert!(text(&document["checks"][0]["meaning"]).contains("in clear text"), "{document:#}");
}

#[test]
fn under_uwt_there_is_nothing_to_check() {
    let site = Site::new();
    let uwtctl = site.lab.bin_dir().join("uwtctl").display().to_string();
    // Installs it.
    drop(site.command("uwtctl", &[], None));
    let refused = crate::place::run(&mut site.command("uwt", &[&uwtctl, "check", "all"], None));
    assert_eq!((refused.status, refused.out.as_str()), (2, ""), "{refused:?}");
    assert!(refused.err.contains("without uwt") && refused.err.contains("UWT_SESSION"), "{refused:?}");
    site.workstation.assert_no_leaks();
}

/// The processes that were compared: each credential and its circuits.
fn processes(document: &Value) -> Vec<(&str, Vec<&str>)> {
    let all = document["checks"][0]["processes"].as_array().expect("processes").iter();
    all.map(|process| (process["credential"].as_str().unwrap_or_default(), circuits(process))).collect()
}

/// Tor's numbers of a process's circuits.
fn circuits(process: &Value) -> Vec<&str> {
    process["circuits"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[test]
fn isolation_is_seen_in_circuits() {
    let site = Site::new();
    let control = site.control();
    let (ran, document) = site.json(&arguments(&["isolation"], &["--control", &control]));
    assert_eq!((ran.status, outcomes(&document)), (0, vec![("isolation", "good")]), "{document:#}");
    let compared = processes(&document);
    assert_eq!(compared.len(), 2, "{document:#}");
    assert_ne!(compared[0], compared[1]);
    // Tor keeps the circuits: what was said about them is true.
    let mut control = site.lab.control();
    for (credential, circuits) in compared {
        let known = control.circuits_of(credential).expect("circuits");
        let known: Vec<String> = known.iter().map(|circuit| circuit.id.to_string()).collect();
        // One carries it; a slow Tor begins another, and leaves that unused.
        let [circuit] = circuits[..] else { panic!("{credential}: {circuits:?}") };
        assert!(known.iter().any(|id| id == circuit), "{credential}: {circuit} of {known:?}");
    }
    site.workstation.assert_no_leaks();
}

#[test]
fn a_socks_port_that_does_not_isolate_is_found() {
    let site = Site::new();
    site.configure(&format!("port = {}", site.lab.state().unisolated_port));
    let control = site.control();
    let (ran, document) = site.json(&arguments(&["isolation"], &["--control", &control]));
    assert_eq!((ran.status, outcomes(&document)), (1, vec![("isolation", "bad")]), "{document:#}");
    let compared = processes(&document);
    assert!(compared[0].0 != compared[1].0 && compared[0].1 == compared[1].1, "{document:#}");
    assert!(document["checks"][0]["advice"].to_string().contains("NoIsolateSOCKSAuth"), "{document:#}");
}

#[test]
fn without_a_control_port_credentials_are_compared() {
    for user in [None, Some(Identity::nobody())] {
        let site = Site::new();
        if user.is_some() {
            std::os::unix::fs::chown(site.place.at("run"), Some(65534), Some(65534)).expect("chown");
        }
        for (lines, status) in [
            ("", 0),
            ("scope = \"invocation\"", 0),
            ("credentials = \"extended\"", 0),
            ("scope = \"none\"", 1),
            ("identity = \"work\"", 1),
        ] {
            site.configure(lines);
            let (ran, document) = site.json_as(user, &arguments(&["isolation"], &[]));
            assert_eq!(ran.status, status, "{lines}: {document:#}");
            let all = document["checks"][0]["processes"].as_array().expect("processes");
            assert!(all.len() == 2 && all.iter().all(|process| process["circuits"] == json!(null)), "{document:#}");
            let facts = seen(&document);
            assert!(facts.contains("`ControlPort 9051`") && facts.contains("uwtctl opened"), "{facts}");
            if status == 0 {
                let meaning = text(&document["checks"][0]["meaning"]);
                assert!(meaning.ends_with("was not seen."), "{meaning}");
            }
        }
    }
}

#[test]
fn what_does_not_run_under_uwt_cannot_be_compared() {
    let site = Site::new();
    site.configure("enabled = false");
    site.workstation.allow_gateway_port(9051).expect("allow the control port");
    let (ran, document) = site.json(&arguments(&["isolation"], &[]));
    assert_eq!((ran.status, outcomes(&document)), (3, vec![("isolation", "unknown")]), "{document:#}");
    assert!(seen(&document).contains("uwt does not wrap"), "{document:#}");
    // The control port was sought, and nothing else.
    site.workstation.assert_no_leaks();
}

#[test]
fn what_was_named_must_be_of_use() {
    let site = Site::new();
    let ran = site.text(&["check", "isolation", "--control", "/nonexistent/control"]);
    assert_eq!((ran.status, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("/nonexistent/control"), "{ran:?}");
    let ran = site.text(&["check", "isolation", "--address", "nonsense"]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("IP:PORT"), "{ran:?}");
    for host in ["two words", "localhost", "203.0.113.1", "", "a\x1b[31m\nb"] {
        let ran = site.text(&["check", "transparent-dns", "--host", host]);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{host:?}");
        assert!(ran.err.contains("--address") && !ran.err.contains('\x1b'), "{ran:?}");
    }
    site.workstation.assert_no_leaks();
}
