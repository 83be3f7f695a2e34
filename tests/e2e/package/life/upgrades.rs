//! Upgrades: of what is wrapped, and of the packages that wrap.

use std::path::Path;

use support::debian::Who;

use super::debs::{Deb, Package, built, gpg2, rawdog};
use super::site::Site;

/// uwt-wrappers for these commands, in this version.
fn wrappers(version: &str, commands: &[&str]) -> Deb {
    Package::of(&built("uwt-wrappers")).version(version).commands(commands).build()
}

#[test]
fn a_wrapped_command_comes_is_upgraded_and_goes() {
    let site = Site::new();
    site.install(&[&built("uwt-wrappers")]);
    let bare = site.commands();
    assert_eq!(site.debian.types(Who::Root, "rawdog").status, Some(127));
    for version in ["1", "2"] {
        site.install(&[&rawdog(version)]);
        assert!(site.is_wrapped("/usr/bin/rawdog"));
        assert_eq!(site.typed("rawdog"), format!("rawdog {version}"));
        assert_eq!(site.debian.run(["dpkg", "--verify", "rawdog"]).succeeded(), "");
        assert_eq!(site.typed("dpkg -S /usr/bin/rawdog | tail -n 1"), "rawdog: /usr/bin/rawdog");
    }
    site.packages(&["--purge", "rawdog"], &[]);
    assert_eq!(site.debian.types(Who::Root, "rawdog").status, Some(127));
    assert_eq!(bare.difference(&site.commands()), "");
    // Removed while it was wrapped, there later, unwrapped.
    site.install(&[&rawdog("2")]);
    site.packages(&["--purge", "uwt-wrappers"], &[]);
    assert_eq!(site.typed("rawdog"), "rawdog 2");
    site.assert_unwrapped();
}

#[test]
fn a_version_with_other_commands() {
    let site = Site::new();
    site.install(&[&rawdog("1"), &gpg2()]);
    let before = site.commands();
    let first = ["/usr/bin/rawdog", "/usr/bin/gpg2", "/usr/bin/yum"];
    let second = ["/usr/bin/rawdog", "/usr/bin/curl", "/usr/bin/scurl"];
    for (version, commands) in [("1", first), ("2", second), ("3", first), ("1", first), ("1", second)] {
        let ran = site.dpkg(&["--install", "--force-downgrade"], &[&wrappers(version, &commands)]);
        assert_eq!(ran.status, Some(0), "{ran:?}");
        for command in first.into_iter().chain(second) {
            assert_eq!(site.is_wrapped(command), commands.contains(&command), "{version}: {command}");
        }
        assert_eq!(site.diversions().lines().count(), 3, "{version}");
        assert_eq!(site.typed("rawdog; gpg2"), "rawdog 1\nrawdog 1", "{version}");
        assert!(site.typed("curl --version").starts_with("curl "));
        assert_eq!(site.debian.path("usr/bin/yum").symlink_metadata().is_ok(), commands.contains(&"/usr/bin/yum"));
    }
    site.packages(&["--purge", "uwt-wrappers"], &[]);
    assert_eq!(before.difference(&site.commands()), "");
}

#[test]
fn what_fails_leaves_everything_wrapped() {
    let site = Site::new();
    site.install(&[&rawdog("1")]);
    let before = site.commands();
    site.install(&[&built("uwt-wrappers")]);
    let wrapped = site.commands().with_any_links();
    let as_it_was = |what: &str, options: &[&str], debs: &[&dyn AsRef<Path>]| {
        let ran = site.dpkg(options, debs);
        assert_eq!(ran.status, Some(1), "{what}: {ran:?}");
        assert_eq!(wrapped.difference(&site.commands().with_any_links()), "", "{what}");
        assert_eq!(site.typed("rawdog"), "rawdog 1", "{what}");
        assert_eq!(site.debian.run(["dpkg", "--audit"]).succeeded(), "", "{what}");
    };
    let of = |name: &str| Package::of(&built(name)).version("9");
    let upgrade = of("uwt-wrappers").begins("preinst", "exit 1").build();
    as_it_was("abort-upgrade", &["--install"], &[&upgrade]);
    for name in ["uwt-wrappers", "uwt"] {
        let stubborn = Package::of(&built(name)).ends("prerm", "[ \"$1\" != remove ] || [ ! -e /stubborn ] || exit 1");
        site.install(&[&stubborn.build()]);
        site.debian.write("stubborn", "", 0o644);
        as_it_was(&format!("{name}: abort-remove"), &["--force-depends", "--remove", name], &[]);
        std::fs::remove_file(site.debian.path("stubborn")).expect("removed");
    }
    // It breaks uwt-wrappers, which is deconfigured for it: wrapped commands stay so.
    let breaking = Package::new("breaking", "1").breaks("uwt-wrappers").build();
    let broken = site.dpkg(&["--auto-deconfigure", "--install"], &[&breaking]);
    assert!(broken.out.contains("De-configuring uwt-wrappers"), "{broken:?}");
    assert_eq!(site.typed("dpkg-query -W -f '${db:Status-Status}' uwt-wrappers"), "half-configured");
    assert_eq!(wrapped.difference(&site.commands().with_any_links()), "");
    site.packages(&["--purge", "breaking"], &[]);
    site.packages(&["--configure", "uwt-wrappers"], &[]);
    assert_eq!(wrapped.difference(&site.commands().with_any_links()), "");

    site.packages(&["--purge", "uwt-wrappers"], &[]);
    assert_eq!(before.difference(&site.commands()), "");
}

#[test]
fn removed_before_it_was_configured() {
    let site = Site::new();
    site.install(&[&rawdog("1")]);
    let before = site.commands();
    // Never configured: nothing is wrapped yet.
    site.packages(&["--unpack"], &[&built("uwt-wrappers")]);
    site.assert_unwrapped();
    site.packages(&["--purge", "uwt-wrappers"], &[]);
    assert_eq!(before.difference(&site.commands()), "");
    // Configured in an earlier version only, for other commands: dpkg calls no prerm.
    site.install(&[&wrappers("1", &["/usr/bin/rawdog", "/usr/bin/curl"])]);
    site.packages(&["--unpack"], &[&wrappers("2", &["/usr/bin/ssh"])]);
    assert!(site.is_wrapped("/usr/bin/rawdog") && site.is_wrapped("/usr/bin/curl"));
    site.packages(&["--purge", "uwt-wrappers"], &[]);
    assert_eq!(before.difference(&site.commands()), "");
}
