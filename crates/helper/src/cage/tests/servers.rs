//! Programs in the cage that serve.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use uwt_policy::{Errno, canonical};

use super::programs::{V4, at, read};
use super::world::Program;

pub(super) fn servers_listen_outside(program: &Program) {
    for (local, readable) in [("127.0.0.1:0", true), ("127.0.0.1:0", false), ("[::1]:0", true), ("0.0.0.0:0", true)] {
        let local: SocketAddr = local.parse().unwrap();
        let caged = program.stream(local);
        caged.set_reuse_address(true).unwrap();
        caged.set_keepalive(true).unwrap();
        caged.bind(&local.into()).unwrap();
        let bound = caged.local_addr().unwrap().as_socket().unwrap();
        let host = program.listen(&caged, readable).unwrap();
        assert_eq!(host.local_addr().unwrap().as_socket(), Some(bound), "as it was said before");
        assert!(host.reuse_address().unwrap() && host.keepalive().unwrap() && !host.nonblocking().unwrap());
        assert_eq!(host.device().unwrap().is_some(), local.ip().is_unspecified(), "confined");
        // Through the cage and out again.
        let mut client = program
            .connect(SocketAddr::new(if local.is_ipv6() { local.ip() } else { [127, 0, 0, 1].into() }, bound.port()))
            .unwrap();
        client.write_all(b"to the server").unwrap();
        drop(client);
        let (accepted, _) = host.accept().unwrap();
        assert_eq!(read(&accepted.into()), "to the server");
        // A second server at the same port.
        drop(caged);
        let second = program.stream(local);
        // The connection was at the same address in the cage, and may not quite have ended.
        second.set_reuse_address(true).unwrap();
        second.bind(&bound.into()).unwrap();
        assert_eq!(program.listen(&second, readable).unwrap_err(), Errno(libc::EADDRINUSE));
        drop(host);
        program.listen(&second, readable).expect("it may try again");
    }
    let elsewhere = at("203.0.113.9", 8080);
    let caged = program.stream(elsewhere);
    caged.bind(&elsewhere.into()).unwrap();
    assert_eq!(program.listen(&caged, true).unwrap_err(), Errno::EACCES);
    // Without bind(2) the kernel chooses.
    let caged = program.stream(elsewhere);
    let host = program.listen(&caged, true).unwrap();
    assert_ne!(host.local_addr().unwrap().as_socket().unwrap().port(), 0);
}

/// The address for servers: every machine has it.
pub(super) const SERVERS: Ipv4Addr = Ipv4Addr::new(127, 9, 9, 9);

pub(super) fn servers_are_moved(program: &Program) {
    for (local, alone, moves) in [
        ("127.0.0.1:0", false, true),
        ("0.0.0.0:0", false, true),
        ("[::]:0", false, true),
        ("[::ffff:127.0.0.1]:0", false, true),
        ("[::]:0", true, false),
        ("[::1]:0", false, false),
    ] {
        let asked: SocketAddr = local.parse().unwrap();
        let caged = program.stream(asked);
        if asked.is_ipv6() {
            caged.set_only_v6(alone).unwrap();
        }
        caged.bind(&asked.into()).unwrap();
        let port = caged.local_addr().unwrap().as_socket().unwrap().port();
        let server = program.listen(&caged, true).unwrap();
        // Its place is taken.
        drop(caged);
        let found = server.local_addr().unwrap().as_socket().unwrap();
        let expected = if moves { SERVERS.into() } else { asked.ip() };
        assert_eq!((canonical(found.ip()), found.port()), (expected, port), "{local}");
        assert_eq!(server.device().unwrap().is_some(), alone, "{local}");
        // The program asks for it where it believes it to be, and where it is told that it is.
        let asked: &[IpAddr] =
            if moves { &[Ipv4Addr::LOCALHOST.into(), SERVERS.into()] } else { &[Ipv6Addr::LOCALHOST.into()] };
        for asked in asked {
            let mut client = program.connect(SocketAddr::new(*asked, port)).unwrap();
            client.write_all(b"to the server").unwrap();
            drop(client);
            let (accepted, _) = server.accept().unwrap();
            assert_eq!(read(&accepted.into()), "to the server", "{local} {asked}");
        }
    }
}

pub(super) fn closed_sockets_free_their_ports(program: &Program) {
    let first = program.stream(at(V4, 80));
    first.bind(&at("127.0.0.1", 0).into()).unwrap();
    let address = first.local_addr().unwrap();
    drop(first);
    // Something else takes the number.
    let _other = std::fs::File::open("/dev/null").unwrap();
    let second = program.stream(at(V4, 80));
    second.bind(&address).unwrap();
    program.listen(&second, true).unwrap();
}
