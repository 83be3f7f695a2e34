//! The matrix of the functions that start programs: the new program carries, whatever environment it was given.

use crate::matrix::{Row, check};
use crate::site::Site;

#[test]
fn programs() {
    check(&Site::new(), ROWS);
}

#[test]
fn spawning_by_pidfd() {
    #[expect(unsafe_code, reason = "gnu_get_libc_version(3) gives a C string")]
    // SAFETY: a static string.
    let version = unsafe { std::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) }.to_string_lossy();
    let minor: u32 = version.split('.').nth(1).expect("2.N").parse().expect("a number");
    let site = Site::new();
    for function in ["pidfd_spawn", "pidfd_spawnp"] {
        let script = format!("spawn {function} empty; socket inet stream; connect 203.0.113.7:80; echo hi; end");
        // They are there since 2.39.
        let (output, targets) = if minor < 39 { ("ENOSYS", &[][..]) } else { ("ok; ok; hi", TARGET) };
        site.check(&script, output, targets);
    }
}

const TARGET: &[&str] = &["203.0.113.7:80"];

/// A function of the exec family that takes an environment, and one that takes the program's own.
macro_rules! exec_row {
    ($hook:literal, $function:literal, $scrub:literal, $environment:literal) => {
        Row {
            hook: $hook,
            carries: &[(
                concat!(
                    $scrub,
                    "exec ",
                    $function,
                    " ",
                    $environment,
                    "; socket inet stream; connect 203.0.113.7:80; echo hi"
                ),
                "ok; ok; hi",
                TARGET,
            )],
            passes: &[(concat!("exec ", $function, " same path=/bin/echo -- a%20b c"), "a b c")],
            refuses: &[(concat!("exec ", $function, " same path=/bin/nonexistent"), "ENOENT")],
        }
    };
}

macro_rules! spawn_row {
    ($hook:literal) => {
        Row {
            hook: $hook,
            carries: &[(
                concat!("spawn ", $hook, " empty; socket inet stream; connect 203.0.113.7:80; echo hi; end; pid"),
                "ok; ok; hi; true",
                TARGET,
            )],
            passes: &[(concat!("spawn ", $hook, " same path=/bin/echo -- a%20b c; end"), "a b c")],
            refuses: &[(concat!("spawn ", $hook, " same path=/bin/nonexistent; end"), "ENOENT")],
        }
    };
}

macro_rules! shell_row {
    ($hook:literal, $carried:literal) => {
        Row {
            hook: $hook,
            carries: &[(
                concat!("clearenv; shell ", $hook, "; socket inet stream; connect 203.0.113.7:80; echo hi; end"),
                $carried,
                TARGET,
            )],
            passes: &[],
            refuses: &[],
        }
    };
}

pub(crate) const ROWS: &[Row] = &[
    exec_row!("execve", "execve", "", "empty"),
    exec_row!("execv", "execv", "clearenv; ", "same"),
    exec_row!("execvp", "execvp", "clearenv; ", "same"),
    exec_row!("execvpe", "execvpe", "", "empty"),
    exec_row!("execl", "execl", "clearenv; ", "same"),
    exec_row!("execlp", "execlp", "clearenv; ", "same"),
    exec_row!("execle", "execle", "", "empty"),
    Row {
        hook: "fexecve",
        carries: &[("exec fexecve empty; socket inet stream; connect 203.0.113.7:80; echo hi", "ok; ok; hi", TARGET)],
        passes: &[("exec fexecve same path=/bin/echo -- a%20b c", "a b c")],
        refuses: &[("exec fexecve same path=/bin/nonexistent", "EBADF")],
    },
    exec_row!("execveat", "execveat", "", "empty"),
    spawn_row!("posix_spawn"),
    spawn_row!("posix_spawnp"),
    // Not every glibc has these: see `spawning_by_pidfd`.
    Row { hook: "pidfd_spawn", carries: &[], passes: &[], refuses: &[] },
    Row { hook: "pidfd_spawnp", carries: &[], passes: &[], refuses: &[] },
    shell_row!("system", "ok; ok; hi; ok"),
    shell_row!("popen", "ok; ok; hi"),
    shell_row!("wordexp", "ok; ok; hi"),
];
