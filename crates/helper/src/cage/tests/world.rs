//! Processes of their own for the tests: making a cage changes a process for good, and wants it to have one thread.
//!
//! Outside is the test, with a gateway. It starts this program again, for one test only, as each user in turn; that forks
//! once more, makes a cage and has the test's program run on a second thread.

use std::env;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::rc::Rc;
use std::sync::mpsc;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, alarm, geteuid};
use socket2::{Domain, Socket, Type};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use uwt_policy::Errno;
use uwt_session::Session;
use uwt_session::relay::{self, Order};

use crate::cage::{Cage, listen};
use crate::shared::Shared;
use crate::tests::gateway::Outside;
use crate::tests::{GUARD, run as run_local, session};

const OUTSIDE: &str = "UWT_CAGE_OUTSIDE";
/// No test takes that long, in seconds.
const LIMIT: u32 = 120;
/// A user without any rights.
const NOBODY: u32 = 65534;

/// What a test has different in its session.
type Change = fn(&mut Session<'static>);

/// Runs a test's program in a cage of this user, and in one of a user without rights. `test` is the test's path.
pub(super) fn run(test: &str, change: Change, program: fn(&Program)) {
    match env::var(OUTSIDE) {
        Ok(addresses) => inside(&addresses, change, program),
        Err(_) => everywhere(test),
    }
}

fn everywhere(test: &str) {
    let outside = Outside::start();
    let me = geteuid().as_raw();
    // Without the crate's name.
    let (_, test) = test.split_once("::").unwrap();
    for user in if me == 0 { vec![0, NOBODY] } else { vec![me] } {
        let addresses = [outside.gateway, outside.echo[0], outside.echo[1]].map(|address| address.to_string());
        // Not by its path, which the other user may not be allowed to follow.
        let mut again = Command::new("/proc/self/exe");
        again.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(OUTSIDE, addresses.join(" "));
        if user != me {
            again.uid(user).gid(user);
        }
        let output = again.output().unwrap();
        let report = String::from_utf8_lossy(&output.stdout);
        // One that runs no test at all would succeed too.
        let held = output.status.success() && report.contains(" 1 passed");
        assert!(held, "as user {user}: {report}{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn inside(addresses: &str, change: Change, program: fn(&Program)) {
    match crate::sys::test::fork_from_test() {
        ForkResult::Parent { child } => assert_eq!(waitpid(child, None), Ok(WaitStatus::Exited(child, 0))),
        ForkResult::Child => {
            let held = std::panic::catch_unwind(|| run_local(live(addresses, change, program)));
            crate::sys::exit(i32::from(held.is_err()));
        }
    }
}

/// The helper's part.
async fn live(addresses: &str, change: Change, program: fn(&Program)) {
    alarm::set(LIMIT);
    let mut addresses = addresses.split(' ').map(|word| word.parse().unwrap());
    let mut next = || addresses.next().unwrap();
    let outside = Outside { gateway: next(), echo: [next(), next()] };
    let SocketAddr::V4(gateway) = outside.gateway else { unreachable!() };
    let session = Box::leak(Box::new(Session { gateway, ..*session() }));
    change(session);
    let shared = Rc::new(Shared::new(GUARD, session));
    let cage = Cage::make(&shared).unwrap();
    let (sender, requests) = unbounded_channel();
    let program = std::thread::spawn(move || program(&Program { helper: sender, outside }));
    serve(&cage, requests).await;
    program.join().unwrap();
    tokio::time::timeout(std::time::Duration::from_mins(1), async {
        shared.activity.idle().await;
        while !cage.is_idle() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("nothing is left when the programs are gone");
}

async fn serve(cage: &Cage, mut requests: UnboundedReceiver<Request>) {
    let process = cage.shared.tree.process(std::process::id()).unwrap();
    while let Some(request) = requests.recv().await {
        match request {
            Request::Mint(domain, kind, protocol, reply) => {
                let minted = cage.mint(&process, domain, kind, protocol);
                if let Ok(socket) = &minted {
                    cage.given(&process, socket.as_raw_fd(), listen::inode_of(socket).unwrap());
                }
                reply.send(minted).unwrap();
            }
            Request::Listen(inode, number, backlog, reply) => {
                reply.send(cage.listen(&process, inode, number, backlog)).unwrap();
            }
            Request::Relay(socket, peer, reply) => {
                let order = Order { peer }.to_bytes();
                reply.send(crate::relay::connect(&cage.shared, Some(process.pid), Some(socket), &order)).unwrap();
            }
            Request::Host(v6, reply) => reply.send(Ok(cage.shared.outside.stream(v6).unwrap())).unwrap(),
        }
    }
}

type Reply = mpsc::Sender<Result<OwnedFd, Errno>>;

enum Request {
    Mint(i32, i32, i32, Reply),
    Listen(Option<u64>, i32, i32, Reply),
    Relay(OwnedFd, SocketAddr, mpsc::Sender<relay::Reply>),
    Host(bool, Reply),
}

/// The program in the cage: a thread beside the helper's, with sockets that the helper made.
#[derive(Clone)]
pub(super) struct Program {
    helper: UnboundedSender<Request>,
    pub(super) outside: Outside,
}

impl Program {
    fn ask(&self, request: impl FnOnce(Reply) -> Request) -> Result<OwnedFd, Errno> {
        let (sender, receiver) = mpsc::channel();
        assert!(self.helper.send(request(sender)).is_ok());
        receiver.recv().unwrap()
    }

    /// socket(2).
    pub(super) fn socket(&self, domain: i32, kind: i32, protocol: i32) -> Result<OwnedFd, Errno> {
        self.ask(|reply| Request::Mint(domain, kind, protocol, reply))
    }

    /// connect(2) of a socket of the host by the relay, without waiting.
    pub(super) fn relayed(&self, peer: SocketAddr) -> Socket {
        let socket = self.ask(|reply| Request::Host(peer.is_ipv6(), reply)).unwrap();
        let (sender, receiver) = mpsc::channel();
        let request = Request::Relay(socket.try_clone().unwrap(), peer, sender);
        assert!(self.helper.send(request).is_ok());
        let reply = receiver.recv().unwrap();
        assert!(matches!(reply, relay::Reply::Called { errno: Some(Errno::EINPROGRESS), .. }), "{reply:?}");
        socket.into()
    }

    /// listen(2), of a process that can be looked at or not.
    pub(super) fn listen(&self, socket: &Socket, readable: bool) -> Result<Socket, Errno> {
        let number = socket.as_raw_fd();
        let inode = nix::sys::stat::fstat(socket).unwrap().st_ino;
        let inode = readable.then_some(inode);
        self.ask(|reply| Request::Listen(inode, number, 16, reply)).map(Socket::from)
    }

    /// A TCP socket that fits the address.
    pub(super) fn stream(&self, address: SocketAddr) -> Socket {
        self.socket(Domain::for_address(address).into(), Type::STREAM.into(), 0).unwrap().into()
    }

    /// A connection.
    pub(super) fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let socket = self.stream(address);
        socket.connect(&address.into())?;
        Ok(socket.into())
    }
}
