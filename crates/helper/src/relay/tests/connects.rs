//! Connects that come about, and connects that fail.

use nix::poll::PollFlags;
use uwt_policy::{HostName, reserved_address};
use uwt_socks5::ReplyCode;

use super::*;
use crate::relay::Ground;
use crate::tests::gateway::{DELAY, ECHO, LATER, NEVER, REFUSALS, REPORT};

#[test]
fn they_come_about() {
    run(
        |_| {},
        |program| {
            let own = |domain| socket(domain);
            let only_v6 = || {
                let socket = socket(Domain::IPV6);
                socket.set_only_v6(true).unwrap();
                socket
            };
            let bound = |address: SocketAddr| {
                let socket = socket(Domain::for_address(address));
                socket.bind(&address.into()).unwrap();
                socket
            };
            let cases = [
                (own(Domain::IPV4), V4),
                (own(Domain::IPV6), V6),
                (own(Domain::IPV6), V4),
                (only_v6(), V6),
                (bound((OTHER, 0).into()), V4),
                (bound(at("0.0.0.0", 0)), V4),
                (bound(at("[::]", 0)), V6),
                (bound(at("[::]", 0)), V4),
            ];
            for (socket, host) in cases {
                let peer = at(host, LATER);
                assert_eq!(program.connect(&socket, peer), Some(Errno::EINPROGRESS));
                assert_eq!(polled(&socket), PollFlags::empty(), "as while any connect is under way");
                assert_eq!(program.connect(&socket, peer), Some(Errno::EALREADY));
                assert_eq!(wait(&socket), PollFlags::POLLOUT);
                // What the program sends now is delivered, even if it ends.
                assert!(!program.helper(|shared| shared.activity.is_idle()));
                assert_eq!(error(&socket), None);
                assert_eq!(program.connect(&socket, peer), None);
                assert_eq!(program.connect(&socket, peer), Some(Errno::EISCONN));
                echo(socket);
            }
        },
    );
}

#[test]
fn a_socket_stays_bound_to_its_address() {
    run(
        |_| {},
        |program| {
            let socket = socket(Domain::IPV4);
            socket.bind(&SocketAddr::from((OTHER, 0)).into()).unwrap();
            for port in [1, ECHO] {
                program.connect(&socket, at(V4, port));
                assert!(wait(&socket).contains(PollFlags::POLLOUT));
                assert_eq!(socket.local_addr().unwrap().as_socket().unwrap().ip(), OTHER);
                // Natively, the first connect after one that has failed does nothing else than to say so.
                program.connect(&socket, at(V4, port));
            }
        },
    );
}

#[test]
fn names_are_carried() {
    run(
        |_| {},
        |program| {
            let address = program.helper(|shared| shared.names.address(&HostName::parse(b"a.onion").unwrap()).unwrap());
            let socket = program.connecting((address, REPORT).into());
            assert_eq!(wait(&socket) & PollFlags::POLLERR, PollFlags::empty());
            socket.set_nonblocking(false).unwrap();
            let mut report = String::new();
            TcpStream::from(socket).read_to_string(&mut report).unwrap();
            assert!(report.ends_with(" a.onion"), "{report}");

            let unknown = (0..2).map(reserved_address).find(|other| *other != address).unwrap();
            let socket = program.connecting((unknown, REPORT).into());
            wait(&socket);
            assert_eq!(
                (error(&socket), program.outcome(&socket)),
                (Some(Errno::ECONNRESET), Some(Errno::EHOSTUNREACH))
            );
        },
    );
}

#[test]
fn they_fail_for_a_reason() {
    run(
        |_| {},
        |program| {
            for host in [V4, V6] {
                for port in REFUSALS {
                    let reason = Some(Errno(ReplyCode::from_byte(port.to_be_bytes()[1]).errno()));
                    let peer = at(host, port);
                    let socket = program.connecting(peer);
                    assert!(wait(&socket).contains(PollFlags::POLLOUT | PollFlags::POLLERR | PollFlags::POLLHUP));
                    until(|| program.pending() == 0);
                    assert_eq!(program.outcome(&socket), reason);
                    // The second connect is how some programs ask.
                    assert_eq!(program.connect(&socket, peer), reason);
                    // Others ask for the error, and the kernel has told then.
                    assert_eq!(program.connect(&socket, peer), Some(Errno::EINPROGRESS));
                    wait(&socket);
                    assert_eq!(error(&socket), Some(Errno::ECONNRESET));
                    assert_eq!(program.outcome(&socket), reason);
                    assert_eq!(program.connect(&socket, peer), Some(Errno::ECONNABORTED), "as always");
                    assert_eq!(program.connect(&socket, at(host, ECHO)), Some(Errno::EINPROGRESS));
                    assert_eq!(wait(&socket), PollFlags::POLLOUT);
                    assert_eq!(program.outcome(&socket), None);
                    echo(socket);
                }
            }
        },
    );
}

#[test]
fn without_a_gateway_they_fail() {
    run(
        |session| session.gateway = "127.0.0.1:9".parse().unwrap(),
        |program| {
            let socket = program.connecting(at(V4, ECHO));
            wait(&socket);
            assert_eq!(error(&socket), Some(Errno::ECONNRESET));
            assert_eq!(program.outcome(&socket), Some(Errno::ECONNREFUSED));
        },
    );
}

#[test]
fn many_at_the_same_time() {
    run(
        |_| {},
        |program| {
            let begun = Instant::now();
            let sockets: Vec<_> = (0..300).map(|index| program.connecting(at([V4, V6][index % 2], LATER))).collect();
            for socket in &sockets {
                assert_eq!(wait(socket), PollFlags::POLLOUT);
            }
            assert!(begun.elapsed() < DELAY * 20, "they wait together");
            sockets.into_iter().for_each(echo);
        },
    );
}

#[test]
fn optimistic_ones_do_not_wait_for_the_gateway() {
    run(
        |session| session.optimistic = true,
        |program| {
            let never = program.connecting(at(V4, NEVER));
            assert_eq!(wait(&never), PollFlags::POLLOUT);
            // A reset: an end would wait for the gateway's answer.
            never.set_linger(Some(Duration::ZERO)).unwrap();
            drop(never);
            let later = program.connecting(at(V4, LATER));
            assert_eq!(wait(&later), PollFlags::POLLOUT);
            echo(later);
            for port in REFUSALS {
                let socket = program.connecting(at(V6, port));
                until(|| polled(&socket).contains(PollFlags::POLLERR));
                assert_eq!(error(&socket), Some(Errno::ECONNRESET));
                let reason = ReplyCode::from_byte(port.to_be_bytes()[1]).errno();
                assert_eq!(program.outcome(&socket), Some(Errno(reason)));
            }
            program.nothing_is_pending();
        },
    );
}

#[test]
fn what_is_not_relayed() {
    run(
        |_| {},
        |program| {
            let own = std::process::id();
            let peer = at(V4, ECHO);
            for direct in ["127.0.0.1:80", "[::1]:80", "224.0.0.1:80"] {
                let peer = direct.parse().unwrap();
                assert_eq!(program.connect_as(own, socket(Domain::IPV4), peer), Reply::NotThis, "{direct}");
            }
            let blocking = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            assert_eq!(program.connect_as(own, blocking, peer), Reply::NotThis);
            // No process has this id, which is above the kernel's limit.
            assert_eq!(program.connect_as(1 << 23, socket(Domain::IPV4), peer), Reply::NotThis);
            let order = Order { peer }.to_bytes();
            let nothing = program.helper(move |shared| super::super::connect(shared, Some(own), None, &order));
            assert_eq!(nothing, Reply::NotThis);
            assert_eq!(program.helper(|shared| shared.relay.outcome(b"short")), None);
            // The kernel's own answer: an address of the other family.
            let only_v6 = socket(Domain::IPV6);
            only_v6.set_only_v6(true).unwrap();
            assert_eq!(program.connect(only_v6, peer), Some(Errno::ENETUNREACH));
            program.helper(|shared| drop(shared.relay.ground.replace(Some(Rc::new(Ground::None)))));
            assert_eq!(program.connect_as(own, socket(Domain::IPV4), peer), Reply::None);
        },
    );
}
