//! What Rust's standard library for glibc asks of the C library and musl does not have. All else it asks for is in both,
//! with the same types: `cargo xtask test` compares them.

use std::ffi::{c_char, c_int, c_void};

/// gnu_get_libc_version(3): the standard library starts programs with posix_spawn(3) where glibc's is new enough, else with
/// fork(2) and execve(2), which any C library has.
// SAFETY: musl has no function of this name.
#[unsafe(no_mangle)]
extern "C" fn gnu_get_libc_version() -> *const c_char {
    c"2.0".as_ptr()
}

/// How glibc tells the unwinder where it finds an object's tables: it does not know, and the unwinder then asks
/// dl_iterate_phdr(3).
// SAFETY: musl has no function of this name.
#[unsafe(no_mangle)]
extern "C" fn _dl_find_object(_: *mut c_void, _: *mut c_void) -> c_int {
    -1
}
