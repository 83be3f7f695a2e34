//! What the programs in the cage do.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RData, RecordType};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::{SockRef, Socket};
use uwt_policy::{Errno, is_reserved};

use super::world::Program;
use crate::tests::gateway::{COUNT, DELAY, ECHO, LATER, NEVER, REFUSALS, REPORT, RESET, WAITING};

pub(super) const V4: &str = "203.0.113.7";
pub(super) const V6: &str = "[2001:db8::7]";
const MAPPED: &str = "[::ffff:203.0.113.7]";

pub(super) fn at(host: &str, port: u16) -> SocketAddr {
    format!("{host}:{port}").parse().unwrap()
}

pub(super) fn read(mut stream: &TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// An A query of `name`, and what to do with the response.
fn query(name: &str) -> Vec<u8> {
    let mut message = Message::new();
    message.set_id(7).set_recursion_desired(true);
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), RecordType::A));
    message.to_vec().unwrap()
}

fn address_in(response: &[u8]) -> Ipv4Addr {
    let message = Message::from_vec(response).unwrap();
    let [record] = message.answers() else { panic!("{message:?}") };
    let RData::A(address) = record.data() else { panic!("{record:?}") };
    address.0
}

fn datagram(program: &Program, server: SocketAddr) -> UdpSocket {
    let domain = socket2::Domain::for_address(server);
    let socket = program.socket(domain.into(), libc::SOCK_DGRAM, 0).unwrap();
    UdpSocket::from(Socket::from(socket))
}

fn resolve(program: &Program, server: SocketAddr, name: &str) -> Ipv4Addr {
    let socket = datagram(program, server);
    // Not connected: the answer's address can be seen.
    socket.send_to(&query(name), server).unwrap();
    let mut response = [0; 512];
    let (len, from) = socket.recv_from(&mut response).unwrap();
    assert_eq!(from, server);
    address_in(&response[..len])
}

pub(super) fn addresses_and_names_are_carried(program: &Program) {
    let by_name = resolve(program, at("192.0.2.53", 53), "a.example").to_string();
    let by_mapped_name = format!("[::ffff:{by_name}]");
    let mut users = Vec::new();
    for (host, target) in [
        (V4, "203.0.113.7"),
        (V6, "2001:db8::7"),
        (MAPPED, "203.0.113.7"),
        (&by_name, "a.example"),
        (&by_mapped_name, "a.example"),
    ] {
        let stream = program.connect(at(host, REPORT)).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), at(host, REPORT));
        let report = read(&stream);
        let (user, seen) = report.split_once(' ').unwrap();
        assert_eq!(seen, target);
        users.push(user.to_owned());
    }
    assert!(users[0].starts_with("uwt-"));
    users.dedup();
    assert_eq!(users.len(), 1, "one process, one credential");
    let multipath = program.socket(libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_MPTCP);
    if let Ok(multipath) = multipath {
        let socket = Socket::from(multipath);
        socket.connect(&at(V4, REPORT).into()).unwrap();
        assert_eq!(read(&socket.into()), format!("{} {V4}", users[0]));
    }
}

pub(super) fn failures_have_their_errno(program: &Program) {
    use libc::{EACCES, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH};
    // By reply code, from 1 on.
    let v4 = [ENETUNREACH, EHOSTUNREACH, ENETUNREACH, EHOSTUNREACH, ECONNREFUSED, EHOSTUNREACH];
    let v6 = [ENETUNREACH, EACCES, ENETUNREACH, EHOSTUNREACH, ECONNREFUSED, EHOSTUNREACH];
    for (host, expected) in [(V4, v4), (V6, v6), (MAPPED, v4)] {
        for (port, errno) in REFUSALS.zip(expected) {
            let error = program.connect(at(host, port)).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(errno), "{host} {port}: {error}");
        }
    }
    // Of our own: a name that nobody looked up, a local resolver's port, no TCP peer at all.
    for (host, port, errno) in [("127.200.0.1", 80, EHOSTUNREACH), ("127.0.0.1", 853, EHOSTUNREACH)] {
        assert_eq!(program.connect(at(host, port)).unwrap_err().raw_os_error(), Some(errno), "{host} {port}");
    }
}

fn poll_for(socket: &Socket, events: PollFlags, limit: Duration) -> bool {
    let mut set = [PollFd::new(socket.as_fd(), events)];
    poll(&mut set, PollTimeout::try_from(limit).unwrap()).unwrap() == 1
}

fn begin(program: &Program, address: SocketAddr) -> Socket {
    let socket = program.stream(address);
    socket.set_nonblocking(true).unwrap();
    let error = socket.connect(&address.into()).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EINPROGRESS));
    socket
}

pub(super) fn connects_without_blocking(program: &Program) {
    for host in [V4, V6] {
        let began = Instant::now();
        let socket = begin(program, at(host, LATER));
        assert!(!poll_for(&socket, PollFlags::POLLOUT, DELAY / 3), "not before it is granted");
        assert!(poll_for(&socket, PollFlags::POLLOUT, DELAY * 10));
        assert!(began.elapsed() >= DELAY);
        assert!(socket.take_error().unwrap().is_none());
        let refused = begin(program, at(host, 5));
        assert!(poll_for(&refused, PollFlags::POLLOUT, DELAY * 10));
        let error = refused.take_error().unwrap().unwrap();
        assert_eq!(error.raw_os_error(), Some(libc::ECONNREFUSED));
    }
}

pub(super) fn connections_come_before_their_answers(program: &Program) {
    for host in [V4, V6, MAPPED] {
        // There is none, but the gateway sees what is sent: it closes.
        let mut stream = program.connect(at(host, NEVER)).unwrap();
        stream.write_all(b"x").unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset, "{host}");
        for port in REFUSALS {
            // It may be faster than the program.
            let said = program.connect(at(host, port)).and_then(|mut stream| stream.read(&mut [0]));
            assert_eq!(said.unwrap_err().kind(), ErrorKind::ConnectionReset, "{host} {port}");
        }
        let mut stream = program.connect(at(host, LATER)).unwrap();
        stream.write_all(b"early").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read(&stream), "early", "{host}");
    }
}

/// By the outsider, for the helper is in the cage.
pub(super) fn sockets_of_the_host_are_relayed(program: &Program) {
    for host in [V4, V6] {
        let socket = program.relayed(at(host, ECHO));
        assert!(poll_for(&socket, PollFlags::POLLOUT, DELAY * 10));
        socket.set_nonblocking(false).unwrap();
        let mut stream = TcpStream::from(socket);
        stream.write_all(b"hello").unwrap();
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"hello");
        let refused = program.relayed(at(host, 5));
        assert!(poll_for(&refused, PollFlags::POLLOUT, DELAY * 10));
        assert_eq!(refused.take_error().unwrap().unwrap().raw_os_error(), Some(libc::ECONNRESET));
    }
}

pub(super) fn loopback_is_the_hosts(program: &Program) {
    for address in program.outside.echo {
        let mut stream = program.connect(address).unwrap();
        stream.write_all(b"hello").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read(&stream), "hello");
    }
    // The host's port of the same number is free: nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = program.connect(free).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    // What programs with a proxy setting do.
    program.connect(program.outside.gateway).unwrap();
}

pub(super) fn names_are_asked_of_any_server(program: &Program) {
    let servers =
        ["192.0.2.53", "127.0.0.53", "[2001:db8::53]", "[::1]", "[::ffff:192.0.2.53]"].map(|host| at(host, 53));
    let mut addresses = Vec::new();
    for server in servers {
        addresses.push(resolve(program, server, "b.example"));
        let mut stream = program.connect(server).unwrap();
        for name in ["b.example", "c.example"] {
            let query = query(name);
            let len = u16::try_from(query.len()).unwrap().to_be_bytes();
            stream.write_all(&[&len[..], &query].concat()).unwrap();
            let mut len = [0; 2];
            stream.read_exact(&mut len).unwrap();
            let mut response = vec![0; usize::from(u16::from_be_bytes(len))];
            stream.read_exact(&mut response).unwrap();
            assert_eq!(address_in(&response) == addresses[0], name == "b.example");
        }
    }
    assert!(is_reserved(addresses[0].into()));
    addresses.dedup();
    assert_eq!(addresses.len(), 1);
}

pub(super) fn ends_are_passed_on(program: &Program) {
    let mut stream = program.connect(at(V4, COUNT)).unwrap();
    stream.write_all(&vec![0; 100_000]).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read(&stream), "100000", "what comes after our end still arrives");
    let stream = program.connect(at(V6, REPORT)).unwrap();
    assert!(read(&stream).ends_with("2001:db8::7"), "and their end is seen");
}

pub(super) fn resets_are_passed_on(program: &Program) {
    let mut stream = program.connect(at(V4, RESET)).unwrap();
    stream.write_all(b"x").unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    // Ours ends the connection outside: the test waits for everything to end.
    let mut stream = program.connect(at(V4, ECHO)).unwrap();
    stream.write_all(b"x").unwrap();
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}

pub(super) fn nothing_is_lost(program: &Program) {
    const LEN: usize = 16 << 20;
    let threads: Vec<_> = (0..4_u8)
        .map(|seed| {
            let program = program.clone();
            std::thread::spawn(move || {
                // A walk through all bytes with steps that differ from thread to thread.
                let step = 2 * usize::from(seed) + 167;
                let sent: Vec<u8> = (0..LEN).map(|index| ((index * step) >> 8).to_le_bytes()[0]).collect();
                let stream = program.connect(at(V4, ECHO)).unwrap();
                let (mut writer, mut reader) = (stream.try_clone().unwrap(), stream);
                let copy = sent.clone();
                let writing = std::thread::spawn(move || {
                    writer.write_all(&copy).unwrap();
                    writer.shutdown(Shutdown::Write).unwrap();
                });
                let mut received = Vec::with_capacity(LEN);
                reader.read_to_end(&mut received).unwrap();
                writing.join().unwrap();
                assert!(received == sent);
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

pub(super) fn many_at_the_same_time(program: &Program) {
    let began = Instant::now();
    let sockets: Vec<_> =
        (0..400).map(|index| begin(program, at(if index % 2 == 0 { V4 } else { V6 }, LATER))).collect();
    for socket in &sockets {
        assert!(poll_for(socket, PollFlags::POLLOUT, Duration::from_secs(20)));
        assert!(socket.take_error().unwrap().is_none());
    }
    // One after the other would take twice as long, even if nothing else did.
    assert!(began.elapsed() < DELAY * 200, "{:?}", began.elapsed());
    for (index, socket) in sockets.into_iter().enumerate() {
        socket.set_nonblocking(false).unwrap();
        let mut stream = TcpStream::from(socket);
        stream.write_all(index.to_string().as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read(&stream), index.to_string());
    }
}

pub(super) fn who_gives_up_is_not_waited_for(program: &Program) {
    let waiting = || read(&program.connect(at(V4, WAITING)).unwrap()).parse::<u32>().unwrap();
    let until = |count| {
        let deadline = Instant::now() + Duration::from_secs(20);
        while waiting() != count {
            assert!(Instant::now() < deadline, "{} are waiting", waiting());
        }
    };
    let sockets: Vec<_> = [V4, V6, V4].map(|host| begin(program, at(host, NEVER))).into();
    until(3);
    drop(sockets);
    until(0);
}

pub(super) fn other_datagrams_are_refused(program: &Program) {
    for server in [at(V4, 123), at(V6, 123), at("127.0.0.1", 9)] {
        let socket = datagram(program, server);
        socket.connect(server).unwrap();
        socket.send(b"x").unwrap();
        assert_eq!(socket.recv(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionRefused, "{server}");
    }
}

pub(super) fn what_may_not_exist(program: &Program) {
    for (domain, kind, protocol) in [
        (libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP),
        (libc::AF_INET, libc::SOCK_DGRAM, libc::IPPROTO_ICMP),
        (libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_SCTP),
        (libc::AF_PACKET, libc::SOCK_RAW, 3),
        (libc::AF_UNIX, libc::SOCK_STREAM, 0),
    ] {
        assert_eq!(program.socket(domain, kind, protocol).unwrap_err(), Errno::EACCES, "{domain} {kind} {protocol}");
    }
    let flags = libc::SOCK_STREAM | libc::SOCK_NONBLOCK;
    let socket = Socket::from(program.socket(libc::AF_INET, flags, libc::IPPROTO_TCP).unwrap());
    assert!(socket.nonblocking().unwrap());
}
