//! Processes that outlive the program that was started.

use crate::place::User;
use crate::site::{ECHO, Site};

#[test]
fn a_daemon_that_outlives_the_program_is_carried() {
    let site = Site::new();
    for user in [User::Root, User::Nobody] {
        for program in ["@static", "@dynamic", "@musl"] {
            let mut started = site.start(user, &[program, "detach", "await", "connect", ECHO[0], ECHO[1]]);
            let status = started.child.wait().expect("a child");
            assert!(status.success(), "{status}");
            assert!(!site.helpers().is_empty(), "the helper is there as long as the daemon");
            started.tell();
            assert_eq!(started.line(), "answer hi");
            site.assert_helper_ends();
        }
    }
    assert_eq!(site.gateway.log().len(), 6);
}

#[test]
fn a_nested_call_joins_the_tree() {
    let site = Site::new();
    for user in [User::Root, User::Nobody] {
        let uwt = site.uwt_path();
        let uwt = uwt.to_str().expect("UTF-8");
        let mut started = site.start(user, &["busybox", "env", uwt, "@static", "hold", ECHO[0], ECHO[1]]);
        assert_eq!(started.line(), "connected");
        let alone = site.helpers();
        started.tell();
        assert_eq!(started.end(), ("answer hi\n".to_owned(), 0));
        assert!(alone.len() <= 2, "a helper and its part outside the cage: {alone:?}");
        site.assert_helper_ends();
    }
}
