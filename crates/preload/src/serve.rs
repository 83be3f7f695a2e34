//! Servers, as the inbound policy says.

use core::ffi::c_int;
use core::net::SocketAddr;
use core::sync::atomic::{AtomicU64, Ordering};

use uwt_policy::{
    AcceptVerdict, Errno, Inbound, ListenVerdict, OptionVerdict, SocketKind, accept, found_at, is_bound, listen, moved,
    set_option,
};
use uwt_session::Session;
use uwt_session::report::Deed;

use crate::carry::session;
use crate::report::{DONE, NONE, tell};
use crate::wire::Address;
use crate::{state, sys, wire};

/// A bit for each port on which this process listens, or has listened, at the session's address for servers.
static SERVED: [AtomicU64; 1024] = [const { AtomicU64::new(0) }; 1024];

fn served(port: u16) -> Option<(&'static AtomicU64, u64)> {
    Some((SERVED.get(usize::from(port / 64))?, 1 << (port % 64)))
}

/// Before bind(2) to `address`. A TCP socket may be bound to another address at once, and then this is true: whether it
/// will listen or connect is not known yet, but a connection can begin at either address.
///
/// A UDP socket that was not made by us is confined before it can receive anything.
pub(crate) fn before_bind(fd: c_int, address: &[u8]) -> Result<bool, Errno> {
    let spec = wire::spec(fd)?;
    match spec.class() {
        SocketKind::Local => Ok(false),
        SocketKind::Stream => match wire::decode(address) {
            Address::Internet(local) => bind_elsewhere(fd, local),
            Address::Unspecified | Address::Other => Ok(false),
        },
        SocketKind::Datagram => wire::confine(fd).map(|()| false),
        SocketKind::Other => Err(tell(Deed::NoBind, spec, None, Errno::EACCES)),
    }
}

/// Binds a socket that asks for `local` to the address for servers, if it is to be bound there. One that is for IPv6 alone
/// can't be.
#[inline(never)]
fn bind_elsewhere(fd: c_int, local: SocketAddr) -> Result<bool, Errno> {
    let to = state::session().and_then(|session| session.bind);
    let Some(there) = to.and_then(|to| moved(local, to)) else { return Ok(false) };
    if there.is_ipv6() && sys::option::<c_int>(fd, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY) != Ok(0) {
        return Ok(false);
    }
    wire::attach(libc::SYS_bind, fd, there).map(|()| true)
}

/// Where a server of this process is found that is asked for at `peer`: at its own address, which is none of another machine,
/// or where it wanted to be.
#[inline(never)]
pub(crate) fn own_server(session: &Session<'_>, peer: SocketAddr) -> Option<SocketAddr> {
    let (word, bit) = served(peer.port()).filter(|_| session.allow_loopback)?;
    let listens = word.load(Ordering::Relaxed) & bit != 0;
    found_at(peer, session.bind?).filter(|_| listens)
}

/// Before listen(2).
pub(crate) fn before_listen(fd: c_int) -> Result<(), Errno> {
    let spec = wire::spec(fd)?;
    match spec.class() {
        SocketKind::Local => return Ok(()),
        SocketKind::Stream => {}
        SocketKind::Datagram | SocketKind::Other => return Err(Errno::EACCES),
    }
    let session = session()?;
    let mut local = own_name(fd)?;
    // Not bound: the kernel would choose every address.
    if local.port() == 0 && bind_elsewhere(fd, local)? {
        local = own_name(fd)?;
    }
    if is_bound(local, session.bind)
        && let Some((word, bit)) = served(local.port())
    {
        word.fetch_or(bit, Ordering::Relaxed);
    }
    match listen(local, session.inbound, session.bind) {
        ListenVerdict::Pass => Ok(()),
        ListenVerdict::Confine => wire::confine(fd),
        ListenVerdict::Refuse(errno) => Err(tell(Deed::NoListen, spec, Some(&local), errno)),
    }
}

fn own_name(fd: c_int) -> Result<SocketAddr, Errno> {
    wire::name(libc::SYS_getsockname, fd).ok_or(Errno::EACCES)
}

/// After listen(2).
pub(crate) fn after_listen(fd: c_int) {
    if state::session().is_some_and(|session| session.report)
        && let Ok(local) = own_name(fd)
    {
        tell(Deed::Listen, NONE, Some(&local), DONE);
    }
}

/// After accept(2) gave `fd`: whether the program may have it. Where not, it is closed.
pub(crate) fn after_accept(fd: c_int) -> AcceptVerdict {
    let (inbound, bound) = session().map_or((Inbound::Deny, None), |session| (session.inbound, session.bind));
    let verdict = match (inbound, wire::name(libc::SYS_getpeername, fd)) {
        (Inbound::Allow, _) => AcceptVerdict::Pass,
        (_, Some(peer)) => match wire::name(libc::SYS_getsockname, fd) {
            Some(local) => accept(peer, local, inbound, bound),
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
    let spec = wire::spec(fd)?;
    match set_option(spec.class(), level, name, value) {
        OptionVerdict::Pass => Ok(()),
        OptionVerdict::Refuse(errno) => Err(tell(Deed::NoOption, spec, None, errno)),
    }
}
