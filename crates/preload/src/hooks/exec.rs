//! The exec family (execve(2), exec(3)), with arguments in arrays.

use core::ffi::{CStr, c_char, c_int};

use uwt_policy::Errno;
use uwt_session::report::Deed;

use super::pass;
use crate::abi::{self, Strings};
use crate::env::{self, Scratch};
use crate::launch::{check, search};
use crate::report::{NONE, tell};
use crate::sys::word;

type Array = *const *const c_char;

/// confstr(3)'s `_CS_PATH`, which execvp(3) searches when PATH is not set.
pub(super) const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";
/// The most arguments of a script without `#!` that is handed to a shell.
const MOST_SHELL_ARGUMENTS: usize = 1024;

/// What execve(2) returns: never success.
fn failed(errno: Errno) -> c_int {
    abi::set_errno(errno);
    -1
}

/// Executes `path` with our variables in its environment; comes back with an error only.
pub(super) unsafe fn run(path: &CStr, arguments: Array, environment: Strings) -> Errno {
    // SAFETY: the program's own arguments.
    unsafe { run_at(libc::AT_FDCWD, path, arguments, environment, 0) }
}

pub(super) unsafe fn run_at(
    directory: c_int,
    path: &CStr,
    arguments: Array,
    environment: Strings,
    flags: c_int,
) -> Errno {
    let mut scratch = Scratch::new();
    let ready = check(directory, path).and_then(|()| scratch.complete(environment));
    let environment = match ready {
        Ok(environment) => environment,
        Err(errno) => return errno,
    };
    let arguments = [
        word(directory),
        path.as_ptr().expose_provenance(),
        arguments.expose_provenance(),
        environment.0.expose_provenance(),
        word(flags),
    ];
    // SAFETY: the program's own call; the environment is the program's or ours, null-terminated.
    let errno = unsafe { pass(libc::SYS_execveat, arguments) }.err().unwrap_or(Errno::EIO);
    tell(Deed::Stayed, NONE, None, errno)
}

/// execvpe(3).
pub(super) unsafe fn run_in_path(file: *const c_char, arguments: Array, environment: Strings) -> Errno {
    // SAFETY: the program's string.
    let Some(file) = (unsafe { abi::string(file) }) else { return Errno::EFAULT };
    let path = env::variable(b"PATH").unwrap_or(DEFAULT_PATH);
    let result = search(file, path, &mut |candidate| {
        // SAFETY: the program's own arguments.
        let errno = unsafe {
            match run(candidate, arguments, environment) {
                Errno::ENOEXEC => run_by_shell(candidate, arguments, environment),
                errno => errno,
            }
        };
        Err(errno)
    });
    result.err().unwrap_or(Errno::EIO)
}

/// A file without `#!` is a script for /bin/sh (execvp(3)).
unsafe fn run_by_shell(script: &CStr, arguments: Array, environment: Strings) -> Errno {
    let mut line = [core::ptr::null(); MOST_SHELL_ARGUMENTS];
    let shell = c"/bin/sh";
    // SAFETY: the program's own argument array.
    let rest = unsafe { Strings(arguments).iter() }.skip(1);
    let words = [shell, script].into_iter().chain(rest);
    for (index, word) in words.enumerate() {
        // The last place stays null.
        let room = index + 1 < MOST_SHELL_ARGUMENTS;
        let Some(place) = line.get_mut(index).filter(|_| room) else { return Errno::E2BIG };
        *place = word.as_ptr();
    }
    // SAFETY: a null-terminated array of the program's strings.
    unsafe { run(shell, line.as_ptr(), environment) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn execve(path: *const c_char, arguments: Array, environment: Array) -> c_int {
    // SAFETY: the program's own arguments.
    failed(unsafe { run_path(path, arguments, Strings(environment)) })
}

pub(super) unsafe fn run_path(path: *const c_char, arguments: Array, environment: Strings) -> Errno {
    // SAFETY: the program's own arguments.
    unsafe {
        match abi::string(path) {
            Some(path) => run(path, arguments, environment),
            None => Errno::EFAULT,
        }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn execv(path: *const c_char, arguments: Array) -> c_int {
    // SAFETY: the program's own arguments.
    failed(unsafe { run_path(path, arguments, env::current()) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn execvp(file: *const c_char, arguments: Array) -> c_int {
    // SAFETY: the program's own arguments.
    failed(unsafe { run_in_path(file, arguments, env::current()) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn execvpe(file: *const c_char, arguments: Array, environment: Array) -> c_int {
    // SAFETY: the program's own arguments.
    failed(unsafe { run_in_path(file, arguments, Strings(environment)) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fexecve(fd: c_int, arguments: Array, environment: Array) -> c_int {
    // SAFETY: the program's own arguments.
    failed(unsafe { run_at(fd, c"", arguments, Strings(environment), libc::AT_EMPTY_PATH) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn execveat(
    directory: c_int,
    path: *const c_char,
    arguments: Array,
    environment: Array,
    flags: c_int,
) -> c_int {
    // SAFETY: the program's own arguments.
    failed(unsafe { run_path_at(directory, path, arguments, Strings(environment), flags) })
}

pub(super) unsafe fn run_path_at(
    directory: c_int,
    path: *const c_char,
    arguments: Array,
    environment: Strings,
    flags: c_int,
) -> Errno {
    // SAFETY: the program's own arguments.
    unsafe {
        match abi::string(path) {
            // Without this flag an empty path is an error to the kernel.
            Some(path) if path.is_empty() && flags & libc::AT_EMPTY_PATH == 0 => Errno::ENOENT,
            Some(path) => run_at(directory, path, arguments, environment, flags),
            None => Errno::EFAULT,
        }
    }
}
