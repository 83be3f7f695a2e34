//! The tree's link: where the preload asks for names and connects, and where a nested `uwt` joins.
//!
//! The sockets are `SOCK_SEQPACKET`, for which there are no types: those of streams make the same calls, and one read or
//! write is one message.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, IoSliceMut, Read as _};
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net;
use std::rc::Rc;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{
    self, AddressFamily, Backlog, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixAddr, recvmsg, socket,
};
use tokio::io::Interest;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::AbortHandle;
use uwt_policy::HostName;
use uwt_report::{Happening, Layer, Outcome};
use uwt_session::link::{Kind, MAX_MESSAGE, Request, open_reply, open_request, seal_reply};
use uwt_session::{Guard, Session};

use crate::report::Witness;
use crate::shared::Shared;
use crate::tree::Process;
use crate::{relay, report, service, sys};

/// One byte more than any message has: a longer one is cut and does not fit its tag.
const LONGEST: usize = MAX_MESSAGE + 1;
/// How many peers may keep us waiting at a time. One more, and the one that has waited longest is dropped: whoever knows
/// the secret sends its request as soon as it is connected.
const PEERS: usize = 64;
/// How long a peer may keep us waiting.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long we pause when a connection can't be accepted: there are no descriptors left.
const PAUSE: Duration = Duration::from_millis(100);
/// How long those inside the tree wait for the helper, at each step.
const JOIN_LIMIT: Duration = Duration::from_secs(3);

/// Makes the socket that the helper listens on, non-blocking and close-on-exec.
///
/// # Errors
/// Those of socket(2), bind(2) and listen(2): EADDRINUSE where somebody else has this address.
pub(crate) fn bind(guard: &Guard) -> io::Result<OwnedFd> {
    let listener = new_socket(SockFlag::SOCK_NONBLOCK)?;
    socket::bind(listener.as_raw_fd(), &address(guard)?)?;
    socket::listen(&listener, Backlog::MAXCONN)?;
    Ok(listener)
}

/// Answers whoever knows the tree's secret, for as long as the helper lives.
///
/// # Errors
/// The listener can't be waited for.
pub(crate) async fn serve(listener: OwnedFd, shared: Rc<Shared>) -> io::Result<()> {
    let listener = UnixListener::from_std(net::UnixListener::from(listener))?;
    let mut waiting: VecDeque<AbortHandle> = VecDeque::new();
    let mut buffer = vec![0; LONGEST];
    loop {
        let Ok((peer, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // Mostly the request is there already: the kernel takes it before we take the connection.
        match receive(&peer, &mut buffer) {
            Err(Errno::EAGAIN) => {}
            Err(_) => continue,
            Ok(message) => {
                attend(peer, &mut buffer, message, &shared);
                continue;
            }
        }
        waiting.retain(|task| !task.is_finished());
        if waiting.len() >= PEERS
            && let Some(oldest) = waiting.pop_front()
        {
            oldest.abort();
        }
        let shared = Rc::clone(&shared);
        let task = tokio::task::spawn_local(async move {
            let request = peer.async_io(Interest::READABLE, || {
                let mut buffer = vec![0; LONGEST];
                Ok((receive(&peer, &mut buffer)?, buffer))
            });
            // What goes wrong with a peer is the peer's problem: it gets no reply.
            if let Ok(Ok((message, mut buffer))) = tokio::time::timeout(PATIENCE, request).await {
                attend(peer, &mut buffer, message, &shared);
            }
        });
        waiting.push_back(task.abort_handle());
    }
}

/// A message that was received into a buffer.
struct Message {
    len: usize,
    /// What came with it.
    descriptors: Vec<OwnedFd>,
}

/// A message that is there.
fn receive(peer: &UnixStream, buffer: &mut [u8]) -> Result<Message, Errno> {
    let mut control = nix::cmsg_space!([RawFd; service::DESCRIPTORS]);
    let mut parts = [IoSliceMut::new(buffer)];
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC;
    let received = recvmsg::<()>(peer.as_raw_fd(), &mut parts, Some(&mut control), flags)?;
    let mut message = Message { len: received.bytes, descriptors: Vec::new() };
    for control in received.cmsgs()? {
        if let ControlMessageOwned::ScmRights(numbers) = control {
            message.descriptors.extend(numbers.into_iter().map(sys::received));
        }
    }
    Ok(message)
}

/// Replies to the request in the buffer, if it is one.
fn attend(peer: UnixStream, buffer: &mut [u8], message: Message, shared: &Rc<Shared>) {
    let Message { len, descriptors } = message;
    let Some(request) = open_request(&shared.guard, buffer.get(..len).unwrap_or_default()) else { return };
    let body = match request.kind {
        Kind::Name => Some(name(request.body, shared)),
        Kind::Address => Some(reserved(request.body, &peer, shared)),
        Kind::Join => join_tree(request.body, &peer, shared).map(|()| Vec::new()),
        Kind::Connect => {
            let socket = descriptors.into_iter().next();
            let reply = relay::connect(shared, process_id(&peer), socket, request.body);
            Some(reply.to_bytes().to_vec())
        }
        Kind::Outcome => shared.relay.outcome(request.body).map(|outcome| outcome.to_vec()),
        Kind::Report => {
            let process = process(&peer, shared);
            report::told(request.body, process.as_deref(), shared)
        }
        // It replies when the program has ended.
        Kind::Service => return service::attend(shared, peer, &request, descriptors),
    };
    let nonce = request.nonce;
    if let Some(body) = body {
        reply(&peer, &shared.guard, nonce, &body, buffer);
    }
}

/// Replies to the request with this nonce; the buffer is for the message.
pub(crate) fn reply(peer: &UnixStream, guard: &Guard, nonce: u64, body: &[u8], buffer: &mut [u8]) {
    if let Some(len) = seal_reply(guard, nonce, body, buffer) {
        // A connection on which nothing was sent yet has room for it; if the peer has gone, nobody misses it.
        let _ = send(peer, buffer.get(..len).unwrap_or_default());
    }
}

/// The process that has connected; `None` for one that our pid namespace does not see.
pub(crate) fn process_id(peer: &UnixStream) -> Option<u32> {
    peer.peer_cred().ok()?.pid().and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0)
}

fn process(peer: &UnixStream, shared: &Shared) -> Option<Rc<Process>> {
    shared.tree.process(process_id(peer)?).ok()
}

/// The body of the reply to [`Kind::Name`].
fn name(octets: &[u8], shared: &Shared) -> Vec<u8> {
    let address = <[u8; 4]>::try_from(octets).map(Ipv4Addr::from);
    let name = address.ok().and_then(|address| shared.names.name(address));
    name.map(|name| name.as_str().as_bytes().to_vec()).unwrap_or_default()
}

/// The body of the reply to [`Kind::Address`].
fn reserved(name: &[u8], peer: &UnixStream, shared: &Shared) -> Vec<u8> {
    let Some(name) = HostName::parse(name) else { return Vec::new() };
    let address = shared.names.address(&name);
    if shared.report.is_open() {
        let process = process(peer, shared);
        let outcome = match address {
            Some(_) => Outcome::Granted,
            None => Outcome::Failed { why: "there is no room for more names".to_owned() },
        };
        let (layer, name) = (Layer::Preload, name.as_str().to_owned());
        let lookup = || Happening::Lookup { layer, name, credential: None, sent: false, outcome };
        match process {
            Some(process) => shared.happened_by(&process, Witness::Preload, lookup),
            None => shared.happened_somewhere(lookup),
        }
    }
    address.map(|address| address.octets().to_vec()).unwrap_or_default()
}

/// Gives the peer's process the session of this text.
fn join_tree(text: &[u8], peer: &UnixStream, shared: &Shared) -> Option<()> {
    let text = std::str::from_utf8(text).ok()?;
    // Its processes run under this tree's filter and show this tree's cookie.
    Session::parse(text).ok().filter(|session| session.guard == Some(shared.guard))?;
    let pid = process_id(peer)?;
    // Sessions are few, and their processes may live as long as we do.
    let session = Session::parse(String::leak(text.to_owned())).ok()?;
    shared.tree.join(pid, Box::leak(Box::new(session))).ok()
}

/// Tells the helper of the tree under `guard` that this process and what it starts belong to `session`, the value of the
/// session variable. Blocks until the helper has agreed, a few seconds at most.
///
/// # Errors
/// ECONNREFUSED when there is no helper any more, [`io::ErrorKind::WouldBlock`] when it does not answer in time,
/// [`io::ErrorKind::PermissionDenied`] when it does not agree or is not the tree's helper.
pub fn join(guard: &Guard, session: &str) -> io::Result<()> {
    let nonce = nonce();
    let mut message = vec![0; LONGEST];
    let request = Request { nonce, kind: Kind::Join, body: session.as_bytes() };
    let len = request.seal(guard, &mut message).ok_or(io::ErrorKind::InvalidInput)?;
    let mut helper = connect(guard)?;
    helper.set_read_timeout(Some(JOIN_LIMIT))?;
    send(&helper, message.get(..len).unwrap_or_default())?;
    let len = helper.read(&mut message)?;
    match open_reply(guard, nonce, message.get(..len).unwrap_or_default()) {
        Some([]) => Ok(()),
        _ => Err(io::ErrorKind::PermissionDenied.into()),
    }
}

/// A number that no other request has.
pub(crate) fn nonce() -> u64 {
    RandomState::new().hash_one(())
}

/// Connects to the helper of the tree that the caller is inside of. Sending to it fails after [`JOIN_LIMIT`], reading waits.
///
/// # Errors
/// ECONNREFUSED when there is no helper any more, and those of socket(2).
pub(crate) fn connect(guard: &Guard) -> io::Result<net::UnixStream> {
    let helper = net::UnixStream::from(new_socket(SockFlag::empty())?);
    helper.set_write_timeout(Some(JOIN_LIMIT))?;
    // The caller is inside the tree: without the cookie it would first be asked about, or just refused.
    sys::connect(&helper, &address(guard)?, guard.cookie())?;
    Ok(helper)
}

fn new_socket(flags: SockFlag) -> io::Result<OwnedFd> {
    Ok(socket(AddressFamily::Unix, SockType::SeqPacket, flags | SockFlag::SOCK_CLOEXEC, None)?)
}

/// Sends a message, without the signal that write(2) gives when the peer has gone.
pub(crate) fn send(peer: &impl AsRawFd, message: &[u8]) -> io::Result<()> {
    Ok(socket::send(peer.as_raw_fd(), message, MsgFlags::MSG_NOSIGNAL).map(drop)?)
}

fn address(guard: &Guard) -> io::Result<UnixAddr> {
    Ok(UnixAddr::new_abstract(&guard.link_name())?)
}

#[cfg(test)]
mod tests;
