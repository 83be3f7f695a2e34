//! What a program and its user see of us: nothing.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::gateway::{Fault, GatewayOptions};

use crate::place::User;
use crate::site::{ECHO, LIMIT, Site};

const USERS: [User; 2] = [User::Root, User::Nobody];

#[test]
fn the_exit_status_is_the_programs() {
    let site = Site::new();
    for user in USERS {
        for status in [0, 1, 7, 255] {
            let ran = site.run(user, &["busybox", "sh", "-c", &format!("exit {status}")]);
            assert_eq!(ran.status.code(), Some(status), "{ran:?}");
        }
    }
    site.assert_helper_ends();
}

#[test]
fn death_by_a_signal_is_the_programs() {
    use std::os::unix::process::ExitStatusExt as _;
    let site = Site::new();
    for user in USERS {
        for signal in [Signal::SIGTERM, Signal::SIGSEGV, Signal::SIGKILL] {
            let ran = site.run(user, &["busybox", "sh", "-c", &format!("kill -{} $$", signal as i32)]);
            assert_eq!(ran.status.signal(), Some(signal as i32), "{ran:?}");
        }
    }
    site.assert_helper_ends();
}

#[test]
fn two_hundred_children_and_sixty_four_threads() {
    let site = Site::new();
    for user in USERS {
        site.check(user, &["@static", "forks", "200", "connect", ECHO[0], ECHO[1]], "0 of 200 failed");
        site.check(user, &["@static", "storm", "64", "2", ECHO[0], ECHO[1]], "0 of 128 failed");
    }
    // However many: each process has one credential, and no other process has it.
    let log = site.gateway.take_log();
    let mut users: Vec<_> = log.iter().map(|request| request.username.clone()).collect();
    users.sort_unstable();
    users.dedup();
    assert_eq!((log.len(), users.len()), (2 * (200 + 128), 2 * (200 + 1)));
    site.assert_helper_ends();
}

#[test]
fn a_program_that_closes_every_descriptor() {
    let site = Site::new();
    for user in USERS {
        for program in ["@static", "@dynamic"] {
            site.check(user, &[program, "closed", "connect", ECHO[0], ECHO[1]], "answer hi");
            site.check(user, &[program, "closed", "fork", "closed", "connect", ECHO[0], ECHO[1]], "answer hi");
        }
    }
}

#[test]
fn a_timer_interrupts_connect() {
    let site = Site::with(GatewayOptions::new().delay(Duration::from_millis(300)));
    for user in USERS {
        for program in ["@static", "@musl", "@static32"] {
            // glibc's 32-bit functions call socketcall, which is refused; the instruction is not.
            let by = if program == "@static32" { "raw" } else { "closed" };
            site.check(user, &[program, by, "alarmed", ECHO[0], ECHO[1]], "alarmed, answer hi");
        }
    }
}

#[test]
fn a_killed_connect_is_gone_at_once() {
    let site = Site::with(GatewayOptions::new().fault(Fault::Never));
    for user in USERS {
        let program = site.start(user, &["@static", "connect", ECHO[0], ECHO[1]]);
        // What it asks for has arrived: it waits in connect(2).
        assert!(site.gateway.wait_log(LIMIT, |log| !log.is_empty()).is_some());
        drop(site.gateway.take_log());
        let killed = Instant::now();
        kill(Pid::from_raw(program.pid()), Signal::SIGKILL).expect("killed");
        assert_eq!(program.end(), (String::new(), 128 + Signal::SIGKILL as i32));
        assert!(killed.elapsed() < Duration::from_secs(5), "{:?}", killed.elapsed());
        // And nobody waits for the gateway's answer any more.
        site.assert_helper_ends();
    }
}
