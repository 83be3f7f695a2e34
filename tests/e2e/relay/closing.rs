//! Connects that are given up: nothing stays behind in the helper, and the gateway learns of it at once.

use support::gateway::Fault;
use support::wait::wait_until;

use crate::site::{LIMIT, Site, USERS};

const CONNECT: &str = "socket inet stream+nonblock; connect 203.0.113.10:80";
const MANY: usize = 50;

/// Waits until the helpers have no more descriptors than that.
#[track_caller]
fn assert_descriptors(site: &Site, most: usize) {
    let reached = wait_until(LIMIT, || (site.descriptors() <= most).then_some(()));
    assert!(reached.is_some(), "{} descriptors instead of {most}", site.descriptors());
}

/// Steps for each of many sockets, which have names.
fn every(steps: &str) -> String {
    let each: Vec<String> = (0..MANY).map(|number| steps.replace("NAME", &format!("s{number}"))).collect();
    each.join("; ")
}

/// Gives up many waiting connects by some steps, which may pause.
#[track_caller]
fn given_up(steps: &str) {
    let many = every(&format!("{CONNECT}; as NAME"));
    for user in USERS {
        let site = Site::new(|_| {});
        // After a first connection the helper has everything that it makes once.
        let script = format!(
            "{CONNECT}; poll out 30000; close; pause; {many}; pause; {steps}; pause; {CONNECT}; \
             poll out 30000; getopt error; block; send echo%0a; echo hi"
        );
        let mut program = site.start(user, &[], &script);
        assert_eq!(program.until_paused(), "ok; EINPROGRESS; out; ok");
        site.assert_open(0);
        drop(site.gateway.take_log());
        let before = site.descriptors();

        site.gateway.behave(|behaviour| behaviour.fault = Some(Fault::Never));
        program.go_on();
        assert_eq!(program.until_paused().matches("EINPROGRESS").count(), MANY);
        assert_eq!(site.asked(MANY), vec!["203.0.113.10:80"; MANY]);
        site.assert_open(MANY);
        assert!(site.descriptors() > MANY, "{} descriptors", site.descriptors());

        program.go_on();
        program.until_paused();
        site.assert_open(0);
        assert_descriptors(&site, before);
        assert!(site.gateway.log().is_empty(), "asked again: {:?}", site.gateway.log());

        // The same address is there at once for who comes back.
        site.gateway.behave(|behaviour| behaviour.fault = None);
        program.go_on();
        assert_eq!(program.end(), "1; ok; EINPROGRESS; out; ok; ok; 5; hi");
        site.assert_helpers_end();
    }
}

#[test]
fn closed() {
    given_up("closerange 3 999");
}

#[test]
fn disconnected() {
    given_up(&every("use NAME; connect unspec"));
}

#[test]
fn shut_down() {
    given_up(&every("use NAME; shutdown both"));
}

#[test]
fn by_the_end_of_the_program() {
    let site = Site::new(|behaviour| behaviour.fault = Some(Fault::Never));
    for user in USERS {
        let seen = site.run(user, &[], &format!("repeat {MANY}; {CONNECT}; end"));
        assert!(seen.status.success() && seen.notes.is_empty(), "{seen:?}");
        site.assert_open(0);
        site.assert_helpers_end();
    }
}

#[test]
fn by_sigkill() {
    let site = Site::new(|behaviour| behaviour.fault = Some(Fault::Never));
    for user in USERS {
        let mut program = site.start(user, &[], &format!("repeat {MANY}; {CONNECT}; end; pause"));
        program.until_paused();
        assert_eq!(site.asked(MANY).len(), MANY);
        program.child.kill().expect("killed");
        site.assert_open(0);
        site.assert_helpers_end();
    }
}

#[test]
fn only_when_the_last_descriptor_is_closed() {
    let site = Site::new(|behaviour| behaviour.fault = Some(Fault::Never));
    let script =
        format!("{CONNECT}; as one; child; pause; end; dup; as two; use one; close; pause; use two; close; join");
    let mut program = site.start(USERS[1], &[], &script);
    // Parent and child pause in any order, and one line lets one of them go on: the connection lives as long as one of
    // three descriptors does.
    program.until_paused();
    program.until_paused();
    site.assert_open(1);
    assert_eq!(site.asked(1), ["203.0.113.10:80"]);
    program.go_on();
    program.go_on();
    program.end();
    site.assert_open(0);
    site.assert_helpers_end();
}
