//! The command line: options, their end, and bad usage.

use crate::place::{Place, run};

#[test]
fn bad_usage_ends_with_125_and_one_line() {
    let place = Place::new();
    for (arguments, expected) in [
        (&[][..], "no command given; usage: uwt [OPTIONS] [--] COMMAND [ARGS…] (see `uwt --help`)"),
        (&["--"], "no command given; usage: uwt [OPTIONS] [--] COMMAND [ARGS…] (see `uwt --help`)"),
        (&["-v"], "no command given; usage: uwt [OPTIONS] [--] COMMAND [ARGS…] (see `uwt --help`)"),
        (&["--shell"], "unexpected argument '--shell' found; did you mean --help? (see `uwt --help`)"),
        (&["--explan", "true"], "unexpected argument '--explan' found; did you mean --explain? (see `uwt --help`)"),
        (
            &["-t", "4", "true"],
            "invalid value '4' for '-t <5>': only SOCKS version 5 is spoken: `-t 5`, or leave the option out (see `uwt \
             --help`)",
        ),
        (
            &["-p", "70000", "true"],
            "invalid value '70000' for '--port <PORT>': 70000 is not in 1..=65535 (see `uwt --help`)",
        ),
        (
            &["--isolate", "identity", "true"],
            "invalid value 'identity' for '--isolate <SCOPE>': an identity has a name: use `--identity NAME` (see `uwt \
             --help`)",
        ),
        (
            &["--dns", "system", "true"],
            "invalid value 'system' for '--dns <MODE>': expected names or resolve (see `uwt --help`)",
        ),
        (
            &["-i", "::1", "true"],
            "invalid value '::1' for '--ip <IP>': '::1' is an IPv6 address, which is not carried; expected \"auto\" or an \
             IPv4 address (see `uwt --help`)",
        ),
    ] {
        assert_eq!(run(&mut place.uwt(arguments)).failed_with(125), expected, "{arguments:?}");
    }
}

#[test]
fn no_word_is_a_verb() {
    let place = Place::new();
    for word in ["show", "on", "off", "help"] {
        let ran = run(&mut place.uwt(&[word]));
        let expected = format!("{word}: not found in PATH; check the name, or install the package that brings it");
        assert_eq!(ran.failed_with(127), expected);
    }
    place.program("bin/show", "#!/bin/sh\necho \"shown $*\"\n");
    place.program("bin/--shell", "#!/bin/sh\necho dashes\n");
    assert_eq!(run(&mut place.uwt(&["show", "--help", "-i", "--", "on"])).succeeded(), "shown --help -i -- on\n");
    assert_eq!(run(&mut place.uwt(&["--", "--shell"])).succeeded(), "dashes\n");
    assert_eq!(run(&mut place.uwt(&["-t", "5", "--", "show", "--", "x"])).succeeded(), "shown -- x\n");
}

#[test]
fn help_and_version_go_to_standard_output() {
    let place = Place::new();
    let help = run(&mut place.uwt(&["--help"]));
    for word in ["--identity", "--isolate", "UWT_CONFIG_PATH", "UWT_DEV_PASSTHROUGH", "uwtwrapper_max", "125"] {
        assert!(help.succeeded().contains(word), "{word} in {}", help.out);
    }
    assert!(run(&mut place.uwt(&["-h"])).succeeded().contains("COMMAND"));
    assert!(run(&mut place.uwt(&["-V"])).succeeded().starts_with("uwt "));
}
