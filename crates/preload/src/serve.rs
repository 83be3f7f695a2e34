//! Servers, as the inbound policy says.

use core::ffi::c_int;

use uwt_policy::{AcceptVerdict, Errno, Inbound, ListenVerdict, OptionVerdict, SocketKind, accept, listen, set_option};

use crate::carry::session;
use crate::{sys, wire};

/// Before bind(2): a UDP socket that was not made by us is confined before it can receive anything.
pub(crate) fn before_bind(fd: c_int) -> Result<(), Errno> {
    match wire::spec(fd)?.class() {
        SocketKind::Local | SocketKind::Stream => Ok(()),
        SocketKind::Datagram => wire::confine(fd),
        SocketKind::Other => Err(Errno::EACCES),
    }
}

/// Before listen(2).
pub(crate) fn before_listen(fd: c_int) -> Result<(), Errno> {
    match wire::spec(fd)?.class() {
        SocketKind::Local => return Ok(()),
        SocketKind::Stream => {}
        SocketKind::Datagram | SocketKind::Other => return Err(Errno::EACCES),
    }
    let local = wire::name(libc::SYS_getsockname, fd).ok_or(Errno::EACCES)?;
    match listen(local, session()?.inbound) {
        ListenVerdict::Pass => Ok(()),
        ListenVerdict::Confine => wire::confine(fd),
        ListenVerdict::Refuse(errno) => Err(errno),
    }
}

/// After accept(2) gave `fd`: whether the program may have it. Where not, it is closed.
pub(crate) fn after_accept(fd: c_int) -> AcceptVerdict {
    let inbound = session().map_or(Inbound::Deny, |session| session.inbound);
    let verdict = match (inbound, wire::name(libc::SYS_getpeername, fd)) {
        (Inbound::Allow, _) => AcceptVerdict::Pass,
        (_, Some(peer)) => match wire::name(libc::SYS_getsockname, fd) {
            Some(local) => accept(peer, local, inbound),
            None => AcceptVerdict::Drop,
        },
        // A unix connection, or one that is gone again.
        (_, None) => match wire::spec(fd).map(uwt_policy::SocketSpec::class) {
            Ok(SocketKind::Local) => AcceptVerdict::Pass,
            _ => AcceptVerdict::Drop,
        },
    };
    if verdict == AcceptVerdict::Drop {
        sys::close(fd);
    }
    verdict
}

/// Before setsockopt(2).
pub(crate) fn before_option(fd: c_int, level: c_int, name: c_int, value: &[u8]) -> Result<(), Errno> {
    match set_option(wire::spec(fd)?.class(), level, name, value) {
        OptionVerdict::Pass => Ok(()),
        OptionVerdict::Refuse(errno) => Err(errno),
    }
}
