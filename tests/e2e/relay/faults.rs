//! Bad gateways, a helper that is killed, and programs that make it hard.

use support::gateway::Fault;

use crate::site::{Site, USERS, User, watch};

const CONNECT: &str = "socket inet stream+nonblock; connect 203.0.113.10:80";
/// Waits for the end of the connect; what became of it.
const ENDED: &str = "poll out 30000; getopt error; getopt error; peer";
/// The same for one that came about.
const TALK: &str = "poll out 30000; getopt error; block; send echo%0a; echo hi";

/// How a connect fails that waits, and one that does not, which says so once.
#[track_caller]
fn failures(site: &Site, user: User) -> [String; 2] {
    let waiting = site.run(user, &[], "socket inet stream; connect 203.0.113.10:80").output;
    let seen = site.run(user, &[], &format!("{CONNECT}; {ENDED}"));
    let at_once =
        seen.output.strip_prefix("ok; EINPROGRESS; out+err+hup; ").and_then(|it| it.strip_suffix("; ok; ENOTCONN"));
    let at_once = at_once.unwrap_or_else(|| panic!("{seen:?}"));
    [waiting.strip_prefix("ok; ").expect("a socket").to_owned(), at_once.to_owned()]
}

/// They must fail alike.
#[track_caller]
fn assert_fail(site: &Site, user: User, errno: &str) {
    assert_eq!(failures(site, user), [errno, errno]);
}

#[test]
fn gateways_that_misbehave() {
    for (fault, errno) in [
        (Fault::Garbage, "ECONNABORTED"),
        (Fault::NoAuth, "ECONNABORTED"),
        (Fault::RejectMethods, "EACCES"),
        (Fault::RejectAuth, "EACCES"),
        (Fault::CloseBeforeReply, "ECONNABORTED"),
        (Fault::CloseMidReply, "ECONNABORTED"),
    ] {
        let site = Site::new(|behaviour| behaviour.fault = Some(fault));
        assert_fail(&site, User::Nobody, errno);
        site.gateway.behave(|behaviour| behaviour.fault = None);
        let seen = site.run(User::Nobody, &[], &format!("{CONNECT}; {TALK}"));
        assert_eq!(seen.output, "ok; EINPROGRESS; out; ok; ok; 5; hi", "{fault}: {seen:?}");
    }
}

#[test]
fn a_gateway_that_closes_at_once() {
    // Whether our greeting is there before it has closed is a matter of luck: the kernel resets the connection then.
    let site = Site::new(|behaviour| behaviour.fault = Some(Fault::CloseAtOnce));
    for user in USERS {
        for errno in failures(&site, user) {
            assert!(["ECONNABORTED", "ECONNRESET"].contains(&errno.as_str()), "{errno}");
        }
    }
}

#[test]
fn gateways_that_say_nothing() {
    for fault in [Fault::Silent, Fault::Never] {
        let site = Site::new(|behaviour| behaviour.fault = Some(fault));
        site.configure("connect_timeout = 1");
        for user in USERS {
            assert_fail(&site, user, "ETIMEDOUT");
        }
        site.assert_open(0);
    }
}

#[test]
fn a_gateway_that_is_not_there() {
    let mut site = Site::new(|_| {});
    site.stop_gateway();
    for user in USERS {
        assert_fail(&site, user, "ECONNREFUSED");
    }
}

#[test]
fn a_gateway_that_goes_away() {
    for user in USERS {
        let mut site = Site::new(|_| {});
        let script =
            format!("{CONNECT}; poll out 30000; as old; pause; {CONNECT}; pause; {ENDED}; use old; block; recv 1");
        let mut program = site.start(user, &[], &script);
        assert_eq!(program.until_paused(), "ok; EINPROGRESS; out");
        site.gateway.behave(|behaviour| behaviour.fault = Some(Fault::Never));
        program.go_on();
        assert_eq!(program.until_paused(), "1; ok; EINPROGRESS");
        assert_eq!(site.asked(2).len(), 2);
        site.stop_gateway();
        program.go_on();
        let said = program.end();
        let errno = said.strip_prefix("1; out+err+hup; ").and_then(|rest| rest.strip_suffix("; ok; ENOTCONN; ok; end"));
        assert!(errno.is_some_and(|errno| errno.starts_with('E')), "{said}");
    }
}

#[test]
fn answers_in_pieces() {
    let site = Site::new(|behaviour| behaviour.fault = Some(Fault::Split));
    let seen = site.run(User::Nobody, &[], &format!("{CONNECT}; {TALK}"));
    assert_eq!(seen.output, "ok; EINPROGRESS; out; ok; ok; 5; hi", "{seen:?}");
}

#[test]
fn a_helper_that_is_killed() {
    for (user, guard) in [(User::Root, "tunnel"), (User::Nobody, "tunnel"), (User::Nobody, "deny")] {
        let site = Site::new(|_| {});
        let script = format!(
            "{CONNECT}; poll out 30000; as old; pause; {CONNECT}; pause; poll out 30000; getopt error; peer; use old; block; \
             recv 1; pause; {CONNECT}; poll out 30000"
        );
        let mut program = site.start(user, &[&format!("--guard={guard}")], &script);
        assert_eq!(program.until_paused(), "ok; EINPROGRESS; out");
        site.gateway.behave(|behaviour| behaviour.fault = Some(Fault::Never));
        program.go_on();
        assert_eq!(program.until_paused(), "1; ok; EINPROGRESS");
        assert_eq!(site.asked(2).len(), 2);

        site.kill_helpers();
        site.assert_open(0);
        program.go_on();
        // What waits fails, with the next retransmission of its SYN; what is connected ends.
        let said = program.until_paused();
        assert!(
            [
                "1; out+err+hup; ECONNREFUSED; ENOTCONN; ok; end",
                "1; out+err+hup; ECONNREFUSED; ENOTCONN; ok; ECONNRESET"
            ]
            .contains(&said.as_str()),
            "{said}"
        );

        // What comes later has no relay: it goes to the gateway by itself, or not at all.
        site.gateway.behave(|behaviour| behaviour.fault = None);
        program.go_on();
        let said = program.end();
        assert!(said.starts_with("1; ok; "), "{said}");
    }
}

#[test]
fn a_helper_that_is_killed_before_it_is_asked() {
    for user in USERS {
        let site = Site::new(|_| {});
        let mut program = site.start(user, &[], &format!("pause; {CONNECT}; {TALK}; peer"));
        program.until_paused();
        site.kill_helpers();
        program.go_on();
        // The socket shakes hands with the gateway itself.
        assert_eq!(program.end(), "1; ok; ok; out; ok; ok; 5; hi; 203.0.113.10:80");
        assert_eq!(site.asked(1), ["203.0.113.10:80"]);
    }
}

#[test]
fn a_program_that_closes_every_descriptor() {
    let site = Site::new(|_| {});
    for user in USERS {
        // Before, and while it waits; `output` moves the standard output out of the way.
        let script = format!(
            "output 77; closerange 0 76; {CONNECT}; dup2 70; as it; closerange 0 69; use it; {TALK}; \
             fork; closerange 0 76; {CONNECT}; {TALK}; end"
        );
        let seen = site.run(user, &[], &script);
        let talk = "out; ok; ok; 5; hi";
        assert_eq!(
            seen.output,
            format!("ok; ok; EINPROGRESS; ok; ok; {talk}; ok; ok; EINPROGRESS; {talk}"),
            "{seen:?}"
        );
        assert_eq!(site.asked(2).len(), 2);
    }
}

#[test]
fn forks_at_bad_moments() {
    let site = Site::new(|_| {});
    for user in USERS {
        let words = ["/usr/bin/python3", "-c", include_str!("../../relay/forks.py"), "203.0.113.10", "80"];
        let seen = watch(site.uwt(user, &[]).args(words));
        assert_eq!(seen.output, "48 of 48", "{seen:?}");
        site.assert_helpers_end();
    }
}
