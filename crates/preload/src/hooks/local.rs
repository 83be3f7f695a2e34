//! Functions of libc that would ask the network for something that is not worth it, or speak a protocol of their own.

use core::arch::naked_asm;
use core::ffi::{c_char, c_int, c_long, c_void};

use uwt_policy::Errno;
use uwt_session::report::Deed;

use crate::abi::{self, HostError};
use crate::report::{NONE, tell};
use crate::sys;

/// gethostid(3) without a file looks its own name up in DNS. Here: the file, or what Debian's /etc/hosts would give for
/// the own name (127.0.1.1).
#[unsafe(no_mangle)]
extern "C" fn gethostid() -> c_long {
    let mut id = [0; 4];
    let read = sys::open(libc::AT_FDCWD, c"/etc/hostid").and_then(|fd| {
        let read = sys::read_head(fd, &mut id);
        sys::close(fd);
        read
    });
    let id = if read == Ok(4) { i32::from_ne_bytes(id) } else { 0x007f_0101 };
    c_long::from(id)
}

/// The networks database is asked in DNS where nsswitch.conf(5) says so, and nobody needs it.
fn no_network() -> *mut c_void {
    abi::set_h_errno(HostError::NotFound as c_int);
    core::ptr::null_mut()
}

#[unsafe(no_mangle)]
extern "C" fn getnetbyname(_name: *const c_char) -> *mut c_void {
    no_network()
}

#[unsafe(no_mangle)]
extern "C" fn getnetbyaddr(_network: u32, _kind: c_int) -> *mut c_void {
    no_network()
}

unsafe fn no_network_r(result: *mut *mut c_void, error: *mut c_int) -> c_int {
    // SAFETY: the program's pointers.
    unsafe {
        *result = core::ptr::null_mut();
        *error = HostError::NotFound as c_int;
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn getnetbyname_r(
    _name: *const c_char,
    _entry: *mut c_void,
    _buffer: *mut c_char,
    _len: usize,
    result: *mut *mut c_void,
    error: *mut c_int,
) -> c_int {
    // SAFETY: the program's own arguments.
    unsafe { no_network_r(result, error) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn getnetbyaddr_r(
    _network: u32,
    _kind: c_int,
    _entry: *mut c_void,
    _buffer: *mut c_char,
    _len: usize,
    result: *mut *mut c_void,
    error: *mut c_int,
) -> c_int {
    // SAFETY: the program's own arguments.
    unsafe { no_network_r(result, error) }
}

/// rcmd(3), rexec(3) and ruserok(3) look up and connect inside libc, where nobody can carry it.
macro_rules! refused {
    ($($name:ident),*) => {$(
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        extern "C" fn $name() {
            naked_asm!("jmp {refuse}", refuse = sym refuse)
        }
    )*};
}

extern "C" fn refuse() -> c_int {
    abi::answer(Err(tell(Deed::NoRemote, NONE, None, Errno::EACCES)))
}

refused!(rcmd, rcmd_af, rexec, rexec_af, ruserok, ruserok_af, iruserok, iruserok_af);
