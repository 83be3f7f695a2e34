//! Many connections at the same time.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use super::cli::Result;
use super::via::{Via, begin, finish, resolve};

/// So many connections. Where the way is `poll`, one thread begins all connects and then waits for each; else there are as
/// many threads.
pub(crate) fn connect_all(via: &Via, count: u16) -> Result<Vec<TcpStream>> {
    match via {
        Via::Poll(target) => by_epoll(target, count),
        other => by_threads(other, count),
    }
}

/// Whether every one carries a byte there and back: the other side sends back what comes.
pub(crate) fn try_each(streams: &[TcpStream]) -> Result<()> {
    for mut stream in streams {
        stream.set_nonblocking(false)?;
        stream.write_all(b"?")?;
    }
    for mut stream in streams {
        let mut answer = [0];
        stream.read_exact(&mut answer)?;
        if answer != *b"?" {
            return Err(format!("an echo of {answer:?}").into());
        }
    }
    Ok(())
}

fn by_epoll(target: &str, count: u16) -> Result<Vec<TcpStream>> {
    let address = resolve(target)?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let mut sockets = Vec::new();
    for index in 0..count {
        let one = begin(address)?;
        epoll.add(&one, EpollEvent::new(EpollFlags::EPOLLOUT | EpollFlags::EPOLLONESHOT, index.into()))?;
        sockets.push(one);
    }
    let mut events = [EpollEvent::empty(); 64];
    let mut connected = 0;
    while connected < sockets.len() {
        let ready = epoll.wait(&mut events, EpollTimeout::NONE)?;
        for event in &events[..ready] {
            finish(&sockets[usize::try_from(event.data())?])?;
        }
        connected += ready;
    }
    Ok(sockets.into_iter().map(TcpStream::from).collect())
}

fn by_threads(via: &Via, count: u16) -> Result<Vec<TcpStream>> {
    thread::scope(|scope| {
        let one = || via.open().map_err(|error| error.to_string());
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(one)).collect();
        let streams = threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked".to_owned())?);
        Ok(streams.collect::<std::result::Result<Vec<_>, String>>()?)
    })
}
