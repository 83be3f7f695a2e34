//! system(3), popen(3), wordexp(3): libc starts a shell with the program's own environment, so ours is put back into it.

use core::ffi::{c_char, c_int, c_void};

use uwt_policy::Errno;

use crate::next::next;
use crate::{abi, env};

#[unsafe(no_mangle)]
unsafe extern "C" fn system(command: *const c_char) -> c_int {
    let ready = env::restore().and(next!(system(*const c_char) -> c_int).ok_or(Errno::ENOSYS));
    match ready {
        // SAFETY: the program's own call.
        Ok(next) => unsafe { next(command) },
        Err(errno) => abi::answer(Err(errno)),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn popen(command: *const c_char, mode: *const c_char) -> *mut c_void {
    let ready = env::restore().and(next!(popen(*const c_char, *const c_char) -> *mut c_void).ok_or(Errno::ENOSYS));
    match ready {
        // SAFETY: the program's own call.
        Ok(next) => unsafe { next(command, mode) },
        Err(errno) => {
            abi::set_errno(errno);
            core::ptr::null_mut()
        }
    }
}

/// `WRDE_CMDSUB` of wordexp(3): command substitution was not allowed.
const WRDE_CMDSUB: c_int = 4;

#[unsafe(no_mangle)]
unsafe extern "C" fn wordexp(words: *const c_char, result: *mut c_void, flags: c_int) -> c_int {
    let next = next!(wordexp(*const c_char, *mut c_void, c_int) -> c_int);
    match env::restore().ok().and(next) {
        // SAFETY: the program's own call.
        Some(next) => unsafe { next(words, result, flags) },
        None => WRDE_CMDSUB,
    }
}
