//! What the packages make of a machine.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use support::debian::{Debian, Network, Who};

use crate::place::{Place, install};

/// The list of paths that the package wraps.
fn wrapped_commands() -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../debian/wrapped-commands");
    let text = std::fs::read_to_string(&file).expect("the list of wrapped commands");
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn every_command_of_the_list_is_wrapped() {
    let (before, place) = (Debian::fresh(Network::None), Place::workstation());
    let link =
        |path: &str| std::fs::read_link(place.debian.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut present = 0;
    for command in wrapped_commands() {
        let name = Path::new(&command).file_name().expect("a name").to_string_lossy().into_owned();
        assert_eq!(link(&command), Path::new(&format!("{name}.anondist")));
        assert_eq!(link(&format!("{command}.anondist")), Path::new("uwt"));
        let (original, kept) = (before.path(&command), place.debian.path(format!("{command}.anondist-orig")));
        if !original.exists() {
            assert!(kept.symlink_metadata().is_err(), "{command}");
            continue;
        }
        present += 1;
        assert!(std::fs::read(&original).expect("a program") == std::fs::read(&kept).expect("kept"), "{command}");
        let mode = |path: &Path| std::fs::metadata(path).expect("a program").permissions().mode();
        assert_eq!(mode(&original), mode(&kept), "{command}");
    }
    // apt, apt-get, apt-file, aptitude-curses, curl, dnf-3, git, gpg, ssh, wget.
    assert_eq!(present, 10);
}

#[test]
fn nothing_is_broken_or_missing() {
    let debian = Debian::fresh(Network::None);
    let ran = install(&debian);
    assert_eq!((ran.status, ran.err.as_str()), (Some(0), ""), "{ran:#?}");
    for check in ["--verify", "--audit"] {
        assert_eq!(debian.run(["dpkg", check]).succeeded(), "");
    }
    assert_eq!(debian.types(Who::Root, "apt-get -qq check").succeeded(), "");
    let version = debian.types(Who::User, "uwt --version");
    assert!(version.succeeded().starts_with("uwt "), "{version:?}");
    let explained = debian.types(Who::User, "uwt --explain curl");
    assert!(explained.succeeded().contains("/etc/uwt.d/30_default.toml"), "{explained:?}");
}
