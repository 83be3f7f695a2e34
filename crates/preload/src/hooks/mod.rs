//! What the program calls: one file per family of libc functions.
//!
//! A hook decodes its arguments, asks for a decision, and acts. It calls no hooked function, keeps nothing, and answers
//! with an errno where anything is unclear.
#![expect(unsafe_code, reason = "these functions are called from C with the program's pointers")]

mod accept;
mod addrinfo;
mod connect;
mod exec;
mod hostent;
mod local;
mod nameinfo;
mod resolv;
mod send;
mod shell;
mod socket;
mod spawn;
mod syscall;
mod variadic;

use core::ffi::{c_char, c_int, c_long};

use uwt_policy::Errno;

use crate::{abi, notice, state, sys};

/// Runs before main, after libc is ready.
extern "C" fn constructor(_count: c_int, _arguments: *const *const c_char, _environment: *const *const c_char) {
    notice::remember_stderr();
    state::initialise();
}

#[unsafe(link_section = ".init_array")]
#[used]
static CONSTRUCTOR: extern "C" fn(c_int, *const *const c_char, *const *const c_char) = constructor;

/// Makes the call the program asked for, unchanged. The kernel cuts transfers to what an int can count.
///
/// # Safety
/// The arguments are those the program gave for this call.
unsafe fn pass<const N: usize>(number: c_long, arguments: [usize; N]) -> Result<c_int, Errno> {
    // SAFETY: what the program would have done itself.
    unsafe { sys::call(number, arguments) }.map(sys::int)
}

/// As [`pass`], for the calls that the guard wants to see judged: it lets them through.
///
/// # Safety
/// As for [`pass`].
unsafe fn pass_judged(number: c_long, arguments: [usize; 4]) -> Result<c_int, Errno> {
    // SAFETY: what the program would have done itself.
    unsafe { sys::judged(number, arguments) }.map(sys::int)
}

/// An `int` result: the number, or −1 and errno.
#[inline(never)]
fn status(result: Result<c_int, Errno>) -> c_int {
    abi::answer(result)
}

/// A `ssize_t` result: the number, or −1 and errno.
fn size(result: Result<c_int, Errno>) -> isize {
    status(result) as isize
}
