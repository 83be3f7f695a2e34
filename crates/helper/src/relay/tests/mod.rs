//! Programs on a thread beside the helper's, against a gateway on others.

mod connects;
mod ends;

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::{Domain, SockRef, Socket, Type};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use uwt_policy::Errno;
use uwt_session::Session;
use uwt_session::relay::{Order, Reply, parse_outcome};

use crate::shared::Shared;
use crate::tests::gateway::{Outside, WAITING};
use crate::tests::{GUARD, session};

/// Longer than anything takes.
const LIMIT: Duration = Duration::from_secs(30);

type Job = Box<dyn FnOnce(&Rc<Shared>) + Send>;

/// What programs do, with the helper's answers to their requests.
struct Program {
    helper: UnboundedSender<Job>,
    outside: Outside,
}

/// Runs a program, and checks that it leaves nothing behind.
fn run(change: fn(&mut Session<'static>), program: impl FnOnce(&Program) + Send + 'static) {
    crate::tests::run(async move {
        let outside = Outside::start();
        let SocketAddr::V4(gateway) = outside.gateway else { unreachable!() };
        let mut session = Session { gateway, ..*session() };
        change(&mut session);
        let shared = Rc::new(Shared::new(GUARD, Box::leak(Box::new(session))));
        let (helper, mut jobs) = unbounded_channel::<Job>();
        let program = tokio::task::spawn_blocking(move || program(&Program { helper, outside }));
        while let Some(job) = jobs.recv().await {
            job(&shared);
        }
        program.await.unwrap();
        let left = async {
            shared.activity.idle().await;
            while !shared.relay.attempts.borrow().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, left).await.expect("nothing is left");
    });
}

impl Program {
    /// Has the helper do something.
    fn helper<T: Send + 'static>(&self, job: impl FnOnce(&Rc<Shared>) -> T + Send + 'static) -> T {
        let (tell, told) = mpsc::channel();
        assert!(self.helper.send(Box::new(move |shared| tell.send(job(shared)).unwrap())).is_ok());
        told.recv().unwrap()
    }

    /// connect(2) by the relay, of another process.
    fn connect_as(&self, pid: u32, socket: impl AsFd, peer: SocketAddr) -> Reply {
        let socket = socket.as_fd().try_clone_to_owned().unwrap();
        self.helper(move |shared| super::connect(shared, Some(pid), Some(socket), &Order { peer }.to_bytes()))
    }

    /// connect(2) by the relay: its errno.
    fn connect(&self, socket: impl AsFd, peer: SocketAddr) -> Option<Errno> {
        match self.connect_as(std::process::id(), socket, peer) {
            Reply::Called { errno, port } => {
                assert_ne!(port, 0);
                errno
            }
            reply => panic!("{reply:?}"),
        }
    }

    /// A connect that is under way.
    fn connecting(&self, peer: SocketAddr) -> Socket {
        let socket = socket(Domain::for_address(peer));
        assert_eq!(self.connect(&socket, peer), Some(Errno::EINPROGRESS));
        socket
    }

    /// Why the last connect failed.
    fn outcome(&self, socket: &Socket) -> Option<Errno> {
        let cookie = socket.cookie().unwrap().to_le_bytes();
        parse_outcome(&self.helper(move |shared| shared.relay.outcome(&cookie)).unwrap())
    }

    /// How many connects are under way.
    fn pending(&self) -> usize {
        self.helper(|shared| shared.relay.attempts.borrow().len())
    }

    /// How many connections to a port that is never granted the gateway has.
    fn waiting(&self) -> usize {
        let mut gateway = TcpStream::connect(self.outside.gateway).unwrap();
        let mut request = b"\x05\x01\x02\x01\x01a\x01b\x05\x01\x00\x01\xcb\x00\x71\x07".to_vec();
        request.extend(WAITING.to_be_bytes());
        gateway.write_all(&request).unwrap();
        let mut answer = Vec::new();
        gateway.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[14..]).parse().unwrap()
    }

    /// Waits until nothing is under way, here and at the gateway.
    fn nothing_is_pending(&self) {
        until(|| self.pending() == 0 && self.waiting() == 0);
    }
}

/// A socket of a program that does not wait.
fn socket(domain: Domain) -> Socket {
    Socket::new(domain, Type::STREAM.nonblocking(), None).unwrap()
}

fn at(host: &str, port: u16) -> SocketAddr {
    format!("{host}:{port}").parse().unwrap()
}

/// Waits for a condition.
fn until(condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < LIMIT, "it never comes true");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whatever poll(2) says about a socket now.
fn polled(socket: impl AsFd) -> PollFlags {
    ready(socket, PollTimeout::ZERO)
}

/// Waits until there is something to be written, to be read or to be told about it.
fn wait(socket: impl AsFd) -> PollFlags {
    ready(socket, PollTimeout::try_from(LIMIT).unwrap())
}

fn ready(socket: impl AsFd, timeout: PollTimeout) -> PollFlags {
    let mut set = [PollFd::new(socket.as_fd(), PollFlags::POLLIN | PollFlags::POLLOUT)];
    poll(&mut set, timeout).unwrap();
    set[0].revents().unwrap()
}

/// The error that the kernel has for a program.
fn error(socket: &Socket) -> Option<Errno> {
    SockRef::from(socket).take_error().unwrap().map(|error| Errno(error.raw_os_error().unwrap()))
}

/// Sends something and gets it back.
fn echo(socket: Socket) {
    socket.set_nonblocking(false).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.write_all(b"hello").unwrap();
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"hello");
}

const V4: &str = "203.0.113.7";
const V6: &str = "[2001:db8::7]";
/// An address of this machine that is not the hole's.
const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
