//! `uwt --report`: where it is refused, and what nested calls do. What is written is tested with the relay.

use std::fs;

use crate::place::{Place, bin_dir, run, word};

#[test]
fn an_incomplete_report_is_refused() {
    let place = Place::new();
    let file = place.at("report").display().to_string();
    let uwt = bin_dir().join("uwt").display().to_string();
    let refused = |variables: &[&str], arguments: &[&str]| {
        let ran = place.uwt_with(variables, arguments);
        ran.failed_with(125).to_owned()
    };
    assert!(
        refused(&[], &["--guard=off", "--report", &file, "true"]).starts_with("--report: without a guard (--guard)")
    );
    let switched_off = refused(&["UWT_DEV_PASSTHROUGH=1"], &["--report", &file, "true"]);
    assert!(switched_off.contains("would run without uwt"), "{switched_off}");
    assert!(!place.at("report").exists());
    let missing = refused(&[], &["--report", "/nonexistent/report", "true"]);
    assert!(missing.starts_with("--report /nonexistent/report: No such file or directory"), "{missing}");
    for outer in [&["--report", file.as_str()][..], &[]] {
        let inner = [uwt.as_str(), "--report", "other", "true"];
        let nested = refused(&[], &[outer, &inner].concat());
        assert!(nested.ends_with("(give --report to the outermost uwt)"), "{nested}");
    }
    place.configure("enabled = false\n");
    assert!(refused(&[], &["--report", &file, "true"]).contains("would run without uwt"));
}

#[test]
fn nested_calls_are_part_of_it() {
    let place = Place::new();
    let file = place.at("report").display().to_string();
    let uwt = bin_dir().join("uwt").display().to_string();
    let ran = run(&mut place.uwt(&["--report", &file, &uwt, "printenv", "UWT_SESSION"]));
    assert_eq!(word(ran.succeeded(), "report"), "1");
    assert_eq!(word(run(&mut place.uwt(&["printenv", "UWT_SESSION"])).succeeded(), "report"), "0");
    let ran = run(&mut place.uwt(&["--report", &file, &uwt, "--explain", "true"]));
    let line = ran.succeeded().lines().find(|line| line.starts_with("report ")).expect("said");
    assert!(line.contains("that of the outermost uwt"), "{line}");
    // The launcher itself does nothing that a report is about.
    let written = fs::read_to_string(&file).expect("there");
    assert!(written.contains("/printenv\"") && !written.contains("\"program\":\"/usr/bin/uwt\""), "{written}");
    assert!(!written.contains("MSG_FASTOPEN"), "{written}");
}
