//! The package uwt goes, and what wraps by it does not.

use std::path::Path;

use super::debs::{Package, built, gpg2, rawdog};
use super::site::Site;

#[test]
fn without_uwt_nothing_is_wrapped_until_it_is_back() {
    let site = Site::bare();
    let torsocks = Package::new("torsocks", "1").program("usr/bin/torsocks", "of the distribution").build();
    site.install(&[&rawdog("1"), &gpg2(), &torsocks]);
    let before = site.typed("ls /usr/bin");
    site.install(&[&built("uwt"), &built("uwt-wrappers"), &built("uwt-torsocks")]);
    let wrapped = site.commands().with_any_links();

    let removed = site.dpkg(&["--force-depends", "--remove", "uwt"], &[]);
    assert_eq!(removed.status, Some(0), "{removed:?}");
    site.assert_unwrapped();
    assert_eq!(site.typed("ls /usr/bin"), before);
    assert_eq!(site.typed("rawdog; gpg2; torsocks"), "rawdog 1\nrawdog 1\nof the distribution");
    assert!(site.typed("ssh -V 2>&1").starts_with("OpenSSH"));

    // A machine must not be left half protected.
    site.install(&[&built("uwt")]);
    assert_eq!(wrapped.difference(&site.commands().with_any_links()), "");
}

#[test]
fn both_are_removed_before_they_were_configured() {
    let site = Site::bare();
    site.install(&[&rawdog("1")]);
    let before = site.commands();
    site.install(&[&built("uwt"), &built("uwt-wrappers")]);
    for order in [["uwt", "uwt-wrappers"], ["uwt-wrappers", "uwt"]] {
        let ours: [&dyn AsRef<Path>; 2] = [&built("uwt"), &built("uwt-wrappers")];
        site.packages(&["--install"], &ours);
        site.packages(&["--unpack"], &ours);
        site.packages(&["--purge", order[0], order[1]], &[]);
        assert_eq!(before.difference(&site.commands()), "", "{order:?}");
        site.assert_unwrapped();
    }
}

#[test]
fn a_wrapper_of_the_administrator_s_own() {
    let site = Site::new();
    site.install(&[&rawdog("1")]);
    site.typed(
        "dpkg-divert --quiet --local --rename --divert /usr/bin/rawdog.anondist-orig --add /usr/bin/rawdog; \
         cd /usr/bin; ln -s uwt rawdog.anondist; ln -s rawdog.anondist rawdog; ln -s uwt other.anondist; \
         ln -s other.anondist other",
    );
    assert_eq!(site.typed("rawdog"), "rawdog 1");
    // It is not ours to change as long as it works.
    let installed = site.dpkg(&["--install"], &[&built("uwt-wrappers")]);
    assert!(installed.err.contains("uwt: /usr/bin/rawdog is not wrapped by this package"), "{installed:?}");
    site.packages(&["--purge", "uwt-wrappers"], &[]);
    assert_eq!(site.typed("rawdog"), "rawdog 1");
    assert_eq!(site.link("usr/bin/rawdog"), Some("rawdog.anondist".into()));

    let removed = site.dpkg(&["--purge", "uwt"], &[]);
    assert_eq!(
        removed.err,
        "uwt: /usr/bin/other is not wrapped any more, since uwt is removed; its diversion, if it has one, stays\n\
         uwt: /usr/bin/rawdog is not wrapped any more, since uwt is removed; its diversion, if it has one, stays\n"
    );
    assert_eq!(site.typed("rawdog; ls /usr/bin/*.anondist 2>/dev/null || true"), "rawdog 1");
    assert!(site.debian.path("usr/bin/other").symlink_metadata().is_err());
    // The diversion still holds for what comes next.
    site.install(&[&rawdog("2")]);
    assert_eq!(site.typed("rawdog.anondist-orig"), "rawdog 2");
}
