//! Asking the tree's helper: what the names are that reserved addresses stand for, which all its processes have in common,
//! and to connect sockets that must not wait.

use core::ffi::c_int;
use core::net::{Ipv4Addr, SocketAddr};

use uwt_policy::{Errno, HostName, MAX_NAME};
use uwt_session::Guard;
use uwt_session::link::{Kind, Request, open_reply};
use uwt_session::relay::{Order, Reply, parse_outcome};
use uwt_session::report::MAX_TOLD;

use crate::notice::Once;
use crate::{state, sys, wire};

/// How long the helper may take, in seconds. It looks into a table; on a busy machine it has to be woken first.
const PATIENCE: u64 = 10;
/// What a message has around its body at most ([`uwt_session::link`]).
const HEAD: usize = 32;

/// The address that stands for `name` in the whole tree; it is remembered, so that a connect need not ask.
pub(crate) fn address(guard: &Guard, name: &HostName) -> Option<Ipv4Addr> {
    let read = |body: &[u8]| <[u8; 4]>::try_from(body).ok();
    let address = request(guard, Kind::Address, name.as_str().as_bytes(), None, read)?.into();
    remember(guard, address, name).map(|()| address)
}

/// The name an address stands for in the whole tree.
pub(crate) fn name(guard: &Guard, address: Ipv4Addr) -> Option<HostName> {
    // Nothing is no name.
    let name = request(guard, Kind::Name, &address.octets(), None, HostName::parse)?;
    remember(guard, address, &name).map(|()| name)
}

/// Fails for an address that stands for another name in this process: it never changes its meaning.
fn remember(guard: &Guard, address: Ipv4Addr, name: &HostName) -> Option<()> {
    let candidate = |attempt| guard.secret.name_bits(name.as_str(), attempt);
    state::names(|names| names.insert_at(address, name, candidate))
}

/// Has the relay connect `fd`, a non-blocking TCP socket, to `peer`; `None` where there is no answer.
pub(crate) fn connect(guard: &Guard, fd: c_int, peer: SocketAddr) -> Option<Reply> {
    let order = Order { peer }.to_bytes();
    request(guard, Kind::Connect, &order, Some(fd), Reply::parse)
}

/// Why the relay could not connect the socket with this cookie, where it knows.
pub(crate) fn outcome(guard: &Guard, cookie: u64) -> Option<Errno> {
    request(guard, Kind::Outcome, &cookie.to_le_bytes(), None, parse_outcome)
}

/// Tells what was done; waits until the helper has looked.
pub(crate) fn tell(guard: &Guard, told: &[u8]) {
    let _ = answer(guard, Kind::Report, told, None, &mut [0; HEAD]);
}

/// One request on a connection of its own, closed again before this returns.
fn request<T>(
    guard: &Guard,
    kind: Kind,
    body: &[u8],
    right: Option<c_int>,
    read: impl FnOnce(&[u8]) -> Option<T>,
) -> Option<T> {
    let mut reply = [0; HEAD + MAX_NAME];
    answer(guard, kind, body, right, &mut reply).and_then(read)
}

/// The body of the reply.
#[inline(never)]
fn answer<'a>(guard: &Guard, kind: Kind, body: &[u8], right: Option<c_int>, reply: &'a mut [u8]) -> Option<&'a [u8]> {
    static ONCE: Once = Once::new();
    let nonce = sys::random().ok()?;
    let mut message = [0; HEAD + MAX_TOLD];
    let len = Request { nonce, kind, body }.seal(guard, &mut message)?;
    let len = exchange(guard, message.get(..len)?, right, reply);
    let body = len.ok().and_then(|len| open_reply(guard, nonce, reply.get(..len)?));
    if body.is_none() {
        ONCE.say(|line| {
            line.text("uwt's helper does not answer; start the command again");
        });
    }
    body
}

/// Sends a message, and a descriptor with it, and waits for the reply; its length.
fn exchange(guard: &Guard, message: &[u8], right: Option<c_int>, reply: &mut [u8]) -> Result<usize, Errno> {
    let fd = sys::socket(libc::AF_UNIX, libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC, 0)?;
    let result = exchange_on(fd, guard, message, right, reply);
    sys::close(fd);
    result
}

fn exchange_on(
    fd: c_int,
    guard: &Guard,
    message: &[u8],
    right: Option<c_int>,
    reply: &mut [u8],
) -> Result<usize, Errno> {
    // It limits connect(2), too, which waits where many ask at once (unix(7) has no EINPROGRESS).
    // struct timeval: seconds, and no microseconds behind them.
    let limit = u128::from(PATIENCE).to_le_bytes();
    sys::set_option(fd, libc::SOL_SOCKET, libc::SO_SNDTIMEO, &limit)?;
    let mut address = [0; 3 + Guard::LINK_NAME];
    if let Some((head, name)) = address.split_first_chunk_mut() {
        let [low, high] = wire::family(libc::AF_UNIX);
        *head = [low, high, 0];
        name.copy_from_slice(&guard.link_name());
    }
    let deadline = sys::now() + PATIENCE * 1_000_000_000;
    // A signal starts the waiting over, but not for ever.
    retry(deadline, || sys::connect(fd, &address))?;
    sys::send_with(fd, message, right)?;
    let ready = retry(deadline, || sys::poll(fd, libc::POLLIN, deadline.saturating_sub(sys::now())))?;
    if ready == 0 {
        return Err(Errno::ETIMEDOUT);
    }
    sys::receive(fd, reply)
}

/// Repeats a call that signals interrupt, until the deadline.
fn retry<T>(deadline: u64, mut act: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match act() {
            Err(Errno::EINTR) if sys::now() < deadline => {}
            result => return result,
        }
    }
}
