//! A start, cut into steps where the trace shows what is done.

use anyhow::{Context as _, Result};
use nix::libc;

use super::Share;
use super::events::{Event, What};

/// A step, and by what it is known that it has begun.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) name: &'static str,
    begins: &'static [What],
    /// Who does it; it is one process.
    of: Of,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Program,
    /// As `Program`, and only where uwt was executed.
    Launcher,
}

const fn step(name: &'static str, begins: &'static [What], of: Of) -> Step {
    Step { name, begins, of }
}

use Of::{Launcher, Program};
use What::{Enter, Exit};

/// In order. One that never begins is part of the one before.
pub(super) const STEPS: &[Step] = &[
    step("uwt is executed", &[Enter(libc::SYS_execve)], Launcher),
    step("its C library's start", &[Exit(libc::SYS_execve)], Launcher),
    step("how it was called, arguments, the program's path", &[Enter(libc::SYS_statx)], Launcher),
    step("configuration", &[Enter(libc::SYS_getuid)], Launcher),
    step("the helper is begun", &[Enter(libc::SYS_socketpair)], Launcher),
    step("plan", &[Exit(libc::SYS_clone), Enter(libc::SYS_sendmsg)], Launcher),
    step("secrets, session, filter made", &[Enter(libc::SYS_getrandom)], Launcher),
    step("the helper is told", &[Enter(libc::SYS_socket)], Launcher),
    step("filter installed", &[Enter(libc::SYS_seccomp)], Launcher),
    step("listener handed over", &[Exit(libc::SYS_seccomp)], Launcher),
    step("the process in between reaped", &[Enter(libc::SYS_wait4)], Launcher),
    step("the program is executed", &[Enter(libc::SYS_execve)], Program),
    step("ld.so's start", &[Exit(libc::SYS_execve)], Program),
    step("libraries mapped", &[Enter(libc::SYS_openat)], Program),
    step("relocated, constructors", &[Enter(libc::SYS_arch_prctl)], Program),
    step("the program", &[Exit(libc::SYS_munmap)], Program),
    step("its end, until the caller has waited", &[Enter(libc::SYS_exit_group)], Program),
];

/// The steps of the one start in these events, each [`STEPS`]' own; what did not happen took no time.
///
/// # Errors
/// There is no whole start in them.
pub(super) fn split(events: &[Event]) -> Result<Vec<Share>> {
    let caller = i32::try_from(std::process::id()).context("a process id")?;
    let executed = |event: &&Event| event.what == Exit(libc::SYS_execve);
    let program = events.iter().find(executed).context("nothing was executed")?.pid;
    let is_wrapped = events.iter().filter(executed).filter(|event| event.pid == program).count() > 1;
    let ended = events.iter().position(|event| event.pid == program && event.what == Enter(libc::SYS_exit_group));
    let ended = ended.context("the program did not end")?;
    let waited = |event: &Event| event.pid == caller && matches!(event.what, Exit(libc::SYS_wait4 | libc::SYS_waitid));
    let end = ended + events[ended..].iter().position(waited).context("nobody waited")?;

    let mut shares = vec![Share::default(); STEPS.len()];
    let mut next = 0;
    let mut begun = Vec::new();
    for (index, step) in STEPS.iter().enumerate() {
        if step.of == Launcher && !is_wrapped {
            continue;
        }
        // A step of the launcher is over when it executes the program.
        let found = begin(events, next, step, program).filter(|at| *at <= end);
        let Some(found) = found.filter(|at| step.of != Launcher || *at < last_execution(events, program)) else {
            continue;
        };
        begun.push((index, found));
        next = found + 1;
    }
    let ends = begun.iter().skip(1).map(|(_, at)| *at).chain([end]);
    for ((index, from), to) in begun.iter().zip(ends) {
        let share = &mut shares[*index];
        share.time = events[to].time - events[*from].time;
        for event in &events[*from..to] {
            share.events += 1.0;
            match event.what {
                Enter(_) if event.pid == program => share.calls += 1.0,
                What::Fault if event.pid == program => share.faults += 1.0,
                _ => {}
            }
        }
    }
    Ok(shares)
}

fn begin(events: &[Event], from: usize, step: &Step, pid: i32) -> Option<usize> {
    let found = events.get(from..)?.iter().position(|event| event.pid == pid && step.begins.contains(&event.what));
    found.map(|at| from + at)
}

/// Where the process begins to execute its last program.
fn last_execution(events: &[Event], pid: i32) -> usize {
    let last = events.iter().rposition(|event| event.pid == pid && event.what == Enter(libc::SYS_execve));
    last.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events a microsecond apart: of the caller (`c`), the program (`p`) and others (`o`).
    fn events(whats: &[(char, What)]) -> Vec<Event> {
        let caller = i32::try_from(std::process::id()).expect("a pid");
        let event = |(at, (who, what)): (usize, &(char, What))| Event {
            time: f64::from(u32::try_from(at).expect("few")),
            pid: if *who == 'c' { caller } else { -i32::from(*who == 'p') - 1 },
            what: *what,
        };
        whats.iter().enumerate().map(event).collect()
    }

    fn time(shares: &[Share], name: &str) -> String {
        format!("{:.0}", shares[STEPS.iter().position(|step| step.name == name).expect("a step")].time)
    }

    const CALL: [(char, What); 4] = [
        ('c', Enter(libc::SYS_clone3)),
        ('c', Exit(libc::SYS_clone3)),
        ('p', Enter(libc::SYS_execve)),
        ('p', Exit(libc::SYS_execve)),
    ];
    const REST: [(char, What); 5] = [
        ('p', What::Fault),
        ('p', Enter(libc::SYS_openat)),
        ('p', Enter(libc::SYS_exit_group)),
        ('c', Exit(libc::SYS_wait4)),
        ('c', Enter(libc::SYS_write)),
    ];

    #[test]
    fn a_bare_start_has_no_step_of_the_launcher() {
        let shares = split(&events(&[&CALL[..], &REST[..]].concat())).expect("whole");
        assert_eq!(format!("{:.0}", shares.iter().map(|share| share.time).sum::<f64>()), "5");
        for (name, expected) in [
            ("uwt is executed", "0"),
            ("the program is executed", "1"),
            ("ld.so's start", "2"),
            ("libraries mapped", "1"),
            ("its end, until the caller has waited", "1"),
        ] {
            assert_eq!(time(&shares, name), expected, "{name}");
        }
    }

    #[test]
    fn a_wrapped_start_ends_the_launcher_s_steps_at_the_program() {
        let launcher = [
            ('p', Enter(libc::SYS_statx)),
            ('o', Enter(libc::SYS_seccomp)),
            ('p', Enter(libc::SYS_execve)),
            ('p', Exit(libc::SYS_execve)),
            ('p', Enter(libc::SYS_getuid)),
        ];
        let shares = split(&events(&[&CALL[..], &launcher[..], &REST[..]].concat())).expect("whole");
        for (name, expected) in [
            ("uwt is executed", "1"),
            ("its C library's start", "1"),
            ("how it was called, arguments, the program's path", "2"),
            ("configuration", "0"),
            ("filter installed", "0"),
            ("the program is executed", "1"),
            ("ld.so's start", "3"),
        ] {
            assert_eq!(time(&shares, name), expected, "{name}");
        }
    }

    #[test]
    fn half_a_start_is_none() {
        for len in 0..CALL.len() + REST.len() - 1 {
            assert!(split(&events(&[&CALL[..], &REST[..]].concat()[..len])).is_err(), "{len}");
        }
    }
}
