//! Thousands of connections, and what the helper keeps of them: nothing.

use support::wait::wait_until;

use crate::site::{LIMIT, Site, Started, User, programs};

/// Starts the crowd with these steps.
fn start(site: &Site, words: &str) -> Started {
    let mut command = site.uwt(User::Nobody, &[]);
    command.arg(programs().join("crowd")).arg("203.0.113.10:80").args(words.split(' '));
    Started::spawn(&mut command)
}

/// A program of steps with a pause behind each, and the helper that carries it.
struct Crowd {
    site: Site,
    program: Started,
    /// The helper's, when nothing is open.
    descriptors: usize,
}

impl Crowd {
    /// The first step is to warm up.
    #[track_caller]
    fn begin(steps: &[&str]) -> Self {
        let site = Site::new(|_| {});
        let mut program = start(&site, &format!("{} pause", steps.join(" pause ")));
        program.until_paused();
        site.assert_open(0);
        Self { descriptors: site.descriptors(), site, program }
    }

    /// Makes the next step; how much the helper's memory is then, in KiB.
    #[track_caller]
    fn step(&mut self, said: &str) -> u64 {
        self.program.go_on();
        let lines = self.program.until_paused();
        assert!(lines.starts_with(said), "{lines}");
        self.site.assert_open(0);
        let closed = wait_until(LIMIT, || (self.site.descriptors() <= self.descriptors).then_some(()));
        assert!(closed.is_some(), "{} descriptors instead of {}", self.site.descriptors(), self.descriptors);
        self.site.memory()
    }

    /// Ends the program, wherever it is, and its helper.
    #[track_caller]
    fn end(self) {
        drop(self.program);
        self.site.assert_helpers_end();
    }
}

#[test]
fn ten_thousand_in_turn() {
    let mut crowd = Crowd::begin(&["in-turn 500", "in-turn 10000"]);
    let before = crowd.site.memory();
    let after = crowd.step("10000 in ");
    crowd.end();
    assert!(after <= before + 512, "{before} KiB before, {after} KiB after");
}

#[test]
fn two_thousand_at_once() {
    // What they needed stays with the allocator, and how much that is depends on how many were busy at a time: the most of
    // all turns becomes more now and then. With half a KiB kept for each it would become 1000 KiB more every time.
    let mut crowd = Crowd::begin(&["at-once 2000"; 12]);
    let mut most = vec![crowd.site.memory()];
    let settled = (1..12).any(|_| {
        let memory = crowd.step("2000 in ");
        let before = *most.last().expect("one");
        most.push(before.max(memory));
        memory <= before + 250
    });
    crowd.end();
    assert!(settled, "{most:?} KiB");
}
