//! One connection of a program in the cage, from its first segment to its end.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpStream as StdStream};
use std::rc::Rc;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::task::{AbortHandle, spawn_local};
use uwt_policy::{ConnectVerdict, Errno, SocketKind};
use uwt_report::{Happening, Layer, Transport};
use uwt_socks5::{Command, Target};

use super::packets::{Pair, Refusal, Syn};
use super::{Cage, DNS, dns};
use crate::destination::{Destination, shown};
use crate::dial::{Failure, Question, ask, errno_of};
use crate::native::Native;
use crate::pump::{pump, pump_early};
use crate::report::errno_name;
use crate::shared::Activity;
use crate::tree::Process;

/// How often it is looked whether programs still wait for their connections.
const LOOK: Duration = Duration::from_secs(1);

/// The connections that are being made.
#[derive(Debug, Default)]
pub(super) struct Pending(RefCell<HashMap<Pair, Attempt>>);

#[cfg(test)]
impl Pending {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

#[derive(Debug)]
struct Attempt {
    syn: Rc<Syn>,
    /// It was granted, and its SYN repeated: a retransmission means that the repetition was lost.
    repeated: bool,
    task: AbortHandle,
}

/// An attempt's place in [`Pending`], given up with its task.
struct Place {
    cage: Rc<Cage>,
    syn: Rc<Syn>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut attempts = self.cage.pending.0.borrow_mut();
        // It may be a successor's: a program may connect from the same port again.
        if attempts.get(&self.syn.pair).is_some_and(|attempt| Rc::ptr_eq(&attempt.syn, &self.syn)) {
            attempts.remove(&self.syn.pair);
        }
    }
}

/// What a connection leads to.
enum Far<'a> {
    /// A connection outside.
    Host(TcpStream),
    /// One that the gateway was asked for.
    Asked(TcpStream, Box<Question<'a>>),
    /// The SocksPort, to which the program speaks itself.
    Native(TcpStream, Native<'a>),
    /// The session's names.
    Stub,
}

impl Cage {
    /// A first segment was seen.
    pub(super) fn seen(self: &Rc<Self>, syn: Syn) {
        if let Some(attempt) = self.pending.0.borrow_mut().get(&syn.pair)
            && attempt.syn.sequence == syn.sequence
        {
            if attempt.repeated {
                // What can't be sent now is sent at the next retransmission.
                let _ = self.capture.inject(&attempt.syn.frame);
            }
            return;
        }
        // A program that is gone already needs no answer.
        let Some(inode) = self.diag.stream(syn.pair) else { return };
        let owner = self.owners.borrow_mut().connects(inode);
        let Some(process) = owner else {
            self.shared.happened_somewhere(|| refusal(syn.pair.to, Errno::EACCES));
            return self.refuse(&syn, Errno::EACCES);
        };
        let syn = Rc::new(syn);
        let place = Place { cage: Rc::clone(self), syn: Rc::clone(&syn) };
        let task = spawn_local(connect(place, process)).abort_handle();
        let attempt = Attempt { syn: Rc::clone(&syn), repeated: false, task };
        let mut attempts = self.pending.0.borrow_mut();
        if attempts.is_empty() {
            spawn_local(Rc::clone(self).look_after());
        }
        if let Some(earlier) = attempts.insert(syn.pair, attempt) {
            earlier.task.abort();
        }
    }

    /// Ends attempts whose programs have given up, as long as there are any.
    async fn look_after(self: Rc<Self>) {
        loop {
            tokio::time::sleep(LOOK).await;
            let attempts = self.pending.0.borrow();
            if attempts.is_empty() {
                return;
            }
            for attempt in attempts.values().filter(|attempt| self.diag.stream(attempt.syn.pair).is_none()) {
                attempt.task.abort();
            }
        }
    }

    fn refuse(&self, syn: &Syn, errno: Errno) {
        if let Some(answer) = syn.refuse(Refusal::from_errno(errno)) {
            // An answer that is lost is asked for again by the next retransmission.
            let _ = self.capture.inject(&answer);
        }
    }

    /// Says what a connection may lead to, and goes there.
    async fn open<'a>(&'a self, peer: SocketAddr, process: &'a Process) -> Result<Far<'a>, Errno> {
        let shared = &self.shared;
        if let Some(server) = self.own_server(peer, process.session) {
            return self.direct(process, server).await;
        }
        let verdict = uwt_policy::connect(SocketKind::Stream, peer, &process.session.route());
        if peer.port() == DNS && verdict != ConnectVerdict::Pass {
            return Ok(Far::Stub);
        }
        let destination = match verdict {
            ConnectVerdict::Pass => return self.direct(process, peer).await,
            ConnectVerdict::Refuse(errno) => {
                shared.say.refused(process, &format!("may not connect to {peer}: {errno}"), &shared.outside);
                shared.happened(process, || refusal(peer, errno));
                return Err(errno);
            }
            ConnectVerdict::Tunnel(address) => Destination::Address(address),
            ConnectVerdict::TunnelName(address, port) => {
                Destination::behind(address, port, process, Layer::Cage, shared)?
            }
        };
        self.ask(process, destination.target()).await
    }

    /// Asks the gateway, and waits for its answer unless the program need not.
    async fn ask<'a>(&'a self, process: &'a Process, target: Target<'_>) -> Result<Far<'a>, Errno> {
        let asked = ask(process, &self.shared, Layer::Cage, Command::Connect, target).await.map_err(Failure::errno)?;
        if process.session.optimistic {
            return Ok(Far::Asked(asked.stream, Box::new(asked.question)));
        }
        asked.answer().await.map(|(stream, _)| Far::Host(stream)).map_err(Failure::errno)
    }

    /// A connection of the host's to the host.
    async fn direct<'a>(&'a self, process: &'a Process, peer: SocketAddr) -> Result<Far<'a>, Errno> {
        if let Some(native) = Native::of(process, peer, Layer::Cage, &self.shared) {
            return native.connect().await.map(|stream| Far::Native(stream, native));
        }
        let connected = self.connect(peer).await.map_err(|error| errno_of(&error));
        self.shared.happened(process, || {
            let failed = connected.as_ref().err().map(Errno::to_string);
            Happening::Local { layer: Layer::Cage, destination: shown(peer), failed }
        });
        connected.map(Far::Host)
    }

    async fn connect(&self, peer: SocketAddr) -> io::Result<TcpStream> {
        let socket = self.shared.outside.stream(peer.is_ipv6())?;
        let stream = TcpSocket::from_std_stream(StdStream::from(socket)).connect(peer).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Lets the program's connection come about.
    async fn accept(&self, syn: &Syn) -> io::Result<TcpStream> {
        let repeat = || {
            if let Some(attempt) = self.pending.0.borrow_mut().get_mut(&syn.pair) {
                attempt.repeated = true;
            }
            self.capture.inject(&syn.frame)
        };
        self.listeners.accept(syn.pair, repeat).await
    }
}

fn refusal(peer: SocketAddr, errno: Errno) -> Happening {
    Happening::Refused {
        layer: Layer::Cage,
        what: "wanted to connect where Tor does not reach".to_owned(),
        transport: Some(Transport::Tcp),
        destination: Some(shown(peer)),
        errno: errno_name(errno),
    }
}

/// The life of a connection. The parts that end before the copying begins are on the heap, to be freed then.
async fn connect(place: Place, process: Rc<Process>) {
    let cage = Rc::clone(&place.cage);
    let far = match Box::pin(cage.open(place.syn.pair.to, &process)).await {
        Ok(far) => far,
        Err(errno) => return cage.refuse(&place.syn, errno),
    };
    let Ok(mut near) = Box::pin(cage.accept(&place.syn)).await else {
        return cage.refuse(&place.syn, Errno::ECONNREFUSED);
    };
    drop(place);
    let _active = Activity::enter(&cage.shared);
    match far {
        Far::Host(host) => pump(near, host, cage.shared.activity.end_of_tree()).await,
        Far::Native(mut host, native) => {
            Box::pin(native.hear(&mut near, &mut host)).await;
            pump(near, host, cage.shared.activity.end_of_tree()).await;
        }
        Far::Asked(host, question) => {
            let granted = async |host: &TcpStream| question.answer(host).await.is_ok();
            pump_early(near, host, granted, cage.shared.activity.end_of_tree()).await;
        }
        Far::Stub => Box::pin(dns::serve(near, &process, &cage.shared)).await,
    }
}
