//! What is somebody else's is left alone, and said.

use std::path::Path;

use super::debs::{Package, built, rawdog};
use super::site::Site;

/// uwt-wrappers for three commands.
fn wrappers() -> impl AsRef<Path> {
    Package::of(&built("uwt-wrappers")).commands(&["/usr/bin/curl", "/usr/bin/rawdog", "/usr/bin/wget"]).build()
}

/// Installing uwt-wrappers succeeds, says `message` about rawdog, wraps the other two, and the rest stays as it is.
#[track_caller]
fn assert_left_alone(site: &Site, message: &str, typed: &str) {
    let before = site.commands();
    for _ in 0..2 {
        let installed = site.dpkg(&["--install"], &[&wrappers()]);
        let expected = format!(
            "uwt: /usr/bin/rawdog is not wrapped and connects as if there were no uwt: {message}, then run \
             `dpkg-reconfigure uwt-wrappers`\n"
        );
        assert_eq!((installed.status, installed.err), (Some(0), expected));
        assert_eq!(site.typed("rawdog"), typed);
        assert!(site.is_wrapped("/usr/bin/curl") && site.is_wrapped("/usr/bin/wget"));
    }
    site.packages(&["--purge", "uwt-wrappers"], &[]);
    assert_eq!(before.difference(&site.commands()), "");
}

#[test]
fn diversions() {
    let site = Site::new();
    site.install(&[&rawdog("1")]);
    site.typed("dpkg-divert --quiet --local --rename --add /usr/bin/rawdog; printf '#!/bin/sh\\necho mine\\n' >/usr/bin/rawdog; chmod 755 /usr/bin/rawdog");
    let message = "it is diverted by LOCAL; remove that diversion (dpkg-divert --remove)";
    assert_left_alone(&site, message, "mine");
    assert_eq!(
        site.typed("rm /usr/bin/rawdog; dpkg-divert --quiet --rename --remove /usr/bin/rawdog; rawdog"),
        "rawdog 1"
    );

    let other = Package::new("displacing", "1")
        .program("usr/bin/rawdog", "displaced")
        .begins("preinst", "dpkg-divert --quiet --rename --divert /usr/bin/rawdog.real --add /usr/bin/rawdog");
    site.install(&[&other.build()]);
    let message = "it is diverted by displacing; remove that diversion (dpkg-divert --remove)";
    assert_left_alone(&site, message, "displaced");
    assert_eq!(site.typed("rawdog.real"), "rawdog 1");
}

#[test]
fn files() {
    let site = Site::new();
    site.install(&[&rawdog("1")]);
    for name in ["/usr/bin/rawdog.anondist-orig", "/usr/bin/rawdog.anondist-new"] {
        site.typed(&format!("echo mine >{name}"));
        let message = format!("{name} is neither uwt's nor the distribution's; move it away");
        assert_left_alone(&site, &message, "rawdog 1");
        site.typed(&format!("rm {name}"));
    }
    // What the message advises.
    site.typed("touch /usr/bin/rawdog.anondist-orig");
    assert_ne!(site.dpkg(&["--install"], &[&wrappers()]).err, "");
    site.typed("rm /usr/bin/rawdog.anondist-orig; DEBIAN_FRONTEND=noninteractive dpkg-reconfigure uwt-wrappers");
    assert!(site.is_wrapped("/usr/bin/rawdog"));
    site.packages(&["--purge", "uwt-wrappers"], &[]);

    for make in ["echo mine >", "ln -s true "] {
        site.typed(&format!("{make}/usr/bin/rawdog.anondist"));
        assert_left_alone(&site, "/usr/bin/rawdog.anondist is not uwt's; move it away", "rawdog 1");
        site.typed("rm /usr/bin/rawdog.anondist");
    }
    site.packages(&["--purge", "rawdog"], &[]);
    site.typed("mkdir /usr/bin/rawdog");
    let installed = site.dpkg(&["--install"], &[&wrappers()]);
    assert!(installed.err.contains("it is a folder; move it away"), "{installed:?}");
    site.packages(&["--purge", "uwt-wrappers"], &[]);
    site.typed("rmdir /usr/bin/rawdog");
    site.assert_unwrapped();
}

/// A wrapper that somebody has replaced by hand.
#[test]
fn replaced_wrappers() {
    let site = Site::new();
    site.install(&[&rawdog("1")]);
    let before = site.commands();
    site.install(&[&wrappers()]);
    site.typed("rm /usr/bin/rawdog; printf '#!/bin/sh\\necho mine\\n' >/usr/bin/rawdog; chmod 755 /usr/bin/rawdog");
    let again = site.dpkg(&["--install"], &[&wrappers()]);
    assert!(again.err.contains("/usr/bin/rawdog is neither uwt's nor the distribution's; move it away"), "{again:?}");
    assert_eq!(site.typed("rawdog"), "mine");
    // The distribution's file has to be back, and theirs must not be lost.
    let removed = site.dpkg(&["--purge", "uwt-wrappers"], &[]);
    let message = "uwt: /usr/bin/rawdog was not uwt's wrapper any more: it is /usr/bin/rawdog.uwt-saved now, and the \
                   distribution's is back\n";
    assert_eq!((removed.status, removed.err.as_str()), (Some(0), message));
    assert_eq!(site.typed("rawdog; rawdog.uwt-saved; rm /usr/bin/rawdog.uwt-saved"), "rawdog 1\nmine");
    assert_eq!(before.difference(&site.commands()), "");

    // Where no package brings the command, theirs is the only one.
    site.install(&[&wrappers()]);
    site.packages(&["--purge", "rawdog"], &[]);
    site.typed("rm /usr/bin/rawdog; printf '#!/bin/sh\\necho mine\\n' >/usr/bin/rawdog; chmod 755 /usr/bin/rawdog");
    site.packages(&["--purge", "uwt-wrappers"], &[]);
    assert_eq!(site.typed("rawdog"), "mine");
    site.assert_unwrapped();
}

/// What an administrator does to be rid of one wrapper, or to have it back.
#[test]
fn wrappers_that_were_undone_by_hand() {
    let site = Site::new();
    site.install(&[&rawdog("1")]);
    let before = site.commands();
    site.install(&[&wrappers()]);
    for undo in [
        "unlink /usr/bin/rawdog; dpkg-divert --quiet --rename --remove /usr/bin/rawdog",
        "unlink /usr/bin/rawdog",
        "unlink /usr/bin/rawdog.anondist",
        "dpkg-divert --quiet --no-rename --remove /usr/bin/rawdog",
    ] {
        for repair in [true, false] {
            site.typed(undo);
            if repair {
                site.install(&[&wrappers()]);
                assert!(site.is_wrapped("/usr/bin/rawdog"), "{undo}");
                assert_eq!(site.typed("rawdog"), "rawdog 1", "{undo}");
            } else {
                site.packages(&["--purge", "uwt-wrappers"], &[]);
                site.typed("rm -f /usr/bin/rawdog.anondist");
                assert_eq!(before.difference(&site.commands()), "", "{undo}");
                site.install(&[&wrappers()]);
            }
        }
    }
}

/// Whonix's package of the same name, in the shape that config-package-dev gives it.
#[test]
fn an_earlier_uwt_has_to_be_removed_first() {
    let site = Site::bare();
    site.install(&[&rawdog("1")]);
    let divert = |how: &str, file: &str| {
        format!(
            "[ \"$1\" != {how} ] || {{ dpkg-divert --quiet --rename --divert /usr/bin/rawdog.anondist-orig --package uwt \
             --add /usr/bin/rawdog; ln -s rawdog.anondist {file}; }}"
        )
    };
    let earlier = Package::new("uwt", "0.0.1")
        .program("usr/bin/rawdog.anondist", "their wrapper")
        .begins("postinst", &divert("configure", "/usr/bin/rawdog"))
        .begins(
            "prerm",
            "[ \"$1\" != remove ] || { rm /usr/bin/rawdog; dpkg-divert --quiet --rename --package uwt --remove \
             /usr/bin/rawdog; }",
        );
    site.install(&[&earlier.build()]);
    let before = site.commands();
    let refused = site.dpkg(&["--install"], &[&built("uwt"), &built("uwt-wrappers")]);
    assert_eq!(refused.status, Some(1));
    let message = "uwt: an earlier package uwt still wraps /usr/bin/rawdog itself; remove it (apt-get remove uwt), then \
                   install uwt and uwt-wrappers\n";
    assert!(refused.err.contains(message), "{refused:?}");
    site.packages(&["--purge", "uwt-wrappers"], &[]);
    assert_eq!(before.difference(&site.commands()), "");
    assert_eq!(site.typed("rawdog"), "their wrapper");

    site.packages(&["--remove", "uwt"], &[]);
    site.install(&[&built("uwt"), &built("uwt-wrappers")]);
    assert!(site.is_wrapped("/usr/bin/rawdog"));
    assert_eq!(site.typed("rawdog"), "rawdog 1");
}
