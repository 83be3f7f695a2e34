//! Thousands of connections, and what the helper keeps of them: nothing.

use support::wait::wait_until;

use crate::site::{LIMIT, Site, Started, User, programs};

/// Starts the crowd with these steps.
fn start(site: &Site, words: &str) -> Started {
    let mut command = site.uwt(User::Nobody, &[]);
    command.arg(programs().join("crowd")).arg("203.0.113.10:80").args(words.split(' '));
    Started::spawn(&mut command)
}

/// Runs the steps of crowd between two pauses; the helper's memory before and after, in KiB.
#[track_caller]
fn memory(warm_up: &str, steps: &str, said: &str) -> (u64, u64) {
    let site = Site::new(|_| {});
    let mut program = start(&site, &format!("{warm_up} pause {steps} pause"));
    program.until_paused();
    site.assert_open(0);
    let (before, descriptors) = (site.memory(), site.descriptors());
    program.go_on();
    let lines = program.until_paused();
    assert!(lines.starts_with(said), "{lines}");
    site.assert_open(0);
    let closed = wait_until(LIMIT, || (site.descriptors() <= descriptors).then_some(()));
    assert!(closed.is_some(), "{} descriptors instead of {descriptors}", site.descriptors());
    let after = site.memory();
    program.go_on();
    assert_eq!(program.end(), "");
    site.assert_helpers_end();
    (before, after)
}

#[test]
fn ten_thousand_in_turn() {
    let (before, after) = memory("in-turn 500", "in-turn 10000", "10000 in ");
    assert!(after <= before + 512, "{before} KiB before, {after} KiB after");
}

#[test]
fn two_thousand_at_once() {
    // What two thousand needed stays with the allocator, some more or less depending on how many were busy at a time: half
    // a KiB for each of the six thousand that follow would be too much.
    let again = "at-once 2000 at-once 2000 at-once 2000";
    let (before, after) = memory(&format!("{again} at-once 2000"), again, "2000 in ");
    assert!(after <= before + 3000, "{before} KiB before, {after} KiB after");
}
