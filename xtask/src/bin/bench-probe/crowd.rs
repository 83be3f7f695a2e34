//! Many connections at the same time.

use std::net::{SocketAddr, SocketAddrV4};
use std::os::fd::{AsRawFd, OwnedFd};
use std::thread;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, connect, getsockopt, socket, sockopt::SocketError,
};

use super::cli::Result;
use super::socks;

/// One thread and non-blocking sockets: all connects are begun, then each is waited for.
pub(crate) fn connect_all(address: SocketAddrV4, count: u16) -> Result<Vec<OwnedFd>> {
    let address = SockaddrIn::from(address);
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let mut sockets = Vec::new();
    for index in 0..count {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let one = socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
        match connect(one.as_raw_fd(), &address) {
            Ok(()) | Err(Errno::EINPROGRESS) => {}
            Err(errno) => return Err(errno.into()),
        }
        epoll.add(&one, EpollEvent::new(EpollFlags::EPOLLOUT | EpollFlags::EPOLLONESHOT, index.into()))?;
        sockets.push(one);
    }
    let mut events = [EpollEvent::empty(); 64];
    let mut connected = 0;
    while connected < sockets.len() {
        let ready = epoll.wait(&mut events, EpollTimeout::NONE)?;
        for event in &events[..ready] {
            match getsockopt(&sockets[usize::try_from(event.data())?], SocketError)? {
                0 => connected += 1,
                error => return Err(Errno::from_raw(error).into()),
            }
        }
    }
    Ok(sockets)
}

/// As many threads, each of which speaks SOCKS itself.
pub(crate) fn socks_all(gateway: SocketAddr, request: &[u8], count: u16) -> Result<()> {
    thread::scope(|scope| {
        let one = || socks::connect(gateway, request).map_err(|error| error.to_string());
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(one)).collect();
        // Joined one after the other, but none is closed before the last one is there.
        let streams = threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked".to_owned())?);
        Ok(streams.collect::<std::result::Result<Vec<_>, String>>().map(drop)?)
    })
}
