//! The calls on sockets.

use core::ffi::{c_int, c_long};
use core::mem::offset_of;

use super::{Sys, call, int, judged, length, word};

/// socket(2), on this machine's network.
pub(crate) fn socket(domain: c_int, kind: c_int, protocol: c_int) -> Sys<c_int> {
    // SAFETY: takes no pointers.
    unsafe { judged(libc::SYS_socket, [word(domain), word(kind), word(protocol), 0]) }.map(int)
}

/// socket(2) without the cookie: where the guard makes cages, the helper answers with a socket in this tree's.
pub(crate) fn caged_socket(domain: c_int, kind: c_int, protocol: c_int) -> Sys<c_int> {
    // The fifth is zero and not left open: it may hold the cookie still.
    // SAFETY: takes no pointers.
    unsafe { call(libc::SYS_socket, [word(domain), word(kind), word(protocol), 0, 0]) }.map(int)
}

/// bind(2) to a socket address in memory of ours.
pub(crate) fn bind(fd: c_int, address: &[u8]) -> Sys<()> {
    attach(libc::SYS_bind, fd, address)
}

/// bind(2) or connect(2), by its number: both take the same. The guard minds the latter.
#[inline(never)]
pub(crate) fn attach(number: c_long, fd: c_int, address: &[u8]) -> Sys<()> {
    // SAFETY: the kernel reads `address.len()` bytes of `address`.
    unsafe { judged(number, [word(fd), address.as_ptr().addr(), address.len(), 0]) }.map(drop)
}

/// Puts `new` in the place of `old` (dup3(2)), close-on-exec as that was.
pub(crate) fn replace(old: c_int, new: c_int) -> Sys<()> {
    // SAFETY: neither takes pointers; what is closed is the program's socket, whose place is taken.
    unsafe {
        let flags = call(libc::SYS_fcntl, [word(old), word(libc::F_GETFD)]).map(int)?;
        let flags = if flags & libc::FD_CLOEXEC == 0 { 0 } else { libc::O_CLOEXEC };
        call(libc::SYS_dup3, [word(new), word(old), word(flags)]).map(drop)
    }
}

/// connect(2) to a socket address in memory of ours.
pub(crate) fn connect(fd: c_int, address: &[u8]) -> Sys<()> {
    attach(libc::SYS_connect, fd, address)
}

/// Dissolves a TCP association: connect(2) with `AF_UNSPEC`. What it says does not matter, the socket is given up.
pub(crate) fn disconnect(fd: c_int) {
    let unspecified = [0_u8; 16];
    let _ = connect(fd, &unspecified);
    // Where the gateway had closed first an error stays behind, which the program would take for its own.
    let _ = option::<c_int>(fd, libc::SOL_SOCKET, libc::SO_ERROR);
}

/// send(2) without a signal, without waiting.
pub(crate) fn send(fd: c_int, bytes: &[u8]) -> Sys<usize> {
    let flags = word(libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT);
    // SAFETY: the kernel reads `bytes.len()` bytes of `bytes`.
    unsafe { call(libc::SYS_sendto, [word(fd), bytes.as_ptr().addr(), bytes.len(), flags, 0, 0]) }
}

/// sendmsg(2) of `bytes` on a unix socket, with a descriptor where one is given (unix(7), `SCM_RIGHTS`).
pub(crate) fn send_with(fd: c_int, bytes: &[u8], right: Option<c_int>) -> Sys<usize> {
    /// struct cmsghdr with room for one descriptor, padded as the kernel wants it.
    #[repr(C)]
    struct Control {
        len: usize,
        level: c_int,
        kind: c_int,
        right: c_int,
        padding: c_int,
    }
    let mut control = Control {
        len: offset_of!(Control, padding),
        level: libc::SOL_SOCKET,
        kind: libc::SCM_RIGHTS,
        right: right.unwrap_or_default(),
        padding: 0,
    };
    let mut parts = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: a structure of numbers and pointers, for which zero is a value.
    let mut message: libc::msghdr = unsafe { core::mem::zeroed() };
    message.msg_iov = &raw mut parts;
    message.msg_iovlen = 1;
    message.msg_control = (&raw mut control).cast();
    message.msg_controllen = if right.is_some() { size_of::<Control>() } else { 0 };
    let flags = word(libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT);
    // SAFETY: the kernel reads the message, its bytes and its control data, all alive until it returns.
    unsafe { judged(libc::SYS_sendmsg, [word(fd), (&raw const message).expose_provenance(), flags, 0]) }
}

/// recv(2) without waiting.
pub(crate) fn receive(fd: c_int, bytes: &mut [u8]) -> Sys<usize> {
    let (to, len) = (bytes.as_mut_ptr().expose_provenance(), bytes.len());
    // SAFETY: the kernel writes at most `len` bytes to `to`.
    unsafe { call(libc::SYS_recvfrom, [word(fd), to, len, word(libc::MSG_DONTWAIT), 0, 0]) }
}

/// getsockopt(2) of a fixed-size value.
pub(crate) fn option<T: Copy + Default>(fd: c_int, level: c_int, name: c_int) -> Sys<T> {
    let mut value = T::default();
    // SAFETY: T is only used with integers and timeval.
    unsafe { get_option(fd, level, name, (&raw mut value).expose_provenance(), size_of::<T>()) }?;
    Ok(value)
}

/// # Safety
/// `size` bytes are writable at `to`, whatever their value.
#[inline(never)]
unsafe fn get_option(fd: c_int, level: c_int, name: c_int, to: usize, size: usize) -> Sys<()> {
    let mut len = length(size);
    let size = (&raw mut len).expose_provenance();
    // SAFETY: the kernel writes at most `len` bytes to `to`.
    unsafe { call(libc::SYS_getsockopt, [word(fd), word(level), word(name), to, size]) }.map(drop)
}

/// setsockopt(2).
#[inline(never)]
pub(crate) fn set_option(fd: c_int, level: c_int, name: c_int, value: &[u8]) -> Sys<()> {
    let from = value.as_ptr().addr();
    // SAFETY: the kernel reads `value.len()` bytes of `value`.
    unsafe { call(libc::SYS_setsockopt, [word(fd), word(level), word(name), from, value.len()]) }.map(drop)
}

/// The socket address that getpeername(2) or getsockname(2) gives.
#[inline(never)]
pub(crate) fn name(number: c_long, fd: c_int) -> Sys<([u8; 128], usize)> {
    let mut address = [0; 128];
    let mut len = length(address.len());
    let (to, size) = (address.as_mut_ptr().expose_provenance(), (&raw mut len).expose_provenance());
    // SAFETY: the kernel writes at most 128 bytes to `address` and one socklen_t.
    unsafe { call(number, [word(fd), to, size]) }?;
    Ok((address, len as usize))
}

/// The status flags of an open file (fcntl(2), `F_GETFL`).
pub(crate) fn status_flags(fd: c_int) -> Sys<c_int> {
    // SAFETY: F_GETFL takes no pointer.
    unsafe { call(libc::SYS_fcntl, [word(fd), word(libc::F_GETFL)]) }.map(int)
}

/// Acts on a socket that does not wait meanwhile, whatever its status flags are otherwise.
pub(crate) fn without_waiting<T>(fd: c_int, flags: c_int, act: impl FnOnce() -> T) -> T {
    let blocking = flags & libc::O_NONBLOCK == 0;
    if blocking {
        set_status_flags(fd, flags | libc::O_NONBLOCK);
    }
    let result = act();
    if blocking {
        set_status_flags(fd, flags);
    }
    result
}

/// Sets the status flags of an open file (fcntl(2), `F_SETFL`), which fails for no socket.
fn set_status_flags(fd: c_int, flags: c_int) {
    // SAFETY: F_SETFL takes no pointer.
    let _ = unsafe { call(libc::SYS_fcntl, [word(fd), word(libc::F_SETFL), word(flags)]) };
}
