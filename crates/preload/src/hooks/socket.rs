//! socket(2), socketpair(2), getpeername(2) and the socket options.

use core::ffi::{c_int, c_void};

use uwt_policy::{Errno, SocketSpec, SocketVerdict};
use uwt_session::report::Deed;

use super::{pass, status};
use crate::carry::{self, session};
use crate::report::tell;
use crate::sys::{self, word};
use crate::wire::{self, Encoded};
use crate::{abi, serve, state};

#[unsafe(no_mangle)]
unsafe extern "C" fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int {
    status(make(domain, kind, protocol))
}

pub(super) fn make(domain: c_int, kind: c_int, protocol: c_int) -> Result<c_int, Errno> {
    let spec = SocketSpec::from_raw(domain, kind, protocol);
    let verdict = uwt_policy::socket(spec);
    if let SocketVerdict::Refuse(errno) = verdict {
        // The guard would refuse it once more, and once is enough for a report.
        if state::session().is_some_and(|session| session.report) {
            return Err(tell(Deed::NoSocket, spec, None, errno));
        }
        // What the kernel does not know it refuses in its own words.
        let unknown = sys::socket(domain, kind, protocol).map(sys::close).err();
        return Err(match unknown {
            Some(errno @ (EAFNOSUPPORT | EPROTONOSUPPORT | EINVAL | ESOCKTNOSUPPORT)) => errno,
            _ => errno,
        });
    }
    let fd = sys::socket(domain, kind, protocol)?;
    if verdict == SocketVerdict::Confine
        && let Err(errno) = session().map(drop).and_then(|()| wire::confine(fd))
    {
        sys::close(fd);
        return Err(errno);
    }
    Ok(fd)
}

const EAFNOSUPPORT: Errno = Errno::EAFNOSUPPORT;
const EPROTONOSUPPORT: Errno = Errno::EPROTONOSUPPORT;
const EINVAL: Errno = Errno::EINVAL;
const ESOCKTNOSUPPORT: Errno = Errno(libc::ESOCKTNOSUPPORT);

#[unsafe(no_mangle)]
unsafe extern "C" fn socketpair(domain: c_int, kind: c_int, protocol: c_int, ends: *mut c_int) -> c_int {
    // SAFETY: the program's own arguments.
    status(unsafe { pair(domain, kind, protocol, ends) })
}

pub(super) unsafe fn pair(domain: c_int, kind: c_int, protocol: c_int, ends: *mut c_int) -> Result<c_int, Errno> {
    let spec = SocketSpec::from_raw(domain, kind, protocol);
    match uwt_policy::socket(spec) {
        SocketVerdict::Pass | SocketVerdict::Confine => {
            let arguments = [word(domain), word(kind), word(protocol), ends.expose_provenance()];
            // SAFETY: the program's own call.
            unsafe { pass(libc::SYS_socketpair, arguments) }
        }
        SocketVerdict::Refuse(errno) => Err(tell(Deed::NoSocket, spec, None, errno)),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn getpeername(fd: c_int, address: *mut c_void, len: *mut libc::socklen_t) -> c_int {
    // SAFETY: the program's own arguments.
    status(unsafe { peer_name(fd, address, len) })
}

pub(super) unsafe fn peer_name(fd: c_int, address: *mut c_void, len: *mut libc::socklen_t) -> Result<c_int, Errno> {
    if let Some(peer) = carry::peer(fd) {
        // SAFETY: getpeername's contract.
        return unsafe { abi::put_address(Encoded::new(peer).as_bytes(), address, len) }.map(|()| 0);
    }
    let arguments = [word(fd), address.expose_provenance(), len.expose_provenance()];
    // SAFETY: the program's own call.
    unsafe { pass(libc::SYS_getpeername, arguments) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn getsockopt(
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *mut c_void,
    len: *mut libc::socklen_t,
) -> c_int {
    // SAFETY: the program's own arguments.
    status(unsafe { option(fd, level, name, value, len) })
}

pub(super) unsafe fn option(
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *mut c_void,
    len: *mut libc::socklen_t,
) -> Result<c_int, Errno> {
    if (level, name) == (libc::SOL_SOCKET, libc::SO_ERROR)
        && let Some(result) = carry::finish(fd)
    {
        let error = result.err().map_or(0, |errno| errno.0);
        // SAFETY: getsockopt's contract is getpeername's: a buffer and its length.
        return unsafe { abi::put_address(&error.to_ne_bytes(), value, len) }.map(|()| 0);
    }
    let arguments = [word(fd), word(level), word(name), value.expose_provenance(), len.expose_provenance()];
    // SAFETY: the program's own call.
    unsafe { pass(libc::SYS_getsockopt, arguments) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn setsockopt(
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *const c_void,
    len: libc::socklen_t,
) -> c_int {
    // SAFETY: the program's own arguments.
    status(unsafe { set_option(fd, level, name, value, len) })
}

pub(super) unsafe fn set_option(
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *const c_void,
    len: libc::socklen_t,
) -> Result<c_int, Errno> {
    // Only options that name an interface are looked at, and they are short.
    if uwt_policy::OptionScope::of(level, name) != uwt_policy::OptionScope::Free {
        // SAFETY: the program says that `len` bytes are there.
        let bytes = unsafe { abi::bytes(value, (len as usize).min(512)) };
        serve::before_option(fd, level, name, bytes)?;
    }
    let arguments = [word(fd), word(level), word(name), value.expose_provenance(), len as usize];
    // SAFETY: the program's own call.
    unsafe { pass(libc::SYS_setsockopt, arguments) }
}
