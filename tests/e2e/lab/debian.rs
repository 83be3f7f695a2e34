//! The Debian that packages are tested in.

use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use support::debian::{Debian, Network, Who};
use support::lab::Lab;
use support::process::is_running;
use support::wait::wait_until;

#[test]
fn it_is_fresh_and_whole() {
    let debian = Debian::fresh(Network::None);
    for check in ["--verify", "--audit"] {
        assert_eq!(debian.run(["dpkg", check]).succeeded(), "");
    }
    debian.write("etc/new", "new\n", 0o600);
    assert!(debian.run(["rm", "/usr/bin/git"]).succeeded().is_empty());
    let other = Debian::fresh(Network::None);
    assert!(!other.path("etc/new").exists() && other.path("usr/bin/git").exists());
}

#[test]
fn who_types_has_logged_in_and_nothing_else() {
    let debian = Debian::fresh(Network::None);
    for (who, numbers) in [(Who::Root, "0 0"), (Who::User, "1000 1000")] {
        let (name, home) = who.name_and_home();
        let ran = debian.types(
            who,
            "echo $(id -u) $(id -g) $PWD; printenv | cut -d= -f1 | LC_ALL=C sort | xargs; readlink /proc/self/fd/0",
        );
        let variables = "HOME LOGNAME PATH PWD SHELL SHLVL USER _";
        assert_eq!(ran.succeeded(), format!("{numbers} {home}\n{variables}\n/dev/null\n"));
        assert_eq!(debian.types(who, "echo $USER; exit 3").status, Some(3));
        assert_eq!(debian.types(who, "sudo id -un").succeeded(), "root\n", "{name}");
        // What a guard needs.
        assert_eq!(debian.types(who, "unshare --user --map-root-user id -un").succeeded(), "root\n");
    }
}

#[test]
fn everything_in_it_ends_with_it() {
    let debian = Debian::fresh(Network::None);
    // An orphan, and one that process 1 has to reap.
    assert_eq!(
        debian.types(Who::User, "(setsid sleep 1000 >/dev/null 2>&1 & setsid true >/dev/null 2>&1 &)").succeeded(),
        ""
    );
    let sleeper = || {
        let mut all = std::fs::read_dir("/proc").expect("proc").flatten().filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse::<u32>().ok()?;
            let root = std::fs::metadata(format!("/proc/{pid}/root/etc/hostname")).ok()?;
            let ours = std::fs::metadata(debian.path("etc/hostname")).ok()?;
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            (root.dev() == ours.dev() && line == b"sleep\x001000\x00").then_some(pid)
        });
        all.next()
    };
    let pid = wait_until(Duration::from_secs(20), sleeper).expect("it runs");
    let zombies =
        || debian.run(["sh", "-c", "grep -l '^State:.Z' /proc/[0-9]*/status || true"]).out.is_empty().then_some(());
    wait_until(Duration::from_secs(20), zombies).expect("orphans are reaped");
    assert!(is_running(pid));
    drop(debian);
    assert!(!is_running(pid));
}

#[test]
fn a_copy_has_the_files_and_changes_nothing() {
    let debian = Debian::fresh(Network::None);
    debian.write("etc/first", "first\n", 0o644);
    let (one, two) = (debian.copy(Network::None), debian.copy(Network::None));
    one.write("etc/second", "second\n", 0o644);
    assert_eq!(one.types(Who::User, "cat /etc/first /etc/second; hostname").succeeded(), "first\nsecond\ndebian\n");
    assert!(!two.path("etc/second").exists() && !debian.path("etc/second").exists());
}

#[test]
fn its_network_is_the_workstation_s_or_none() {
    let lab = Lab::attach();
    let workstation = lab.private_workstation();
    let inside = Debian::fresh(Network::Of(&workstation));
    assert!(inside.types(Who::User, "curl -sS http://www.lab.test/").succeeded().contains("\"path\":\"/\""));
    let counters = workstation.counters().expect("counters");
    assert!(counters.dns > 0 && counters.tcp + counters.v6 > 0 && counters.socks == 0, "{counters:?}");

    let outside = Debian::fresh(Network::None);
    assert_eq!(outside.types(Who::User, "curl -sS http://203.0.113.1/").status, Some(7));
    assert_eq!(outside.types(Who::User, "getent ahosts www.lab.test").out, "");
    let refused = outside.types(Who::User, "echo >/dev/tcp/127.0.0.1/1");
    assert!(refused.err.contains("Connection refused"), "{refused:?}");
}
