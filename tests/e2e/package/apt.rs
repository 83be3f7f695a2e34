//! Package managers.

use support::debian::Who;

use crate::place::Place;

const MIRROR: [&str; 1] = ["mirror.lab.test:80"];

#[test]
fn apt_get_installs_a_package() {
    let mut place = Place::workstation();
    let typed = place.types(Who::Root, "apt-get update");
    assert!(typed.asked_for(&MIRROR).contains("Packages"), "{typed:#?}");
    place.types(Who::Root, "apt-get install -q -y uwt-lab-hello").asked_for(&MIRROR);
    assert_eq!(place.debian.read("var/lib/uwt-lab-hello.configured"), "configure\n", "by its maintainer script");
    assert_eq!(place.types(Who::User, "cat /usr/share/uwt-lab-hello/hello").asked_for(&[]), "hello\n");
    for check in ["--verify", "--audit"] {
        assert_eq!(place.debian.run(["dpkg", check]).succeeded(), "");
    }
}

#[test]
fn every_front_end_updates() {
    let mut place = Place::workstation();
    // By a user, sudo starts the wrapper.
    for line in ["apt-get -q update", "apt -q update 2>&1", "aptitude -q update", "apt-file update"] {
        let typed = place.types(Who::User, &format!("sudo {line}"));
        assert!(typed.asked_for(&MIRROR).contains("Fetched"), "{line}: {typed:#?}");
    }
    // aptitude is an alternative, a link to a link.
    assert_eq!(place.types(Who::User, "readlink -f /usr/bin/aptitude").asked_for(&[]), "/usr/bin/uwt\n");
    let lists = place.types(Who::User, "ls /var/lib/apt/lists");
    assert!(lists.asked_for(&[]).contains("mirror.lab.test_debian_dists_lab_main_"), "{lists:#?}");
}

#[test]
fn dnf_fetches_an_index() {
    for who in [Who::User, Who::Root] {
        let mut place = Place::workstation();
        let typed = place.types(who, "dnf -q --repofrompath=lab,http://mirror.lab.test/rpm --repo=lab makecache");
        assert_eq!(typed.ran.status, Some(0), "{typed:#?}");
        let targets = typed.targets();
        assert!(!targets.is_empty() && targets.iter().all(|target| [*target] == MIRROR), "{typed:#?}");
        assert_eq!(typed.credentials(), 1, "one process: {typed:#?}");
    }
}
