//! The lab as a whole: real Tor, real servers, and proof at the control port.

use std::process::Command;
use std::time::Duration;

use support::control::Circuit;
use support::gateway::{GatewayOptions, Service};
use support::lab::{Lab, hosts};
use support::netns::Workstation;

/// Far beyond what a circuit takes.
const LIMIT: Duration = Duration::from_mins(1);

/// curl through Tor with a credential, from a workstation; gives the page.
fn curl(lab: &Lab, workstation: &Workstation, username: &str, url: &str) -> String {
    let mut command = workstation.command("/usr/bin/curl");
    command.args(["-sS", "-m", "60", "-x", &format!("socks5h://{username}:0@{}", lab.socks()), url]);
    let output = command.output().expect("curl");
    assert!(output.status.success(), "{url}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A name no other test uses.
fn unique(what: &str) -> String {
    format!("lab-{what}-{}", std::process::id())
}

/// The circuits of a credential that carry ordinary streams.
fn circuits(lab: &Lab, username: &str) -> Vec<Circuit> {
    lab.control().circuits_of(username).expect("circuits")
}

#[test]
fn two_credentials_two_circuits_and_one_credential_one() {
    let lab = Lab::attach();
    let workstation = lab.private_workstation();
    let (alice, bob) = (unique("alice"), unique("bob \"quoted\\"));
    let quoted = "lab-bob%20%22quoted%5C-".to_owned() + &std::process::id().to_string();
    for username in [&alice, &quoted, &alice] {
        let page = curl(&lab, &workstation, username, "http://www.lab.test/");
        assert!(page.contains("\"host\":\"www.lab.test\""), "{page}");
    }
    workstation.assert_no_leaks();
    assert!(workstation.counters().expect("counters").socks > 0);

    let (of_alice, of_bob) = (circuits(&lab, &alice), circuits(&lab, &bob));
    assert_eq!((of_alice.len(), of_bob.len()), (1, 1), "{of_alice:?} {of_bob:?}");
    assert_ne!(of_alice[0].id, of_bob[0].id);
    assert_eq!((of_alice[0].path.len(), of_alice[0].password.as_deref()), (3, Some("0")));
    assert!(of_alice[0].is_built());
}

#[test]
fn onion_names_families_and_missing_names() {
    let lab = Lab::attach();
    let workstation = lab.private_workstation();
    let username = unique("names");
    let page = curl(&lab, &workstation, &username, &format!("http://{}/", lab.onion()));
    assert!(page.contains(lab.onion()), "{page}");
    for host in ["v4only.lab.test", "v6only.lab.test", "x.any.lab.test", "203.0.113.1", "[2001:db8::1]"] {
        let page = curl(&lab, &workstation, &username, &format!("http://{host}/"));
        assert!(page.contains("\"path\":\"/\""), "{host}: {page}");
    }
    let mut missing = workstation.command("/usr/bin/curl");
    missing.args(["-sS", "-m", "60", "-x", &format!("socks5h://{}", lab.socks()), "http://missing.lab.test/"]);
    assert!(!missing.output().expect("curl").status.success());
    workstation.assert_no_leaks();
}

#[test]
fn streams_and_events_name_their_circuit() {
    let lab = Lab::attach();
    let workstation = lab.private_workstation();
    let username = unique("stream");
    let mut events = lab.control();
    events.subscribe(&["STREAM"]).expect("subscribe");
    curl(&lab, &workstation, &username, "http://www.lab.test/");
    let mine = circuits(&lab, &username);
    let found = support::wait::wait_until(LIMIT, || {
        let event = events.next_event(LIMIT).expect("event")?;
        let stream = support::control::Stream::parse(event.strip_prefix("STREAM ")?)?;
        let wanted = stream.username.as_deref() == Some(&username) && stream.state == "SUCCEEDED";
        wanted.then_some(stream)
    });
    let stream = found.expect("a SUCCEEDED event of this credential");
    assert_eq!(stream.circuit, Some(mine[0].id));
    assert!(stream.target.ends_with(":80"), "{stream:?}");
}

#[test]
fn leaks_reach_the_internet_and_are_caught() {
    let lab = Lab::attach();
    let workstation = lab.private_workstation();
    let output = workstation.command("/usr/bin/curl").args(["-sS", "-m", "20", "http://www.lab.test/"]).output();
    let output = output.expect("curl");
    assert!(String::from_utf8_lossy(&output.stdout).contains("www.lab.test"), "{output:?}");
    let counters = workstation.counters().expect("counters");
    assert!(counters.dns > 0 && counters.tcp > 0, "{counters:?}");
}

#[test]
fn a_transparent_gateway_torifies_what_is_not_for_the_socks_port() {
    let lab = Lab::attach();
    let workstation = lab.private_workstation();
    workstation.transparent(lab.state().trans_port, lab.state().dns_port).expect("on");
    let output = workstation.command("/usr/bin/curl").args(["-sS", "-m", "60", "http://www.lab.test/"]).output();
    let output = output.expect("curl");
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    let me = format!("\"peer\":\"{}:", workstation.address());
    assert!(page.contains("www.lab.test") && !page.contains(&me), "{output:?}");
}

#[test]
fn a_mock_gateway_stands_in_for_tor() {
    let lab = Lab::attach();
    let (workstation, gateway) = lab.mock(GatewayOptions::new().hosts(hosts()).service(Service::Relay));
    let proxy = format!("socks5h://me:0@{}", gateway.address());
    let output = workstation.command("/usr/bin/curl").args(["-sS", "-x", &proxy, "http://www.lab.test/"]).output();
    assert!(output.expect("curl").status.success());
    workstation.assert_no_leaks();
    assert_eq!(gateway.log()[0].username.as_deref(), Some("me"));
}

#[test]
fn servers_serve() {
    let lab = Lab::attach();
    let workstation = lab.private_workstation();
    let fetch = |url: &str| curl(&lab, &workstation, &unique("servers"), url);
    assert_eq!(fetch("http://www.lab.test/big/100000").len(), 100_000);
    assert!(fetch("http://mirror.lab.test/debian/dists/lab/Release").contains("Codename: lab"));
    assert!(fetch("http://keys.lab.test:11371/pks/lookup?op=get&search=x").contains("PUBLIC KEY BLOCK"));
    let refs = fetch("http://git.lab.test/git/hello.git/info/refs?service=git-upload-pack");
    assert!(refs.contains("refs/heads/main"), "{refs}");
}

#[test]
fn installed_programs_can_be_run_by_everybody() {
    let lab = Lab::attach();
    let copy = lab.install(std::path::Path::new("/usr/bin/true"));
    let workstation = lab.private_workstation();
    let mut command: Command = workstation.command_as(copy, support::netns::Identity::nobody());
    assert!(command.status().expect("run").success());
}
