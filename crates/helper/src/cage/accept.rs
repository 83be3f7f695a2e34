//! The other end of a program's connection: a listening socket at the very address the program connects to.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::time::Duration;

use socket2::{Domain, Socket, TcpKeepalive, Type};
use tokio::io::unix::AsyncFd;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, spawn_local};

use super::Mark;
use super::capture::REPEATED_SEGMENTS;
use super::packets::Pair;
use crate::sys::watch;

/// Longer than ever needed: each entry belongs to a connection under way.
const BACKLOG: i32 = 4096;
/// A program's end that has gone without a word, minutes after its last, is noticed by probes.
const IDLE: Duration = Duration::from_secs(75);
const INTERVAL: Duration = Duration::from_secs(15);
const PROBES: u32 = 3;

/// The listening sockets in use. Connections to one destination at the same time share theirs.
#[derive(Debug, Default)]
pub(super) struct Listeners(RefCell<HashMap<SocketAddr, Weak<Listener>>>);

#[derive(Debug)]
struct Listener {
    socket: AsyncFd<Socket>,
    waiting: RefCell<Waiting>,
}

/// The connections that did not come about at once.
#[derive(Debug, Default)]
struct Waiting {
    /// By the program's end, whom they are for.
    by_peer: HashMap<SocketAddr, oneshot::Sender<Socket>>,
    /// Accepts for all of them, as long as there are any.
    task: Option<AbortHandle>,
}

impl Listeners {
    /// Takes a connection whose SYN segment `inject` repeats, now that it may be answered.
    ///
    /// # Errors
    /// Those of socket(2), bind(2), listen(2) and accept(2).
    pub(super) async fn accept(&self, pair: Pair, inject: impl FnOnce() -> io::Result<()>) -> io::Result<TcpStream> {
        let listener = self.listener(pair.to)?;
        inject()?;
        let socket = match listener.take(Some(pair.from))? {
            Some(socket) => socket,
            // The kernel mostly answers within the call that injects; not when it is busy.
            None => Box::pin(listener.wait(pair.from)).await?,
        };
        drop(listener);
        self.0.borrow_mut().retain(|_, listener| listener.strong_count() > 0);
        TcpStream::from_std(socket.into())
    }

    /// Whether there are none.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().values().all(|listener| listener.strong_count() == 0)
    }

    fn listener(&self, address: SocketAddr) -> io::Result<Rc<Listener>> {
        let mut listeners = self.0.borrow_mut();
        if let Some(listener) = listeners.get(&address).and_then(Weak::upgrade) {
            return Ok(listener);
        }
        let listener = Rc::new(Listener::new(address)?);
        listeners.insert(address, Rc::downgrade(&listener));
        Ok(listener)
    }
}

impl Listener {
    fn new(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), None)?;
        socket.set_mark(Mark::Helper as u32)?;
        // The programs' own segments, mark and all, must not find it.
        socket.attach_filter(&REPEATED_SEGMENTS)?;
        // Earlier connections are still bound to the address.
        socket.set_reuse_address(true)?;
        if address.is_ipv4() {
            socket.set_ip_transparent_v4(true)?;
        } else {
            socket.set_only_v6(true)?;
            socket.set_ip_transparent_v6(true)?;
        }
        // For the connections, which inherit it.
        socket.set_tcp_nodelay(true)?;
        let keepalive = TcpKeepalive::new().with_time(IDLE).with_interval(INTERVAL).with_retries(PROBES);
        socket.set_tcp_keepalive(&keepalive)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let socket = watch(socket)?;
        Ok(Self { socket, waiting: RefCell::default() })
    }

    /// Accepts until the connection from `from` is found or there is no more. Others' go to those who wait for them.
    fn take(&self, from: Option<SocketAddr>) -> io::Result<Option<Socket>> {
        loop {
            let (socket, peer) = match self.socket.get_ref().accept4(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC) {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                // It was there, and is gone.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error),
            };
            let Some(peer) = peer.as_socket() else { continue };
            if Some(peer) == from {
                return Ok(Some(socket));
            }
            if let Some(waiting) = self.waiting.borrow_mut().by_peer.remove(&peer) {
                // If nobody waits any more it is closed.
                let _ = waiting.send(socket);
            }
        }
    }

    async fn wait(self: &Rc<Self>, from: SocketAddr) -> io::Result<Socket> {
        let (sender, mine) = oneshot::channel();
        {
            let mut waiting = self.waiting.borrow_mut();
            waiting.by_peer.insert(from, sender);
            let listener = Rc::clone(self);
            waiting.task.get_or_insert_with(|| spawn_local(listener.accept_for_all()).abort_handle());
        }
        let _place = Place { listener: self, from };
        mine.await.map_err(|_| io::ErrorKind::ConnectionAborted.into())
    }

    /// Ends with an error, or when it is aborted.
    async fn accept_for_all(self: Rc<Self>) {
        loop {
            let Ok(mut ready) = self.socket.readable().await else { return };
            if self.take(None).is_err() {
                // Those who wait are told by losing their senders.
                *self.waiting.borrow_mut() = Waiting::default();
                return;
            }
            ready.clear_ready();
        }
    }
}

/// A place among those who wait, given up with its task. With the last one the accepting ends.
struct Place<'a> {
    listener: &'a Listener,
    from: SocketAddr,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.listener.waiting.borrow_mut();
        waiting.by_peer.remove(&self.from);
        if waiting.by_peer.is_empty()
            && let Some(task) = waiting.task.take()
        {
            task.abort();
        }
    }
}
