//! posix_spawn(3) and its relatives: libc's functions, with a checked program and a complete environment.
//!
//! A relative path is looked at from here, also where a file action changes the directory first.

use core::ffi::{CStr, c_char, c_int, c_void};

use uwt_policy::Errno;

use super::exec::DEFAULT_PATH;
use crate::abi::{self, Strings};
use crate::env::{self, Scratch};
use crate::launch::{check, search};
use crate::next::Next;
use crate::sys;

type Array = *const *const c_char;
type Spawn = unsafe extern "C" fn(*mut c_int, *const c_char, *const c_void, *const c_void, Array, Array) -> c_int;

/// Checks what execvp(3) would find.
fn check_in_path(file: &CStr) -> Result<(), Errno> {
    search(file, env::variable(b"PATH").unwrap_or(DEFAULT_PATH), &mut |candidate| {
        sys::stat(libc::AT_FDCWD, candidate, 0)?;
        check(libc::AT_FDCWD, candidate)
    })
}

fn check_path(path: &CStr) -> Result<(), Errno> {
    check(libc::AT_FDCWD, path)
}

/// These functions return the error instead of setting errno.
#[inline(never)]
unsafe fn spawn(
    (next, name): (&Next, &CStr),
    check: fn(&CStr) -> Result<(), Errno>,
    child: *mut c_int,
    path: *const c_char,
    (actions, attributes): (*const c_void, *const c_void),
    arguments: Array,
    environment: Array,
) -> c_int {
    // SAFETY: these four functions of libc have this type; Option makes a null pointer None.
    let spawn = unsafe { core::mem::transmute::<*mut c_void, Option<Spawn>>(next.address(name)) };
    let Some(spawn) = spawn else { return libc::ENOSYS };
    // SAFETY: the program's string.
    let Some(file) = (unsafe { abi::string(path) }) else { return libc::EFAULT };
    let mut scratch = Scratch::new();
    match check(file).and_then(|()| scratch.complete(Strings(environment))) {
        // SAFETY: the program's own call; libc copies the environment to the new program before it returns.
        Ok(environment) => unsafe { spawn(child, path, actions, attributes, arguments, environment.0) },
        Err(errno) => errno.0,
    }
}

macro_rules! spawners {
    ($($name:ident, $text:literal, $check:ident;)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(
            child: *mut c_int,
            path: *const c_char,
            actions: *const c_void,
            attributes: *const c_void,
            arguments: Array,
            environment: Array,
        ) -> c_int {
            static NEXT: Next = Next::new();
            // SAFETY: the program's own arguments.
            unsafe { spawn((&NEXT, $text), $check, child, path, (actions, attributes), arguments, environment) }
        }
    )*};
}

spawners! {
    posix_spawn, c"posix_spawn", check_path;
    posix_spawnp, c"posix_spawnp", check_in_path;
    pidfd_spawn, c"pidfd_spawn", check_path;
    pidfd_spawnp, c"pidfd_spawnp", check_in_path;
}
