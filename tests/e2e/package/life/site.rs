//! A Debian with uwt in it.

use std::path::{Path, PathBuf};

use support::debian::{Debian, Network, Ran, Who};

use super::debs::built;
use super::snapshot::Snapshot;

/// The largest file whose bytes are compared there, as no program of the tests is larger.
const LARGEST: u64 = 4 << 10;
/// What is compared where only commands can have changed.
const PLACES: [&str; 5] = ["usr/bin", "usr/share/uwt", "usr/libexec", "etc/profile.d", "var/lib/uwt"];

/// A Debian without a network, to be given packages.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) debian: Debian,
}

impl Site {
    /// Without anything of ours.
    pub(super) fn bare() -> Self {
        Self { debian: Debian::fresh(Network::None) }
    }

    /// With the package uwt.
    pub(super) fn new() -> Self {
        let site = Self::bare();
        site.install(&[&built("uwt")]);
        site
    }

    /// Copies packages in, and gives their names there.
    fn put(&self, debs: &[&dyn AsRef<Path>]) -> Vec<String> {
        let put = |(number, deb): (usize, &&dyn AsRef<Path>)| {
            let name = format!("/debs/{number}.deb");
            self.debian.write(&name, std::fs::read(deb.as_ref()).expect("readable"), 0o644);
            name
        };
        debs.iter().enumerate().map(put).collect()
    }

    /// dpkg with options and packages.
    pub(super) fn dpkg(&self, options: &[&str], debs: &[&dyn AsRef<Path>]) -> Ran {
        self.dpkg_with("PATH=/usr/sbin:/usr/bin:/sbin:/bin", options, debs)
    }

    /// The same with a variable set.
    pub(super) fn dpkg_with(&self, variable: &str, options: &[&str], debs: &[&dyn AsRef<Path>]) -> Ran {
        let packages = self.put(debs);
        let words = ["env", "LC_ALL=C", variable, "dpkg"].into_iter().chain(options.iter().copied());
        self.debian.run(words.map(str::to_owned).chain(packages))
    }

    /// Installs packages, about which nobody has anything to say.
    #[track_caller]
    pub(super) fn install(&self, debs: &[&dyn AsRef<Path>]) {
        self.packages(&["--install"], debs);
    }

    /// Whatever dpkg does, it succeeds without a word of complaint.
    #[track_caller]
    pub(super) fn packages(&self, options: &[&str], debs: &[&dyn AsRef<Path>]) {
        let said = self.dpkg(options, debs);
        assert_eq!((said.status, said.err.as_str()), (Some(0), ""), "{options:?}: {said:?}");
    }

    /// What root's shell answers to a line.
    #[track_caller]
    pub(super) fn typed(&self, line: &str) -> String {
        self.debian.types(Who::Root, line).succeeded().trim_end().to_owned()
    }

    /// Where a symbolic link leads.
    pub(super) fn link(&self, path: &str) -> Option<PathBuf> {
        std::fs::read_link(self.debian.path(path)).ok()
    }

    /// Whether the command is a wrapper, whether its program is there or not.
    pub(super) fn is_wrapped(&self, command: &str) -> bool {
        let diversion = format!("diversion of {command} to {command}.anondist-orig by uwt-wrappers\n");
        let name = command.rsplit('/').next().unwrap_or(command);
        self.link(command) == Some(format!("{name}.anondist").into())
            && self.link(&format!("{command}.anondist")) == Some("uwt".into())
            && self.diversions().contains(&diversion)
    }

    /// The diversions that are ours.
    pub(super) fn diversions(&self) -> String {
        let list = self.debian.run(["env", "LC_ALL=C", "dpkg-divert", "--list"]);
        list.succeeded().split_inclusive('\n').filter(|line| line.contains("uwt")).collect()
    }

    /// Nothing of the wrappers is left.
    #[track_caller]
    pub(super) fn assert_unwrapped(&self) {
        assert_eq!(self.diversions(), "");
        let left = self.debian.run(["sh", "-c", "ls -d /usr/bin/*.anondist* /var/lib/uwt 2>/dev/null"]);
        assert_eq!(left.out, "");
    }

    /// The commands and what belongs to them.
    pub(super) fn commands(&self) -> Snapshot {
        Snapshot::of(&self.debian.path(""), &PLACES, &[], LARGEST)
    }

    /// The same; of files that were not touched since `earlier` was taken, it takes what that knows.
    pub(super) fn commands_after(&self, earlier: &Snapshot) -> Snapshot {
        Snapshot::after(earlier, &self.debian.path(""), &PLACES, &[], LARGEST)
    }
}
