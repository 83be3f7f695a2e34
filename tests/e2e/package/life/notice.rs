//! What who logs in on a terminal is told about the wrappers.

use support::debian::Who;

use super::debs::{Package, built, rawdog};
use super::site::Site;

/// What an interactive login shell says before anything is typed; script(1) gives it a terminal.
fn said(site: &Site, who: Who, shell: &str) -> String {
    let line = format!("PS1= script --quiet --return --command \"{shell}\" /dev/null | tr -d '\\r'");
    let ran = site.debian.types(who, &line);
    assert_eq!((ran.status, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    ran.out
}

const LOGIN: &str = "bash --login -i -c :";

#[test]
fn it_says_how_the_wrappers_stand() {
    let site = Site::new();
    let commands = ["/usr/bin/curl", "/usr/bin/git", "/usr/bin/rawdog", "/usr/bin/wget", "/usr/bin/yum"];
    site.install(&[&rawdog("1"), &Package::of(&built("uwt-wrappers")).commands(&commands).build()]);
    let all =
        "uwt: 4 wrapped commands are isolated, on Tor circuits of their own; UWT_DEV_PASSTHROUGH=1 switches uwt off\n";
    for who in [Who::Root, Who::User] {
        for shell in [LOGIN, "sh -l -i -c :", "sh -c 'set -eui; . /etc/profile.d/uwt.sh'"] {
            assert_eq!(said(&site, who, shell), all, "{shell}");
        }
        let variables = "sh -c 'set -eui; . /etc/profile.d/uwt.sh 2>/dev/null; set' | grep uwt_";
        assert_eq!(said(&site, who, &format!("{variables} || echo none")), "none\n");
        assert_eq!(said(&site, who, &format!("UWT_DEV_PASSTHROUGH=1 {LOGIN}")), "");
        assert_eq!(said(&site, who, "bash --login -c :"), "", "a script's shell");
        assert_eq!(said(&site, who, "bash --login -i -c : 2>/dev/null"), "", "no terminal");
    }
    for (configuration, expected) in [
        (
            "[command.git]\nenabled = false\n[command.curl]\nscope = \"none\"\n",
            "uwt: 2 wrapped commands are isolated, on Tor circuits of their own; through Tor, but not isolated: curl; NOT \
             through Tor, by the configuration: git; UWT_DEV_PASSTHROUGH=1 switches uwt off\n",
        ),
        ("enabled = false\n", "uwt: NOT through Tor, by the configuration: curl git rawdog wget\n"),
        (
            "enabled = false\n[command.rawdog]\nenabled = true\n",
            "uwt: 1 wrapped command is isolated, on Tor circuits of its own; NOT through Tor, by the configuration: curl \
             git wget; UWT_DEV_PASSTHROUGH=1 switches uwt off\n",
        ),
        (
            "no configuration\n",
            "uwt: curl, and perhaps other wrapped commands, cannot start; `uwt --explain curl` says why\n",
        ),
    ] {
        site.debian.write("etc/uwt.d/50_user.toml", configuration, 0o644);
        for who in [Who::Root, Who::User] {
            assert_eq!(said(&site, who, LOGIN), expected, "{configuration}");
        }
    }
    // A configuration file of a package that was removed stays until it is purged.
    site.packages(&["--remove", "uwt-wrappers"], &[]);
    assert!(site.debian.path("etc/profile.d/uwt.sh").exists());
    assert_eq!(said(&site, Who::User, LOGIN), "");
}
