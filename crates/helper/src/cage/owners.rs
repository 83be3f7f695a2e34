//! Whose the sockets of the cage are.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use socket2::SockRef;
use uwt_policy::canonical;

use crate::outside::Outside;
use crate::tcp;
use crate::tree::Process;

/// How many sockets are remembered.
const REMEMBERED: usize = 16_384;
/// How many sockets are kept for a listen(2).
const KEPT: usize = 256;

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
    /// Host sockets that took a minted one's place to listen, and where.
    serving: Fifo<u64, SocketAddr>,
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

    /// Host socket `host` listens at `address` in place of `caged`.
    pub(super) fn serves(&mut self, caged: u64, host: u64, address: SocketAddr) {
        self.kept.retain(|kept| kept.inode != caged);
        self.serving.insert(host, SocketAddr::new(canonical(address.ip()), address.port()));
    }

    /// Whether a host socket listens, or has listened, at `address` in place of a minted one.
    pub(super) fn serves_at(&self, address: SocketAddr) -> bool {
        self.serving.entries.values().any(|served| *served == address)
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
    tcp::state(socket).map_or(true, |state| state == tcp::State::Close)
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

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    use nix::poll::{PollFd, PollFlags, poll};

    use super::*;

    fn process(pid: u32, start: u64) -> Rc<Process> {
        Rc::new(Process { pid, start, session: crate::tests::session() })
    }

    /// Mints a socket that is kept, and gives its other end: readable once it is closed.
    fn mint(owners: &mut Owners, process: &Rc<Process>, inode: u64) -> UnixStream {
        let (ours, kept) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        owners.add(process, inode, Some(kept.into()));
        ours
    }

    fn is_kept(mut socket: &UnixStream) -> bool {
        socket.read(&mut [0]).is_err()
    }

    /// Waits: a process that another test has just forked has all our descriptors until it executes its program.
    fn is_closed(socket: &UnixStream) -> bool {
        let mut set = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
        poll(&mut set, 10_000_u16) == Ok(1)
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let mut table = Fifo::new(2);
        for (key, value) in [(1, "a"), (2, "b"), (1, "c"), (3, "d")] {
            table.insert(key, value);
        }
        assert_eq!(
            (table.entries.get(&1), table.entries.get(&2), table.entries.get(&3)),
            (None, Some(&"b"), Some(&"d"))
        );
        assert_eq!(table.order.len(), table.entries.len());
    }

    #[test]
    fn a_number_given_again_was_closed() {
        let (mut owners, me, other) = (Owners::default(), process(1, 1), process(1, 2));
        let first = mint(&mut owners, &me, 10);
        owners.give(&me, 3, 10);
        let second = mint(&mut owners, &me, 11);
        owners.give(&me, 4, 11);
        let others = mint(&mut owners, &other, 12);
        owners.give(&other, 3, 12);
        assert!(is_kept(&first) && is_kept(&second) && is_kept(&others));
        let third = mint(&mut owners, &me, 13);
        owners.give(&me, 3, 13);
        assert!(is_closed(&first) && is_kept(&second) && is_kept(&others) && is_kept(&third));
        assert!(owners.has(&me, 3) && owners.has(&other, 3) && !owners.has(&other, 4));
        assert_eq!(owners.kept(&me, None, 3).map(|(_, inode)| inode), Some(13));
        assert_eq!(owners.kept(&me, Some(11), 99).map(|(_, inode)| inode), Some(11));
    }

    #[test]
    fn what_connects_or_serves_is_not_kept() {
        let (mut owners, me) = (Owners::default(), process(1, 1));
        let (client, server) = (mint(&mut owners, &me, 10), mint(&mut owners, &me, 11));
        assert_eq!(owners.connects(10).map(|process| process.pid), Some(1));
        assert!(is_closed(&client) && is_kept(&server));
        owners.serves(11, 20, "[::ffff:10.0.0.1]:80".parse().unwrap());
        assert!(is_closed(&server) && owners.is_serving(20) && !owners.is_serving(11));
        assert!(owners.serves_at("10.0.0.1:80".parse().unwrap()) && !owners.serves_at("10.0.0.1:81".parse().unwrap()));
        assert!(owners.owner(11).is_some() && owners.owner(20).is_none());
    }

    #[test]
    fn so_many_are_kept() {
        let (mut owners, me) = (Owners::default(), process(1, 1));
        let all: Vec<_> = (0..=KEPT as u64).map(|inode| mint(&mut owners, &me, inode)).collect();
        assert!(is_closed(&all[0]) && all[1..].iter().all(is_kept));
        assert!(owners.kept(&me, Some(0), 3).is_none());
    }

    #[test]
    fn what_ended_processes_had_is_closed() {
        let mut child = std::process::Command::new("/bin/true").spawn().unwrap();
        let (mut owners, ended) = (Owners::default(), process(child.id(), 1));
        let socket = mint(&mut owners, &ended, 10);
        child.wait().unwrap();
        owners.forget_closed(&Outside::default());
        assert!(is_closed(&socket));
    }
}
