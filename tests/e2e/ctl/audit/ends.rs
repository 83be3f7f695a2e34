//! How audits end: with their command, with what it leaves behind, and without anything having been run.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::laboratory::{Laboratory, User};
use crate::place::Place;
use crate::program::{ran, uwtctl, wide};
use crate::schema::check;

/// Starts uwtctl in a process group of its own, as a shell does, and gives its id.
fn started(command: &mut Command) -> (std::process::Child, Pid) {
    let child = command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.expect("started");
    let id = Pid::from_raw(child.id().cast_signed());
    (child, id)
}

fn document(place: &Place) -> Value {
    let text = std::fs::read_to_string(place.at("report.json")).expect("a report");
    let document = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    check("audit", &document);
    document
}

/// `uwtctl --json audit` with a report in `report.json`.
fn audit(place: &Place, words: &[&str]) -> Command {
    let file = place.at("report.json");
    uwtctl(place, &[&["--json", "audit", "--output", file.to_str().expect("UTF-8")], words].concat())
}

#[test]
fn the_end_of_the_command_is_in_the_report() {
    let place = Place::new();
    for (script, ended) in [
        ("exit 0", json!({"status": 0})),
        ("exit 42", json!({"status": 42})),
        ("exit 127", json!({"status": 127})),
        ("kill -KILL $$", json!({"signal": 9})),
    ] {
        let output = audit(&place, &["--", "sh", "-c", script]).output().expect("started");
        assert_eq!(output.status.code(), Some(0), "{script}: {output:?}");
        let document = document(&place);
        assert_eq!((&document["ended"], &document["verdict"]), (&ended, &json!("nothing_sent")), "{script}");
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{script}: {output:?}");
    }
}

#[test]
fn the_standard_files_are_those_of_the_command() {
    let place = Place::new();
    let script = "read line; echo \"out $line\"; echo \"err $line\" >&2";
    let mut command = uwtctl(&place, &["audit", "--", "sh", "-c", script]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    std::io::Write::write_all(&mut child.stdin.take().expect("piped"), b"given\n").expect("written");
    let output = child.wait_with_output().expect("ended");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "out given\n");
    let err = String::from_utf8(output.stderr).expect("UTF-8");
    let report = err.strip_prefix("err given\n").unwrap_or_else(|| panic!("{err}"));
    assert!(report.contains("Nothing sent") && wide(report).is_empty(), "{report}");
    assert!(!report.contains('\x1b'), "{report}");
}

#[test]
fn the_command_finds_nothing_that_is_ours() {
    let place = Place::new();
    // ls(1) has a descriptor of the folder itself.
    let script = "ls /proc/self/fd; exec grep -c /dev/fd /proc/self/environ";
    let bare = place.command("sh").args(["-c", script]).output().expect("started");
    let audited = uwtctl(&place, &["audit", "--", "sh", "-c", script]).output().expect("started");
    assert_eq!(String::from_utf8_lossy(&audited.stdout), String::from_utf8_lossy(&bare.stdout));
}

#[test]
fn a_signal_of_the_terminal_ends_the_command_and_the_report_comes() {
    let place = Place::new();
    let (mut child, group) = started(&mut audit(&place, &["--", "sh", "-c", "echo begun; exec sleep 1000"]));
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    out.read_line(&mut line).expect("read");
    assert_eq!(line, "begun\n");
    killpg(group, Signal::SIGINT).expect("sent");
    assert_eq!(child.wait().expect("ended").code(), Some(0));
    assert_eq!(document(&place)["ended"], json!({"signal": 2}));
}

#[test]
fn a_signal_for_uwtctl_alone_is_passed_on() {
    let place = Place::new();
    let script = "trap 'echo got it; exit 7' TERM; echo begun; while :; do sleep 0.1; done";
    let (mut child, id) = started(&mut audit(&place, &["--", "sh", "-c", script]));
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    out.read_line(&mut line).expect("read");
    kill(id, Signal::SIGTERM).expect("sent");
    out.read_line(&mut line).expect("read");
    assert_eq!(line, "begun\ngot it\n");
    assert_eq!(child.wait().expect("ended").code(), Some(0));
    assert_eq!(document(&place)["ended"], json!({"status": 7}));
}

#[test]
fn what_is_left_behind_is_waited_for_until_the_user_has_enough() {
    let place = Place::new();
    // It lets go of everything but the guard, as a daemon does.
    let script = "setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $!";
    let (mut child, group) = started(&mut audit(&place, &["--", "sh", "-c", script]));
    let mut pid = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut pid).expect("read");
    let daemon = Pid::from_raw(pid.trim().parse().expect("a number"));
    let mut err = BufReader::new(child.stderr.take().expect("piped"));
    let mut said = String::new();
    err.read_line(&mut said).expect("read");
    assert!(said.starts_with("uwtctl: the command has ended; still running: "), "{said}");
    assert!(said.contains(&format!("sleep (pid {daemon})")), "{said}");
    killpg(group, Signal::SIGINT).expect("sent");
    assert_eq!(child.wait().expect("ended").code(), Some(3));
    kill(daemon, Signal::SIGKILL).expect("it still ran");
    err.read_to_string(&mut said).expect("read");
    let document = document(&place);
    assert_eq!((&document["verdict"], &document["complete"]), (&json!("unknown"), &json!(false)));
    let why = document["findings"][0]["why"].as_str().expect("a sentence");
    assert!(why.contains("still running"), "{why}");
}

#[test]
fn what_is_left_behind_belongs_to_the_report() {
    let place = Place::new();
    let script =
        "setsid sh -c 'while [ ! -e go ]; do sleep 0.05; done; exec sleep 0.05' </dev/null >/dev/null 2>&1 & echo $!";
    let mut command = audit(&place, &["--", "sh", "-c", script]);
    let (mut child, _) = started(command.current_dir(place.at("run")));
    let mut err = BufReader::new(child.stderr.take().expect("piped"));
    let mut said = String::new();
    err.read_line(&mut said).expect("read");
    assert!(said.contains("still running"), "{said}");
    place.file("run/go", "");
    assert_eq!(child.wait().expect("ended").code(), Some(0));
    assert_eq!(document(&place)["complete"], true);
}

#[test]
fn without_a_command_that_can_be_run_nothing_is() {
    let place = Place::new();
    let file = place.file("file", "no program");
    for (words, said) in [
        (vec!["--", "no-such-command"], "no-such-command"),
        (vec!["--", file.to_str().expect("UTF-8")], "permission denied"),
        (vec!["--guard=off", "--", "true"], "without a guard"),
        (vec!["--no-such-option", "--", "true"], "--no-such-option"),
        (vec!["--isolate", "process"], "no command given"),
    ] {
        let failed = ran(&place, &[&["audit"], words.as_slice()].concat());
        assert_eq!((failed.status, failed.out.as_str()), (2, ""), "{words:?}: {failed:?}");
        // uwt says why, uwtctl what that means.
        assert!(
            failed.err.contains(said) && failed.err.contains("uwtctl: nothing was run"),
            "{words:?}: {}",
            failed.err
        );
        assert!(wide(failed.err.split_once("uwtctl: ").expect("ours").1).is_empty(), "{words:?}: {}", failed.err);
    }
    place.configure("enabled = false\n");
    let failed = ran(&place, &["audit", "--", "true"]);
    assert!(failed.status == 2 && failed.err.contains("uwtctl: nothing was run"), "{failed:?}");
}

#[test]
fn a_gateway_that_is_gone_is_told() {
    let laboratory = Laboratory::new();
    // Nobody listens in a workstation of one's own.
    let words = ["-i", "127.0.0.1", "-p", "9", "--", "curl", "-sS", "http://www.lab.test/"];
    // One that would speak to the SocksPort itself as well as one that uwt connects.
    for (lines, what) in [("", "connections"), ("[command.curl]\nnative = \"all_proxy\"\n", "local")] {
        laboratory.configure(lines);
        let audited = laboratory.audit(User::Root, &words);
        assert_eq!((audited.status, &audited.report["verdict"]), (Some(3), &json!("unknown")), "{audited:#?}");
        let failed = &audited.process("curl")[what][0]["failed"];
        assert!(failed.as_str().is_some_and(|why| !why.is_empty()), "{audited:#?}");
        let finding = &audited.report["findings"][0];
        let advice = finding["advice"].as_str().expect("advice");
        assert!(advice.contains("uwtctl status"), "{advice}");
        assert!(!finding["why"].as_str().expect("why").contains("SocksPort"), "{finding}");
    }
}
