//! The cage: a network of its own, with one device and no way out, for programs that the preload does not see.
//!
//! Their sockets are made in it. A connect(2) there sends a SYN segment that nothing answers, for rules drop the RST the
//! kernel would send. The helper sees the segment, makes the connection outside the way policy says, and only then lets the
//! kernel answer: a listening socket at the address in question gets the segment once more. What fails outside is answered
//! by a RST or an ICMP message, so that connect(2) has the errno it would have without a cage. Everything else about the
//! sockets is the kernel's own.

mod accept;
mod capture;
mod connection;
mod datagrams;
mod dns;
mod listen;
mod namespaces;
mod owners;
mod packets;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::task::spawn_local;
use uwt_policy::{CAGED_MARK, Errno, SocketKind, SocketSpec, SocketVerdict};
use uwt_session::Session;

use crate::diag::Diag;
use crate::shared::Shared;
use crate::tree::Process;
use accept::Listeners;
use capture::Capture;
use connection::Pending;
use datagrams::Told;
use owners::Owners;
use packets::Caught;

/// The index of `lo`, the first device of every network namespace.
const LOOPBACK: i32 = 1;
/// The port of name servers.
const DNS: u16 = 53;

/// What tells packets apart in the cage (socket(7), `SO_MARK`).
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
enum Mark {
    /// Of the kernel itself.
    None = 0,
    /// Put on the device by the helper.
    Injected = 1,
    /// Of the helper's sockets.
    Helper = 2,
    /// Of the programs' sockets.
    Program = CAGED_MARK,
}

/// The cage of a tree.
#[derive(Debug)]
pub(crate) struct Cage {
    shared: Rc<Shared>,
    owners: RefCell<Owners>,
    diag: Diag,
    capture: Capture,
    listeners: Listeners,
    pending: Pending,
    /// The datagrams that were reported.
    told: RefCell<Told>,
}

impl Cage {
    /// Makes the cage, in which this process lives from now on, and starts its tasks in the current `LocalSet`. The process
    /// has one thread.
    ///
    /// # Errors
    /// The kernel refuses something. The process may have left its namespaces then: it is not to be tried again.
    pub(crate) fn make(shared: &Rc<Shared>) -> io::Result<Rc<Self>> {
        shared.outside.separate()?;
        namespaces::leave()?;
        let v6 = namespaces::furnish(&shared.outside)?;
        let cage = Rc::new(Self {
            shared: Rc::clone(shared),
            owners: RefCell::default(),
            diag: Diag::new()?,
            capture: Capture::new(shared.report.is_open())?,
            told: RefCell::default(),
            listeners: Listeners::default(),
            pending: Pending::default(),
        });
        dns::start(&cage, v6)?;
        let watch = Rc::clone(&cage);
        spawn_local(async move {
            while let Ok(caught) = watch.capture.next().await {
                match caught {
                    Caught::First(syn) => watch.seen(syn),
                    Caught::Datagram(pair) => watch.sent(pair),
                }
            }
        });
        Ok(cage)
    }

    /// A socket in the cage, by the arguments of a socket(2) call of `process`. Close-on-exec whatever they say: that is for
    /// the descriptor which the program gets.
    ///
    /// # Errors
    /// Those of socket(2), and the policy's.
    pub(crate) fn mint(&self, process: &Rc<Process>, domain: i32, kind: i32, protocol: i32) -> Result<OwnedFd, Errno> {
        let spec = SocketSpec::from_raw(domain, kind, protocol);
        match uwt_policy::socket(spec) {
            // Confined it is by the cage.
            SocketVerdict::Pass | SocketVerdict::Confine => {}
            SocketVerdict::Refuse(errno) => return Err(errno),
        }
        let class = spec.class();
        if class == SocketKind::Local {
            return Err(Errno::EACCES);
        }
        let mut owners = self.owners.borrow_mut();
        owners.forget_closed(&self.shared.outside);
        let kind = Type::from(kind | libc::SOCK_CLOEXEC);
        let made = Socket::new_raw(Domain::from(domain), kind, Some(Protocol::from(protocol))).and_then(|socket| {
            // Without the mark its connections would be dropped.
            socket.set_mark(Mark::Program as u32)?;
            let socket = OwnedFd::from(socket);
            let kept = if class == SocketKind::Stream { Some(socket.try_clone()?) } else { None };
            Ok((listen::inode_of(&socket)?, kept, socket))
        });
        let (inode, kept, socket) = made.map_err(|error| Errno(error.raw_os_error().unwrap_or(libc::EIO)))?;
        owners.add(process, inode, kept);
        Ok(socket)
    }

    /// Takes notice of what was sent last, for the report: no program is left, but some may have ended before it was seen.
    pub(crate) fn see_the_rest(&self) {
        while let Some(caught) = self.capture.waiting() {
            if let Caught::Datagram(pair) = caught {
                self.sent(pair);
            }
        }
    }

    /// Says which number the process got for a minted socket.
    pub(crate) fn given(&self, process: &Process, number: i32, inode: u64) {
        self.owners.borrow_mut().give(process, number, inode);
    }

    /// Whether a socket was minted here.
    pub(crate) fn is_caged(&self, inode: u64) -> bool {
        self.owners.borrow().owner(inode).is_some()
    }

    /// Whether a socket is one that [`Self::listen`] gave: it may listen again.
    pub(crate) fn is_serving(&self, inode: u64) -> bool {
        self.owners.borrow().is_serving(inode)
    }

    /// Whether the process was given a minted socket under this number: for processes whose descriptors can't be looked at.
    pub(crate) fn has_given(&self, process: &Process, number: i32) -> bool {
        self.owners.borrow().has(process, number)
    }

    /// A listening socket of the host, to take the place of a minted one: found by its inode number, or by its number where
    /// the process can't be looked at.
    ///
    /// # Errors
    /// The policy's; those of bind(2) and listen(2), EADDRINUSE above all; EACCES for a socket that is not known (any more).
    pub(crate) fn listen(
        &self,
        process: &Rc<Process>,
        inode: Option<u64>,
        number: i32,
        backlog: i32,
    ) -> Result<OwnedFd, Errno> {
        let mut owners = self.owners.borrow_mut();
        let (caged, inode) = owners.kept(process, inode, number).ok_or(Errno::EACCES)?;
        let (host, address) = listen::replace(caged, backlog, process.session, &self.shared.outside)?;
        owners.serves(inode, listen::inode_of(&host).map_err(|_| Errno::EACCES)?, address);
        Ok(host)
    }

    /// Where a server of the tree is found that is asked for at `peer`: at the session's address for servers.
    fn own_server(&self, peer: SocketAddr, session: &Session<'_>) -> Option<SocketAddr> {
        let there =
            session.bind.filter(|_| session.allow_loopback).and_then(|bound| uwt_policy::found_at(peer, bound))?;
        let there = SocketAddr::new(uwt_policy::canonical(there.ip()), there.port());
        self.owners.borrow().serves_at(there).then_some(there)
    }

    /// Whether no connection is being made.
    #[cfg(test)]
    fn is_idle(&self) -> bool {
        self.pending.is_empty() && self.listeners.is_empty()
    }
}
