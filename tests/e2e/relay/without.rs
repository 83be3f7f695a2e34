//! Without the relay: connects that wait after all, and those that need none.

use std::time::Instant;

use crate::site::{DELAY, Site, USERS, User};

const CONNECT: &str = "socket inet stream+nonblock; connect 203.0.113.10:80";

/// Connects twice in the program and once in a child: they wait, and the user is told once per process at most.
#[track_caller]
fn waits(site: &Site, user: User, options: &[&str], why: &str) {
    let talk = "poll out 0; getopt error; getopt 6.7; peer; block; send echo%0a; echo hi";
    let seen = site.run(user, options, &format!("{CONNECT}; {talk}; {CONNECT}; fork; {CONNECT}; end"));
    assert_eq!(seen.output, "ok; ok; out; ok; 6; 203.0.113.10:80; ok; 5; hi; ok; ok; ok; ok", "{seen:?}");
    let told = format!("uwt: a non-blocking connect waits for the gateway: {why}");
    assert!(matches!(&seen.notes[..], [first, rest @ ..] if *first == told && rest.len() <= 1), "{seen:?}");
    assert!(seen.notes.iter().all(|note| *note == told), "{seen:?}");
    assert_eq!(site.asked(3), ["203.0.113.10:80"; 3]);
}

#[test]
fn without_a_guard_there_is_no_helper() {
    let site = Site::late();
    for user in USERS {
        let begin = Instant::now();
        waits(&site, user, &["--guard=off"], "there is no helper without the guard");
        assert!(begin.elapsed() >= DELAY * 3, "{:?}", begin.elapsed());
        assert!(site.helpers().is_empty());
    }
}

#[test]
fn where_tcp_has_no_simultaneous_open() {
    let site = Site::new(|_| {});
    // What such a kernel does: a SYN does not answer a SYN.
    let mut nft = site.workstation().command("nft");
    nft.arg(
        "table inet hardened {
            chain input {
                type filter hook input priority 0; policy accept;
                iifname \"lo\" ct direction reply tcp flags & (syn | ack) == syn drop
            }
        }",
    );
    assert!(nft.status().expect("nft").success());
    for user in USERS {
        waits(&site, user, &[], "TCP has no simultaneous open here");
    }
}

/// Servers of the program's own, on loopback and on a unix socket; what the program prints.
const LOCAL: &str = "socket inet stream; bind 127.0.0.1:0; listen; as server; socket inet stream+nonblock; connect @server; \
    poll out 0; getopt error; send hi; use server; accept; recv 2; \
    socket inet6 stream; bind [::1]:0; listen; as server; socket inet6 stream+nonblock; connect @server; poll out 0; send hi; \
    socket inet stream+nonblock; connect 127.0.0.1:1; poll out 0; getopt error; connect 127.0.0.1:1; \
    socket unix stream; bind unix:@NAME; listen; socket unix stream+nonblock; connect unix:@NAME; poll out 0; send hi";

#[test]
fn local_connections_need_no_helper() {
    let site = Site::late();
    for (number, user) in USERS.into_iter().enumerate() {
        let script = LOCAL.replace("NAME", &format!("uwt-relay-{}-{number}", std::process::id()));
        let bare = site.run_bare(user, &script);
        assert!(bare.output.contains("EINPROGRESS; out; ok; 2"), "{bare:?}");
        let mut program = site.start(user, &["--guard=tunnel"], &format!("pause; {script}"));
        program.until_paused();
        site.kill_helpers();
        program.go_on();
        assert_eq!(program.end(), format!("1; {}", bare.output));
        // Nor does one with a helper, or without a guard, ask anybody.
        for guard in ["--guard=tunnel", "--guard=deny", "--guard=off"] {
            let seen = site.run(user, &[guard], &script);
            assert_eq!((seen.output, seen.notes), (bare.output.clone(), vec![]), "{guard}");
        }
    }
    assert!(site.gateway.log().is_empty());
}
