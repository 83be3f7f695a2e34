//! Telling the helper what is done here, where the session says that there is a report. The helper's answer is waited for:
//! it looks at this process meanwhile.

use core::net::SocketAddr;

use uwt_policy::{Errno, SocketSpec, canonical};
use uwt_session::Session;
use uwt_session::report::{Deed, Ended, MAX_TOLD, Told};

use crate::abi::AddressText;
use crate::{helper, state};

/// No socket.
pub(crate) const NONE: SocketSpec = SocketSpec { domain: 0, kind: 0, protocol: 0 };
/// What a TCP socket is.
pub(crate) const STREAM: SocketSpec = SocketSpec { domain: libc::AF_INET, kind: libc::SOCK_STREAM, protocol: 0 };
/// No error.
pub(crate) const DONE: Errno = Errno(0);

/// Tells what was done, or refused with an errno, which is given back.
#[inline(never)]
pub(crate) fn tell(deed: Deed, socket: SocketSpec, peer: Option<&SocketAddr>, errno: Errno) -> Errno {
    if let Some(session) = state::session()
        && session.report
    {
        let text = peer.map(|peer| AddressText::of(canonical(peer.ip())));
        let host = text.as_ref().map_or("", AddressText::as_str);
        let port = peer.map_or(0, SocketAddr::port);
        send(session, &Told { deed, ended: Ended::with(errno), socket, host, port, credential: "" });
    }
    errno
}

/// Tells it, whatever becomes of it: the program's call does not depend on that.
#[inline(never)]
pub(crate) fn send(session: &Session<'_>, told: &Told<'_>) {
    let mut body = [0; MAX_TOLD];
    if let Some(guard) = &session.guard
        && let Some(len) = told.write(&mut body)
    {
        helper::tell(guard, body.get(..len).unwrap_or_default());
    }
}
