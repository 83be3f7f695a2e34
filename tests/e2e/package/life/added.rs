//! What `uwtctl wrapper add` has wrapped: while packages come and go, when it is interrupted, and when uwt goes.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::thread;

use rustix::fs::{FlockOperation, fcntl_lock};
use support::debian::{Ran, Who};

use super::debs::{Package, built, gpg2, rawdog};
use super::site::Site;
use super::snapshot::Snapshot;

/// The programs by which the script that does it changes something.
const STEPS: [&str; 7] = ["cp", "dpkg-divert", "ln", "mkdir", "mv", "rm", "rmdir"];

/// uwtctl as root types it.
fn wrapper(site: &Site, words: &str) -> Ran {
    site.debian.types(Who::Root, &format!("uwtctl wrapper {words}"))
}

/// Which succeeds, whatever it says.
#[track_caller]
fn does(site: &Site, words: &str) {
    let ran = wrapper(site, words);
    assert_eq!((ran.status, ran.err.as_str()), (Some(0), ""), "{words}: {ran:?}");
}

/// Puts an earlier version of a package in the place of a later one, about which dpkg warns.
#[track_caller]
fn downgrade(site: &Site, deb: &dyn AsRef<Path>) {
    let ran = site.dpkg(&["--install", "--force-downgrade"], &[deb]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
}

#[track_caller]
fn assert_added(site: &Site, command: &str) {
    let name = command.rsplit('/').next().expect("a name");
    assert_eq!(site.link(command), Some(format!("{name}.anondist").into()));
    let list = site.debian.run(["env", "LC_ALL=C", "dpkg-divert", "--list"]);
    assert!(
        list.succeeded().contains(&format!("local diversion of {command} to {command}.anondist-orig\n")),
        "{list:?}"
    );
    assert!(!site.debian.path("var/lib/uwt/local.changing").exists());
}

/// Nothing is left of it, and the commands are what they were.
#[track_caller]
fn assert_bare(site: &Site, before: &Snapshot, context: &str) {
    assert_eq!(before.difference(&site.commands()), "", "{context}");
    let list = site.debian.run(["env", "LC_ALL=C", "dpkg-divert", "--list"]);
    assert!(!list.succeeded().contains("anondist"), "{context}: {list:?}");
}

#[test]
fn wrapped_and_back() {
    let site = Site::new();
    site.install(&[&rawdog("2"), &gpg2()]);
    let bare = site.commands();
    downgrade(&site, &rawdog("1"));
    let steps = wrapper(&site, "add --dry-run rawdog");
    assert!(
        steps.succeeded().contains("dpkg-divert --quiet --local --divert /usr/bin/rawdog.anondist-orig"),
        "{steps:?}"
    );
    assert_eq!(site.link("/usr/bin/rawdog"), None, "nothing was done");

    assert_eq!(wrapper(&site, "add rawdog /usr/bin/gpg2").succeeded(), "rawdog: wrapped\ngpg2: wrapped\n");
    assert_added(&site, "/usr/bin/rawdog");
    assert_added(&site, "/usr/bin/gpg2");
    assert_eq!(site.typed("rawdog a; gpg2 b"), "rawdog 1 a\nrawdog 1 b");
    assert!(site.typed("uwt --explain rawdog").contains("/usr/bin/rawdog.anondist-orig"));
    let again = wrapper(&site, "add rawdog");
    assert_eq!(again.succeeded(), "rawdog: already wrapped: by uwtctl\n");
    let list = site.debian.types(Who::User, "uwtctl wrapper list");
    assert_eq!(list.succeeded().lines().filter(|line| line.contains(" wrapped ")).count(), 2, "{list:?}");

    // Its package is upgraded, removed, and installed again.
    site.install(&[&rawdog("2")]);
    assert_added(&site, "/usr/bin/rawdog");
    assert_eq!(site.typed("rawdog"), "rawdog 2");
    site.packages(&["--remove", "rawdog"], &[]);
    let list = wrapper(&site, "list rawdog");
    assert!(list.succeeded().contains("rawdog   original missing  uwtctl"), "{list:?}");
    site.install(&[&rawdog("2")]);
    assert_eq!(site.typed("rawdog"), "rawdog 2");

    let removed = wrapper(&site, "remove rawdog gpg2");
    assert_eq!(removed.succeeded(), "rawdog: not wrapped any more\ngpg2: not wrapped any more\n");
    assert_bare(&site, &bare, "removed");
    assert_eq!(wrapper(&site, "remove rawdog").succeeded(), "rawdog: not wrapped\n");
}

/// dpkg diverts names, and where /bin is a link to /usr/bin a file has two.
#[test]
fn a_package_that_still_brings_it_in_bin() {
    let site = Site::new();
    let beeper =
        |version: &str| Package::new("beeper", version).program("bin/beeper", &format!("beeper {version}")).build();
    // The package's folder is a link here, as in every Debian since 12.
    site.install(&[&beeper("2")]);
    let bare = site.commands();
    downgrade(&site, &beeper("1"));
    does(&site, "add beeper");
    site.install(&[&beeper("2")]);
    assert_added(&site, "/usr/bin/beeper");
    assert_eq!(site.typed("beeper"), "beeper 2");
    // The next version moves it. dpkg, which compares what it installs with what it removes by names that are not diverted,
    // takes it away then: it must be said, and nothing must run past uwt.
    let moved = Package::new("beeper", "3").program("usr/bin/beeper", "beeper 3").build();
    site.install(&[&moved]);
    assert_added(&site, "/usr/bin/beeper");
    let typed = site.debian.types(Who::Root, "beeper");
    assert_eq!((typed.status, typed.out.as_str()), (Some(127), ""));
    assert!(typed.err.contains("perhaps beeper: install it"), "{typed:?}");
    let list = wrapper(&site, "list beeper");
    assert_eq!((list.status, list.err.as_str()), (Some(1), ""));
    assert!(list.out.contains("beeper: beeper should have brought it; install that again."), "{list:?}");
    site.install(&[&moved]);
    assert_eq!(site.typed("beeper"), "beeper 3");
    downgrade(&site, &beeper("2"));
    downgrade(&site, &beeper("2"));
    assert_eq!(site.typed("beeper"), "beeper 2");
    does(&site, "remove beeper");
    assert_bare(&site, &bare, "removed");
}

/// They are told to wait, and both lists and plans are shown meanwhile.
#[test]
fn while_packages_are_changed_no_command_is() {
    let site = Site::new();
    site.install(&[&rawdog("1"), &gpg2()]);
    does(&site, "add rawdog");
    let before = site.commands();
    // As apt-get and dpkg hold it, from their beginning to their end.
    let mut options = File::options();
    let lock = options.read(true).write(true).open(site.debian.path("var/lib/dpkg/lock-frontend")).expect("dpkg's");
    fcntl_lock(&lock, FlockOperation::NonBlockingLockExclusive).expect("nobody holds it");
    thread::scope(|scope| {
        let both = ["add gpg2", "remove rawdog"].map(|words| scope.spawn(|| wrapper(&site, words)));
        for ran in both.map(|thread| thread.join().expect("it ended")) {
            let said = "uwtctl: packages are being changed (/var/lib/dpkg/lock-frontend is locked); try\n  \
                again when that has ended\n";
            assert_eq!((ran.status, ran.out.as_str(), ran.err.as_str()), (Some(2), "", said));
        }
    });
    assert_eq!(before.difference(&site.commands()), "");
    does(&site, "list rawdog");
    does(&site, "add --dry-run gpg2");
    drop(lock);
    does(&site, "remove rawdog");
}

#[test]
fn uwt_goes_and_comes_back() {
    let site = Site::new();
    site.install(&[&rawdog("1")]);
    site.typed("install -m 755 /usr/bin/rawdog /usr/sbin/other");
    let before = site.commands();
    let purged = Snapshot::of(
        &site.debian.path(""),
        &["usr/bin", "usr/sbin", "var/lib/uwt"],
        &["usr/bin/uwt", "usr/bin/uwtctl"],
        0,
    );
    does(&site, "add rawdog other");
    assert_added(&site, "/usr/sbin/other");
    assert_eq!(site.typed("rawdog; other"), "rawdog 1\nrawdog 1");

    site.packages(&["--remove", "uwt"], &[]);
    assert_eq!(
        site.typed("rawdog; other; ls /usr/bin/*.anondist* /usr/sbin/*.anondist* 2>/dev/null || true"),
        "rawdog 1\nrawdog 1"
    );
    assert_eq!(site.diversions(), "");
    // A machine must not be left half protected.
    site.install(&[&built("uwt")]);
    assert_added(&site, "/usr/bin/rawdog");
    assert_added(&site, "/usr/sbin/other");
    site.packages(&["--purge", "uwt"], &[]);
    let left = Snapshot::of(
        &site.debian.path(""),
        &["usr/bin", "usr/sbin", "var/lib/uwt"],
        &["usr/bin/uwt", "usr/bin/uwtctl"],
        0,
    );
    assert_eq!(purged.difference(&left), "");
    site.install(&[&built("uwt")]);
    assert_bare(&site, &before, "purged");
}

#[test]
fn what_is_refused() {
    let site = Site::new();
    site.install(&[&rawdog("1"), &gpg2(), &built("uwt-wrappers")]);
    site.typed("install -m 4755 /usr/bin/true /usr/bin/rooted; install -m 755 /usr/bin/true /usr/local/bin/mine");
    site.typed(
        "dpkg-divert --quiet --local --rename --add /usr/bin/diverted; install -m 755 /usr/bin/true /usr/bin/diverted",
    );
    let before = site.commands();
    for (name, why) in [
        ("nonesuch", "no such program is installed"),
        ("rooted", "no_new_privs"),
        ("bash", "it starts what has nothing to do with the network"),
        ("dpkg-divert", "wrappers are made and undone with it"),
        ("uwt", "it would run itself"),
        ("tar", "it is of the package tar"),
        ("mine", "type `uwt mine` instead"),
        ("diverted", "the administrator diverts it to /usr/bin/diverted.distrib"),
        ("sh", "it starts what"),
    ] {
        for dry_run in ["", "--dry-run "] {
            let refused = wrapper(&site, &format!("add {dry_run}{name}"));
            assert_eq!((refused.status, refused.err.as_str()), (Some(2), ""), "{name}: {refused:?}");
            let said = refused.out.replace('\n', " ");
            assert!(said.contains(&format!("{name}: refused: ")) && said.contains(why), "{name}: {said}");
            assert!(refused.out.lines().all(|line| line.chars().count() <= 80), "{refused:?}");
        }
    }
    // Those of the package: there is nothing to do, or to undo here.
    let wrapped = wrapper(&site, "add rawdog aptitude");
    assert_eq!(wrapped.succeeded().matches("already wrapped: by the package uwt-wrappers").count(), 2, "{wrapped:?}");
    let refused = wrapper(&site, "remove rawdog");
    assert_eq!(refused.status, Some(2), "{refused:?}");
    assert!(refused.out.replace('\n', " ").contains("`uwtctl wrapper disable rawdog`"), "{refused:?}");
    let user = site.debian.types(Who::User, "uwtctl wrapper add gpgv");
    assert_eq!((user.status, user.out.as_str()), (Some(2), ""));
    assert!(user.err.replace("\n ", "").contains("as root (sudo), or with --dry-run"), "{user:?}");
    assert_eq!(before.difference(&site.commands()), "");

    // An alternative is wrapped by what it leads to.
    site.packages(&["--purge", "uwt-wrappers"], &[]);
    let added = wrapper(&site, "add aptitude");
    assert!(added.succeeded().starts_with("aptitude-curses: wrapped: /usr/bin/aptitude leads to it"), "{added:?}");
    assert_added(&site, "/usr/bin/aptitude-curses");
    does(&site, "remove aptitude");
    assert_eq!(site.link("/usr/bin/aptitude-curses"), None);
}

/// Killed at each of its steps, every command works, the same again completes it, and uwt can be removed.
fn killed(wish: &str) {
    let site = Site::bare();
    // dpkg reads about what is installed at each call: the less that is, the quicker.
    site.debian.write("var/lib/dpkg/status", "", 0o644);
    let install = || assert_eq!(site.dpkg(&["--force-depends", "--install"], &[&built("uwt")]).status, Some(0));
    install();
    site.install(&[&rawdog("1")]);
    // A `sleep` that takes no time.
    site.debian.write("quick/sleep", "#!/bin/sh\n", 0o755);
    for step in STEPS {
        site.debian.write(&format!("kill/{step}"), include_str!("killer.sh"), 0o755);
    }
    let bare = site.commands();
    for again in [true, false] {
        let mut at = 1;
        loop {
            let context = format!("{wish} killed at step {at}, the same again: {again}");
            if wish == "remove" {
                does(&site, "add rawdog");
            }
            site.debian.write("kill/at", format!("{at}\n"), 0o644);
            site.debian.write("kill/count", "0\n", 0o644);
            let line = format!("PATH=/kill:/quick:/usr/sbin:/usr/bin:/sbin:/bin uwtctl wrapper {wish} rawdog");
            let ran = site.debian.types(Who::Root, &line);
            let count: u32 = site.debian.read("kill/count").trim_end().parse().expect("a number");
            let through = count < at;
            assert_eq!(ran.status == Some(0), through, "{context}: {ran:?}");
            assert!(through || ran.err.replace("\n ", "").contains("every command works"), "{context}: {ran:?}");
            assert_eq!(site.typed("rawdog a"), "rawdog 1 a", "{context}");
            if again {
                let ran = wrapper(&site, &format!("{wish} rawdog"));
                assert_eq!(ran.status, Some(0), "{context}: {ran:?}");
                if wish == "add" {
                    assert_added(&site, "/usr/bin/rawdog");
                    does(&site, "remove rawdog");
                }
            } else {
                assert_eq!(site.dpkg(&["--purge", "uwt"], &[]).status, Some(0), "{context}");
                assert_eq!(site.typed("rawdog b"), "rawdog 1 b", "{context}");
                install();
            }
            assert_bare(&site, &bare, &context);
            if through {
                break;
            }
            at += 1;
        }
        assert!(at > 5, "only {at} steps");
    }
}

#[test]
fn killed_while_it_adds() {
    killed("add");
}

#[test]
fn killed_while_it_removes() {
    killed("remove");
}

#[test]
fn several_at_once() {
    let site = Site::new();
    let before = site.commands();
    let names = ["curl", "wget", "ssh", "git"];
    let run = |wish: &str| {
        let start = |name: &&str| {
            let mut command = site.debian.command(Who::Root, ["uwtctl", "wrapper", wish, *name]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started")
        };
        let children: Vec<_> = names.iter().map(start).collect();
        for child in children {
            let output = child.wait_with_output().expect("ended");
            assert!(output.status.success(), "{output:?}");
        }
    };
    run("add");
    for name in names {
        assert_added(&site, &format!("/usr/bin/{name}"));
    }
    assert_eq!(site.debian.read("var/lib/uwt/local"), "/usr/bin/curl\n/usr/bin/git\n/usr/bin/ssh\n/usr/bin/wget\n");
    run("remove");
    assert_bare(&site, &before, "removed");
}
