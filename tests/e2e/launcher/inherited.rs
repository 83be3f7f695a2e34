//! Sockets that the program would start with.

use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use crate::place::{Place, run};

const HERE: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

fn unconnected(family: AddressFamily, kind: SockType) -> OwnedFd {
    socket(family, kind, SockFlag::SOCK_CLOEXEC, None).expect("made")
}

#[test]
fn what_could_reach_the_network_is_refused() {
    let place = Place::new();
    let marker = place.at("marker");
    let shown = marker.display().to_string();
    for (socket, kind) in [
        (unconnected(AddressFamily::Inet, SockType::Stream), "an unconnected TCP socket"),
        (unconnected(AddressFamily::Inet6, SockType::Stream), "an unconnected TCP socket"),
        (unconnected(AddressFamily::Inet6, SockType::Datagram), "an unconnected UDP socket"),
        (UdpSocket::bind(HERE).expect("bound").into(), "an unconnected UDP socket"),
    ] {
        for level in ["auto", "tunnel", "deny"] {
            let mut command = place.uwt(&["--guard", level, "touch", &shown]);
            let ran = run(command.stdin(Stdio::from(socket.try_clone().expect("a second one"))));
            let expected = format!("descriptor 0 is {kind} from before uwt was started, which the program could use");
            assert!(ran.failed_with(125).starts_with(&expected), "{ran:?}");
            assert!(ran.err.contains("`0>&-` in a shell"), "{ran:?}");
        }
        let mut explain = place.uwt(&["--explain", "true"]);
        assert_eq!(run(explain.stdin(Stdio::from(socket.try_clone().expect("a second one")))).status, 125);
        assert!(!marker.exists());
        let mut off = place.uwt(&["--guard=off", "true"]);
        run(off.stdin(Stdio::from(socket))).succeeded();
    }
}

#[test]
fn what_has_its_peer_stays() {
    let place = Place::new();
    let listener = TcpListener::bind(HERE).expect("bound");
    let address = listener.local_addr().expect("bound");
    let client = TcpStream::connect(address).expect("connected");
    let (server, _) = listener.accept().expect("accepted");
    let datagrams = UdpSocket::bind(HERE).expect("bound");
    datagrams.connect(address).expect("connected");
    let (unix, _peer) = UnixStream::pair().expect("made");
    for socket in [
        OwnedFd::from(listener),
        client.into(),
        server.into(),
        datagrams.into(),
        unix.into(),
        unconnected(AddressFamily::Unix, SockType::Datagram),
        unconnected(AddressFamily::Netlink, SockType::Raw),
    ] {
        for level in ["tunnel", "deny"] {
            let mut command = place.uwt(&["--guard", level, "readlink", "/proc/self/fd/0"]);
            let ran = run(command.stdin(Stdio::from(socket.try_clone().expect("a second one"))));
            assert!(ran.succeeded().starts_with("socket:["), "{ran:?}");
        }
    }
}
