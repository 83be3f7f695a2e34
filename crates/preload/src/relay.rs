//! Connects that must not wait: the helper's relay makes them on the program's own socket.
//!
//! To the kernel the socket is connecting, as it would be to any host far away, until the gateway has answered the helper:
//! poll, epoll and select say by themselves when that is so. The same way goes whoever does not want to wait for the
//! gateway's answer at all (`optimistic`), and, where there is a report, who connects to the SocksPort by itself.

use core::ffi::c_int;
use core::net::SocketAddr;
use core::sync::atomic::{AtomicBool, Ordering};

use uwt_policy::{Errno, PeerRecord, Standing};
use uwt_session::Session;
use uwt_session::relay::Reply;

use crate::dial::Patience;
use crate::notice::Once;
use crate::{carry, helper, state, sys, wire};

/// Whether the relay has any socket of this process: only then do others need a look.
static USED: AtomicBool = AtomicBool::new(false);

/// Whether the relay was ever used in this process.
pub(crate) fn was_used() -> bool {
    USED.load(Ordering::Relaxed)
}

/// Connects a TCP socket by the relay; `None` where the socket has to wait for the gateway itself, or, if it shall be `heard`
/// what is said there, is to be connected directly.
///
/// # Errors
/// The descriptor is none of a socket.
pub(crate) fn connect(
    session: &Session<'_>,
    fd: c_int,
    cookie: u64,
    peer: SocketAddr,
    heard: bool,
) -> Result<Option<Result<(), Errno>>, Errno> {
    let flags = sys::status_flags(fd)?;
    let waits = flags & libc::O_NONBLOCK == 0;
    // One that was begun without waiting may now be waited for.
    if waits && !heard && !session.optimistic && !is_relayed(cookie) {
        return Ok(None);
    }
    let Some(guard) = &session.guard else {
        if !waits && !heard {
            tell("there is no helper without the guard");
        }
        return Ok(None);
    };
    // Or the helper would wait.
    let (errno, port) = match sys::without_waiting(fd, flags, || helper::connect(guard, fd, peer)) {
        Some(Reply::Called { errno, port }) => (errno, port),
        Some(Reply::None) => {
            if !heard {
                tell("TCP has no simultaneous open here");
            }
            return Ok(None);
        }
        Some(Reply::NotThis) | None => return Ok(None),
    };
    if errno == Some(Errno::EINPROGRESS) {
        USED.store(true, Ordering::Relaxed);
        let record = PeerRecord { address: peer, standing: Standing::Relayed(port) };
        state::peers(|peers| peers.insert(cookie, record));
    }
    Ok(Some(match errno {
        Some(Errno::EINPROGRESS | Errno::EALREADY) if waits => wait(session, fd),
        Some(errno) => Err(errno),
        None => Ok(()),
    }))
}

/// Waits as connect(2) does for a blocking socket.
fn wait(session: &Session<'_>, fd: c_int) -> Result<(), Errno> {
    // What ends the waiting does not end the attempt, and the program can ask again, as after any connect(2).
    Patience::of_socket(session, fd, false)?.wait(fd, libc::POLLOUT).map_err(|failure| failure.errno())?;
    // How it went: as long as the socket is connecting the kernel looks at no address, and an unnamed unix
    // socket's is no address to it.
    sys::connect(fd, &wire::family(libc::AF_UNIX)).map_err(|errno| why(fd, errno))
}

/// `SO_ERROR` of a socket that the relay has.
pub(crate) fn error(fd: c_int) -> Option<Result<(), Errno>> {
    let errno = sys::option(fd, libc::SOL_SOCKET, libc::SO_ERROR).ok()?;
    Some(if errno == 0 { Ok(()) } else { Err(why(fd, Errno(errno))) })
}

/// Why a connect failed that the kernel could only let fail in one way.
fn why(fd: c_int, errno: Errno) -> Errno {
    if !matches!(errno, Errno::ECONNREFUSED | Errno::ECONNRESET) {
        return errno;
    }
    let guard = state::session().and_then(|session| session.guard.as_ref());
    let cookie = carry::cookie(fd).ok();
    guard.zip(cookie).and_then(|(guard, cookie)| helper::outcome(guard, cookie)).unwrap_or(errno)
}

#[inline(never)]
fn is_relayed(cookie: u64) -> bool {
    was_used()
        && state::peers(|peers| peers.get(cookie)).is_some_and(|record| matches!(record.standing, Standing::Relayed(_)))
}

/// Tells the user once why a program that must not wait does.
#[cold]
fn tell(why: &str) {
    static ONCE: Once = Once::new();
    ONCE.say(|line| {
        line.text("a non-blocking connect waits for the gateway: ").text(why);
    });
}
