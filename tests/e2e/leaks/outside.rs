//! What is outside the tree of uwt but within its reach: sockets of the workstation, and services that hand them out.

use std::io::{IoSlice, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};

use nix::sys::socket::{AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, UnixAddr, sendmsg, socket};
use support::netns::Workstation;

/// The abstract address (unix(7), without the leading zero) of a service that passes every client an unconnected TCP
/// socket and a UDP socket.
pub(crate) const PASSES: &str = "uwt-leaks-passes";
/// The same of a service that only answers, as a resolver of this machine might.
pub(crate) const ANSWERS: &str = "uwt-leaks-answers";

/// An unconnected internet socket of a workstation.
pub(crate) fn unconnected(workstation: &Workstation, kind: SockType) -> OwnedFd {
    workstation.netns().run(|| Ok(make(kind)?)).expect("a socket of the workstation")
}

fn make(kind: SockType) -> nix::Result<OwnedFd> {
    socket(AddressFamily::Inet, kind, SockFlag::SOCK_CLOEXEC, None)
}

/// Starts both services in the workstation. Abstract addresses belong to a network namespace, so all workstations have
/// the same. They run until the program ends.
pub(crate) fn serve(workstation: &Workstation) {
    let (passing, answering) = workstation.netns().run(|| Ok((listen(PASSES)?, listen(ANSWERS)?))).expect("listeners");
    let netns = workstation.netns().clone();
    std::thread::spawn(move || {
        netns.enter().expect("the workstation is there");
        for client in passing.incoming().flatten() {
            // New ones for everybody: what one client does to a socket is seen by all who have it.
            let made = [SockType::Stream, SockType::Datagram].map(|kind| make(kind).expect("a socket"));
            let fds = [made[0].as_raw_fd(), made[1].as_raw_fd()];
            let control = [ControlMessage::ScmRights(&fds)];
            // A client that is gone already needs none.
            let _ = sendmsg::<UnixAddr>(client.as_raw_fd(), &[IoSlice::new(b"!")], &control, MsgFlags::empty(), None);
        }
    });
    std::thread::spawn(move || {
        for mut client in answering.incoming().flatten() {
            let _ = client.write_all(b"from this machine\n");
            let _ = client.shutdown(Shutdown::Write);
            // Closing with unread input would reset the connection.
            let _ = client.read_to_end(&mut Vec::new());
        }
    });
}

fn listen(name: &str) -> std::io::Result<UnixListener> {
    UnixListener::bind_addr(&SocketAddr::from_abstract_name(name)?)
}
