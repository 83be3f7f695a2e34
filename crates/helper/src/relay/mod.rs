//! The relay: connects of the preload's programs that do not wait.
//!
//! A program's own socket is connected to the hole (`hole`) and stays in SYN_SENT, as while any connect is under way, until
//! the gateway has answered on a connection of the helper's. Then a socket at the hole connects to the program's, which
//! lets its connect come about, and both connections are joined. What the gateway refuses is reset before it has come
//! about, and the true reason is remembered for the preload to ask. All that the program waits for (epoll, poll, select,
//! second connects) is the kernel's own.
//!
//! The helper has the program's socket only for the call of connect(2), so close(2) and exec(2) do what they always do; who
//! has closed its socket is found out by asking the kernel for it.

mod attempt;
mod hole;
mod outcomes;
mod socket;
#[cfg(test)]
mod tests;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use socket2::SockRef;
use uwt_policy::{ConnectVerdict, Errno, SocketKind};
use uwt_report::Layer;
use uwt_session::relay::{Order, Reply, outcome_to_bytes};

use crate::diag::{Diag, Pair};
use crate::dial::errno_of;
use crate::native::Native;
use crate::shared::Shared;
use crate::sys::net::{option, set_option};
use crate::tcp::{State, state};
use attempt::Attempt;
use hole::{Holes, plain};
use outcomes::Outcomes;
use socket::{Facts, host_network, local_address};

/// How often a first segment is repeated (tcp(7), `TCP_SYNCNT`): as often as the kernel allows, some hours, for the gateway
/// may take as long as the session's timeout says. By default it would be two minutes.
const REPETITIONS: i32 = 127;

/// The relay of a tree.
#[derive(Debug, Default)]
pub(crate) struct Relay {
    ground: RefCell<Option<Rc<Ground>>>,
    outcomes: Outcomes,
    /// What is under way, by the cookies of the sockets.
    attempts: RefCell<HashMap<u64, Rc<Attempt>>>,
    /// Whether somebody looks after it.
    is_watched: Cell<bool>,
}

/// What the relay stands on, found out at the first request.
#[derive(Debug)]
enum Ground {
    /// No socket can be relayed.
    None,
    Works {
        holes: Holes,
        diag: Diag,
        /// Of the host's sockets, where the kernel tells.
        network: Option<u64>,
    },
}

impl Ground {
    /// # Errors
    /// No descriptors are left, or the like: another time it may work.
    fn find(shared: &Shared) -> io::Result<Self> {
        let (holes, diag) = (Holes::make(&shared.outside)?, shared.outside.diag()?);
        // Without the kernel's answers nobody would know whose connection comes about.
        match holes.filter(|holes| holes.are_known(&diag, &shared.outside)) {
            Some(holes) => Ok(Self::Works { holes, diag, network: host_network(&shared.outside)? }),
            None => Ok(Self::None),
        }
    }
}

impl Relay {
    /// The body of the reply to [`Kind::Outcome`](uwt_session::link::Kind::Outcome); `None` where the request's is no cookie.
    pub(crate) fn outcome(&self, body: &[u8]) -> Option<[u8; 4]> {
        let cookie = u64::from_le_bytes(body.try_into().ok()?);
        Some(outcome_to_bytes(self.outcomes.of(cookie)))
    }

    /// # Errors
    /// Those of [`Ground::find`].
    fn ground(&self, shared: &Shared) -> io::Result<Rc<Ground>> {
        if let Some(ground) = &*self.ground.borrow() {
            return Ok(Rc::clone(ground));
        }
        let ground = Rc::new(Ground::find(shared)?);
        self.ground.replace(Some(Rc::clone(&ground)));
        Ok(ground)
    }
}

/// Calls connect(2) on a program's socket, and if that begins a connection takes care of it: the reply to
/// [`Kind::Connect`](uwt_session::link::Kind::Connect). `pid` is the asking process, if it is known.
pub(crate) fn connect(shared: &Rc<Shared>, pid: Option<u32>, socket: Option<OwnedFd>, body: &[u8]) -> Reply {
    let Ok(ground) = shared.relay.ground(shared) else { return Reply::NotThis };
    let Ground::Works { holes, network, .. } = &*ground else { return Reply::None };
    let called = || {
        let (pid, socket, order) = (pid?, socket?, Order::parse(body)?);
        let facts = Facts::of(&socket, *network).ok()??;
        let process = shared.tree.process(pid).ok()?;
        // The policy has let the preload ask; what it does not tunnel is not connected here, unless we want to hear it.
        let verdict = uwt_policy::connect(SocketKind::Stream, order.peer, &process.session.route());
        match verdict {
            ConnectVerdict::Tunnel(_) | ConnectVerdict::TunnelName(..) => {}
            ConnectVerdict::Pass if Native::of(&process, order.peer, Layer::Relay, shared).is_some() => {}
            ConnectVerdict::Pass | ConnectVerdict::Refuse(_) => return None,
        }
        let (answer, hole) = call(&socket, holes.addresses(facts.is_v6, facts.only_v6, order.peer.ip()))?;
        let errno = match answer {
            Some(Errno::EINPROGRESS) => {
                let held = Pair { from: plain(local_address(&socket).ok()?), to: plain(hole) };
                begin(shared, Attempt { held, facts, process, task: OnceCell::new() }, verdict);
                answer
            }
            // The kernel's word for all that we have let fail.
            Some(Errno::ECONNRESET) => shared.relay.outcomes.of(facts.cookie).or(answer),
            answer => answer,
        };
        Some(Reply::Called { errno, port: hole.port() })
    };
    called().unwrap_or(Reply::NotThis)
}

/// connect(2) to the first of these addresses that the kernel does not exclude: the errno, and the address. `None` where
/// nothing was done to the socket.
fn call(socket: &OwnedFd, holes: impl Iterator<Item = SocketAddr>) -> Option<(Option<Errno>, SocketAddr)> {
    // That of an earlier connect is not touched.
    let changed = if state(socket).ok()? == State::Close { Some(prepare(socket).ok()?) } else { None };
    let mut last = None;
    for hole in holes {
        let answer = SockRef::from(socket).connect(&hole.into()).err().map(|error| errno_of(&error));
        last = Some((answer, hole));
        let excluded = [Errno::ENETUNREACH, Errno::EADDRNOTAVAIL, Errno::EAFNOSUPPORT, Errno::EINVAL];
        if answer.is_none_or(|errno| !excluded.contains(&errno)) {
            break;
        }
    }
    if let Some(repetitions) = changed
        && last.is_none_or(|(answer, _)| answer != Some(Errno::EINPROGRESS))
    {
        // What it was before is no error.
        let _ = set_option(socket, libc::IPPROTO_TCP, libc::TCP_SYNCNT, repetitions);
    }
    last
}

/// Makes a socket ready to wait in the hole; gives its own number of repetitions.
fn prepare(socket: &OwnedFd) -> io::Result<i32> {
    // It would make connect(2) return before it has sent anything.
    if option(socket, libc::IPPROTO_TCP, libc::TCP_FASTOPEN_CONNECT)? != 0 {
        set_option(socket, libc::IPPROTO_TCP, libc::TCP_FASTOPEN_CONNECT, 0)?;
    }
    let own = option(socket, libc::IPPROTO_TCP, libc::TCP_SYNCNT)?;
    set_option(socket, libc::IPPROTO_TCP, libc::TCP_SYNCNT, REPETITIONS)?;
    Ok(own)
}

/// Takes care of a socket that is in the hole.
fn begin(shared: &Rc<Shared>, attempt: Attempt, verdict: ConnectVerdict) {
    shared.relay.outcomes.forget(attempt.facts.cookie);
    attempt::start(attempt, verdict, shared);
}
