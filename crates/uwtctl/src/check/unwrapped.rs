//! Lookups and connections as a program without uwt makes them.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use uwt_session::dns::{BadResponse, MAX_QUERY, Record, Response, TYPE_A, parse_response, write_query};

/// glibc asks no more servers than this (resolv.conf(5), MAXNS).
const SERVERS: usize = 3;
/// How often a server is asked, since a datagram may be lost.
const TRIES: u32 = 2;
/// The port of name servers.
const DNS: u16 = 53;

/// What became of something that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate<T> {
    /// It arrived, and was answered.
    Arrived(T),
    /// A server of this machine took it, and nobody knows where it went.
    Taken(String),
    /// Nobody answered, or somebody said no.
    Stopped(String),
    /// This machine did not let it out, which says nothing about the gateway.
    Blocked(String),
}

/// What a name server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answered {
    /// The address of the host.
    pub(super) address: Option<IpAddr>,
    said: String,
}

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

impl<T: fmt::Display> fmt::Display for Fate<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arrived(answer) => answer.fmt(f),
            Self::Taken(said) | Self::Stopped(said) => f.write_str(said),
            Self::Blocked(said) => write!(f, "not sent: {said}"),
        }
    }
}

/// A name server, and what became of the lookup there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lookup {
    pub(super) server: IpAddr,
    pub(super) fate: Fate<Answered>,
}

/// The name servers of this machine.
///
/// # Errors
/// The file is there, and cannot be read or understood.
pub(super) fn servers() -> anyhow::Result<Vec<IpAddr>> {
    let path = "/etc/resolv.conf";
    let text = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        other => other.context(path)?,
    };
    let config = resolv_conf::Config::parse(text).context(path)?;
    let mut servers: Vec<IpAddr> = config.nameservers.iter().map(IpAddr::from).take(SERVERS).collect();
    if servers.is_empty() {
        // resolv.conf(5): the name server on the local machine.
        servers.push(Ipv4Addr::LOCALHOST.into());
    }
    Ok(servers)
}

/// Asks each server for the address of `host`, all at once.
pub(super) fn look_up(servers: &[IpAddr], host: &str, patience: Duration) -> Vec<Lookup> {
    thread::scope(|scope| {
        let asked: Vec<_> =
            servers.iter().map(|server| (*server, scope.spawn(move || ask(*server, host, patience)))).collect();
        let fate = |thread: thread::ScopedJoinHandle<'_, io::Result<Fate<Answered>>>| match thread.join() {
            Ok(Ok(fate)) => fate,
            Ok(Err(error)) => Fate::Blocked(error.to_string()),
            Err(_) => Fate::Blocked("the thread that asks has ended".to_owned()),
        };
        asked.into_iter().map(|(server, thread)| Lookup { server, fate: fate(thread) }).collect()
    })
}

/// Errors are those of making the socket and of sending.
fn ask(server: IpAddr, host: &str, patience: Duration) -> io::Result<Fate<Answered>> {
    let own: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((own, 0))?;
    if let Err(error) = socket.connect((server, DNS)) {
        return Ok(stopped(&error));
    }
    let mut id = [0; 2];
    getrandom::fill(&mut id)?;
    let id = u16::from_be_bytes(id);
    let mut query = [0; MAX_QUERY];
    let length = write_query(&mut query, id, host, TYPE_A)
        .map_err(|_| io::Error::new(ErrorKind::InvalidInput, "this name cannot be looked up"))?;
    for _ in 0..TRIES {
        if let Err(error) = socket.send(query.get(..length).unwrap_or_default()) {
            return Ok(stopped(&error));
        }
        match receive(&socket, id, host, Instant::now() + patience / TRIES) {
            Ok(Some(response)) => return Ok(judged(server, &response)),
            Ok(None) => {}
            Err(error) => return Ok(stopped(&error)),
        }
    }
    Ok(Fate::Stopped("no answer".to_owned()))
}

/// The response, or that it isn't one we can read; `None` when time is up.
fn receive(
    socket: &UdpSocket,
    id: u16,
    host: &str,
    until: Instant,
) -> io::Result<Option<Result<Response, BadResponse>>> {
    let mut message = [0; 4096];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        socket.set_read_timeout(Some(left))?;
        let length = match socket.recv(&mut message) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(None),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other?,
        };
        match parse_response(message.get(..length).unwrap_or_default(), id, host, TYPE_A) {
            Err(BadResponse::NotOurs) => {}
            response => return Ok(Some(response)),
        }
    }
}

fn judged(server: IpAddr, response: &Result<Response, BadResponse>) -> Fate<Answered> {
    let arrived = |said: String, address| Fate::Arrived(Answered { address, said });
    match response {
        Ok(Response::Found { record: Record::A(address), .. }) => {
            arrived(format!("answers {address}"), Some((*address).into()))
        }
        Ok(Response::NxDomain) => arrived("answers that there is no such name".into(), None),
        Ok(Response::Failed(code)) if server.is_loopback() => Fate::Taken(format!("fails (RCODE {code})")),
        Ok(Response::Failed(code)) => arrived(format!("answers with an error (RCODE {code})"), None),
        Ok(_) => arrived("answers that the name has no IPv4 address".into(), None),
        Err(_) => arrived("answers in a way that is not understood".into(), None),
    }
}

/// Connects, and closes at once.
pub(super) fn connect(to: SocketAddr, patience: Duration) -> Fate<&'static str> {
    match TcpStream::connect_timeout(&to, patience) {
        Ok(_) => Fate::Arrived("connected"),
        Err(error) => stopped(&error),
    }
}

/// What an error says. A seccomp filter or a firewall of this machine gives EPERM and EACCES, and then nothing was sent.
fn stopped<T>(error: &io::Error) -> Fate<T> {
    match error.kind() {
        ErrorKind::PermissionDenied => Fate::Blocked(error.to_string()),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Fate::Stopped("no answer".to_owned()),
        ErrorKind::ConnectionRefused => Fate::Stopped("refused".to_owned()),
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => Fate::Stopped("cannot be reached".to_owned()),
        _ => Fate::Stopped(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno::{EACCES, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EPERM};

    use super::*;

    const REMOTE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn whatever_a_server_far_away_answers_it_was_asked() {
        let found = Response::Found { record: Record::A(Ipv4Addr::new(192, 0, 2, 7)), ttl: 1 };
        for response in [
            Ok(found),
            Ok(Response::NoData),
            Ok(Response::NxDomain),
            Ok(Response::Failed(2)),
            Ok(Response::Failed(5)),
            Err(BadResponse::Truncated),
            Err(BadResponse::Malformed),
        ] {
            assert!(matches!(judged(REMOTE, &response), Fate::Arrived(_)), "{response:?}");
        }
        assert!(matches!(judged(LOCAL, &Ok(Response::Failed(2))), Fate::Taken(_)));
        assert!(matches!(judged(LOCAL, &Ok(Response::NxDomain)), Fate::Arrived(_)));
    }

    #[test]
    fn what_this_machine_stops_says_nothing() {
        let fate = |errno| stopped::<&str>(&io::Error::from_raw_os_error(errno as i32));
        for errno in [EACCES, EPERM] {
            assert!(matches!(fate(errno), Fate::Blocked(_)), "{errno}");
        }
        for errno in [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH] {
            assert!(matches!(fate(errno), Fate::Stopped(_)), "{errno}");
        }
    }

    #[test]
    fn a_port_that_answers_and_one_that_does_not() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let patience = Duration::from_secs(10);
        assert_eq!(connect(address, patience), Fate::Arrived("connected"));
        drop(listener);
        assert_eq!(connect(address, patience), Fate::Stopped("refused".to_owned()));
    }
}
