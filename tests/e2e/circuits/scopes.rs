//! The other scopes, nested calls, and the form of credentials.

use crate::flow::Flow;
use crate::place::{Place, Ran, User, distinct};

const WWW: &str = "www.lab.test:80";
const MIRROR: &str = "mirror.lab.test:80";
const PAGE: &str = "http://www.lab.test/";
const OTHER: &str = "http://mirror.lab.test/";

/// The arguments of curl that fetch pages without printing them.
fn curl<'a>(pages: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["curl", "-sS"];
    for page in pages {
        arguments.extend(["-o", "/dev/null", page]);
    }
    arguments
}

/// Runs curl below `uwt` with options.
#[track_caller]
fn fetch(place: &mut Place, options: &[&str], pages: &[&str]) -> Ran {
    let ran = place.root(&[options, &curl(pages)].concat());
    assert_eq!((ran.status, ran.err.as_str(), ran.flows.len()), (Some(0), "", pages.len()), "{ran:#?}");
    ran
}

/// Two runs of the same thing; what they asked for.
#[track_caller]
fn twice(place: &mut Place, options: &[&str], pages: &[&str]) -> Vec<Flow> {
    let mut flows = fetch(place, options, pages).flows;
    flows.extend(fetch(place, options, pages).flows);
    flows
}

/// How many credentials and circuits there are.
fn count(flows: &[Flow]) -> (usize, usize) {
    (distinct(flows.iter().map(|flow| &flow.username)).len(), distinct(flows.iter().map(|flow| flow.circuit)).len())
}

/// A shell that runs curl and wget, each for a page.
const TWO_PROGRAMS: &str = "curl -sS -o /dev/null http://www.lab.test/ && wget -q -O /dev/null http://www.lab.test/";

#[test]
fn an_identity_is_shared_between_calls_and_programs() {
    let mut place = Place::new();
    let mut work = twice(&mut place, &["--identity", "work"], &[PAGE]);
    work.extend(place.root(&["--identity", "work", "sh", "-c", TWO_PROGRAMS]).flows);
    assert_eq!((work.len(), count(&work)), (4, (1, 1)), "{work:#?}");

    let other = fetch(&mut place, &["--identity", "play"], &[PAGE]).flows;
    assert!(other[0].username != work[0].username && other[0].circuit != work[0].circuit, "{other:#?}");
}

#[test]
fn the_same_identity_of_another_user_is_another_one() {
    let mut place = Place::new();
    let mut seen = Vec::new();
    for user in [User::Root, User::Nobody, User::Root, User::Nobody] {
        let mut command = place.uwt(user, [&["--identity", "work"], curl(&[PAGE]).as_slice()].concat());
        let ran = place.run(&mut command);
        ran.asked_for(&[WWW]);
        seen.push(ran.flows[0].clone());
    }
    assert_eq!(count(&seen), (2, 2), "{seen:#?}");
    assert!(seen[0].username == seen[2].username && seen[1].username == seen[3].username, "{seen:#?}");
}

#[test]
fn an_identity_can_be_configured() {
    let mut place = Place::new();
    place.file("etc/60_user.toml", "[command.curl]\nidentity = \"work\"\n");
    let mut flows = twice(&mut place, &[], &[PAGE]);
    flows.extend(place.root(&["--identity", "work", "wget", "-q", "-O", "/dev/null", PAGE]).flows);
    assert_eq!((flows.len(), count(&flows)), (3, (1, 1)), "{flows:#?}");
}

#[test]
fn isolate_invocation_joins_what_one_call_starts() {
    let mut place = Place::new();
    let mut all = Vec::new();
    for _ in 0..2 {
        let ran = place.root(&["--isolate", "invocation", "sh", "-c", TWO_PROGRAMS]);
        ran.asked_for(&[WWW, WWW]);
        assert_eq!(count(&ran.flows), (1, 1), "{ran:#?}");
        all.extend(ran.flows);
    }
    assert_eq!(count(&all), (2, 2), "{all:#?}");
}

#[test]
fn isolate_command_joins_the_calls_of_a_program() {
    let mut place = Place::new();
    let mut curls = Vec::new();
    let mut wgets = Vec::new();
    for _ in 0..2 {
        let ran = place.root(&["--isolate", "command", "sh", "-c", TWO_PROGRAMS]);
        ran.asked_for(&[WWW, WWW]);
        curls.push(ran.flows[0].clone());
        wgets.push(ran.flows[1].clone());
    }
    curls.extend(fetch(&mut place, &["--isolate", "command"], &[PAGE]).flows);
    assert_eq!((count(&curls), count(&wgets)), ((1, 1), (1, 1)), "{curls:#?} {wgets:#?}");
    assert!(curls[0].username != wgets[0].username && curls[0].circuit != wgets[0].circuit);
}

#[test]
fn isolate_destination_parts_the_hosts_of_a_process() {
    let mut place = Place::new();
    let ran = fetch(&mut place, &["--isolate", "destination"], &[PAGE, OTHER, "http://www.lab.test:11371/"]);
    let [www, mirror, port] = ran.flows.as_slice() else { unreachable!() };
    assert!(www.username != mirror.username && www.circuit != mirror.circuit, "{ran:#?}");
    // The port is no part of it.
    assert_eq!((&www.username, www.circuit), (&port.username, port.circuit), "{ran:#?}");
    // Another process has others, for the same host too.
    let again = fetch(&mut place, &["--isolate", "destination"], &[PAGE]);
    assert_ne!(again.flows[0].username, www.username);
}

#[test]
fn isolate_none_sends_no_credential_and_shares() {
    let mut place = Place::new();
    let flows = twice(&mut place, &["--isolate", "none"], &[PAGE]);
    assert!(flows.iter().all(|flow| flow.username.is_none() && flow.password.is_none()), "{flows:#?}");
    assert_eq!(count(&flows), (1, 1), "{flows:#?}");
}

#[test]
fn extended_credentials_part_processes_too() {
    let mut place = Place::new();
    place.file("etc/60_user.toml", "credentials = \"extended\"\n");
    let flows = twice(&mut place, &[], &[PAGE, OTHER]);
    // socks-extensions: format 0, and the token is the password.
    assert!(flows.iter().all(|flow| flow.username.as_deref() == Some("<torS0X>0")), "{flows:#?}");
    let circuits = |password: &Option<String>| {
        let own = flows.iter().filter(|flow| flow.password == *password);
        distinct(own.map(|flow| flow.circuit))
    };
    let passwords = distinct(flows.iter().map(|flow| &flow.password));
    assert_eq!(passwords.len(), 2, "{flows:#?}");
    assert!(passwords.iter().all(|password| password.as_deref().is_some_and(|text| text.len() >= 32)), "{flows:#?}");
    let (one, two) = (circuits(passwords[0]), circuits(passwords[1]));
    assert!(one.len() == 1 && two.len() == 1 && one != two, "{flows:#?}");
}

#[test]
fn a_nested_call_keeps_what_the_outer_command_line_chose() {
    let mut place = Place::new();
    let uwt = place.lab.uwt();
    let nested = format!("curl -sS -o /dev/null {PAGE}; {} wget -q -O /dev/null {PAGE}", uwt.display());
    let ran = place.root(&["--isolate", "invocation", "sh", "-c", &nested]);
    ran.asked_for(&[WWW, WWW]);
    assert_eq!(count(&ran.flows), (1, 1), "{ran:#?}");
    // Unless it chooses itself.
    let nested = format!(
        "curl -sS -o /dev/null {PAGE}; {uwt} --isolate process wget -q -O /dev/null {PAGE}; curl -sS -o /dev/null \
         {OTHER}",
        uwt = uwt.display()
    );
    let ran = place.root(&["--isolate", "invocation", "sh", "-c", &nested]);
    ran.asked_for(&[WWW, WWW, MIRROR]);
    assert_eq!(count(&ran.flows), (2, 2), "{ran:#?}");
    assert_eq!(ran.flows[0].username, ran.flows[2].username);
}

#[test]
fn a_nested_call_may_be_configured_otherwise() {
    let mut place = Place::new();
    place.file("etc/60_user.toml", "scope = \"invocation\"\n[command.wget]\nidentity = \"work\"\n");
    let uwt = place.lab.uwt();
    let nested = format!("curl -sS -o /dev/null {PAGE}; {} wget -q -O /dev/null {PAGE}", uwt.display());
    let mut wgets = Vec::new();
    for _ in 0..2 {
        let ran = place.root(&["sh", "-c", &nested]);
        ran.asked_for(&[WWW, WWW]);
        assert_eq!(count(&ran.flows), (2, 2), "{ran:#?}");
        wgets.push(ran.flows[1].clone());
    }
    assert_eq!(count(&wgets), (1, 1), "{wgets:#?}");
}
