//! How the far end sees a connection end: as without `uwt`.

use support::peer::Endings;
use support::wait::wait_until;

use crate::bare::Bare;
use crate::site::{LIMIT, Site, Started, USERS};

/// What a program does once it is connected, what it prints, and what the other end sees.
const ROWS: &[(&str, &str, &str)] = &[
    ("send hear%0aabc; shutdown; recv 1", "8; ok; end", "abc, end"),
    ("send hear%0aabc", "8", "abc, end"),
    ("send hear%0aabc; close", "8; ok", "abc, end"),
    ("send bye%0a; recv 3; recv 1; send more; close", "4; bye; end; 4; ok", "more, end"),
    // Closed with an answer unread (RFC 2525, section 2.17).
    ("send bye%0a; poll in 30000; close", "4; in; ok", "reset"),
    ("send echo%0ahi; recv 2; setopt 1.13 parts=1+0; close", "7; hi; ok; ok", "hi, reset"),
    ("send echo%0ahi; recv 2; setopt 1.13 parts=1+0", "7; hi; ok", "hi, reset"),
    ("send hear%0aab; urgent c; send d; shutdown; recv 1", "7; 1; 1; ok; end", "abcd, end"),
    ("close", "ok", "end"),
];

/// A child does it, and the program waits for the other end to have seen it.
#[track_caller]
fn check(endings: &Endings, port: u16, start: impl Fn(&str) -> Started) {
    for (steps, says, ending) in ROWS {
        let connect = format!("socket inet stream+nonblock; connect 203.0.113.10:{port}; poll out 30000; block");
        let mut program = start(&format!("fork; {connect}; {steps}; end; pause"));
        assert_eq!(program.until_paused(), format!("ok; EINPROGRESS; out; ok; {says}"), "{steps}");
        let ended = wait_until(LIMIT, || Some(endings.take()).filter(|ended| !ended.is_empty()));
        assert_eq!(ended.as_deref(), Some(&[(*ending).to_owned()][..]), "{steps}");
        program.go_on();
        program.end();
    }
}

#[test]
fn bare() {
    let bare = Bare::new();
    check(bare.peer.endings(), bare.port(), |script| bare.start(script));
}

#[test]
fn wrapped() {
    let site = Site::new(|_| {});
    for user in USERS {
        check(site.gateway.endings(), 80, |script| site.start(user, &[], script));
    }
}

#[test]
fn what_is_sent_last_arrives() {
    // The program ends right after its connect has come about, and its tree with it.
    let site = Site::new(|_| {});
    for round in 0..50 {
        let script = "socket inet stream+nonblock; connect 203.0.113.10:80; poll out 30000; send hear%0aabc; close";
        let seen = site.run(USERS[round % 2], &[], script);
        assert_eq!(seen.output, "ok; EINPROGRESS; out; 8; ok", "{seen:?}");
        let ended = wait_until(LIMIT, || Some(site.gateway.endings().take()).filter(|ended| !ended.is_empty()));
        assert_eq!(ended.as_deref(), Some(&["abc, end".to_owned()][..]), "round {round}");
    }
}
