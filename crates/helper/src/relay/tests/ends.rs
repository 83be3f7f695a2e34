//! Connects that nobody waits for any more.

use std::cell::RefCell;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use super::*;
use crate::sys::net::{option, set_option};
use crate::sys::test::disconnect;
use crate::tests::gateway::{LATER, NEVER};

/// A connect that is under way, and has reached the gateway.
fn never(program: &Program) -> Socket {
    let socket = program.connecting(at(V4, NEVER));
    until(|| program.waiting() == 1);
    socket
}

#[test]
fn a_close_ends_it() {
    run(
        |_| {},
        |program| {
            drop(never(program));
            program.nothing_is_pending();
        },
    );
}

#[test]
fn who_inherits_it_waits_for_it() {
    run(
        |_| {},
        |program| {
            let socket = never(program);
            let mut heir = Command::new("cat").stdin(Stdio::piped()).stdout(OwnedFd::from(socket)).spawn().unwrap();
            // Others end meanwhile: the helper has looked, more than once.
            for _ in 0..2 {
                drop(program.connecting(at(V6, NEVER)));
                until(|| program.pending() == 1);
            }
            until(|| program.waiting() == 1);
            assert_eq!(program.pending(), 1);
            drop(heir.stdin.take());
            heir.wait().unwrap();
            program.nothing_is_pending();
        },
    );
}

#[test]
fn who_comes_to_its_address_is_not_connected() {
    run(
        |_| {},
        |program| {
            let socket = socket(Domain::IPV4);
            // There are no remains of other tests' connections.
            socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 0, 3), 0)).into()).unwrap();
            assert_eq!(program.connect(&socket, at(V4, LATER)), Some(Errno::EINPROGRESS));
            let address = socket.local_addr().unwrap().as_socket().unwrap();
            drop(socket);
            // Another test's child may have a copy until it executes its program.
            let listener = RefCell::new(None);
            until(|| TcpListener::bind(address).is_ok_and(|bound| listener.replace(Some(bound)).is_none()));
            let listener = listener.take().unwrap();
            listener.set_nonblocking(true).unwrap();
            until(|| program.pending() == 0);
            assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
        },
    );
}

#[test]
fn a_disconnect_ends_it() {
    run(
        |_| {},
        |program| {
            let socket = never(program);
            disconnect(&socket);
            program.nothing_is_pending();
            assert_eq!(program.connect(&socket, at(V4, LATER)), Some(Errno::EINPROGRESS));
            wait(&socket);
            echo(socket);
        },
    );
}

#[test]
fn a_shutdown_ends_it() {
    run(
        |_| {},
        |program| {
            never(program).shutdown(std::net::Shutdown::Both).unwrap();
            program.nothing_is_pending();
        },
    );
}

#[test]
fn a_limit_of_the_programs_ends_it() {
    run(
        |_| {},
        |program| {
            let socket = socket(Domain::IPV4);
            socket.set_tcp_user_timeout(Some(Duration::from_millis(1))).unwrap();
            assert_eq!(program.connect(&socket, at(V4, NEVER)), Some(Errno::EINPROGRESS));
            wait(&socket);
            assert_eq!(error(&socket), Some(Errno::ETIMEDOUT));
            assert_eq!(program.outcome(&socket), None);
            program.nothing_is_pending();
        },
    );
}

#[test]
fn another_connect_takes_its_place() {
    run(
        |_| {},
        |program| {
            let socket = never(program);
            let again = socket.as_fd().try_clone_to_owned().unwrap();
            let order = Order { peer: at(V4, LATER) }.to_bytes();
            // Before the helper can have noticed.
            let reply = program.helper(move |shared| {
                disconnect(&again);
                crate::relay::connect(shared, Some(std::process::id()), Some(again), &order)
            });
            assert!(matches!(reply, Reply::Called { errno: Some(Errno::EINPROGRESS), .. }), "{reply:?}");
            until(|| program.waiting() == 0);
            assert_eq!(program.pending(), 1, "only the first has ended");
            assert_eq!(wait(&socket), PollFlags::POLLOUT);
            echo(socket);
        },
    );
}

#[test]
fn the_end_of_the_tree_ends_it() {
    run(
        |_| {},
        |program| {
            let socket = never(program);
            program.helper(|shared| shared.activity.tree_ended());
            wait(&socket);
            assert_eq!(error(&socket), Some(Errno::ECONNRESET), "and nobody is left in the hole");
            program.nothing_is_pending();
        },
    );
}

#[test]
fn the_kernel_does_not_give_up() {
    run(
        |_| {},
        |program| {
            let repetitions = |socket: &Socket| option(socket, libc::IPPROTO_TCP, libc::TCP_SYNCNT).unwrap();
            let socket = never(program);
            assert_eq!(repetitions(&socket), 127);
            // What was not begun has not changed the socket.
            let socket = super::socket(Domain::IPV6);
            socket.set_only_v6(true).unwrap();
            set_option(&socket, libc::IPPROTO_TCP, libc::TCP_SYNCNT, 3).unwrap();
            assert_eq!(program.connect(&socket, at(V4, NEVER)), Some(Errno::ENETUNREACH));
            assert_eq!(repetitions(&socket), 3);
            // What makes connect(2) only pretend is switched off.
            let socket = super::socket(Domain::IPV4);
            set_option(&socket, libc::IPPROTO_TCP, libc::TCP_FASTOPEN_CONNECT, 1).unwrap();
            assert_eq!(program.connect(&socket, at(V4, LATER)), Some(Errno::EINPROGRESS));
            assert_eq!(wait(&socket), PollFlags::POLLOUT);
            echo(socket);
        },
    );
}
