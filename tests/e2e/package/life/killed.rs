//! Maintainer scripts that are killed (SIGKILL) at each of their steps.
//!
//! Whatever the step, the commands still work. They still work when their packages are upgraded in that state, and leave
//! nothing behind when they are removed in it. Afterwards `dpkg --configure` wraps everything, and removal unwraps
//! everything.

use super::debs::{Deb, Package, built, gpg2, rawdog};
use super::site::Site;
use super::snapshot::Snapshot;

/// The programs by which the scripts change something, or wait.
const STEPS: [&str; 9] = ["cp", "dpkg-divert", "ln", "mkdir", "mv", "rm", "rmdir", "sleep", "stat"];
/// A program, a link to it, and a command that no package brings.
const COMMANDS: [&str; 3] = ["/usr/bin/gpg2", "/usr/bin/rawdog", "/usr/bin/yum"];

/// What is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Install,
    Remove,
}

/// What happens to the wrapped packages before anybody repairs anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meanwhile {
    Nothing,
    Upgrade,
    Remove,
}

struct Stage {
    site: Site,
    wrappers: Deb,
    rawdog: [Deb; 2],
    gpg2: Deb,
    /// Without wrappers, with the program in its first and its second version.
    bare: [Snapshot; 2],
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
        let killer = include_str!("killer.sh");
        for step in STEPS {
            site.debian.write(&format!("kill/{step}"), killer, 0o755);
        }
        let wrappers = Package::of(&built("uwt-wrappers")).commands(&COMMANDS).build();
        let (gpg2, rawdog) = (gpg2(), [rawdog("1"), rawdog("2")]);
        let bare = [&rawdog[1], &rawdog[0]].map(|version| {
            assert_eq!(site.dpkg(&["--install", "--force-downgrade"], &[version, &gpg2]).status, Some(0));
            site.commands()
        });
        let [second, first] = bare;
        Self { site, wrappers, rawdog, gpg2, bare: [first, second] }
    }

    /// Whether dpkg was through before the script made its `at`th step.
    fn kill(&self, at: u32, work: Work) -> bool {
        self.site.debian.write("kill/count", "0\n", 0o644);
        self.site.debian.write("kill/at", format!("{at}\n"), 0o644);
        let path = "PATH=/kill:/usr/sbin:/usr/bin:/sbin:/bin";
        let ran = match work {
            Work::Install => self.site.dpkg_with(path, &["--install"], &[&self.wrappers]),
            Work::Remove => self.site.dpkg_with(path, &["--remove", "uwt-wrappers"], &[]),
        };
        let count: u32 = self.site.debian.read("kill/count").trim_end().parse().expect("a number");
        let through = count < at;
        assert_eq!(ran.status == Some(0), through, "step {at} of {count}: {ran:?}");
        through
    }

    #[track_caller]
    fn assert_typed(&self, version: usize, context: &str) {
        assert_eq!(self.site.typed("rawdog a; gpg2 b"), format!("rawdog {version} a\nrawdog {version} b"), "{context}");
    }

    #[track_caller]
    fn assert_bare(&self, version: usize, context: &str) {
        assert_eq!(self.bare[version - 1].difference(&self.site.commands()), "", "{context}");
        assert_eq!(self.site.diversions(), "", "{context}");
    }

    fn dpkg(&self, options: &[&str], debs: &[&dyn AsRef<std::path::Path>]) {
        let ran = self.site.dpkg_with("PATH=/kill:/usr/sbin:/usr/bin:/sbin:/bin", options, debs);
        assert_eq!(ran.status, Some(0), "{options:?}: {ran:?}");
    }

    /// Kills at one step; `false` when there are no more.
    fn round(&self, at: u32, work: Work, meanwhile: Meanwhile, repair: bool) -> bool {
        let context = format!("{work:?} killed at step {at}, {meanwhile:?}, repair: {repair}");
        if work == Work::Remove {
            self.dpkg(&["--install"], &[&self.wrappers]);
        }
        let through = self.kill(at, work);
        // Nobody is killed from here on.
        self.site.debian.write("kill/at", "0\n", 0o644);
        self.assert_typed(1, &context);
        let version = match meanwhile {
            Meanwhile::Nothing => Some(1),
            Meanwhile::Upgrade => {
                self.dpkg(&["--install"], &[&self.rawdog[1]]);
                self.assert_typed_if_killed_early(&context);
                Some(2)
            }
            Meanwhile::Remove => {
                self.dpkg(&["--remove", "rawdog", "link"], &[]);
                None
            }
        };
        if repair {
            match work {
                Work::Install => self.dpkg(&["--configure", "--pending"], &[]),
                Work::Remove => self.dpkg(&["--install"], &[&self.wrappers]),
            }
            for command in COMMANDS {
                assert!(self.site.is_wrapped(command), "{context}: {command}");
            }
            assert!(!self.site.debian.path("var/lib/uwt").exists(), "{context}");
            if let Some(version) = version {
                self.assert_typed(version, &context);
            }
        }
        self.dpkg(&["--purge", "uwt-wrappers"], &[]);
        match version {
            Some(version) => {
                self.assert_typed(version, &context);
                self.assert_bare(version, &context);
            }
            None => {
                for name in ["rawdog", "gpg2"] {
                    assert!(self.site.debian.path(format!("usr/bin/{name}")).symlink_metadata().is_err(), "{context}");
                }
            }
        }
        if version != Some(1) {
            self.dpkg(&["--install", "--force-downgrade"], &[&self.rawdog[0], &self.gpg2]);
            self.assert_bare(1, &context);
        }
        !through
    }

    /// An upgrade goes to where dpkg diverts it; what is typed is the new program once the name leads there, the former
    /// one before.
    #[track_caller]
    fn assert_typed_if_killed_early(&self, context: &str) {
        let typed = self.site.typed("rawdog; gpg2");
        assert!(["rawdog 1\nrawdog 1", "rawdog 2\nrawdog 2"].contains(&typed.as_str()), "{context}: {typed}");
    }
}

fn at_each_step(work: Work, meanwhile: Meanwhile) {
    let stage = Stage::new();
    stage.assert_bare(1, "nothing was done yet");
    for repair in [true, false] {
        let mut step = 1;
        while stage.round(step, work, meanwhile, repair) {
            step += 1;
        }
        assert!(step > 20, "only {step} steps of {work:?}");
    }
}

#[test]
fn installing() {
    at_each_step(Work::Install, Meanwhile::Nothing);
}

#[test]
fn installing_and_an_upgrade_of_the_program() {
    at_each_step(Work::Install, Meanwhile::Upgrade);
}

#[test]
fn installing_and_removal_of_the_program() {
    at_each_step(Work::Install, Meanwhile::Remove);
}

#[test]
fn removing() {
    at_each_step(Work::Remove, Meanwhile::Nothing);
}

#[test]
fn removing_and_an_upgrade_of_the_program() {
    at_each_step(Work::Remove, Meanwhile::Upgrade);
}

#[test]
fn removing_and_removal_of_the_program() {
    at_each_step(Work::Remove, Meanwhile::Remove);
}
