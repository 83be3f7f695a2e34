//! Below a supervisor that answers for system calls itself, as container managers do: there can be but one.
#![expect(unsafe_code, reason = "the filter is installed between fork and exec")]

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::place::{Place, Ran, bin_dir, run, word};
use crate::services::{self, SHELL};

/// Runs a command under a filter that has a listener and asks it about a call that nobody makes.
fn supervised(command: &mut Command) -> Ran {
    // SAFETY: between fork(2) and execve(2) there are system calls only.
    run(unsafe { command.pre_exec(install) })
}

/// The listener stays open in the program, as it does in a supervisor.
fn install() -> io::Result<()> {
    const NOBODY_S: u32 = u32::MAX;
    let statement = |code: u32, jt, k| libc::sock_filter { code: u16::try_from(code).unwrap_or(0), jt, jf: 0, k };
    // The number of the call is the first field of `struct seccomp_data`.
    let mut filter = [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, NOBODY_S),
        statement(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
        statement(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_USER_NOTIF),
    ];
    let program = libc::sock_fprog { len: 4, filter: filter.as_mut_ptr() };
    let check = |result: i64| if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) };
    // SAFETY: plain numbers, and a program that is alive.
    unsafe {
        check(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1_u64, 0_u64, 0_u64, 0_u64).into())?;
        let (operation, flags) = (libc::SECCOMP_SET_MODE_FILTER, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER);
        let listener = check(libc::syscall(libc::SYS_seccomp, operation, flags, &raw const program))?;
        check(libc::fcntl(i32::try_from(listener).unwrap_or(-1), libc::F_SETFD, 0).into())?;
    }
    Ok(())
}

#[test]
fn the_filter_alone_refuses() {
    let place = Place::new();
    let uwt = |arguments: &[&str]| supervised(&mut place.uwt(arguments));
    let reason = "another program already answers for the system calls of this one";
    let explained = uwt(&["--explain", "true"]);
    let line = explained.succeeded().lines().find(|line| line.starts_with("guard ")).expect("said");
    assert!(line.contains(" deny ") && line.ends_with(&format!("  auto, built-in: no tunnel: {reason}")), "{line}");
    let said = uwt(&["-v", "true"]);
    assert!(said.err.contains(&format!("uwt: guard deny (auto, built-in: no tunnel: {reason})\n")), "{said:?}");
    let refused = uwt(&["--guard=tunnel", "touch", "marker"]);
    assert!(refused.failed_with(125).starts_with(&format!("guard \"tunnel\" (--guard): {reason}; nothing was run")));

    let count = ["grep", "^Seccomp_filters", "/proc/self/status"];
    let filters = |ran: Ran| ran.succeeded().rsplit('\t').next().and_then(|count| count.trim().parse::<u32>().ok());
    let below = filters(supervised(place.command(count[0]).args(&count[1..]))).expect("a number");
    for options in [&[][..], &["--guard=deny"]] {
        assert_eq!(filters(uwt(&[options, &count].concat())), Some(below + 1), "{options:?}");
        let session = uwt(&[options, &["printenv", "UWT_SESSION"]].concat());
        assert!(word(session.succeeded(), "guard").starts_with("deny:"));
        let own = bin_dir().join("uwt").display().to_string();
        let nested = uwt(&[options, &[&own, "printenv", "UWT_SESSION"]].concat());
        assert!(word(nested.succeeded(), "guard").starts_with("deny:"), "a nested call finds its tree");
    }
    assert!(!place.at("run/uwt/guard").exists(), "what holds in here is not kept for others");
    assert_eq!(filters(uwt(&[&["--guard=off"][..], &count].concat())), Some(below));
}

/// The helper is there all the same, as long as the first program.
#[test]
fn services_are_started_outside() {
    let place = services::place();
    let count = "grep Seccomp_filters /proc/$$/status";
    let text = format!("{count}; {SHELL} '{count}'");
    let ran = supervised(&mut services::script(&place, &[], &text));
    assert_eq!(ran.succeeded(), "Seccomp_filters:\t2\nSeccomp_filters:\t1\n");
}
