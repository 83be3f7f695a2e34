//! bind(2), listen(2), accept(2).

use core::ffi::{c_int, c_void};

use uwt_policy::{AcceptVerdict, Errno};

use super::{pass, pass_judged, status};
use crate::abi;
use crate::serve::{after_accept, after_listen, before_bind, before_listen};
use crate::sys::word;

#[unsafe(no_mangle)]
unsafe extern "C" fn bind(fd: c_int, address: *const c_void, len: libc::socklen_t) -> c_int {
    // SAFETY: the program's own arguments.
    status(unsafe { name(fd, address, len) })
}

pub(super) unsafe fn name(fd: c_int, address: *const c_void, len: libc::socklen_t) -> Result<c_int, Errno> {
    // A longer one the kernel refuses unread.
    let readable = if len > 128 { 0 } else { len as usize };
    // SAFETY: the program says that `len` bytes are there.
    if before_bind(fd, unsafe { abi::bytes(address, readable) })? {
        return Ok(0);
    }
    // SAFETY: the program's own call.
    unsafe { pass(libc::SYS_bind, [word(fd), address.expose_provenance(), len as usize]) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn listen(fd: c_int, backlog: c_int) -> c_int {
    status(start(fd, backlog))
}

pub(super) fn start(fd: c_int, backlog: c_int) -> Result<c_int, Errno> {
    before_listen(fd)?;
    // SAFETY: takes no pointers.
    let done = unsafe { pass_judged(libc::SYS_listen, [word(fd), word(backlog), 0, 0]) }?;
    after_listen(fd);
    Ok(done)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn accept(fd: c_int, address: *mut c_void, len: *mut libc::socklen_t) -> c_int {
    // SAFETY: the program's own arguments.
    status(unsafe { take(fd, address, len, 0) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn accept4(fd: c_int, address: *mut c_void, len: *mut libc::socklen_t, flags: c_int) -> c_int {
    // SAFETY: the program's own arguments.
    status(unsafe { take(fd, address, len, flags) })
}

pub(super) unsafe fn take(
    fd: c_int,
    address: *mut c_void,
    len: *mut libc::socklen_t,
    flags: c_int,
) -> Result<c_int, Errno> {
    // SAFETY: the program's own pointer; the kernel overwrites the length, which the next round needs as it was.
    let room = if len.is_null() { None } else { Some(unsafe { *len }) };
    loop {
        let arguments = [word(fd), address.expose_provenance(), len.expose_provenance(), word(flags)];
        // SAFETY: the program's own call.
        let accepted = unsafe { pass(libc::SYS_accept4, arguments) }?;
        match after_accept(accepted) {
            AcceptVerdict::Pass => return Ok(accepted),
            AcceptVerdict::Drop => {
                if let Some(room) = room {
                    // SAFETY: as above.
                    unsafe { *len = room };
                }
            }
        }
    }
}
