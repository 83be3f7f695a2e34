//! The shell file in front of `torsocks`: executed, and sourced by the shells that there are.

use std::fs;
use std::path::Path;

use support::gateway::{Gateway, GatewayOptions, Service};

use crate::place::{Place, Ran, bin_dir, run, word};

/// How a shell sources the file with a word: not every `.` takes arguments.
const SHELLS: &[(&str, &str)] = &[
    ("bash", ". torsocks \"$@\""),
    ("dash", ". torsocks"),
    ("bash --posix", ". torsocks \"$@\""),
    ("zsh", ". torsocks \"$@\""),
];

/// `bin/torsocks` is the shell file, `libexec/torsocks` the launcher.
fn place() -> Place {
    let place = Place::new();
    fs::create_dir(place.at("libexec")).expect("made");
    place.link("libexec/torsocks", bin_dir().join("uwt"));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../etc/torsocks.sh");
    let text = fs::read_to_string(file).expect("readable");
    let launcher = place.at("libexec/torsocks").display().to_string();
    assert!(text.contains("/usr/libexec/uwt/torsocks"));
    place.program("bin/torsocks", text.replace("/usr/libexec/uwt/torsocks", &launcher));
    place.file("t.conf", "");
    place
}

fn executed(place: &Place, variables: &[&str], arguments: &[&str]) -> Ran {
    let conf = format!("TORSOCKS_CONF_FILE={}", place.at("t.conf").display());
    place.run_with(&[&[conf.as_str()], variables].concat(), "torsocks", arguments)
}

/// A line `ts WORDS` in a script sources the file, in the shell itself and not in a function.
fn expanded(script: &str, source: &str) -> String {
    let line = |line: &str| match line.trim().strip_prefix("ts") {
        Some(words) => format!("set --{words}\n{source} || echo \"status $?\"\n"),
        None => format!("{line}\n"),
    };
    script.lines().map(line).collect()
}

/// Runs a script in a shell, see [`expanded`].
fn sourced(place: &Place, shell: &str, source: &str, variables: &[&str], script: &str) -> Ran {
    let conf = format!("TORSOCKS_CONF_FILE={}", place.at("t.conf").display());
    let mut command = place.command("env");
    command.arg(conf).args(variables).args(shell.split(' ')).arg("-c").arg(expanded(script, source));
    run(&mut command)
}

fn library() -> String {
    bin_dir().join("libuwt_preload.so").display().to_string()
}

#[test]
fn executed_it_runs_the_program() {
    let place = place();
    let echo = "echo \"$0 $1 $2 ${UWT_SESSION%% *}\"";
    assert_eq!(
        executed(&place, &[], &["sh", "-c", echo, "a  b", "c'\"", "$d"]).succeeded(),
        "a  b c'\" $d version=1\n"
    );
    for name in ["show-something", "on-top", "off-line", "shown"] {
        place.program(&format!("bin/{name}"), "#!/bin/sh\necho \"$# ${UWT_SESSION%% *}\"\n");
        assert_eq!(executed(&place, &[], &[name]).succeeded(), "0 version=1\n");
        assert_eq!(executed(&place, &[], &[name, "", "x"]).succeeded(), "2 version=1\n");
    }
    assert_eq!(executed(&place, &[], &["-i", "--", "sh", "-c", "exit 7"]).status, 7);
    assert!(executed(&place, &[], &["on", "x"]).failed_with(127).starts_with("on: not found in PATH"));
    assert!(executed(&place, &[], &["--version"]).succeeded().starts_with("Torsocks "));
    let path = place.at("bin/torsocks").display().to_string();
    let script = "echo ${UWT_SESSION%% *}";
    for shell in ["sh", "dash", "bash"] {
        let ran = place.run_with(&[], shell, &[&path, "sh", "-c", script]);
        assert_eq!(ran.succeeded(), "version=1\n", "{shell}");
    }
    // Found in PATH, under a name that tells less.
    assert_eq!(place.run_with(&[], "bash", &["torsocks", "sh", "-c", script]).succeeded(), "version=1\n");
}

#[test]
fn executed_it_cannot_change_the_shell() {
    let place = place();
    for word in ["on", "off"] {
        let refused = executed(&place, &[], &[word]);
        assert_eq!(refused.failed_with(1), format!("only a shell can change itself: `. torsocks {word}`"));
    }
    let shown = executed(&place, &["LD_PRELOAD=libm.so.6"], &["show"]);
    assert_eq!((shown.status, shown.out.as_str()), (0, "LD_PRELOAD=\"libm.so.6\"\n"), "{shown:?}");
    assert_eq!(shown.err, "uwt: off: commands of this shell do not go through Tor\n");
}

#[test]
fn on_and_off_leave_nothing_behind() {
    let place = place();
    let library = library();
    let script = "\
set -eu
IFS=o
set > before
ts on
printenv UWT_SESSION LD_PRELOAD
ts show
ts on
ts off
ts off
echo \"[${LD_PRELOAD-unset}][${UWT_SESSION-unset}][$-]\"
printenv UWT_SESSION || echo gone
set > after
";
    let script = script.replace("before", &place.at("before").display().to_string());
    let script = script.replace("after", &place.at("after").display().to_string());
    for (shell, source) in SHELLS {
        let ran = sourced(&place, shell, source, &[], &script);
        let lines: Vec<&str> = ran.out.lines().collect();
        let [session, preload, shown, rest, gone] = lines[..] else { panic!("{shell}: {ran:?}") };
        assert_eq!((word(session, "guard"), word(session, "preload")), ("off", library.as_str()));
        assert_eq!((preload, shown), (library.as_str(), format!("LD_PRELOAD=\"{library}\"").as_str()), "{shell}");
        assert!(rest.starts_with("[unset][unset][") && rest.contains('e') && rest.contains('u'), "{shell}: {rest}");
        assert_eq!((gone, ran.status), ("gone", 0), "{shell}: {ran:?}");
        let said: Vec<&str> = ran.err.lines().map(|line| line.split([',', ';']).next().unwrap_or(line)).collect();
        let expected = [
            "uwt: on: commands of this shell go through Tor",
            "uwt: on: commands of this shell go through Tor",
            "uwt: on already",
            "uwt: off: commands of this shell do NOT go through Tor any more",
            "uwt: off already: commands of this shell do not go through Tor",
        ];
        assert_eq!(said, expected, "{shell}");
        // Neither function nor variable; those of the shell itself change by themselves.
        let names = |file: &str| -> Vec<String> {
            let text = fs::read_to_string(place.at(file)).expect("written");
            let mut names: Vec<String> =
                text.lines().filter_map(|line| line.split(['=', ' ']).next()).map(str::to_owned).collect();
            names.retain(|name| !["_", "BASH_LINENO", "PIPESTATUS", "BASH_ARGC", "BASH_ARGV"].contains(&name.as_str()));
            names
        };
        assert_eq!(names("before"), names("after"), "{shell}");
    }
}

#[test]
fn what_was_preloaded_before_stays() {
    let place = place();
    let library = library();
    for (shell, source) in SHELLS {
        for before in ["libm.so.6", "libm.so.6:libdl.so.2", "libm.so.6 libdl.so.2"] {
            let script = "ts on\necho \"$LD_PRELOAD\"\nts on\nts off\necho \"$LD_PRELOAD\"\nsh -c 'echo $LD_PRELOAD'";
            let ran = sourced(&place, shell, source, &[&format!("LD_PRELOAD={before}")], script);
            assert_eq!(ran.out, format!("{library}:{before}\n{before}\n{before}\n"), "{shell}: {ran:?}");
        }
        // Added meanwhile, before and behind.
        for (added, left) in [("a:$LD_PRELOAD", "a"), ("$LD_PRELOAD:b", "b"), ("a:$LD_PRELOAD:b", "a:b")] {
            let script = format!("ts on\nLD_PRELOAD={added}\nts off\necho \"$LD_PRELOAD\"");
            let ran = sourced(&place, shell, source, &[], &script);
            assert_eq!(ran.out, format!("{left}\n"), "{shell}: {ran:?}");
        }
    }
}

#[test]
fn commands_are_carried_while_it_is_on() {
    let gateway = Gateway::start(GatewayOptions::new().service(Service::Echo)).expect("a gateway");
    let place = place();
    place.file("t.conf", format!("TorAddress 127.0.0.1\nTorPort {}\n", gateway.address().port()));
    let connect = "bash -c 'exec 3<>/dev/tcp/192.0.2.7/80'";
    for (shell, source) in SHELLS {
        let ran =
            sourced(&place, shell, source, &[], &format!("ts on\n{connect}\n{connect}\nsh -c 'busybox true'\necho $?"));
        assert_eq!((ran.status, ran.out.as_str()), (0, "126\n"), "{ran:?}");
        assert!(ran.err.contains("is statically linked"), "refused, visibly: {ran:?}");
        assert!(ran.err.contains("but NOT those that load no library"), "what it cannot do is said: {ran:?}");
        let users: Vec<_> = gateway.take_log().into_iter().map(|request| request.username).collect();
        assert!(users.len() == 2 && users[0].is_some() && users[0] != users[1], "one each: {users:?}");
    }
    let pair = &["TORSOCKS_USERNAME=a", "TORSOCKS_PASSWORD=b"];
    run(place.command("env").args(pair).arg(format!("TORSOCKS_CONF_FILE={}", place.at("t.conf").display())).args([
        "bash",
        "-c",
        &format!(". torsocks on; {connect}; torsocks {connect}"),
    ]));
    let users: Vec<_> = gateway.take_log().into_iter().map(|request| request.username).collect();
    assert!(users.len() == 2 && users[0] == users[1], "one pair: {users:?}");
}

#[test]
fn a_guarded_shell_stays_guarded() {
    let place = place();
    for (shell, source) in SHELLS {
        let script = expanded("ts off\nts on\nts show\nsh -c 'echo ${UWT_SESSION%% *}'", source);
        let words: Vec<&str> = shell.split(' ').collect();
        let ran = executed(&place, &[], &[&words[..], &["-c", &script]].concat());
        let library = library();
        assert_eq!(ran.out, format!("status 1\nLD_PRELOAD=\"{library}\"\nversion=1\n"), "{ran:?}");
        let expected = "uwt: this shell was started with a guard, which cannot be taken off; `exit` leaves it\nuwt: on already, \
             with a guard\nuwt: on, with a guard: commands of this shell go through Tor\n";
        assert_eq!((ran.status, ran.err.as_str()), (0, expected), "{shell}");
    }
}

#[test]
fn where_nothing_can_be_switched_on_the_shell_goes_on_as_it_is() {
    let place = place();
    place.file("t.conf", "Unknown 1\n");
    for (shell, source) in SHELLS {
        let ran = sourced(&place, shell, source, &[], "ts on\necho \"[${LD_PRELOAD-unset}]\"");
        assert_eq!((ran.status, ran.out.as_str()), (0, "status 1\n[unset]\n"), "{shell}: {ran:?}");
        assert!(ran.err.starts_with("uwt: ") && ran.err.contains("unknown directive 'Unknown'"), "{ran:?}");
        for words in ["", "curl", "on off", "on:on", "ON"] {
            let ran = sourced(&place, shell, source, &[], &format!("ts {words}"));
            assert_eq!((ran.status, ran.out.as_str()), (0, "status 1\n"), "{shell} {words}: {ran:?}");
            assert!(ran.err.starts_with("uwt: sourced, torsocks takes on, off or show"), "{ran:?}");
        }
    }
}

#[test]
fn it_is_plain_posix_shell() {
    let place = place();
    let path = place.at("bin/torsocks").display().to_string();
    for shell in ["dash", "bash", "busybox sh"] {
        let mut words = shell.split(' ');
        let mut command = place.command(words.next().expect("a shell"));
        run(command.args(words).args(["-n", &path])).succeeded();
    }
}
