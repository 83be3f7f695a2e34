//! `uwtctl status` in a workstation, in front of real Tor.

use std::net::Ipv4Addr;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::lab::Lab;
use support::netns::{Identity, Workstation};

use crate::place::{Place, Ran, bin_dir, run};
use crate::schema;

/// uwtctl in the workstation, with the configuration of `place`.
fn prepared(place: &Place, mut command: Command) -> Command {
    command.env_clear().env("PATH", "/usr/bin:/bin").env("UWT_CONFIG_PATH", place.at("etc")).env("HOME", place.at(""));
    command.args(["--json", "status"]);
    command
}

fn status(mut command: Command) -> (Ran, Value) {
    let ran = run(&mut command);
    let document = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    schema::check("status", &document);
    (ran, document)
}

fn of_root(place: &Place, workstation: &Workstation) -> (Ran, Value) {
    status(prepared(place, workstation.command(bin_dir().join("uwtctl"))))
}

#[test]
fn tor_is_recognised_and_sends_nothing_for_it() {
    let lab = Lab::attach();
    let workstation = lab.private_workstation();
    let place = Place::new();
    let socks = lab.socks();
    place.configure(&format!("gateway = \"{}\"\nport = {}\n", socks.ip(), socks.port()));
    let mut control = lab.control();
    control.subscribe(&["STREAM"]).expect("STREAM events");
    let as_nobody = prepared(&place, workstation.command_as(bin_dir().join("uwtctl"), Identity::nobody()));
    for (ran, document) in [of_root(&place, &workstation), status(as_nobody)] {
        assert_eq!((ran.status, &document["ports"][0]["answer"]), (0, &json!("tor")), "{document:#}");
        let address = json!(socks.ip().to_string());
        assert_eq!((&document["ports"][0]["address"], &document["ports"][0]["port"]), (&address, &json!(socks.port())));
    }
    workstation.assert_no_leaks();

    // Tor writes in order: whatever it did before this answer is there when it is.
    control.get_info("version").expect("Tor answers");
    let source = format!("SOURCE_ADDR={}:", workstation.address());
    let mut streams = Vec::new();
    let mut sent = Vec::new();
    while let Some(event) = control.next_event(Duration::ZERO).expect("event") {
        let id = event.split(' ').nth(1).map(str::to_owned);
        if event.contains(&source) {
            streams.push(id.clone());
        }
        if streams.contains(&id) && event.contains("SENT") {
            sent.push(event);
        }
    }
    // It was asked, and answered by itself.
    assert_eq!(streams.len(), 2, "{streams:?}");
    assert!(sent.is_empty(), "{sent:#?}");
}

#[test]
fn a_gateway_that_does_not_answer_is_not_waited_for() {
    let lab = Lab::attach();
    let workstation = lab.private_workstation();
    let place = Place::new();
    // In the workstation's network, and nobody's.
    let [a, b, c, _] = workstation.address().octets();
    place.configure(&format!("gateway = \"{}\"\n", Ipv4Addr::new(a, b, c, 250)));
    let begun = Instant::now();
    let (ran, document) = of_root(&place, &workstation);
    let answer = document["ports"][0]["answer"].as_str().expect("a word");
    assert!(ran.status == 1 && ["timeout", "unreachable"].contains(&answer), "{document:#}");
    // By itself connect(2) would wait for two minutes.
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}
