//! Asking the tree's helper what all its processes have in common: the names that reserved addresses stand for.

use core::ffi::c_int;
use core::net::Ipv4Addr;

use uwt_policy::{Errno, HostName};
use uwt_session::Guard;
use uwt_session::dns::{
    MAX_QUERY, MAX_RESPONSE, Record, Response, TYPE_A, TYPE_PTR, parse_response, reverse_name, write_query,
};
use uwt_session::link::{Kind, Request, open_reply};

use crate::lookup::Missing;
use crate::notice::Once;
use crate::{state, sys};

/// How long the helper may take, in seconds. It looks into a table; on a busy machine it has to be woken first.
const PATIENCE: u64 = 10;
/// What a message has around its body at most ([`uwt_session::link`]).
const HEAD: usize = 32;

/// The address that stands for `name` in the whole tree; it is remembered, so that a connect need not ask.
pub(crate) fn address(guard: &Guard, name: &HostName) -> Result<Ipv4Addr, Missing> {
    match ask(guard, name.as_str(), TYPE_A) {
        Some(Response::Found { record: Record::A(address), .. }) => {
            remember(guard, address, name).map(|()| address).ok_or(Missing::TryAgain)
        }
        Some(Response::NxDomain) => Err(Missing::NotFound),
        _ => Err(Missing::TryAgain),
    }
}

/// The name an address stands for in the whole tree.
pub(crate) fn name(guard: &Guard, address: Ipv4Addr) -> Option<HostName> {
    match ask(guard, reverse_name(address.into()).as_str(), TYPE_PTR) {
        Some(Response::Found { record: Record::Ptr(name), .. }) => {
            let name = HostName::parse(name.as_str().as_bytes())?;
            remember(guard, address, &name).map(|()| name)
        }
        _ => None,
    }
}

/// Fails for an address that stands for another name in this process: it never changes its meaning.
fn remember(guard: &Guard, address: Ipv4Addr, name: &HostName) -> Option<()> {
    let candidate = |attempt| guard.secret.name_bits(name.as_str(), attempt);
    state::names(|names| names.insert_at(address, name, candidate))
}

/// One question on a connection of its own, closed again before this returns.
fn ask(guard: &Guard, name: &str, kind: u16) -> Option<Response> {
    static ONCE: Once = Once::new();
    let nonce = sys::random().ok()?;
    let [low, high, ..] = nonce.to_le_bytes();
    let id = u16::from_le_bytes([low, high]);
    let mut query = [0; MAX_QUERY];
    let len = write_query(&mut query, id, name, kind).ok()?;
    let mut message = [0; HEAD + MAX_QUERY];
    let len = Request { nonce, kind: Kind::Name, body: query.get(..len)? }.seal(guard, &mut message)?;
    let mut reply = [0; HEAD + MAX_RESPONSE];
    let response = exchange(guard, message.get(..len)?, &mut reply).ok().and_then(|len| {
        let body = open_reply(guard, nonce, reply.get(..len)?)?;
        parse_response(body, id, name, kind).ok()
    });
    if response.is_none() {
        ONCE.say(|line| {
            line.text("the helper that knows this session's names does not answer; start the command again");
        });
    }
    response
}

/// Sends a message and waits for the reply; its length.
fn exchange(guard: &Guard, message: &[u8], reply: &mut [u8]) -> Result<usize, Errno> {
    let fd = sys::socket(libc::AF_UNIX, libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC, 0)?;
    let result = exchange_on(fd, guard, message, reply);
    sys::close(fd);
    result
}

fn exchange_on(fd: c_int, guard: &Guard, message: &[u8], reply: &mut [u8]) -> Result<usize, Errno> {
    // It limits connect(2), too, which waits where many ask at once (unix(7) has no EINPROGRESS).
    let mut limit = [0; 16];
    for (to, from) in limit.iter_mut().zip(PATIENCE.to_ne_bytes()) {
        *to = from;
    }
    sys::set_option(fd, libc::SOL_SOCKET, libc::SO_SNDTIMEO, &limit)?;
    let mut address = [0; 3 + Guard::LINK_NAME];
    let family = libc::sa_family_t::try_from(libc::AF_UNIX).map_err(|_| Errno::EAFNOSUPPORT)?.to_ne_bytes();
    for (to, from) in address.iter_mut().zip(family.into_iter().chain([0]).chain(guard.link_name())) {
        *to = from;
    }
    let deadline = sys::now() + PATIENCE * 1_000_000_000;
    // A signal starts the waiting over, but not for ever.
    retry(deadline, || sys::connect(fd, &address))?;
    sys::send(fd, message)?;
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
