//! The command line itself.

use std::fs::File;

use crate::place::Place;
use crate::program::{ran, uwtctl, wide};

/// The commands that a help text lists.
fn commands(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // What is indented more goes on with the text of the line before.
    let listed = lines.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    listed.filter_map(|line| line.split(' ').next()).filter(|name| *name != "help").collect()
}

/// The help of a command and of each of those below it.
fn read(place: &Place, command: &[&str], seen: &mut Vec<String>) {
    let help = ran(place, &[command, &["--help"]].concat());
    let text = help.succeeded();
    assert!(text.contains(&["Usage: uwtctl", &command.join(" ")].join(" ").trim_end().to_owned()), "{text}");
    assert!(wide(text).is_empty(), "{command:?}: {:#?}", wide(text));
    seen.push(command.join(" "));
    for name in commands(text) {
        read(place, &[command, &[name]].concat(), seen);
    }
}

#[test]
fn every_command_has_a_help_that_fits_a_terminal() {
    let mut seen = Vec::new();
    read(&Place::new(), &[], &mut seen);
    for command in ["", "status", "wrapper add", "audit", "check", "circuits", "ports assign", "gateway torrc"] {
        assert!(seen.iter().any(|name| name == command), "{command}: {seen:?}");
    }
    assert!(seen.len() >= 20, "{seen:?}");
}

#[test]
fn the_version_is_that_of_uwt() {
    let place = Place::new();
    let uwt = place.uwt_with(&[], &["--version"]);
    let (name, version) = uwt.succeeded().split_once(' ').expect("name and version");
    assert_eq!(name, "uwt");
    assert_eq!(ran(&place, &["--version"]).succeeded(), format!("uwtctl {version}"));
}

#[test]
fn what_cannot_be_printed_is_no_success() {
    let place = Place::new();
    for arguments in [&["--help"][..], &["--version"], &["config", "show"], &["--json", "config", "check"]] {
        let mut command = uwtctl(&place, arguments);
        let full = File::options().write(true).open("/dev/full").expect("full(4)");
        let ended = command.stdout(full).output().expect("it runs");
        let said = String::from_utf8_lossy(&ended.stderr);
        let expected = "uwtctl: standard output cannot be written: No space left on device";
        assert!(ended.status.code() == Some(2) && said.starts_with(expected), "{arguments:?}: {ended:?}");
        // Who reads no further has seen enough.
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let ended = uwtctl(&place, arguments).stdout(writer).output().expect("it runs");
        assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &[][..]), "{arguments:?}");
    }
}

#[test]
fn a_command_line_that_is_not_understood_says_what_is() {
    let place = Place::new();
    for (arguments, said) in [
        (&[][..], "Usage: uwtctl"),
        (&["stats"], "'status'"),
        (&["--jason", "status"], "'--json'"),
        (&["wrapper"], "Commands:"),
        (&["wrapper", "add"], "<NAME>"),
        (&["audit"], "<COMMAND>"),
        (&["check", "transparent"], "transparent-dns"),
        (&["check", "all", "--timeout", "0"], "1..=600"),
        (&["gateway", "torc"], "'torrc'"),
        (&["config", "import"], "<FILE>"),
    ] {
        let refused = ran(&place, arguments);
        assert_eq!((refused.status, refused.out.as_str()), (2, ""), "{arguments:?}: {refused:?}");
        assert!(refused.err.contains(said), "{arguments:?}: {}", refused.err);
        assert!(wide(&refused.err).is_empty(), "{arguments:?}: {:#?}", wide(&refused.err));
    }
}
