//! Reports that are read from a file, and what is written where.

use std::fs;

use serde_json::{Value, json};

use crate::place::Place;
use crate::program::{ran, wide};
use crate::schema::{check, json};

/// A line of a report.
fn line(pid: u32, event: &str, rest: &Value) -> String {
    let mut line = json!({"time": 1, "pid": pid, "start": 100 + pid, "event": event});
    for (key, value) in rest.as_object().expect("fields") {
        line[key] = value.clone();
    }
    format!("{line}\n")
}

/// The lines of a whole report.
fn report(scope: &str, between: &[String]) -> String {
    let gateway = json!({"host": "10.152.152.10", "port": 9050});
    let first = line(10, "begin", &json!({"guard": "tunnel", "scope": scope, "gateway": gateway}));
    [&[first], between, &[line(10, "end", &json!({}))]].concat().concat()
}

fn process(pid: u32, parent: u32, program: &str) -> String {
    let fields = json!({"parent": parent, "program": program, "arguments": [program, "-v"], "preload": true});
    line(pid, "process", &fields)
}

fn connection(pid: u32, host: &str, credential: Option<&str>) -> String {
    let destination = json!({"host": host, "port": 443});
    let fields =
        json!({"layer": "preload", "destination": destination, "credential": credential, "outcome": {"is": "granted"}});
    line(pid, "connection", &fields)
}

#[test]
fn the_verdict_gives_the_exit_status() {
    let place = Place::new();
    let own = || connection(11, "a.test", Some("uwt-1"));
    for (scope, lines, verdict, status) in [
        ("process", vec![process(10, 1, "/bin/sh"), process(11, 10, "/usr/bin/curl"), own()], "isolated", 0),
        ("process", vec![process(10, 1, "/bin/true")], "nothing_sent", 0),
        ("process", vec![own(), connection(12, "a.test", None)], "shares_credential", 1),
        ("invocation", vec![own(), connection(12, "b.test", Some("uwt-1"))], "shares_credential", 1),
        ("process", vec![own(), line(0, "lost", &json!({"count": 3}))], "unknown", 3),
    ] {
        let file = place.file("report", report(scope, &lines));
        let (audited, document) = json(&place, &["audit", "--from", file.to_str().expect("UTF-8")]);
        assert_eq!((audited.status, audited.err.as_str()), (status, ""), "{lines:?}: {audited:?}");
        assert_eq!(document["verdict"], verdict, "{document:#}");
        assert_eq!(document["findings"][0]["verdict"], verdict, "{document:#}");
        assert_eq!((&document["command"], &document["ended"]), (&Value::Null, &Value::Null));
    }
}

#[test]
fn a_report_without_its_end_is_not_believed() {
    let place = Place::new();
    let whole = report("process", &[connection(11, "a.test", Some("uwt-1"))]);
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    for part in [&lines[..2], &lines[1..], &[]] {
        let file = place.file("report", part.concat());
        let (audited, document) = json(&place, &["audit", "--from", file.to_str().expect("UTF-8")]);
        assert_eq!((audited.status, &document["verdict"]), (3, &json!("unknown")), "{document:#}");
        assert_eq!(document["complete"], false);
    }
}

#[test]
fn people_get_a_text_that_fits_and_a_picture() {
    let place = Place::new();
    let long = "a-long-name.".repeat(12) + "test";
    let lines = [process(10, 1, "/bin/sh"), process(11, 10, "/usr/bin/c<r>l"), connection(11, &long, Some("uwt-1"))];
    let file = place.file("report", report("process", &lines));
    let picture = place.at("picture.svg");
    let [file, svg] = [&file, &picture].map(|path| path.to_str().expect("UTF-8"));
    let audited = ran(&place, &["audit", "--svg", svg, "--from", file]);
    let text = audited.succeeded();
    assert!(wide(text).is_empty(), "{:#?}", wide(text));
    for part in ["10   sh -v", "11   └ c<r>l -v", "uwt-1", "Isolated: c<r>l (pid 11)"] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    let picture = fs::read_to_string(&picture).expect("drawn");
    let document = roxmltree::Document::parse(&picture).expect("XML");
    let titles: Vec<&str> =
        document.descendants().filter(|node| node.has_tag_name("title")).filter_map(|node| node.text()).collect();
    assert!(titles.iter().any(|title| title.starts_with("c<r>l -v\n")), "{titles:?}");
    assert!(titles.iter().any(|title| title.starts_with(&format!("{long}:443\n"))), "{titles:?}");

    // In a file it is the same.
    let output = place.at("text");
    let written = ran(&place, &["audit", "-o", output.to_str().expect("UTF-8"), "--from", file]);
    assert_eq!(written.succeeded(), "");
    assert_eq!(fs::read_to_string(output).expect("written"), text);
}

#[test]
fn what_cannot_be_read_or_written_is_said() {
    let place = Place::new();
    let broken = place.file("broken", report("process", &[]) + "{\"time\":1}\n");
    let whole = place.file("whole", report("process", &[]));
    let [broken, whole] = [&broken, &whole].map(|path| path.to_str().expect("UTF-8"));
    for (arguments, said) in [
        (vec!["--from", "/nonexistent"], "(give it a file that `uwt --report FILE` wrote)"),
        (vec!["--from", "/"], "/: it cannot be read: Is a directory"),
        (vec!["--from", broken], "broken:3: this is no event"),
        (vec!["--from", whole, "--svg", "/nonexistent/a"], "/nonexistent/a: it cannot be written"),
        (vec!["--from", whole, "--output", "/"], "/: it cannot be written"),
        (vec!["--from", whole, "--", "curl"], "cannot be used with"),
    ] {
        let failed = ran(&place, &[&["audit"], arguments.as_slice()].concat());
        assert_eq!((failed.status, failed.out.as_str()), (2, ""), "{arguments:?}: {failed:?}");
        // Lines are wrapped, also between the words that are looked for.
        let flat = failed.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(said), "{arguments:?}: {}", failed.err);
        assert!(wide(&failed.err).iter().all(|line| !line.trim().contains(' ')), "{arguments:?}: {}", failed.err);
    }
}

#[test]
fn a_document_that_is_not_ours_is_noticed() {
    // The schema would be of no use if it took anything.
    let refused = std::panic::catch_unwind(|| check("audit", &json!({"verdict": "fine"})));
    assert!(refused.is_err());
}
