//! Commands that are typed all the time while packages come and go: none ever fails.

use std::process::{Child, Stdio};
use std::time::Duration;

use support::debian::Who;
use support::wait::wait_until;

use super::debs::{Deb, Package, built, gpg2};
use super::site::Site;

/// Types `$@` again and again until /tmp/stop is there, and says which failed.
///
/// None is a script: the kernel gives the name of one to its interpreter, which may open something else by it a moment later.
/// That holds for whatever takes a script's place.
const WATCH: &str = "\
rounds=0
while ! [ -e /tmp/stop ]; do
    for line; do
        [ -x /usr/bin/${line%% *} ] || echo \"${line%% *} is not there\"
        said=$($line 2>&1) || echo \"$line: $? $said\"
    done
    rounds=$((rounds + 1))
    echo $rounds >/tmp/rounds.$$
done
echo \"rounds $rounds\"
";

/// Somebody who types.
struct Watcher(Child);

impl Watcher {
    fn start(site: &Site, lines: &[&str]) -> Self {
        let words = ["sh", "-c", WATCH, "sh"].into_iter().chain(lines.iter().copied());
        let mut command = site.debian.command(Who::Root, words);
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started"))
    }

    /// What failed, and how often everything was typed.
    fn end(self) -> (String, u32) {
        let output = self.0.wait_with_output().expect("ended");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let (failures, rounds) = text.trim_end().rsplit_once("rounds ").expect("it came to its end");
        (failures.to_owned(), rounds.parse().expect("a number"))
    }
}

/// The package `rawdog` with another program.
fn program(site: &Site, version: &str, name: &str) -> Deb {
    let original = site.debian.path("usr/bin").join(name);
    Package::new("rawdog", version).copy("usr/bin/rawdog", &original).build()
}

/// Does something while commands are typed.
#[track_caller]
fn watched(site: &Site, lines: &[&str], work: impl FnOnce()) {
    let watchers = [Watcher::start(site, lines), Watcher::start(site, lines)];
    let begun = || (site.debian.run(["sh", "-c", "ls /tmp/rounds.*"]).out.lines().count() == 2).then_some(());
    wait_until(Duration::from_mins(1), begun).expect("they type");
    work();
    site.debian.write("tmp/stop", "", 0o644);
    for watcher in watchers {
        let (failures, rounds) = watcher.end();
        assert_eq!(failures, "");
        assert!(rounds > 2, "typed {rounds} times only");
    }
}

#[test]
fn wrappers_come_and_go() {
    let site = Site::new();
    let torsocks = Package::new("torsocks", "1").copy("usr/bin/torsocks", &site.debian.path("usr/bin/env")).build();
    site.install(&[&program(&site, "1", "true"), &gpg2(), &torsocks]);
    let lines =
        ["rawdog", "gpg2", "curl --version", "ssh -V", "apt-get --version", "git --version", "torsocks --version"];
    let wrappers = built("uwt-wrappers");
    let without_git = |version: &str| {
        let commands = ["/usr/bin/rawdog", "/usr/bin/gpg2", "/usr/bin/curl", "/usr/bin/ssh", "/usr/bin/apt-get"];
        Package::of(&wrappers).version(version).commands(&commands).build()
    };
    watched(&site, &lines, || {
        site.install(&[&wrappers, &built("uwt-torsocks")]);
        // What is wrapped is upgraded.
        site.install(&[&program(&site, "2", "echo")]);
        // uwt and its wrappers are.
        site.install(&[&Package::of(&built("uwt")).version("9").build(), &without_git("8")]);
        site.install(&[&Package::of(&wrappers).version("9").build()]);
        site.packages(&["--remove", "uwt-wrappers", "uwt-torsocks"], &[]);
        site.install(&[&wrappers, &built("uwt-torsocks")]);
        site.packages(&["--purge", "uwt-wrappers", "uwt-torsocks", "uwt"], &[]);
    });
}

#[test]
fn uwt_goes_before_what_wraps_by_it() {
    let site = Site::new();
    site.install(&[&program(&site, "1", "true"), &gpg2(), &built("uwt-wrappers")]);
    watched(&site, &["rawdog", "gpg2", "curl --version", "wget --version"], || {
        let removed = site.dpkg(&["--force-depends", "--remove", "uwt"], &[]);
        assert_eq!(removed.status, Some(0), "{removed:?}");
        site.install(&[&built("uwt")]);
        assert!(site.is_wrapped("/usr/bin/rawdog"));
    });
}
