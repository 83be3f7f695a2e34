//! sendto(2), sendmsg(2), sendmmsg(2): those that name a destination.
//!
//! With `MSG_FASTOPEN` they connect (tcp(7)): a carried socket is connected through the gateway first and the data sent
//! behind, without the flag.

use core::ffi::{c_int, c_uint, c_void};

use uwt_policy::{Errno, SocketKind};
use uwt_session::report::Deed;

use super::{pass, pass_judged, size, status};
use crate::abi;
use crate::carry::{Plan, carry, datagram};
use crate::report::tell;
use crate::sys::word;
use crate::wire::{self, Address, decode};

/// What is to be done with an addressed message.
enum Send {
    /// Send it as it is.
    AsIs,
    /// The socket is connected now: send it without address and fast open.
    Connected,
}

fn decide(fd: c_int, address: &[u8], flags: c_int) -> Result<Send, Errno> {
    let Address::Internet(peer) = decode(address) else { return other_family(fd, address) };
    if flags & libc::MSG_FASTOPEN == 0 {
        return datagram(fd, peer).map(|()| Send::AsIs);
    }
    match wire::spec(fd)?.class() {
        SocketKind::Stream => match carry(fd, peer)? {
            Plan::Pass => Ok(Send::AsIs),
            Plan::Carried => Ok(Send::Connected),
        },
        _ => datagram(fd, peer).map(|()| Send::AsIs),
    }
}

/// An address that is not of the internet, on an internet socket: UDP takes `AF_UNSPEC` for IPv4, so nothing passes that
/// is long enough to be an address.
fn other_family(fd: c_int, address: &[u8]) -> Result<Send, Errno> {
    let spec = wire::spec(fd)?;
    match spec.class() {
        SocketKind::Local => Ok(Send::AsIs),
        _ if address.len() < 4 => Ok(Send::AsIs),
        SocketKind::Stream => Err(Errno::EAFNOSUPPORT),
        SocketKind::Datagram | SocketKind::Other => Err(tell(Deed::NoSend, spec, None, Errno::EACCES)),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sendto(
    fd: c_int,
    data: *const c_void,
    len: usize,
    flags: c_int,
    address: *const c_void,
    address_len: libc::socklen_t,
) -> isize {
    // SAFETY: the program's own arguments.
    size(unsafe { to(fd, data, len, flags, address, address_len) })
}

pub(super) unsafe fn to(
    fd: c_int,
    data: *const c_void,
    len: usize,
    flags: c_int,
    address: *const c_void,
    address_len: libc::socklen_t,
) -> Result<c_int, Errno> {
    let mut arguments =
        [word(fd), data.expose_provenance(), len, word(flags), address.expose_provenance(), address_len as usize];
    // A longer address the kernel refuses unread.
    if !address.is_null() && (1..=128).contains(&address_len) {
        // SAFETY: the program says that `address_len` bytes are there.
        match decide(fd, unsafe { abi::bytes(address, address_len as usize) }, flags)? {
            Send::AsIs => {
                // sendto(2) itself has no argument to spare for the cookie.
                let mut parts = libc::iovec { iov_base: data.cast_mut(), iov_len: len };
                // SAFETY: a structure of numbers and pointers, for which zero is a value.
                let mut message: libc::msghdr = unsafe { core::mem::zeroed() };
                message.msg_name = address.cast_mut();
                message.msg_namelen = address_len;
                message.msg_iov = &raw mut parts;
                message.msg_iovlen = 1;
                let arguments = [word(fd), (&raw const message).expose_provenance(), word(flags), 0];
                // SAFETY: the program's own call: its data and its address.
                return unsafe { pass_judged(libc::SYS_sendmsg, arguments) };
            }
            Send::Connected => {
                arguments = [word(fd), data.expose_provenance(), len, word(flags & !libc::MSG_FASTOPEN), 0, 0];
            }
        }
    }
    // SAFETY: the program's own call, its address removed where the socket is connected.
    unsafe { pass(libc::SYS_sendto, arguments) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sendmsg(fd: c_int, message: *const libc::msghdr, flags: c_int) -> isize {
    // SAFETY: the program's own arguments.
    size(unsafe { one(fd, message, flags) })
}

pub(super) unsafe fn one(fd: c_int, message: *const libc::msghdr, flags: c_int) -> Result<c_int, Errno> {
    // SAFETY: the program's own message.
    let decided = unsafe { decide_message(fd, message, flags) }?;
    if matches!(decided, Send::Connected) {
        // SAFETY: it was read a moment ago; the copy names no address.
        let mut plain = unsafe { message.read() };
        plain.msg_name = core::ptr::null_mut();
        plain.msg_namelen = 0;
        let arguments = [word(fd), (&raw const plain).expose_provenance(), word(flags & !libc::MSG_FASTOPEN), 0];
        // SAFETY: the copy points to the same data as the program's message.
        return unsafe { pass_judged(libc::SYS_sendmsg, arguments) };
    }
    // SAFETY: the program's own call.
    unsafe { pass_judged(libc::SYS_sendmsg, [word(fd), message.expose_provenance(), word(flags), 0]) }
}

unsafe fn decide_message(fd: c_int, message: *const libc::msghdr, flags: c_int) -> Result<Send, Errno> {
    if message.is_null() {
        return Ok(Send::AsIs);
    }
    // SAFETY: the program's own message, and the address it points to.
    let address = unsafe { abi::bytes((*message).msg_name, ((*message).msg_namelen as usize).min(128)) };
    if address.is_empty() { Ok(Send::AsIs) } else { decide(fd, address, flags) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sendmmsg(fd: c_int, messages: *mut libc::mmsghdr, count: c_uint, flags: c_int) -> c_int {
    // SAFETY: the program's own arguments.
    status(unsafe { many(fd, messages, count, flags) })
}

/// Sends the messages before the first one that can't go as it is; that one is sent alone by the next call, as after any
/// partial success of sendmmsg(2).
pub(super) unsafe fn many(
    fd: c_int,
    messages: *mut libc::mmsghdr,
    count: c_uint,
    flags: c_int,
) -> Result<c_int, Errno> {
    let mut plain: c_uint = 0;
    while plain < count && !messages.is_null() {
        // SAFETY: the program says that `count` messages are there.
        let message = unsafe { messages.add(plain as usize) };
        let connects = flags & libc::MSG_FASTOPEN != 0 && wire::spec(fd)?.class() == SocketKind::Stream;
        if connects && plain == 0 {
            // SAFETY: as above.
            let sent = unsafe { one(fd, &raw const (*message).msg_hdr, flags) }?;
            // SAFETY: as above; the kernel would write this field.
            unsafe { (*message).msg_len = sent.unsigned_abs() };
            return Ok(1);
        }
        // SAFETY: as above.
        match unsafe { decide_message(fd, &raw const (*message).msg_hdr, flags) } {
            Ok(_) => plain += 1,
            Err(errno) if plain == 0 => return Err(errno),
            Err(_) => break,
        }
    }
    let arguments = [word(fd), messages.expose_provenance(), plain as usize, word(flags)];
    // SAFETY: the program's own call, with the messages that were looked at.
    unsafe { pass_judged(libc::SYS_sendmmsg, arguments) }
}
