//! Who may install a filter, and who is under it then.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use libc::{EACCES, c_long};

use super::*;

const STAGE: &str = "UWT_GUARD_TEST_STAGE";
const NOBODY: u64 = 65_534;

fn no_new_privileges() -> bool {
    call(libc::SYS_prctl, [39, 0, 0, 0, 0, 0]) == Ok(1)
}

fn become_nobody() {
    for number in [libc::SYS_setresgid, libc::SYS_setresuid] as [c_long; 2] {
        // As an ordinary user this is what we are already, in the way that matters.
        let result = call(number, [NOBODY, NOBODY, NOBODY, 0, 0, 0]);
        assert!(matches!(result, Ok(0) | Err(libc::EPERM)), "{result:?}");
    }
}

/// Root has the capability; an ordinary user gets it in a user namespace.
fn become_an_administrator() {
    if call(libc::SYS_geteuid, [0; 6]) != Ok(0) {
        assert_eq!(call(libc::SYS_unshare, [0x1000_0000, 0, 0, 0, 0, 0]), Ok(0));
    }
}

#[test]
fn an_administrator_keeps_new_privileges() {
    for foreign in [Foreign::Ask, Foreign::Refuse] {
        Child::start(|| {
            become_an_administrator();
            let installed = install(&program(foreign)).unwrap();
            assert!(!installed.no_new_privileges && !no_new_privileges());
            assert_eq!(installed.listener.is_some(), foreign == Foreign::Ask);
            // With nobody left to ask, the kernel says so.
            drop(installed);
            let expected = if foreign == Foreign::Ask { libc::ENOSYS } else { EACCES };
            assert_eq!(socket(2, 1), Err(expected));
        })
        .finish();
    }
}

#[test]
fn others_give_them_up() {
    for foreign in [Foreign::Ask, Foreign::Refuse] {
        Child::start(|| {
            become_nobody();
            assert!(!no_new_privileges());
            let installed = install(&program(foreign)).unwrap();
            assert!(installed.no_new_privileges && no_new_privileges());
            assert!(socket(1, 1).is_ok());
            drop(installed);
            assert!(socket(2, 1).is_err());
            assert!(call(libc::SYS_socket, [2, 1, 0, 0, COOKIE, 0]).is_ok());
        })
        .finish();
    }
}

#[test]
fn only_one_listener_in_a_tree() {
    Child::start(|| {
        let first = install(&program(Foreign::Ask)).unwrap();
        assert!(matches!(install(&program(Foreign::Ask)), Err(InstallError::AnotherListener)));
        // A second filter that asks nobody is fine, and the stricter word counts.
        assert!(install(&program(Foreign::Refuse)).unwrap().listener.is_none());
        assert_eq!(socket(2, 1), Err(EACCES));
        drop(first);
    })
    .finish();
}

#[test]
fn a_forked_child_is_guarded() {
    refused(|| {
        Child::start(|| {
            assert_eq!(socket(2, 1), Err(EACCES));
            assert!(call(libc::SYS_socket, [2, 1, 0, 0, COOKIE, 0]).is_ok());
        })
        .finish();
    });
}

/// Plays two parts: the test, and the program that a guarded process executes, which is this one again.
#[test]
fn an_executed_program_is_guarded() {
    const NAME: &str = "sys::tests::inheritance::an_executed_program_is_guarded";
    if env::var_os(STAGE).is_some() {
        assert_eq!(socket(2, 1), Err(EACCES));
        assert!(socket(1, 1).is_ok());
        assert!(call(libc::SYS_socket, [2, 1, 0, 0, COOKIE, 0]).is_ok());
        return;
    }
    let output = Command::new(env::current_exe().unwrap()).args(["--exact", NAME]).env(STAGE, "1").output().unwrap();
    assert!(!output.status.success(), "without a filter the program's own checks must fail");
    refused(|| {
        let error = Command::new("/proc/self/exe").args(["--exact", NAME, "--quiet"]).env(STAGE, "1").exec();
        panic!("{error}");
    });
}
