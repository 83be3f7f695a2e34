//! Markers in a folder of our own and a qubesdb-read that answers as we say.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use uwt_config::{Place, Probe, Surroundings, detect};

const WORKSTATION: &str = "usr/share/anon-ws-base-files/workstation";
const GATEWAY: &str = "usr/share/anon-gw-base-files/gateway";
const QUBES: &str = "usr/share/qubes/marker-vm";

struct Machine {
    root: TempDir,
    probe: Probe,
}

/// A machine with these markers and, if there is one, this shell script as qubesdb-read.
fn machine(markers: &[&str], qubesdb_read: Option<&str>) -> Machine {
    let root = tempfile::tempdir().unwrap();
    for marker in markers {
        let marker = root.path().join(marker);
        fs::create_dir_all(marker.parent().unwrap()).unwrap();
        fs::write(marker, "").unwrap();
    }
    let command = root.path().join("qubesdb-read");
    if let Some(script) = qubesdb_read {
        install(&command, script);
    }
    let probe = Probe { root: root.path().to_owned(), qubesdb_read: command };
    Machine { root, probe }
}

/// Another process writes the script: were it open for writing here, a child of another test's thread could inherit
/// the descriptor, and to run the script would fail with ETXTBSY.
fn install(command: &Path, script: &str) {
    let write = "printf '#!/bin/sh\\n%s\\n' \"$2\" > \"$1\" && chmod 755 \"$1\"";
    let status = Command::new("sh").args(["-c", write, "sh"]).arg(command).arg(script).status().unwrap();
    assert!(status.success());
}

fn found(machine: &Machine) -> (Place, Ipv4Addr, bool) {
    let found = detect(&machine.probe).unwrap();
    // Nothing else is behind a gateway that torifies transparently.
    assert_eq!(found.is_workstation(), found.transparent);
    let Surroundings { place, gateway, transparent, reason } = found;
    assert!(!reason.is_empty() && reason.lines().count() == 1);
    (place, gateway, transparent)
}

const LOCAL: Ipv4Addr = Ipv4Addr::LOCALHOST;
const WHONIX: Ipv4Addr = Ipv4Addr::new(10, 152, 152, 10);
const ANSWER: &str = "test \"$1\" = /qubes-gateway && test $# = 1 && echo 10.137.0.5";
const QUBES_GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 137, 0, 5);

#[test]
fn every_kind_of_machine() {
    let fails = Some("exit 2");
    for (markers, qubesdb_read, expected) in [
        (&[][..], None, (Place::Plain, LOCAL, false)),
        (&[], Some(ANSWER), (Place::Plain, LOCAL, false)),
        (&[QUBES], Some(ANSWER), (Place::Qubes, LOCAL, false)),
        (&[QUBES], None, (Place::Qubes, LOCAL, false)),
        (&[WORKSTATION], None, (Place::WhonixWorkstation, WHONIX, true)),
        (&[WORKSTATION], fails, (Place::WhonixWorkstation, WHONIX, true)),
        (&[WORKSTATION], Some(ANSWER), (Place::Qubes, QUBES_GATEWAY, true)),
        (&[WORKSTATION, QUBES], Some(ANSWER), (Place::Qubes, QUBES_GATEWAY, true)),
        (&[GATEWAY], None, (Place::WhonixGateway, LOCAL, false)),
        (&[GATEWAY, QUBES], Some(ANSWER), (Place::WhonixGateway, LOCAL, false)),
    ] {
        assert_eq!(found(&machine(markers, qubesdb_read)), expected, "{markers:?} {qubesdb_read:?}");
    }
}

#[test]
fn in_qubes_there_is_no_guess() {
    let advice = "give this qube a NetVM, or set gateway = \"ADDRESS\" in /etc/uwt.d/50_user.toml";
    for (script, problem) in [
        (None, "cannot be run: No such file or directory (os error 2)"),
        (Some("exit 2"), "failed (exit status: 2)"),
        (Some("echo 10.137.0.5; exit 1"), "failed (exit status: 1)"),
        (Some("echo 10.137.0.5; kill -9 $$"), "failed (signal: 9 (SIGKILL))"),
        (Some("true"), "says '', which is no IPv4 address"),
        (Some("echo none"), "says 'none', which is no IPv4 address"),
        (Some("echo auto"), "says 'auto', which is no IPv4 address"),
        (Some("echo 0.0.0.0"), "says '0.0.0.0', which is no IPv4 address"),
        (Some("echo fd09::1"), "says 'fd09::1', which is no IPv4 address"),
        (Some("printf '10.137.0.5\\n10.137.0.6\\n'"), "says '10.137.0.5\\n10.137.0.6', which is no IPv4 address"),
        (Some("printf '\\033[31m\\377'"), "says '\\u{1b}[31m\u{fffd}', which is no IPv4 address"),
    ] {
        let machine = machine(&[WORKSTATION, QUBES], script);
        let shown = detect(&machine.probe).unwrap_err().to_string();
        let command = machine.probe.qubesdb_read.display();
        assert_eq!(shown, format!("cannot find the gateway: {command} /qubes-gateway {problem}; {advice}"));
    }
}

#[test]
fn a_database_that_hangs_is_given_up() {
    // Also one that has closed its output, and one whose child keeps it open.
    let scripts =
        ["exec sleep 20", "exec >/dev/null; exec sleep 20", "yes & sleep 20 & wait", "sleep 20 & echo 10.137.0.5"];
    std::thread::scope(|scope| {
        for script in scripts {
            scope.spawn(move || {
                let machine = machine(&[WORKSTATION, QUBES], Some(script));
                let begun = Instant::now();
                let outcome = detect(&machine.probe);
                assert!(begun.elapsed() < Duration::from_secs(10), "{script}: {:?}", begun.elapsed());
                let shown = outcome.unwrap_err().to_string();
                assert!(shown.contains("does not answer within 2 s"), "{script}: {shown}");
            });
        }
    });
}

#[test]
fn it_inherits_nothing_from_us() {
    // cargo sets this one for its tests.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let script = format!(
        "test -z \"$CARGO_MANIFEST_DIR$HOME$LD_PRELOAD\" && test \"$(readlink /proc/self/cwd)\" = / && {ANSWER}"
    );
    let machine = machine(&[WORKSTATION, QUBES], Some(&script));
    assert_eq!(found(&machine), (Place::Qubes, QUBES_GATEWAY, true));
}

#[test]
fn contradictory_or_unreadable_markers_are_an_error() {
    let both = machine(&[WORKSTATION, GATEWAY], None);
    assert_eq!(
        detect(&both.probe).unwrap_err().to_string(),
        "cannot find the gateway: the markers of Whonix-Workstation and of Whonix-Gateway are both there; \
         set gateway and transparent_proxy in /etc/uwt.d/50_user.toml"
    );

    let unreadable = machine(&[], None);
    std::os::unix::fs::symlink("usr", unreadable.root.path().join("usr")).unwrap();
    let shown = detect(&unreadable.probe).unwrap_err().to_string();
    assert!(shown.contains("cannot look up") && shown.contains(WORKSTATION), "{shown}");
}

#[test]
fn this_machine_can_be_probed() {
    let probe = Probe::default();
    assert_eq!(
        (probe.root.as_path(), probe.qubesdb_read.as_path()),
        (Path::new("/"), Path::new("/usr/bin/qubesdb-read"))
    );
}
