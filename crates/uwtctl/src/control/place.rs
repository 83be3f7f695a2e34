//! Where a control port is, and a connection to it.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use super::Problem;

/// Tor's usual control port.
const PORT: u16 = 9051;
/// Debian's Tor listens here as it is installed, and on no port.
const DEBIAN: &str = "/run/tor/control";

/// Where a control port is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A socket's path.
    Unix(PathBuf),
}

impl Place {
    /// `ADDRESS:PORT`, `ADDRESS`, `PATH` or `unix:PATH`.
    ///
    /// # Errors
    /// It is none of these.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let path = text.strip_prefix("unix:").unwrap_or(text);
        if path.starts_with('/') {
            return Ok(Self::Unix(path.into()));
        }
        let host = |text: &str| text.parse::<IpAddr>().map(|address| SocketAddr::new(address, PORT));
        let place = text.parse().or_else(|_| host(text));
        place.map(Self::Tcp).map_err(|_| Problem::NoPlace(text.to_owned()))
    }

    /// Where a gateway has it: a Tor on this machine on its socket, if it is there, any other one on port 9051.
    pub(crate) fn of_gateway(gateway: Ipv4Addr) -> Self {
        if gateway.is_loopback() && Path::new(DEBIAN).exists() {
            return Self::Unix(DEBIAN.into());
        }
        Self::Tcp((gateway, PORT).into())
    }

    /// Connects; that, and each write, may take as long as `patience` says.
    ///
    /// # Errors
    /// Those of connect(2).
    pub(super) fn connect(&self, patience: Duration) -> io::Result<Connection> {
        match self {
            Self::Tcp(address) => {
                let stream = TcpStream::connect_timeout(address, patience)?;
                stream.set_write_timeout(Some(patience))?;
                Ok(Connection::Tcp(stream))
            }
            Self::Unix(path) => {
                // The limit of writes is also connect(2)'s, which waits for a Tor that is stopped and accepts nobody.
                let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
                set_socket_timeout(&socket, Timeout::Send, Some(patience))?;
                connect(&socket, &SocketAddrUnix::new(path.as_path())?)?;
                Ok(Connection::Unix(socket.into()))
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// A connection to a control port.
#[derive(Debug)]
pub(super) enum Connection {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Connection {
    /// How long a call of read(2) may take; `None`: as long as it takes.
    pub(super) fn patience(&self, patience: Option<Duration>) -> io::Result<()> {
        // A limit of zero is refused as none at all.
        let patience = patience.map(|patience| patience.max(Duration::from_millis(1)));
        match self {
            Self::Tcp(stream) => stream.set_read_timeout(patience),
            Self::Unix(stream) => stream.set_read_timeout(patience),
        }
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let shown = |text| Place::parse(text).map(|place| place.to_string()).ok();
        for (text, place) in [
            ("10.152.152.10:9151", "10.152.152.10:9151"),
            ("10.152.152.10", "10.152.152.10:9051"),
            ("[::1]:9051", "[::1]:9051"),
            ("::1", "[::1]:9051"),
            ("/run/tor/control", "/run/tor/control"),
            ("unix:/run/tor/control", "/run/tor/control"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(place), "{text}");
        }
        for bad in ["", "9051", "localhost:9051", "run/tor/control", "unix:", "10.0.0.1:0x1"] {
            assert_eq!(shown(bad), None, "{bad}");
        }
    }

    #[test]
    fn another_machine_has_it_on_its_port() {
        let gateway = Ipv4Addr::new(10, 152, 152, 10);
        assert_eq!(Place::of_gateway(gateway), Place::Tcp((gateway, 9051).into()));
    }
}
