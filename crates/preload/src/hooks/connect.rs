//! connect(2).

use core::arch::naked_asm;
use core::ffi::{c_int, c_void};

use uwt_policy::Errno;

use super::{pass_judged, status};
use crate::abi;
use crate::carry::{Plan, carry};
use crate::sys::word;
use crate::wire::{Address, decode};

unsafe extern "C" fn hook(fd: c_int, address: *const c_void, len: libc::socklen_t) -> c_int {
    // SAFETY: the program's own arguments.
    status(unsafe { act(fd, address, len) })
}

#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn connect() {
    naked_asm!("jmp {hook}", hook = sym hook)
}

/// The name libpthread once exported the same function under.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn __connect() {
    naked_asm!("jmp {hook}", hook = sym hook)
}

pub(super) unsafe fn act(fd: c_int, address: *const c_void, len: libc::socklen_t) -> Result<c_int, Errno> {
    // A longer one the kernel refuses unread.
    let readable = if len > 128 { 0 } else { len as usize };
    // SAFETY: the program says that `len` bytes are there.
    let plan = match decode(unsafe { abi::bytes(address, readable) }) {
        Address::Internet(peer) => carry(fd, peer)?,
        // The kernel refuses an address that is not of the socket's family.
        Address::Unspecified | Address::Other => Plan::Pass,
    };
    match plan {
        Plan::Carried => Ok(0),
        Plan::Pass => {
            // SAFETY: the program's own call.
            unsafe { pass_judged(libc::SYS_connect, [word(fd), address.expose_provenance(), len as usize, 0]) }
        }
    }
}
