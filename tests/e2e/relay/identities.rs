//! Credentials and targets: the same as those of connects that wait.

use crate::site::{Site, USERS, probe, programs, watch};

const WAITING: &str = "socket inet stream; connect 203.0.113.10:80";
const AT_ONCE: &str = "socket inet stream+nonblock; connect 203.0.113.10:80; poll out 30000";

/// The usernames the gateway was given, in order.
fn users(site: &Site) -> Vec<String> {
    let log = site.gateway.take_log();
    let user = |name: Option<String>| name.filter(|name| name.starts_with("uwt-") && name.len() > 20);
    log.into_iter().map(|request| user(request.username.clone()).unwrap_or_else(|| panic!("{request:?}"))).collect()
}

/// Gives each user a number, in the order of appearance.
fn pattern(users: &[String]) -> Vec<usize> {
    users.iter().map(|user| users.iter().position(|other| other == user).expect("itself")).collect()
}

#[test]
fn every_process_has_its_own() {
    let site = Site::new(|_| {});
    for user in USERS {
        let script = format!(
            "{WAITING}; {AT_ONCE}; fork; {AT_ONCE}; {WAITING}; end; {AT_ONCE}; fork; {AT_ONCE}; end; threads 1; {AT_ONCE}; end"
        );
        let seen = site.run(user, &[], &script);
        assert!(seen.status.success() && seen.notes.is_empty(), "{seen:?}");
        assert_eq!(pattern(&users(&site)), [0, 0, 2, 2, 0, 5, 0], "{seen:?}");
    }
}

#[test]
fn a_socket_is_connected_by_whoever_connects_it() {
    // Made by the parent, used by the child.
    let site = Site::new(|_| {});
    let (_, connect) = AT_ONCE.split_once("; ").expect("two steps");
    let script = format!("{AT_ONCE}; socket inet stream+nonblock; fork; {connect}; end; {AT_ONCE}");
    let seen = site.run(USERS[1], &[], &script);
    assert_eq!(pattern(&users(&site)), [0, 1, 0], "{seen:?}");
}

#[test]
fn scopes() {
    let elsewhere = AT_ONCE.replace("113.10", "113.11");
    let script = format!("{WAITING}; {AT_ONCE}; {elsewhere}; fork; {AT_ONCE}; {elsewhere}; end");
    for (scope, expected) in [
        ("process", [0, 0, 0, 3, 3]),
        ("invocation", [0, 0, 0, 0, 0]),
        ("destination", [0, 0, 2, 3, 4]),
        ("command", [0, 0, 0, 0, 0]),
    ] {
        let site = Site::new(|_| {});
        site.configure(&format!("scope = \"{scope}\"\n"));
        let seen = site.run(USERS[1], &[], &script);
        assert_eq!(pattern(&users(&site)), expected, "{scope}: {seen:?}");
    }
}

#[test]
fn names_are_sent_as_names() {
    let site = Site::new(|_| {});
    for user in USERS {
        for family in ["inet", "inet6"] {
            let script = format!(
                "gai www.example.test 80 t=stream f={family}; socket {family} stream+nonblock; connect ~:80; \
                 poll out 30000; block; send echo%0a; echo hi; connect ~:80; connect ~:80"
            );
            let seen = site.run(user, &[], &script);
            assert!(seen.output.ends_with("ok; EINPROGRESS; out; ok; 5; hi; ok; EISCONN"), "{seen:?}");
            assert_eq!(site.asked(1), ["\"www.example.test\":80"]);
        }
    }
}

#[test]
fn a_nested_uwt_with_an_identity_of_its_own() {
    let site = Site::new(|_| {});
    let (uwt, probe) = (programs().join("uwt"), probe());
    let shell = format!(
        "{probe} '{AT_ONCE}'; {uwt} --identity work -- {probe} '{AT_ONCE}; {WAITING}'; \
         {uwt} --identity work -- {probe} '{AT_ONCE}'; {probe} '{AT_ONCE}'",
        probe = probe.display(),
        uwt = uwt.display(),
    );
    for user in USERS {
        let runtime = tempfile::tempdir().expect("a folder");
        if user == crate::site::User::Nobody {
            std::os::unix::fs::chown(runtime.path(), Some(65534), Some(65534)).expect("chown");
        }
        let mut command = site.uwt(user, &[]);
        let seen = watch(command.env("XDG_RUNTIME_DIR", runtime.path()).args(["sh", "-c", &shell]));
        assert!(seen.status.success() && seen.notes.is_empty(), "{seen:?}");
        assert_eq!(pattern(&users(&site)), [0, 1, 1, 1, 4], "{seen:?}");
    }
}
