//! Services that packages start when they are installed, on a machine without systemd.

use std::time::Duration;

use support::debian::Who;
use support::wait::wait_until;

use crate::place::Place;

/// Nothing here takes longer on any machine.
const LIMIT: Duration = Duration::from_secs(30);
/// Where the daemon says what it listens on.
const ADDRESS: &str = "run/uwt-lab-daemon.address";
const INSTALL: &str = "apt-get install -q -y uwt-lab-daemon 2>&1";

/// The names of all processes that run in the Debian, in order.
fn processes(place: &Place) -> Vec<String> {
    let listed = place.debian.run(["sh", "-c", "cat /proc/[0-9]*/comm 2> /dev/null; true"]);
    let mut names: Vec<String> = listed.succeeded().lines().map(str::to_owned).collect();
    names.sort_unstable();
    names
}

/// Waits until nothing else runs than at first, and this.
#[track_caller]
fn only(place: &Place, before: &[String], also: &[&str]) {
    let mut expected: Vec<String> = before.iter().cloned().chain(also.iter().map(|name| (*name).to_owned())).collect();
    expected.sort_unstable();
    let alone = wait_until(LIMIT, || (processes(place) == expected).then_some(()));
    assert!(alone.is_some(), "{:?} and not {expected:?}", processes(place));
}

/// The daemon runs as if there were no uwt.
#[track_caller]
fn check_daemon(place: &Place) {
    let said = wait_until(LIMIT, || std::fs::read_to_string(place.debian.path(ADDRESS)).ok()).expect("a daemon");
    let (address, port) = said.trim_end().split_once(' ').expect("an address and a port");
    assert_eq!(address, "0.0.0.0", "where it wants to listen");
    let own = place.workstation.address();
    let peer = format!("exec 3<>/dev/tcp/{own}/{port} && cat <&3");
    assert_eq!(place.debian.run(["bash", "-c", &peer]).succeeded(), "hi\n", "reachable by others");
    let pid = place.debian.read("run/uwt-lab-daemon.pid");
    let of = |file: &str| place.debian.read(&format!("proc/{}/{file}", pid.trim_end()));
    let status = of("status");
    for line in ["Seccomp:\t0", "NoNewPrivs:\t0", "PPid:\t1"] {
        assert!(status.lines().any(|found| found == line), "{line}: {status}");
    }
    let environment = of("environ");
    for name in ["UWT_SESSION=", "uwtwrapper_counter=", "LD_PRELOAD="] {
        assert!(!environment.contains(name), "{name}: {environment:?}");
    }
    assert!(!of("maps").contains("uwt_preload"), "{}", of("maps"));
}

#[test]
fn apt_finds_uwt_in_place_of_what_starts_services() {
    let place = Place::workstation();
    let ours = "DPkg::Path \"/usr/libexec/uwt/services:/usr/sbin:/usr/bin:/sbin:/bin\";\n";
    assert_eq!(place.debian.run(["apt-config", "dump", "DPkg::Path"]).succeeded(), ours);
    // All but the first folder is what it would be.
    std::fs::remove_file(place.debian.path("etc/apt/apt.conf.d/70uwt")).expect("the package has it");
    let bare = place.debian.run(["apt-config", "dump", "DPkg::Path"]);
    assert_eq!(bare.succeeded(), ours.replace("/usr/libexec/uwt/services:", ""));
    for name in ["invoke-rc.d", "service", "start-stop-daemon"] {
        let link = place.debian.run(["readlink", "-f", &format!("/usr/libexec/uwt/services/{name}")]);
        assert_eq!(link.succeeded(), "/usr/bin/uwt\n");
    }
}

#[test]
fn a_service_that_a_package_starts_is_not_wrapped() {
    let mut place = Place::workstation();
    // Without an init system invoke-rc.d(8) starts nothing unless this says so.
    place.debian.write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 0\n", 0o755);
    let before = processes(&place);
    let _ = place.types(Who::Root, "apt-get -q update").asked_for(&["mirror.lab.test:80"]);
    for (number, level) in ["auto", "tunnel", "deny", "off"].into_iter().enumerate() {
        place.debian.write("etc/uwt.d/50_user.toml", format!("[command.apt-get]\nguard = \"{level}\"\n"), 0o644);
        // Later it is in apt's cache.
        let asked = if number == 0 { &["mirror.lab.test:80"][..] } else { &[] };
        let _ = place.types(Who::Root, INSTALL).asked_for(asked);
        check_daemon(&place);
        only(&place, &before, &["uwt-lab-daemon"]);
        let _ = place.types(Who::Root, "apt-get remove -q -y uwt-lab-daemon 2>&1").asked_for(&[]);
        assert!(!place.debian.path(ADDRESS).exists(), "stopped by its maintainer script");
        only(&place, &before, &[]);
    }
    // By an ordinary user's sudo, and where nothing is wrapped.
    for line in [format!("sudo {INSTALL}"), format!("sudo UWT_DEV_PASSTHROUGH=1 {INSTALL}")] {
        std::fs::remove_file(place.debian.path("etc/uwt.d/50_user.toml")).unwrap_or_default();
        let _ = place.types(Who::User, &line).asked_for(&[]);
        check_daemon(&place);
        only(&place, &before, &["uwt-lab-daemon"]);
        let _ = place.types(Who::User, "sudo apt-get remove -q -y uwt-lab-daemon 2>&1").asked_for(&[]);
        only(&place, &before, &[]);
    }
}
