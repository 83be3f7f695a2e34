//! Waiting for the gateway: time limits, signals, handlers that do not come back.

use std::process::Command;
use std::time::Duration;

use support::gateway::Fault;

use crate::site::Site;

const SEVEN: &[&str] = &["203.0.113.7:80"];

fn late(milliseconds: u64) -> Site {
    Site::with(|behaviour| behaviour.delay = Duration::from_millis(milliseconds))
}

fn never() -> Site {
    let site = Site::with(|behaviour| behaviour.fault = Some(Fault::Never));
    site.configure("connect_timeout = 1");
    site
}

#[test]
fn a_time_limit_of_the_programs_own() {
    let site = never();
    let seen = site.run("socket inet stream; setopt sndtimeo ms=60; connect 203.0.113.7:80; peer");
    assert_eq!(seen.output, "ok; ok; EINPROGRESS; ENOTCONN", "{seen:?}");
    assert!(seen.notes.is_empty(), "the gateway is not to blame: {seen:?}");
    // The program asks how it went: it is tried again, to the end, and that ends with our own limit and one line.
    let seen =
        site.run("socket inet stream; setopt sndtimeo ms=60; connect 203.0.113.7:80; getopt error; getopt error");
    assert_eq!(seen.output, "ok; ok; EINPROGRESS; ETIMEDOUT; ok", "{seen:?}");
    assert_eq!(seen.notes.len(), 1, "{seen:?}");
    // A gateway that is only slow: the answer comes in the meantime.
    let site = late(150);
    let script = "socket inet stream; setopt sndtimeo ms=60; connect 203.0.113.7:80; getopt error; peer; setopt sndtimeo ms=0; echo hi";
    site.check(script, "ok; ok; EINPROGRESS; ok; 203.0.113.7:80; ok; hi", &["203.0.113.7:80", "203.0.113.7:80"]);
    // The limit holds for blocking sockets only (socket(7)).
    site.check(
        "socket inet stream+nonblock; setopt sndtimeo ms=10; connect 203.0.113.7:80; peer; poll out 9000; peer",
        "ok; ok; EINPROGRESS; ENOTCONN; out; 203.0.113.7:80",
        SEVEN,
    );
}

#[test]
fn a_handler_without_restart_ends_the_wait() {
    let site = late(300);
    let seen = site.run("timer 20; socket inet stream; connect 203.0.113.7:80; timer 0; signalled; connect 203.0.113.7:80; peer; echo hi");
    assert_eq!(seen.output, "ok; ok; EINTR; ok; yes; ok; 203.0.113.7:80; hi", "{seen:?}");
    // As Python does: poll, then SO_ERROR.
    let seen = site.run(
        "timer 20; socket inet stream; connect 203.0.113.7:80; timer 0; poll out 9000; getopt error; peer; echo hi",
    );
    let lines: Vec<&str> = seen.output.split("; ").collect();
    assert_eq!(lines[..4], ["ok", "ok", "EINTR", "ok"], "{seen:?}");
    assert_eq!(lines[5..], ["ok", "203.0.113.7:80", "hi"], "{seen:?}");
    // Given up instead.
    let seen = site.run("timer 20; socket inet stream; connect 203.0.113.7:80; timer 0; close; socket inet stream; connect 127.0.0.1:{echo}; echo hi");
    assert_eq!(seen.output, "ok; ok; EINTR; ok; ok; ok; ok; hi", "{seen:?}");
}

#[test]
fn a_handler_with_restart_does_not() {
    let site = late(300);
    site.check(
        "timer 20 restart; socket inet stream; connect 203.0.113.7:80; timer 0; signalled; echo hi; peer",
        "ok; ok; ok; ok; yes; hi; 203.0.113.7:80",
        SEVEN,
    );
    // Looking up a name has no EINTR at all.
    site.check_all(
        &["--dns", "resolve"],
        &[
            (
                "timer 20; gai www.example.test - t=stream f=inet; timer 0; signalled",
                "ok; 203.0.113.7 tcp; ok; yes",
                &["\"www.example.test\":0"],
            ),
            (
                "timer 20; res res_query www.example.test A; timer 0; signalled",
                "ok; A 203.0.113.7; ok; yes",
                &["\"www.example.test\":0"],
            ),
        ],
    );
}

#[test]
fn connecting_in_a_signal_handler() {
    Site::new().check(
        "socket inet stream; handler; connect 203.0.113.7:80; echo hi; end; peer",
        "ok; ok; hi; 203.0.113.7:80",
        SEVEN,
    );
    // Also while the same thread is connecting: the handler that interrupts one connect makes another.
    let site = late(200);
    let seen = site.run(
        "gai a.example - t=stream; handler; gai b.example - t=stream; socket inet stream; connect ~:80; echo hi; end",
    );
    assert_eq!(seen.output, "~ tcp; ~ tcp; ok; ok; hi", "{seen:?}");
    assert_eq!(seen.targets(), ["\"b.example\":80"]);
}

#[test]
fn jumping_out_of_a_connect() {
    let site = never();
    let seen = site.run("socket inet stream; jump 30; connect 203.0.113.7:80; end; connect unspec; peer; connect 127.0.0.1:{echo}; echo hi; peer");
    assert_eq!(
        seen.output,
        "ok; jumped; ok; ENOTCONN; ok; hi; 127.0.0.1:{echo}".replace("{echo}", &site.fill("{echo}")),
        "{seen:?}"
    );
    let site = late(400);
    let seen = site.run("socket inet stream; jump 30; connect 203.0.113.7:80; end; close; socket inet stream; connect 203.0.113.8:80; echo hi; peer");
    assert_eq!(seen.output, "ok; jumped; ok; ok; ok; hi; 203.0.113.8:80", "{seen:?}");
    // Without a close the socket is still in the middle of its handshake: the next connect starts from the beginning.
    let seen =
        site.run("socket inet stream; jump 30; connect 203.0.113.7:80; end; connect 203.0.113.8:80; echo hi; peer");
    assert_eq!(seen.output, "ok; jumped; ok; hi; 203.0.113.8:80", "{seen:?}");
}

#[test]
fn a_thread_ends_inside_a_call() {
    let site = Site::with(|behaviour| behaviour.fault = Some(Fault::Never));
    let folder = tempfile::tempdir().expect("folder");
    let (source, program) = (folder.path().join("ending.c"), folder.path().join("ending"));
    std::fs::write(&source, include_str!("hooks_ending.c")).expect("written");
    let built = Command::new("cc").args(["-pthread", "-o"]).args([&program, &source]).output().expect("cc");
    assert!(built.status.success(), "{built:?}");
    let seen = site.watch(site.uwt(&[]).arg(&program));
    let expected = "cleanup exit; exit 7; cleanup cancel; cancel -1; cleanup system; system -1";
    assert_eq!(seen.output, expected, "{seen:?}");
    assert!(seen.status.success(), "{seen:?}");
}
