//! The ways to make a connection.

use std::io::Write;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::{AsRawFd, OwnedFd};
use std::str::FromStr;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, connect, getsockopt, socket, sockopt::SocketError,
};

use super::cli::{Error, Result};
use super::socks;

/// How, and where to: `HOST:PORT`, an address or a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// `connect=TARGET`: a connect(2) that waits.
    Connect(String),
    /// `poll=TARGET`: a connect(2) that does not, and poll(2).
    Poll(String),
    /// `socks=GATEWAY/TARGET`: the probe speaks SOCKS5 itself.
    Socks {
        gateway: SocketAddr,
        target: String,
        /// `early=GATEWAY/TARGET`: and sends what it has to say without waiting for the answer.
        early: bool,
    },
}

impl FromStr for Via {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (way, rest) = text.split_once('=').ok_or("a way has the form HOW=TARGET")?;
        let socks = |early| -> Result<Self> {
            let (gateway, target) = rest.split_once('/').ok_or("there is no GATEWAY/ before the target")?;
            Ok(Self::Socks { gateway: gateway.parse()?, target: target.to_owned(), early })
        };
        match way {
            "connect" => Ok(Self::Connect(rest.to_owned())),
            "poll" => Ok(Self::Poll(rest.to_owned())),
            "socks" => socks(false),
            "early" => socks(true),
            other => Err(format!("no way {other:?}").into()),
        }
    }
}

impl Via {
    /// Connects; what comes back waits for what it reads.
    pub(crate) fn open(&self) -> Result<TcpStream> {
        match self {
            Self::Connect(target) => Ok(TcpStream::connect(resolve(target)?)?),
            Self::Poll(target) => polled(resolve(target)?),
            Self::Socks { gateway, target, early } => {
                let stream = socks::request(*gateway, &socks::connect_to(target)?)?;
                if !early {
                    socks::reply(&stream)?;
                }
                Ok(stream)
            }
        }
    }

    /// Connects and sends these bytes as soon as it may; an answer to them is next to be read.
    pub(crate) fn open_with(&self, first: &[u8]) -> Result<TcpStream> {
        let mut stream = self.open()?;
        stream.write_all(first)?;
        if matches!(self, Self::Socks { early: true, .. }) {
            socks::reply(&stream)?;
        }
        Ok(stream)
    }
}

/// The first address of a target.
pub(crate) fn resolve(target: &str) -> Result<SocketAddr> {
    Ok(target.to_socket_addrs()?.next().ok_or("no address")?)
}

/// A connect that has begun.
pub(crate) fn begin(address: SocketAddr) -> Result<OwnedFd> {
    let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let one = socket(family, SockType::Stream, SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC, None)?;
    match connect(one.as_raw_fd(), &SockaddrStorage::from(address)) {
        Ok(()) | Err(Errno::EINPROGRESS) => Ok(one),
        Err(errno) => Err(errno.into()),
    }
}

/// What became of a connect whose socket is ready.
pub(crate) fn finish(one: &OwnedFd) -> Result<()> {
    match getsockopt(one, SocketError)? {
        0 => Ok(()),
        error => Err(Errno::from_raw(error).into()),
    }
}

fn polled(address: SocketAddr) -> Result<TcpStream> {
    use std::os::fd::AsFd;

    let one = begin(address)?;
    poll(&mut [PollFd::new(one.as_fd(), PollFlags::POLLOUT)], PollTimeout::NONE)?;
    finish(&one)?;
    let stream = TcpStream::from(one);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn ways_are_read() {
        let via = |text: &str| text.parse::<Via>().expect("a way");
        assert_eq!(via("connect=a.example:80"), Via::Connect("a.example:80".to_owned()));
        let target = "[2001:db8::1]:80".to_owned();
        let gateway = SocketAddr::from(([127, 0, 0, 1], 9050));
        assert_eq!(via("early=127.0.0.1:9050/[2001:db8::1]:80"), Via::Socks { gateway, target, early: true });
        for bad in ["a.example:80", "socks=a.example:80", "tcp=127.0.0.1:1", "early=x/y:1"] {
            assert!(bad.parse::<Via>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_polled_connection_is_whole() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut stream = Via::Poll(address.to_string()).open_with(b"x").expect("connected");
        let (mut accepted, _) = listener.accept().expect("accepted");
        let mut byte = [0];
        accepted.read_exact(&mut byte).expect("a byte");
        accepted.write_all(&byte).expect("sent");
        stream.read_exact(&mut byte).expect("the read waits");
        assert_eq!(&byte, b"x");
        drop(listener);
        assert!(Via::Poll(address.to_string()).open().is_err());
    }
}
