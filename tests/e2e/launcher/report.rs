//! `uwt --report`: where it is refused, and what nested calls do. What is written is tested with the relay.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use support::wait::wait_until;

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

#[test]
fn a_reader_that_goes_away_is_told_once_and_the_program_goes_on() {
    let place = Place::new();
    let fifo = place.at("report");
    mkfifo(&fifo, Mode::S_IRWXU).expect("made");
    // Without this uwt would wait for a reader, and the reader for a writer.
    let reader = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&fifo).expect("opened");
    let script = "read go; /bin/true; /bin/true; echo done";
    let mut command = place.uwt(&["--report", fifo.to_str().expect("UTF-8"), "sh", "-c", script]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("started");
    let mut reader = BufReader::new(reader);
    let mut read = String::new();
    let shell = wait_until(Duration::from_mins(1), || match reader.read_line(&mut read) {
        Ok(_) => read.contains("\"process\"").then_some(()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
        Err(error) => panic!("{error}"),
    });
    assert!(shell.is_some() && read.starts_with("{\"time\""), "{read}");
    drop(reader);
    child.stdin.take().expect("piped").write_all(b"\n").expect("written");
    let output = child.wait_with_output().expect("ended");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"done\n"[..]), "{output:?}");
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(said.starts_with("uwt: --report: it can't be written any further: Broken pipe"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_pipe_by_its_descriptor_is_not_the_programs() {
    let place = Place::new();
    let uwt = bin_dir().join("uwt").display().to_string();
    let file = place.at("report").display().to_string();
    // The list goes out, the report to cat, which ends when it does.
    let script = "{ \"$0\" --report /dev/fd/3 ls /proc/self/fd 3>&1 >&4 4>&- | cat >\"$1\"; } 4>&1";
    let reported = run(place.command("sh").args(["-c", script, &uwt, &file])).succeeded().to_owned();
    assert_eq!(run(&mut place.uwt(&["ls", "/proc/self/fd"])).succeeded(), reported);
    let written = fs::read_to_string(file).expect("there");
    let (first, last) = (written.lines().next().expect("a line"), written.lines().next_back().expect("a line"));
    assert!(first.contains("\"begin\"") && last.contains("\"end\""), "{written}");
    assert!(written.contains("/ls\""), "{written}");
}
