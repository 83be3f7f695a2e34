//! `uwt --report`: what a program does with the network, whoever deals with it, and which program it was.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::wait::wait_until;
use tempfile::TempDir;

use crate::site::{LIMIT, Seen, Site, USERS, User, probe, watch};

/// A folder in which every user can make a report.
fn folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("uwt-report-").tempdir().expect("a folder");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).expect("chmod");
    folder
}

fn events(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_default();
    // The last line may be on its way.
    text.split_inclusive('\n').filter_map(|line| serde_json::from_str(line.strip_suffix('\n')?).ok()).collect()
}

/// An event in a few words.
fn words(event: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let place = |value: &Value| {
        let port = value["port"].as_u64().map_or_else(String::new, |port| format!(":{port}"));
        text(&value["host"]) + &port
    };
    let (kind, layer) = (text(&event["event"]), text(&event["layer"]));
    let rest = match kind.as_str() {
        "process" => {
            let program = PathBuf::from(text(&event["program"]));
            let name = program.file_name().expect("a name").display().to_string();
            format!("{name} {}", if event["preload"] == true { "with" } else { "without" })
        }
        "connection" => format!("{layer} {} {}", place(&event["destination"]), text(&event["outcome"]["is"])),
        "lookup" => format!("{layer} {} {}", text(&event["name"]), if event["sent"] == true { "sent" } else { "kept" }),
        "refused" => {
            let (transport, errno) = (text(&event["transport"]), text(&event["errno"]));
            format!("{layer} {transport} {} {errno}", place(&event["destination"]))
        }
        "local" => format!("{layer} {}", text(&event["destination"]["host"])),
        "server" => format!("{layer} {}", text(&event["address"]["host"])),
        _ => String::new(),
    };
    format!("{kind} {rest}").trim_end().to_owned()
}

/// Runs a command with a report, and waits until that is complete.
#[track_caller]
fn reported(site: &Site, user: User, add: impl FnOnce(&mut Command)) -> (Seen, Vec<Value>) {
    let folder = folder();
    let file = folder.path().join("report");
    let mut command = site.uwt(user, &["--report", file.to_str().expect("UTF-8")]);
    add(&mut command);
    let seen = watch(&mut command);
    let all = wait_until(LIMIT, || {
        let events = events(&file);
        events.last().is_some_and(|event| event["event"] == "end").then_some(events)
    });
    (seen, all.unwrap_or_else(|| panic!("no end: {:?}", fs::read_to_string(&file))))
}

const SCRIPT: &str = "socket inet stream; connect 203.0.113.10:80; socket inet stream+nonblock; connect 203.0.113.10:81; \
    poll out 30000; socket inet dgram; sendto 203.0.113.6:9 hi; socket inet raw; socket inet stream; bind 127.0.0.1:0; \
    listen; as server; socket inet stream; connect @server; fork; socket inet stream; connect 203.0.113.10:82; end";

#[test]
fn what_the_preload_sees() {
    let site = Site::new(|_| {});
    for user in USERS {
        let (seen, events) = reported(&site, user, |command| {
            command.arg(probe()).arg(SCRIPT);
        });
        assert!(seen.status.success() && seen.notes.is_empty(), "{seen:?}");
        let told: Vec<_> = events.iter().map(words).collect();
        let expected = [
            "begin",
            "process probe with",
            "connection preload 203.0.113.10:80 granted",
            "connection relay 203.0.113.10:81 granted",
            "refused preload udp 203.0.113.6:9 EACCES",
            "refused preload raw - EACCES",
            "server preload 127.0.0.1",
            "local preload 127.0.0.1",
            "process probe with",
            "connection preload 203.0.113.10:82 granted",
            "end",
        ];
        assert_eq!(told, expected, "{seen:?}");
        // The gateway was given what the report says, by each process its own.
        let label = |index: usize| events[index]["credential"].as_str().expect("a label").to_owned();
        let given: Vec<_> = site.gateway.take_log().into_iter().filter_map(|request| request.username).collect();
        assert_eq!(given, [label(2), label(3), label(9)]);
        assert!(label(2) == label(3) && label(3) != label(9));
        let (parent, child) = (&events[1], &events[8]);
        assert_eq!((&child["parent"], &parent["arguments"][1]), (&parent["pid"], &Value::from(SCRIPT)));
    }
}

#[test]
fn what_it_does_not_see() {
    let site = Site::new(|_| {});
    let script = "socket inet stream; connect 203.0.113.10:80; socket inet dgram; sendto 203.0.113.6:9 hi; \
        socket inet raw; socket packet raw; socket inet stream; bind 127.0.0.1:0; listen; as server; socket inet stream; \
        connect @server";
    for user in USERS {
        // A static program takes the library out of the next one's environment.
        let (seen, events) = reported(&site, user, |command| {
            command.args(["busybox", "env", "-i"]).arg(probe()).arg(script);
        });
        assert!(seen.status.success(), "{seen:?}");
        let mut told: Vec<_> = events.iter().map(words).collect();
        // Packets are looked at when there is time.
        told[3..].sort();
        let expected = [
            "begin",
            "process busybox without",
            "process probe without",
            "connection cage 203.0.113.10:80 granted",
            "end",
            "local cage 127.0.0.1",
            "refused cage udp 203.0.113.6:9 ECONNREFUSED",
            "refused guard raw - EACCES",
            "refused guard raw - EACCES",
            "server cage 127.0.0.1",
        ];
        assert_eq!(told, expected, "{seen:?}");
    }
}

#[test]
fn children_that_do_nothing_and_what_could_not_be_executed() {
    let site = Site::new(|_| {});
    let (seen, events) = reported(&site, User::Nobody, |command| {
        command.args(["sh", "-c", "/nonexistent/x; ls / > /dev/null; exec busybox sleep 1"]);
    });
    assert!(seen.status.success(), "{seen:?}");
    let told: Vec<_> = events.iter().map(words).collect();
    let [_, shell, ..] = &told[..] else { panic!("{told:?}") };
    assert!(shell.starts_with("process ") && shell.ends_with(" with"), "{told:?}");
    assert_eq!(told[2..], ["process ls with", "process busybox without", "end"]);
    assert_eq!((&events[2]["parent"], &events[3]["pid"]), (&events[1]["pid"], &events[1]["pid"]));
}

#[test]
fn without_its_helper_a_report_has_no_end() {
    let site = Site::new(|_| {});
    let folder = folder();
    let file = folder.path().join("report");
    let options = ["--report", file.to_str().expect("UTF-8")];
    let mut program = site.start(
        User::Root,
        &options,
        "pause; socket inet stream; connect 203.0.113.10:80; exec execve same path=/bin/echo -- yes",
    );
    program.until_paused();
    site.kill_helpers();
    program.go_on();
    // What the preload carries goes on; nothing unseen is executed.
    assert_eq!(program.end(), "1; ok; ok; ENOSYS");
    let told: Vec<_> = events(&file).iter().map(words).collect();
    assert_eq!(told, ["begin", "process probe with"]);
}

#[test]
fn the_guard_that_only_refuses_reports_too() {
    let site = Site::new(|_| {});
    site.configure("guard = \"deny\"\n");
    let (seen, events) = reported(&site, User::Nobody, |command| {
        command.args(["busybox", "env", "-i"]).arg(probe()).arg("socket inet stream; socket inet dgram");
    });
    assert_eq!(seen.output, "EACCES; EACCES", "{seen:?}");
    assert_eq!(events[0]["guard"], "deny");
    let told: Vec<_> = events[3..].iter().map(words).collect();
    assert_eq!(told, ["refused guard tcp - EACCES", "refused guard udp - EACCES", "end"]);
}

#[test]
fn io_uring_is_refused_by_whoever_sees_it() {
    let site = Site::new(|_| {});
    for (before, layer) in [(&[][..], "preload"), (&["busybox", "env", "-i"], "guard")] {
        let (seen, events) = reported(&site, User::Nobody, |command| {
            command.args(before).arg(probe()).arg("uring");
        });
        assert_eq!(seen.output, "ENOSYS", "{seen:?}");
        let told: Vec<_> = events.iter().map(words).filter(|words| words.starts_with("refused")).collect();
        assert_eq!(told, [format!("refused {layer} io_uring - ENOSYS")]);
    }
}
