//! How TCP sockets stand.

use std::io;
use std::os::fd::AsFd;

use crate::sys::net::option;

/// The states of a TCP socket that matter (linux/tcp_states.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Established,
    SynSent,
    SynReceived,
    Close,
    Other,
}

/// The state of a TCP socket.
///
/// # Errors
/// It is none.
pub(crate) fn state(socket: impl AsFd) -> io::Result<State> {
    // Of struct tcp_info the first byte.
    let [state, ..] = option(socket, libc::IPPROTO_TCP, libc::TCP_INFO)?.to_ne_bytes();
    Ok(match state {
        1 => State::Established,
        2 => State::SynSent,
        3 => State::SynReceived,
        7 => State::Close,
        _ => State::Other,
    })
}
