//! Whose the sockets of the cage are.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use socket2::SockRef;

use crate::outside::Outside;
use crate::sys::net::option;
use crate::tree::Process;

/// How many sockets are remembered.
const REMEMBERED: usize = 16_384;
/// How many sockets are kept for a listen(2).
const KEPT: usize = 256;

/// The state of a new socket (linux/tcp_states.h).
const TCP_CLOSE: u8 = 7;

/// A table that forgets its oldest entries.
#[derive(Debug)]
struct Fifo<K, V> {
    entries: HashMap<K, V>,
    order: VecDeque<K>,
    limit: usize,
}

impl<K: Clone + Eq + Hash, V> Fifo<K, V> {
    fn new(limit: usize) -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new(), limit }
    }

    fn insert(&mut self, key: K, value: V) {
        if self.entries.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > self.limit
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }
}

/// What is known of minted sockets, by inode number: sockets, and what a Multipath TCP socket makes for itself, have one
/// that is theirs alone.
#[derive(Debug)]
pub(super) struct Owners {
    sockets: Fifo<u64, Rc<Process>>,
    /// Processes whose descriptors can't be looked at: what they were given under which number.
    given: Fifo<(u32, u64, i32), u64>,
    /// Host sockets that took a minted one's place to listen.
    serving: Fifo<u64, ()>,
    kept: VecDeque<Kept>,
}

/// A socket that may yet listen. It stays open here, so that it can be asked for its address when it does; not longer than
/// that, or the program could not close it.
#[derive(Debug)]
struct Kept {
    process: Rc<Process>,
    /// What the process calls it, once that is known.
    number: Option<i32>,
    inode: u64,
    socket: OwnedFd,
}

impl Default for Owners {
    fn default() -> Self {
        Self {
            sockets: Fifo::new(REMEMBERED),
            given: Fifo::new(REMEMBERED),
            serving: Fifo::new(REMEMBERED),
            kept: VecDeque::new(),
        }
    }
}

impl Owners {
    /// A socket was minted; `kept` is a second descriptor of it, if it may listen one day.
    pub(super) fn add(&mut self, process: &Rc<Process>, inode: u64, kept: Option<OwnedFd>) {
        self.sockets.insert(inode, Rc::clone(process));
        let Some(socket) = kept else { return };
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(Kept { process: Rc::clone(process), number: None, inode, socket });
    }

    /// A minted socket's number in its process. What had the number before is closed.
    pub(super) fn give(&mut self, process: &Process, number: i32, inode: u64) {
        self.given.insert((process.pid, process.start, number), inode);
        self.kept.retain(|kept| kept.inode == inode || kept.number != Some(number) || !is_same(&kept.process, process));
        if let Some(kept) = self.kept.iter_mut().find(|kept| kept.inode == inode) {
            kept.number = Some(number);
        }
    }

    /// Whose a socket is.
    pub(super) fn owner(&self, inode: u64) -> Option<Rc<Process>> {
        self.sockets.entries.get(&inode).cloned()
    }

    /// Whether a process was given a socket under this number.
    pub(super) fn has(&self, process: &Process, number: i32) -> bool {
        self.given.entries.contains_key(&(process.pid, process.start, number))
    }

    /// A socket connects, and so will not listen. Whose it is.
    pub(super) fn connects(&mut self, inode: u64) -> Option<Rc<Process>> {
        self.kept.retain(|kept| kept.inode != inode);
        self.sockets.entries.get(&inode).cloned()
    }

    /// A second descriptor of the socket that is about to listen, and its inode number.
    pub(super) fn kept(&self, process: &Process, inode: Option<u64>, number: i32) -> Option<(&OwnedFd, u64)> {
        let inode = inode.or_else(|| self.given.entries.get(&(process.pid, process.start, number)).copied())?;
        self.kept.iter().find(|kept| kept.inode == inode).map(|kept| (&kept.socket, inode))
    }

    /// Host socket `host` listens in place of `caged`.
    pub(super) fn serves(&mut self, caged: u64, host: u64) {
        self.kept.retain(|kept| kept.inode != caged);
        self.serving.insert(host, ());
    }

    /// Whether a host socket listens in place of a minted one.
    pub(super) fn is_serving(&self, inode: u64) -> bool {
        self.serving.entries.contains_key(&inode)
    }

    /// Closes what programs have closed, as far as it could be in their way: a socket that is bound keeps its port from
    /// others. Of processes that have ended only the oldest is looked for, one per call.
    pub(super) fn forget_closed(&mut self, outside: &Outside) {
        if self.kept.front().is_some_and(|kept| has_ended(&kept.process)) {
            self.kept.pop_front();
        }
        // Those that connect are not asked about: they would be many when many connect at once.
        self.kept.retain(|kept| is_unused(&kept.socket) && (!is_bound(&kept.socket) || is_open(kept, outside)));
    }
}

fn is_same(one: &Process, other: &Process) -> bool {
    (one.pid, one.start) == (other.pid, other.start)
}

fn has_ended(process: &Process) -> bool {
    i32::try_from(process.pid).is_ok_and(|pid| kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH))
}

/// Whether a socket neither connects nor is connected, and so may yet listen.
fn is_unused(socket: &OwnedFd) -> bool {
    // Of struct tcp_info the first byte, the state.
    let state = option(socket, libc::IPPROTO_TCP, libc::TCP_INFO).map(|start| start.to_ne_bytes()[0]);
    state.map_or(true, |state| state == TCP_CLOSE)
}

fn is_bound(socket: &OwnedFd) -> bool {
    let address = SockRef::from(socket).local_addr().ok();
    address.and_then(|address| address.as_socket()).is_some_and(|address| address.port() != 0)
}

/// Whether the program still has a socket. Where that can't be seen, it may have.
fn is_open(kept: &Kept, outside: &Outside) -> bool {
    let Some(number) = kept.number else { return true };
    match outside.descriptor(kept.process.pid, number) {
        Ok(descriptor) => descriptor.inode == kept.inode,
        Err(error) => error.raw_os_error() != Some(libc::ENOENT),
    }
}
