//! Arguments that name this machine.

#![expect(unsafe_code, reason = "openpty has no safe form in the crates the lab uses")]

use std::fs::File;
use std::io::Read as _;
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::process::Stdio;

use crate::place::{Place, run};

const TRANSPARENT: &str = "transparent_proxy = true\n";

/// Whether the program was carried.
fn carried(place: &Place, argument: &str) -> bool {
    let ran = run(&mut place.uwt(&["sh", "-c", "echo \"${UWT_SESSION:+carried}\"", "sh", argument]));
    ran.succeeded() == "carried\n"
}

#[test]
fn only_behind_a_transparent_gateway_or_by_decree() {
    let place = Place::new();
    for (configuration, word, expected) in [
        ("transparent_proxy = false\n", "http://localhost/", true),
        ("transparent_proxy = false\n", "127.0.0.1", true),
        (TRANSPARENT, "example.com", true),
        (TRANSPARENT, "http://localhost/", false),
        (TRANSPARENT, "127.0.0.1:8080", false),
        (TRANSPARENT, "http://[::1]/", false),
        (TRANSPARENT, "2001:db8::1", true),
        ("transparent_proxy = true\nlocalhost = \"loopback\"\n", "localhost", true),
        ("transparent_proxy = false\nlocalhost = \"passthrough\"\n", "localhost", false),
        ("localhost = \"passthrough\"\n", "example.com", true),
    ] {
        place.configure(configuration);
        assert_eq!(carried(&place, word), expected, "{configuration}{word}");
    }
}

/// What was begun for a guard is gone when there is none after all: a child would be the program's.
#[test]
fn no_child_is_left_behind() {
    let place = Place::new();
    place.configure("localhost = \"passthrough\"\n");
    for (argument, carried) in [("localhost", ""), ("example.com", "carried")] {
        // Without a further process: the shell's own builtins.
        let script = "read -r children < /proc/$$/task/$$/children; echo \"${UWT_SESSION:+carried}[$children]\"";
        let ran = run(&mut place.uwt(&["sh", "-c", script, "sh", argument]));
        assert_eq!(ran.succeeded(), format!("{carried}[]\n"));
    }
}

/// A terminal: the side of the program, and ours.
fn terminal() -> (OwnedFd, File) {
    let (mut ours, mut theirs) = (-1, -1);
    let (none, name) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: two places for descriptors; the name and the settings are not asked for (openpty(3)).
    let opened = unsafe { libc::openpty(&raw mut ours, &raw mut theirs, name, none, none.cast()) };
    assert_eq!(opened, 0, "openpty: {}", std::io::Error::last_os_error());
    // SAFETY: openpty has just opened both, and nobody else knows them.
    unsafe { (OwnedFd::from_raw_fd(theirs), File::from_raw_fd(ours)) }
}

#[test]
fn who_looks_at_a_terminal_is_told() {
    let place = Place::new();
    place.configure(TRANSPARENT);
    let (theirs, mut ours) = terminal();
    let mut child = place.uwt(&["true", "localhost"]).stderr(Stdio::from(theirs)).spawn().expect("starts");
    assert!(child.wait().expect("ends").success());
    let mut said = vec![0; 4096];
    let length = ours.read(&mut said).expect("readable: it said something");
    let said = String::from_utf8_lossy(&said[..length]).into_owned();
    assert!(said.starts_with("uwt: /usr/bin/true runs without uwt: the arguments contain localhost and "), "{said}");
    assert!(
        said.contains("transparent_proxy = true") && said.ends_with("(localhost = \"loopback\" keeps it wrapped)\r\n")
    );
}
