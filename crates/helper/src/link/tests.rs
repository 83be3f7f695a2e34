//! Over the real abstract address, each test with a secret of its own.

use std::ffi::CString;
use std::sync::mpsc;
use std::thread;

use std::io::IoSlice;
use std::os::fd::AsFd as _;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::ControlMessage;
use socket2::{Domain, Socket, Type};
use uwt_policy::Level;
use uwt_session::Secret;
use uwt_session::relay::{self as relayed, Reply, parse_outcome};

use super::*;
use crate::service::{Order, Outcome, Refusal, Service, start as start_service};
use crate::tests::{run, session};

/// A guard that no other test run has.
fn guard() -> Guard {
    let mut bytes = [0; Secret::LEN];
    for chunk in bytes.chunks_mut(8) {
        chunk.copy_from_slice(&RandomState::new().hash_one(()).to_le_bytes());
    }
    Guard { level: Level::Tunnel, secret: Secret::new(bytes) }
}

/// Serves the link of `guard` while a peer does what it does, on a thread of its own. The helper's clock stands still: no
/// peer is too slow for it, however busy the machine is.
fn with_peer<T: Send + 'static>(guard: Guard, peer: impl FnOnce() -> T + Send + 'static) -> (T, Rc<Shared>) {
    serving(guard, false, peer)
}

fn serving<T: Send + 'static>(
    guard: Guard,
    in_time: bool,
    peer: impl FnOnce() -> T + Send + 'static,
) -> (T, Rc<Shared>) {
    let shared = Rc::new(Shared::new(guard, session()));
    let (tell, told) = mpsc::channel();
    let listener = bind(&guard).unwrap();
    run(async {
        if !in_time {
            tokio::time::pause();
        }
        let serving = tokio::task::spawn_local(serve(listener, Rc::clone(&shared)));
        let peer = tokio::task::spawn_blocking(move || tell.send(peer()).unwrap());
        peer.await.unwrap();
        assert!(!serving.is_finished(), "it serves on");
        serving.abort();
    });
    (told.recv().unwrap(), shared)
}

/// Connects as a peer does.
fn connected(guard: &Guard) -> net::UnixStream {
    let peer = net::UnixStream::from(new_socket(SockFlag::empty()).unwrap());
    peer.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    socket::connect(peer.as_raw_fd(), &address(guard).unwrap()).unwrap();
    peer
}

/// Sends a message and gives what comes back; nothing for an end.
fn exchange(mut peer: net::UnixStream, message: &[u8]) -> Vec<u8> {
    send(&peer, message).unwrap();
    let mut reply = vec![0; MAX_MESSAGE + 1];
    let len = peer.read(&mut reply).unwrap_or(0);
    reply.truncate(len);
    reply
}

fn sealed(guard: &Guard, kind: Kind, body: &[u8]) -> Vec<u8> {
    let mut message = vec![0; MAX_MESSAGE];
    let len = Request { nonce: 7, kind, body }.seal(guard, &mut message).unwrap();
    message.truncate(len);
    message
}

/// The request for the address of a name.
fn about_a_name(guard: &Guard) -> Vec<u8> {
    sealed(guard, Kind::Address, b"a.example")
}

#[test]
fn names() {
    let guard = guard();
    let ask = move |kind, body: &[u8]| {
        let reply = exchange(connected(&guard), &sealed(&guard, kind, body));
        open_reply(&guard, 7, &reply).unwrap().to_vec()
    };
    let ((address, replies), shared) = with_peer(guard, move || {
        let address = ask(Kind::Address, b"a.example");
        let others: [&[u8]; 4] = [&[127, 192, 0, 0], &[127, 0, 0, 1], b"", &[0; 16]];
        let names = [&[&address[..]], &others[..]].concat().into_iter().map(|octets| ask(Kind::Name, octets));
        (address.clone(), names.chain([ask(Kind::Address, b"a/b"), ask(Kind::Address, b"")]).collect::<Vec<_>>())
    });
    let address = Ipv4Addr::from(<[u8; 4]>::try_from(address).unwrap());
    assert_eq!(shared.names.name(address).unwrap().as_str(), "a.example");
    assert_eq!(replies, [&b"a.example"[..], b"", b"", b"", b"", b"", b""]);
}

#[test]
fn what_is_no_name_has_no_address() {
    let guard = guard();
    let (reply, _) =
        with_peer(guard, move || exchange(connected(&guard), &sealed(&guard, Kind::Address, &[b'a'; 300])));
    assert_eq!(open_reply(&guard, 7, &reply), Some(&b""[..]));
}

/// Sends a message with these descriptors and gives what comes back.
fn exchange_with(mut peer: net::UnixStream, message: &[u8], descriptors: &[RawFd]) -> Vec<u8> {
    let rights = [ControlMessage::ScmRights(descriptors)];
    let parts = [IoSlice::new(message)];
    socket::sendmsg::<()>(peer.as_raw_fd(), &parts, &rights, MsgFlags::empty(), None).unwrap();
    let mut reply = vec![0; MAX_MESSAGE];
    let len = peer.read(&mut reply).unwrap();
    reply.truncate(len);
    reply
}

#[test]
fn sockets_are_connected() {
    let guard = guard();
    let (replies, shared) = with_peer(guard, move || {
        let order =
            |peer: &str| sealed(&guard, Kind::Connect, &relayed::Order { peer: peer.parse().unwrap() }.to_bytes());
        let reply = |reply: Vec<u8>| Reply::parse(open_reply(&guard, 7, &reply).unwrap()).unwrap();
        let sockets = [(); 2].map(|()| Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None).unwrap());
        let numbers = sockets.each_ref().map(AsRawFd::as_raw_fd);
        let begun = [
            // The second one is not looked at, and not kept.
            reply(exchange_with(connected(&guard), &order("203.0.113.7:443"), &numbers)),
            reply(exchange_with(connected(&guard), &order("127.0.0.1:80"), &numbers[1..])),
            reply(exchange(connected(&guard), &order("203.0.113.7:443"))),
        ];
        assert!(poll(&mut [PollFd::new(sockets[0].as_fd(), PollFlags::POLLOUT)], PollTimeout::NONE).unwrap() > 0);
        let cookie = sockets[0].cookie().unwrap().to_le_bytes();
        let why = exchange(connected(&guard), &sealed(&guard, Kind::Outcome, &cookie));
        assert_eq!(parse_outcome(open_reply(&guard, 7, &why).unwrap()), Some(uwt_policy::Errno::ECONNREFUSED));
        // Others' descriptors are not kept: this is the end of the pipe.
        let (mut end, other) = io::pipe().unwrap();
        let name = exchange_with(connected(&guard), &about_a_name(&guard), &[other.as_raw_fd()]);
        assert!(open_reply(&guard, 7, &name).is_some());
        drop(other);
        assert_eq!(end.read(&mut [0]).unwrap(), 0);
        begun
    });
    let [Reply::Called { errno, port }, Reply::NotThis, Reply::NotThis] = replies else { panic!("{replies:?}") };
    assert_eq!(errno, Some(uwt_policy::Errno::EINPROGRESS));
    assert_ne!(port, 0);
    drop(shared);
}

#[test]
fn a_session_joins() {
    let guard = guard();
    let inner = Session { guard: Some(guard), timeout: 4711, ..*session() }.to_string();
    let ((), shared) = with_peer(guard, move || join(&guard, &inner).unwrap());
    let process = shared.tree.process(std::process::id()).unwrap();
    assert_eq!((process.session.timeout, process.session.guard), (4711, Some(guard)));
}

#[test]
fn what_is_no_session_of_the_tree_does_not_join() {
    let own = guard();
    let foreign = Session { guard: Some(guard()), ..*session() }.to_string();
    let unguarded = Session { guard: None, ..*session() }.to_string();
    for text in ["", "version=1", &foreign, &unguarded] {
        let text = text.to_owned();
        let (result, shared) = with_peer(own, move || join(&own, &text));
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(shared.tree.process(std::process::id()).unwrap().session.timeout, 150);
    }
}

#[test]
fn strangers_get_nothing() {
    let guard = guard();
    let (replies, _) = with_peer(guard, move || {
        let good = about_a_name(&guard);
        let mut changed = good.clone();
        changed[0] ^= 1;
        let mut longer = good.clone();
        longer.resize(MAX_MESSAGE + 1000, 0);
        let other = about_a_name(&Guard { secret: Secret::new([1; 32]), ..guard });
        let messages = [&changed[..], &longer, &other, b"x", b"", &good[..good.len() - 1]];
        let replies = messages.map(|message| exchange(connected(&guard), message));
        // The one behind them is served.
        assert!(!exchange(connected(&guard), &good).is_empty());
        replies
    });
    assert!(replies.iter().all(Vec::is_empty), "{replies:?}");
}

#[test]
fn silent_peers_are_dropped_and_hold_nobody_up() {
    let guard = guard();
    serving(guard, true, move || {
        let mut silent: Vec<_> = (0..PEERS * 2).map(|_| connected(&guard)).collect();
        assert!(!exchange(connected(&guard), &about_a_name(&guard)).is_empty());
        for peer in &mut silent {
            // An end, long before the reading's own limit.
            assert_eq!(peer.read(&mut [0]).unwrap(), 0);
        }
    });
}

#[test]
fn a_slow_peer_is_waited_for() {
    let guard = guard();
    let (reply, _) = with_peer(guard, move || {
        let slow = connected(&guard);
        // Others come and go meanwhile.
        for _ in 0..PEERS * 2 {
            assert!(!exchange(connected(&guard), &about_a_name(&guard)).is_empty());
        }
        exchange(slow, &about_a_name(&guard))
    });
    assert!(!reply.is_empty());
}

#[test]
fn a_second_helper_has_no_place() {
    let guard = guard();
    let _first = bind(&guard).unwrap();
    assert_eq!(bind(&guard).unwrap_err().kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn joining_without_a_helper_fails() {
    let guard = guard();
    assert_eq!(join(&guard, "").unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    // A stranger in the helper's place, who can't seal a reply.
    let listener = net::UnixListener::from(bind(&guard).unwrap());
    listener.set_nonblocking(false).unwrap();
    let stranger = thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        let len = peer.read(&mut [0; MAX_MESSAGE]).unwrap();
        send(&peer, &vec![0; len]).unwrap();
    });
    assert_eq!(join(&guard, "").unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    stranger.join().unwrap();
}

#[test]
fn requests_that_are_there_are_answered_however_many() {
    let guard = guard();
    let listener = bind(&guard).unwrap();
    // All of them before the helper comes to look.
    let peers: Vec<_> = (0..PEERS * 4)
        .map(|_| {
            let peer = connected(&guard);
            send(&peer, &about_a_name(&guard)).unwrap();
            peer
        })
        .collect();
    run(async {
        tokio::time::pause();
        let shared = Rc::new(Shared::new(guard, session()));
        let serving = tokio::task::spawn_local(serve(listener, shared));
        let reading = tokio::task::spawn_blocking(|| {
            peers.into_iter().map(|mut peer| peer.read(&mut [0; MAX_MESSAGE]).unwrap()).filter(|len| *len > 0).count()
        });
        assert_eq!(reading.await.unwrap(), PEERS * 4);
        serving.abort();
    });
}

/// An order that is never carried out here: this process has no filter that the helper has not.
fn order(text: &str) -> Order {
    let environment = vec![CString::new(text).unwrap()];
    Order { service: Service::Service, arguments: vec![c"service".to_owned()], environment }
}

#[test]
fn services_are_started_for_the_tree_only() {
    let guard = guard();
    let (outcomes, _) = with_peer(guard, move || {
        let before = nix::sys::signal::SigSet::thread_get_mask().unwrap();
        let long = "x".repeat(Order::MAX - 100);
        let outcomes = [order(""), order("A=1"), order(&long)].map(|order| start_service(&guard, order).unwrap());
        assert_eq!(nix::sys::signal::SigSet::thread_get_mask().unwrap(), before, "no signal stays blocked");
        let longer = start_service(&guard, order(&"x".repeat(Order::MAX)));
        assert_eq!(longer.unwrap_err().kind(), io::ErrorKind::InvalidInput);
        outcomes
    });
    assert_eq!(outcomes, [Outcome::Refused(Refusal::Rights); 3]);
    assert_eq!(start_service(&guard, order("")).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
}

#[test]
fn what_is_no_order_is_refused() {
    let guard = guard();
    let (replies, _) = with_peer(guard, move || {
        let null = std::fs::File::open("/dev/null").unwrap();
        let numbers = [null.as_raw_fd(); service::DESCRIPTORS];
        // Understood, as the others are not: an order without descriptors for stdin, stdout and stderr.
        let good = b"1\0service\x0022\0\x001\0service\0";
        let asked = |length: u32, text: &[u8], descriptors: &[RawFd]| {
            let peer = connected(&guard);
            let message = sealed(&guard, Kind::Service, &length.to_le_bytes());
            let rights = [ControlMessage::ScmRights(descriptors)];
            socket::sendmsg::<()>(peer.as_raw_fd(), &[IoSlice::new(&message)], &rights, MsgFlags::empty(), None)
                .unwrap();
            for part in text.chunks(7) {
                send(&peer, part).unwrap();
            }
            peer.shutdown(std::net::Shutdown::Write).unwrap();
            let mut reply = vec![0; MAX_MESSAGE];
            let len = (&peer).read(&mut reply).unwrap();
            open_reply(&guard, 7, &reply[..len]).unwrap().to_vec()
        };
        let length = u32::try_from(good.len()).unwrap();
        [
            asked(length, good, &numbers[..2]),
            asked(length, good, &numbers[..1]),
            asked(length, good, &numbers[..3]),
            asked(length, good, &numbers),
            asked(length + 1, good, &numbers[..2]),
            asked(length, &good[1..], &numbers[..2]),
            asked(9, b"\0\0garbage", &numbers[..2]),
            asked(0, b"", &numbers[..2]),
            asked(u32::MAX, b"", &numbers[..2]),
        ]
    });
    let [understood, others @ ..] = replies;
    let (rights, order) = (vec![2, 0, 0], vec![2, 2, 0]);
    assert_eq!(understood, rights);
    assert!(others.iter().all(|reply| *reply == order), "{others:?}");
}

#[test]
fn who_does_not_send_its_order_is_not_waited_for() {
    let guard = guard();
    serving(guard, true, move || {
        let mut silent = connected(&guard);
        send(&silent, &sealed(&guard, Kind::Service, &9_u32.to_le_bytes())).unwrap();
        // Others are attended to meanwhile.
        assert!(!exchange(connected(&guard), &about_a_name(&guard)).is_empty());
        let mut reply = vec![0; MAX_MESSAGE];
        let len = silent.read(&mut reply).unwrap();
        assert_eq!(open_reply(&guard, 7, &reply[..len]), Some(&[2, 2, 0][..]));
    });
}
