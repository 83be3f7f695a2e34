//! Installed, removed, purged and installed again: what is wrapped meanwhile, and what is left afterwards.

use std::fs;
use std::path::Path;

use rustix::fs::{XattrFlags, setxattr};
use support::debian::Who;

use super::debs::{Package, built, gpg2, rawdog};
use super::site::Site;
use super::snapshot::Snapshot;

/// What dpkg itself writes, what is no file of the root, where everybody may write, and what dnf opens to say its version.
const LEFT_OUT: [&str; 8] = ["proc", "sys", "dev", "debs", "tmp", "var/log", "var/lib/dpkg", "root/.rpmdb"];

/// The file capability cap_net_raw=ep (`struct vfs_cap_data` of capabilities(7), revision 2).
const CAPABILITY: [u8; 20] = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The commands of `debian/wrapped-commands`.
fn list() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../debian/wrapped-commands");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Everything. Of files that were not touched since `earlier` was taken, it takes what that knows.
fn whole(site: &Site, earlier: &Snapshot) -> Snapshot {
    Snapshot::after(earlier, &site.debian.path(""), &[""], &LEFT_OUT, u64::MAX)
}

#[test]
fn the_list_is_of_single_programs() {
    let list = list();
    for command in &list {
        let name = command.strip_prefix("/usr/bin/").expect("links to uwt are relative");
        assert!(name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-'), "{command}");
        assert_eq!(list.iter().filter(|other| *other == command).count(), 1, "{command}");
    }
    for named in ["apt-get", "aptitude-curses", "gpg2", "scurl", "dnf-3", "onionshare-cli", "ricochet"] {
        assert!(list.contains(&format!("/usr/bin/{named}")), "{named}");
    }
}

#[test]
fn nothing_is_left_behind() {
    let site = Site::bare();
    let torsocks = Package::new("torsocks", "1").program("usr/bin/torsocks", "of the distribution").build();
    site.install(&[&torsocks, &rawdog("1"), &gpg2()]);
    // As an administrator may have them.
    site.typed("chmod 0711 /usr/bin/ssh; chown root:mail /usr/bin/curl; chmod 2755 /usr/bin/curl");
    setxattr(site.debian.path("usr/bin/wget"), "security.capability", &CAPABILITY, XattrFlags::empty()).expect("set");
    let before = whole(&site, &Snapshot::default());

    let ours = [&built("uwt"), &built("uwt-wrappers"), &built("uwt-torsocks")];
    for round in 1..=2 {
        site.install(&[ours[0], ours[1], ours[2]]);
        for command in list() {
            assert!(site.is_wrapped(&command), "{command}");
        }
        assert_eq!(site.link("/usr/bin/torsocks"), Some("../share/uwt/torsocks".into()));
        assert_eq!(site.debian.read("usr/bin/torsocks.anondist-orig"), "#!/bin/sh\necho of the distribution \"$@\"\n");
        assert!(!site.debian.path("var/lib/uwt").exists(), "no script was interrupted");
        assert_eq!(
            site.typed("rawdog a; gpg2 b; UWT_DEV_PASSTHROUGH=1 rawdog c"),
            "rawdog 1 a\nrawdog 1 b\nrawdog 1 c"
        );
        for (typed, says) in [("apt-get", "apt 2."), ("git", "git version 2."), ("gpg", "gpg (GnuPG) 2.")] {
            let answer = site.typed(&format!("{typed} --version"));
            assert!(answer.starts_with(says), "{answer}");
        }
        // Through /etc/alternatives, and by a link of the package's.
        for typed in ["aptitude", "dnf"] {
            assert!(!site.typed(&format!("{typed} --version")).is_empty(), "{typed}");
        }
        let missing = site.debian.types(Who::User, "yum install x");
        assert_eq!((missing.status, missing.out.as_str()), (Some(127), ""));
        assert!(missing.err.starts_with("uwt: /usr/bin/yum.anondist-orig: not found;"), "{missing:?}");
        // Nobody misses a file or finds another one, but for what was changed above.
        let verified = site.debian.run(["dpkg", "--verify"]);
        assert_eq!((verified.status, verified.out.as_str()), (Some(0), ""));
        assert_eq!(site.debian.run(["dpkg", "--audit"]).succeeded(), "");

        site.packages(&["--remove", "uwt-wrappers", "uwt-torsocks", "uwt"], &[]);
        site.assert_unwrapped();
        assert_eq!(site.typed("rawdog; gpg2; torsocks"), "rawdog 1\nrawdog 1\nof the distribution");
        if round == 1 {
            // Installed again without having been purged.
            site.install(&[ours[0], ours[1], ours[2]]);
        }
        site.packages(&["--purge", "uwt-wrappers", "uwt-torsocks", "uwt"], &[]);
        let difference = before.difference(&whole(&site, &before));
        assert_eq!(difference, "");
    }
}

#[test]
fn uwt_alone_wraps_nothing() {
    let site = Site::bare();
    let others = || Snapshot::of(&site.debian.path(""), &["usr/bin"], &["usr/bin/uwt", "usr/bin/uwtctl"], u64::MAX);
    let before = others();
    site.install(&[&built("uwt")]);
    assert_eq!(site.diversions(), "");
    assert_eq!(before.difference(&others()), "");
}

/// DPKG_ROOT: a system in a folder, whose maintainer scripts run outside.
#[test]
fn another_root_is_wrapped_from_outside() {
    let site = Site::new();
    site.install(&[&rawdog("1")]);
    let before = site.commands();
    site.typed("mkdir -p /other/var/lib/dpkg/info /other/var/lib/dpkg/updates; touch /other/var/lib/dpkg/status");
    let there = |options: &[&str], debs: &[&dyn AsRef<Path>]| {
        let all = ["--root=/other", "--force-script-chrootless", "--force-depends"];
        let ran = site.dpkg(&[&all, options].concat(), debs);
        assert_eq!(ran.status, Some(0), "{ran:?}");
    };
    there(&["--install"], &[&rawdog("2"), &built("uwt")]);
    there(&["--install"], &[&built("uwt-wrappers")]);
    assert_eq!(site.link("other/usr/bin/rawdog"), Some("rawdog.anondist".into()));
    assert_eq!(site.link("other/usr/bin/rawdog.anondist"), Some("uwt".into()));
    assert_eq!(site.typed("/other/usr/bin/rawdog.anondist-orig"), "rawdog 2");
    assert_eq!(before.difference(&site.commands()), "");
    assert_eq!(site.diversions(), "");
    there(&["--purge", "uwt-wrappers", "uwt"], &[]);
    assert_eq!(site.typed("/other/usr/bin/rawdog; ls /other/usr/bin; ls /other/var/lib"), "rawdog 2\nrawdog\ndpkg");
}

/// Where a file can't have two names, it gets a copy.
#[test]
fn a_file_system_without_hard_links() {
    let site = Site::new();
    site.install(&[&rawdog("1"), &gpg2()]);
    setxattr(site.debian.path("usr/bin/rawdog"), "security.capability", &CAPABILITY, XattrFlags::empty()).expect("set");
    let before = site.commands();
    let refuse = "#!/bin/sh\n[ \"$1\" != -P ] || exit 1\nPATH=/usr/bin exec ln \"$@\"\n";
    site.debian.write("opt/refusing/ln", refuse, 0o755);
    let dpkg = |options: &[&str], debs: &[&dyn AsRef<Path>]| {
        let ran = site.dpkg_with("PATH=/opt/refusing:/usr/sbin:/usr/bin:/sbin:/bin", options, debs);
        assert_eq!((ran.status, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    };
    dpkg(
        &["--install"],
        &[&Package::of(&built("uwt-wrappers")).commands(&["/usr/bin/rawdog", "/usr/bin/gpg2"]).build()],
    );
    assert_eq!(site.typed("rawdog; gpg2"), "rawdog 1\nrawdog 1");
    assert!(site.is_wrapped("/usr/bin/rawdog") && site.is_wrapped("/usr/bin/gpg2"));
    dpkg(&["--purge", "uwt-wrappers"], &[]);
    assert_eq!(before.difference(&site.commands()), "");
}
