//! Maintainer scripts that are killed (SIGKILL) at each of their steps.
//!
//! Whatever the step, the commands still work. They still work when their packages are upgraded or removed in that state.
//! Then what was begun is finished, or undone, and the machine is as if nobody had been killed.

use super::debs::{Deb, Package, built, gpg2, rawdog};
use super::site::Site;
use super::snapshot::Snapshot;

/// The programs by which the scripts change something.
const STEPS: [&str; 7] = ["cp", "dpkg-divert", "ln", "mkdir", "mv", "rm", "rmdir"];
/// A program, a link to it, and a command that no package brings.
const COMMANDS: [&str; 3] = ["/usr/bin/gpg2", "/usr/bin/rawdog", "/usr/bin/yum"];
/// A `sleep` that takes no time.
const QUICK: &str = "PATH=/quick:/usr/sbin:/usr/bin:/sbin:/bin";
/// With what kills, too.
const KILLING: &str = "PATH=/kill:/quick:/usr/sbin:/usr/bin:/sbin:/bin";

/// What is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Install,
    Remove,
}

/// What happens to the wrapped packages before anybody goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meanwhile {
    Nothing,
    Upgrade,
    Remove,
}

/// Who goes on afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// `dpkg --configure` when it was being installed, `--purge` when it was being removed.
    Finish,
    /// The other way round: `--purge`, or `--install`.
    Undo,
}

/// Which version of the program is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    First,
    Second,
    None,
}

impl Program {
    const ALL: [Self; 3] = [Self::First, Self::Second, Self::None];

    /// An upgrade, which is one back to the first version every other time.
    fn after(self, meanwhile: Meanwhile) -> Self {
        match (meanwhile, self) {
            (Meanwhile::Nothing, same) => same,
            (Meanwhile::Upgrade, Self::First) => Self::Second,
            (Meanwhile::Upgrade, _) => Self::First,
            (Meanwhile::Remove, _) => Self::None,
        }
    }

    /// What "rawdog; gpg2" prints; with neither of them, nothing is asked.
    fn says(self) -> Option<&'static str> {
        match self {
            Self::First => Some("rawdog 1\nrawdog 1"),
            Self::Second => Some("rawdog 2\nrawdog 2"),
            Self::None => None,
        }
    }
}

/// How the machine is when nobody was killed.
struct State {
    files: Snapshot,
    diversions: String,
}

struct Stage {
    site: Site,
    wrappers: Deb,
    rawdog: [Deb; 2],
    gpg2: Deb,
    /// For each [`Program`], without wrappers and with them.
    states: Vec<[State; 2]>,
}

impl Stage {
    fn new() -> Self {
        let site = Site::bare();
        // dpkg reads about what is installed at each call: the less that is, the quicker.
        site.debian.write("var/lib/dpkg/status", "", 0o644);
        // dpkg would take an empty folder of nobody's away.
        site.debian.write("etc/profile.d/other.sh", "", 0o644);
        let ran = site.dpkg(&["--force-depends", "--install"], &[&built("uwt")]);
        assert_eq!(ran.status, Some(0), "{ran:?}");
        site.debian.write("quick/sleep", "#!/bin/sh\n", 0o755);
        let killer = include_str!("killer.sh");
        for step in STEPS {
            site.debian.write(&format!("kill/{step}"), killer, 0o755);
        }
        let wrappers = Package::of(&built("uwt-wrappers")).commands(&COMMANDS).build();
        let mut stage = Self { site, wrappers, rawdog: [rawdog("1"), rawdog("2")], gpg2: gpg2(), states: Vec::new() };
        let mut program = Program::None;
        for to in Program::ALL {
            stage.change(program, to);
            program = to;
            let states = [false, true].map(|wrapped| {
                if wrapped {
                    stage.dpkg(&["--install"], &[&stage.wrappers]);
                }
                let diversions = stage.site.diversions();
                for name in COMMANDS {
                    assert_eq!((stage.site.is_wrapped(name), diversions.contains(name)), (wrapped, wrapped), "{name}");
                }
                State { files: stage.site.commands().with_any_links(), diversions }
            });
            stage.dpkg(&["--purge", "uwt-wrappers"], &[]);
            stage.states.push(states);
        }
        stage.change(program, Program::First);
        stage.assert_is(Program::First, false, "nothing was done yet");
        stage
    }

    fn dpkg(&self, options: &[&str], debs: &[&dyn AsRef<std::path::Path>]) {
        let ran = self.site.dpkg_with(QUICK, options, debs);
        assert_eq!(ran.status, Some(0), "{options:?}: {ran:?}");
    }

    /// Installs another version of the program, or removes it.
    fn change(&self, from: Program, to: Program) {
        let install = ["--install", "--force-downgrade"];
        match (from, to) {
            _ if from == to => {}
            (_, Program::None) => self.dpkg(&["--remove", "rawdog", "link"], &[]),
            (Program::None, _) => self.dpkg(&install, &[self.version(to), &self.gpg2]),
            _ => self.dpkg(&install, &[self.version(to)]),
        }
    }

    fn version(&self, program: Program) -> &Deb {
        &self.rawdog[usize::from(program == Program::Second)]
    }

    /// Whether dpkg was through before the script made its `at`th step.
    fn kill(&self, at: u32, work: Work) -> bool {
        self.site.debian.write("kill/count", "0\n", 0o644);
        self.site.debian.write("kill/at", format!("{at}\n"), 0o644);
        let ran = match work {
            Work::Install => self.site.dpkg_with(KILLING, &["--install"], &[&self.wrappers]),
            Work::Remove => self.site.dpkg_with(KILLING, &["--remove", "uwt-wrappers"], &[]),
        };
        let count: u32 = self.site.debian.read("kill/count").trim_end().parse().expect("a number");
        let through = count < at;
        assert_eq!(ran.status == Some(0), through, "step {at} of {count}: {ran:?}");
        through
    }

    #[track_caller]
    fn assert_typed(&self, among: &[Program], context: &str) {
        let said = self.site.typed("rawdog; gpg2");
        assert!(among.iter().any(|program| program.says() == Some(&said)), "{context}: {said}");
    }

    /// The machine is as if nobody had been killed.
    #[track_caller]
    fn assert_is(&self, program: Program, wrapped: bool, context: &str) {
        let state = &self.states[program as usize][usize::from(wrapped)];
        let files = self.site.commands_after(&state.files).with_any_links();
        assert_eq!(state.files.difference(&files), "", "{context}");
        assert_eq!(self.site.diversions(), state.diversions, "{context}");
        if program != Program::None {
            self.assert_typed(&[program], context);
        }
    }

    /// Kills at one step; `false` when there are no more. Before, the wrappers are there if they are to be removed. Afterwards
    /// they are there if installing was finished or removing undone.
    fn round(&self, at: u32, work: Work, program: &mut Program, meanwhile: Meanwhile, then: Then) -> bool {
        let context = format!("{work:?} killed at step {at} with {program:?}, {meanwhile:?}, {then:?}");
        let through = self.kill(at, work);
        self.assert_typed(&[*program], &context);
        let later = program.after(meanwhile);
        self.change(*program, later);
        if later != Program::None {
            // An upgrade goes to where dpkg diverts it; what is typed is the new program once the name leads there, the former
            // one before.
            self.assert_typed(&[*program, later], &context);
        }
        let wrapped = (work == Work::Install) == (then == Then::Finish);
        match (wrapped, work) {
            (true, Work::Install) => self.dpkg(&["--configure", "--pending"], &[]),
            (true, Work::Remove) => self.dpkg(&["--install"], &[&self.wrappers]),
            (false, _) => self.dpkg(&["--purge", "uwt-wrappers"], &[]),
        }
        self.assert_is(later, wrapped, &context);
        *program = later;
        if later == Program::None {
            *program = Program::First;
            self.change(later, *program);
            self.assert_is(*program, wrapped, &context);
        }
        !through
    }
}

/// The least number of steps; that no step is missed says the last round, in which nobody is killed.
const STEPS_AT_LEAST: u32 = 14;

/// Installing is killed and finished, then removing is, at each step.
fn finished(meanwhile: Meanwhile) {
    let stage = Stage::new();
    let mut program = Program::First;
    let mut steps = [0; 2];
    let mut at = 1;
    loop {
        let more =
            [Work::Install, Work::Remove].map(|work| stage.round(at, work, &mut program, meanwhile, Then::Finish));
        for (steps, more) in steps.iter_mut().zip(more) {
            *steps += u32::from(more);
        }
        if more == [false, false] {
            break;
        }
        at += 1;
    }
    assert!(steps.into_iter().all(|steps| steps >= STEPS_AT_LEAST), "{steps:?} steps");
}

/// Installing is killed and undone at each step, then removing is.
fn undone(meanwhile: Meanwhile) {
    let stage = Stage::new();
    let mut program = Program::First;
    for work in [Work::Install, Work::Remove] {
        if work == Work::Remove {
            stage.dpkg(&["--install"], &[&stage.wrappers]);
        }
        let mut step = 1;
        while stage.round(step, work, &mut program, meanwhile, Then::Undo) {
            step += 1;
        }
        assert!(step > STEPS_AT_LEAST, "only {step} steps of {work:?}");
    }
}

#[test]
fn what_was_begun_is_finished() {
    finished(Meanwhile::Nothing);
}

#[test]
fn what_was_begun_is_finished_after_an_upgrade_of_the_program() {
    finished(Meanwhile::Upgrade);
}

#[test]
fn what_was_begun_is_finished_after_removal_of_the_program() {
    finished(Meanwhile::Remove);
}

#[test]
fn what_was_begun_is_undone() {
    undone(Meanwhile::Nothing);
}

#[test]
fn what_was_begun_is_undone_after_an_upgrade_of_the_program() {
    undone(Meanwhile::Upgrade);
}

#[test]
fn what_was_begun_is_undone_after_removal_of_the_program() {
    undone(Meanwhile::Remove);
}
