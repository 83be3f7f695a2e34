//! The program finds the process as we did: number, signals, descriptors, exit status.

use std::process::Stdio;

use crate::place::{Place, bin_dir, run};

#[test]
fn the_process_stays_the_same() {
    let place = Place::new();
    let child = place.uwt(&["sh", "-c", "echo $$"]).stdout(Stdio::piped()).spawn().expect("starts");
    let pid = child.id();
    let output = child.wait_with_output().expect("ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), pid.to_string());
}

#[test]
fn its_end_is_the_program_s() {
    let place = Place::new();
    for status in [0, 1, 77, 125, 126, 127, 255] {
        let ran = run(&mut place.uwt(&["sh", "-c", &format!("exit {status}")]));
        assert_eq!((ran.status, ran.err.as_str()), (status, ""));
    }
    for (signal, number) in [("TERM", 15), ("KILL", 9), ("PIPE", 13)] {
        assert_eq!(run(&mut place.uwt(&["sh", "-c", &format!("kill -{signal} $$")])).status, 128 + number);
    }
}

/// The lines of proc_pid_status(5) about signals, of a program started by a shell after `setup`.
fn signals(place: &Place, setup: &str, launcher: &[&str]) -> Vec<String> {
    let script = format!("{setup}exec \"$@\"");
    let mut command = place.command("sh");
    command.args(["-c", &script, "sh"]).args(launcher).args(["cat", "/proc/self/status"]);
    let ran = run(&mut command);
    let lines = ran.succeeded().lines().filter(|line| line.starts_with("Sig") || line.starts_with("Shd"));
    // The queue's length depends on what else this user does.
    lines.filter(|line| !line.starts_with("SigQ")).map(str::to_owned).collect()
}

#[test]
fn signals_are_as_they_were() {
    let place = Place::new();
    let uwt = bin_dir().join("uwt").display().to_string();
    for (setup, ignored) in [("", 0), ("trap '' PIPE; ", 1 << 12), ("trap '' PIPE HUP USR1; ", 1 << 12 | 1 | 1 << 9)] {
        let bare = signals(&place, setup, &[]);
        let mask = mask(bare.iter().find(|line| line.starts_with("SigIgn")).expect("listed"));
        assert_eq!(mask & ignored, ignored, "the shell ignores what it was told to");
        assert_eq!(mask & 1 << 12 != 0, ignored != 0, "SIGPIPE");
        assert_eq!(signals(&place, setup, &[&uwt]), bare, "{setup:?}");
    }
}

/// Of a line of /proc/PID/status: bit n−1 is signal n.
fn mask(line: &str) -> u64 {
    u64::from_str_radix(line.split_whitespace().nth(1).expect("a mask"), 16).expect("hexadecimal")
}

/// Our helper's beginnings are children of the process that the program will be.
#[test]
fn no_signal_of_ours_waits_for_the_program() {
    let place = Place::new();
    let uwt = bin_dir().join("uwt").display().to_string();
    for level in ["tunnel", "deny"] {
        // The first run probes, the second doesn't.
        for _ in 0..2 {
            let mut blocked = place.command("/usr/bin/env");
            blocked.args(["--block-signal=CHLD", &uwt, "--guard", level, "grep", "Pnd:", "/proc/self/status"]);
            assert_eq!(run(&mut blocked).succeeded(), "SigPnd:\t0000000000000000\nShdPnd:\t0000000000000000\n");
            let mut ignored = place.command("/usr/bin/env");
            ignored.args(["--ignore-signal=CHLD", &uwt, "--guard", level, "grep", "SigIgn:", "/proc/self/status"]);
            let ignored = mask(run(&mut ignored).succeeded());
            assert_ne!(ignored & 1 << 16, 0, "SIGCHLD stays ignored: {ignored:x}");
        }
    }
}

#[test]
fn closed_descriptors_stay_closed() {
    let place = Place::new();
    let uwt = bin_dir().join("uwt").display().to_string();
    // Tells which of the first three are open by the exit status: 100 and one bit for each.
    let probe = "s=100; for fd in 0:1 1:2 2:4; do [ -e /proc/$$/fd/${fd%:*} ] && s=$((s + ${fd#*:})); done; exit $s";
    for (closing, status) in [("", 107), ("<&-", 106), (">&-", 105), ("2>&-", 103), ("<&- >&- 2>&-", 100)] {
        let script = format!("exec \"$@\" {closing}");
        let ran = run(place.command("sh").args(["-c", &script, "sh", &uwt, "sh", "-c", probe]));
        assert_eq!(ran.status, status, "{closing}: {ran:?}");
    }
}

#[test]
fn no_descriptor_is_left_open() {
    let place = Place::new();
    // A configuration, the user's secret and a log are read and written on the way.
    place.configure("port = 9050\n");
    let list = "for fd in /proc/$$/fd/*; do [ -e $fd ] && echo ${fd##*/}; done; true";
    let bare = run(place.command("sh").args(["-c", list]));
    let wrapped = run(&mut place.uwt(&["--identity", "work", "-v", "sh", "-c", list]));
    assert_eq!(wrapped.out, bare.succeeded());
    assert_eq!(wrapped.status, 0);
}

#[test]
fn arguments_are_passed_byte_for_byte() {
    let place = Place::new();
    let mut command = place.uwt(&["cat", "/proc/self/cmdline", "--", "/dev/null", "/dev/../dev/null"]);
    assert_eq!(run(&mut command).out, "cat\0/proc/self/cmdline\0--\0/dev/null\0/dev/../dev/null\0");
}
