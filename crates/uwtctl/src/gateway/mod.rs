//! Asking a SocksPort what it is.
//!
//! One connection is opened and one request written: greeting, a credential, and Tor's RESOLVE (socks-extensions, section 2)
//! of the address literal 127.0.0.1. Tor answers the lookup of a literal by itself and at once, also when it has no network
//! (its `connection_ap_handshake_rewrite_and_attach`); Arti does the same. So no circuit is used or built, nothing leaves the
//! gateway, and what the gateway sees says nothing about the user: the literal is the same for everybody and the credential
//! is random and thrown away, in the form that all of ours have.
//!
//! What is no Tor does not know RESOLVE, or takes it for something else and does not echo the address.

mod answer;

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddrV4, TcpStream};
use std::time::{Duration, Instant};

use uwt_socks5::{Answer as Address, Auth, Command, Error, Outcome, Progress, ReplyCode, Request, Stage, Target};

pub(crate) use self::answer::Answer;

/// How long to wait for a gateway, which is on this machine or beside it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// What is looked up.
const LITERAL: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// Asks what listens there; it takes `patience` at most.
pub(crate) fn ask(at: SocketAddrV4, patience: Duration) -> Answer {
    let end = Instant::now() + patience;
    let stream = match TcpStream::connect_timeout(&at.into(), patience) {
        Ok(stream) => stream,
        Err(error) => return Answer::of_connecting(&error),
    };
    exchange(&stream, end).unwrap_or_else(|error| {
        if is_timeout(&error) { Answer::Silent } else { Answer::Broken { what: error.to_string() } }
    })
}

fn exchange(mut stream: &TcpStream, end: Instant) -> io::Result<Answer> {
    let request = request()?;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(left(end)?))?;
    stream.write_all(request.as_bytes())?;
    let long = left(end)? * 3 / 4;
    let mut reply = request.reply();
    let mut first = Vec::new();
    loop {
        let mut buffer = [0; 64];
        let wanted = reply.needed().min(buffer.len());
        let part = buffer.get_mut(..wanted).unwrap_or_default();
        stream.set_read_timeout(Some(if first.is_empty() { long } else { left(end)? }))?;
        let length = match stream.read(part) {
            // A server that waits for the end of a line answers when nothing more can come.
            Err(error) if is_timeout(&error) && first.is_empty() => {
                stream.shutdown(Shutdown::Write)?;
                stream.set_read_timeout(Some(left(end)?))?;
                stream.read(part)
            }
            read => read,
        }?;
        let part = part.get(..length).unwrap_or_default();
        first.extend_from_slice(part);
        let progress = if part.is_empty() { Err(reply.eof()) } else { reply.feed(part) };
        match progress {
            Ok(Progress::More) => {}
            Ok(Progress::Done(outcome)) => return Ok(granted(&outcome)),
            Err(error) => return Ok(failed(error, stream, first, end)),
        }
    }
}

fn granted(outcome: &Outcome) -> Answer {
    match outcome {
        Outcome::Granted(Address::V4(address)) if *address.ip() == LITERAL => Answer::Tor,
        Outcome::Granted(_) => Answer::NotTor { what: "it answers a lookup with something else".to_owned() },
        Outcome::Refused(code) => Answer::NotTor { what: refusal(*code) },
    }
}

fn refusal(code: ReplyCode) -> String {
    format!("it refuses a lookup: {}", code.text())
}

fn failed(error: Error, stream: &TcpStream, first: Vec<u8>, end: Instant) -> Answer {
    match error {
        Error::Eof(Stage::Method) if first.is_empty() => Answer::Closed,
        Error::Eof(_) | Error::Misuse => Answer::Broken { what: error.to_string() },
        Error::NoAcceptableMethod | Error::WrongMethod(_) | Error::AuthSkipped | Error::AuthRefused(_) => {
            Answer::NoCredentials { what: error.to_string() }
        }
        Error::Version(_) if is_http(stream, first, end) => Answer::Http,
        _ => Answer::NotSocks,
    }
}

/// Whether the answer begins as those of HTTP do.
fn is_http(stream: &TcpStream, mut begun: Vec<u8>, end: Instant) -> bool {
    const BEGINNING: &[u8] = b"HTTP/";
    while begun.len() < BEGINNING.len() && BEGINNING.starts_with(&begun) {
        let mut buffer = [0; 16];
        let mut from = stream;
        let read = left(end).and_then(|left| stream.set_read_timeout(Some(left))).and_then(|()| from.read(&mut buffer));
        match read {
            Ok(length) if length > 0 => begun.extend(buffer.iter().take(length)),
            _ => return false,
        }
    }
    begun.starts_with(BEGINNING)
}

/// The time until `end`.
fn left(end: Instant) -> io::Result<Duration> {
    let left = end.saturating_duration_since(Instant::now());
    // A timeout of zero would be none.
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn request() -> io::Result<Request> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let username = format!("uwt-{:032x}", u128::from_be_bytes(random));
    let auth = Auth::UserPass { username: username.as_bytes(), password: b"0" };
    let host = LITERAL.to_string();
    let target = Target::Name { host: host.as_bytes(), port: 0 };
    Request::new(auth, Command::Resolve, target).map_err(io::Error::other)
}

#[cfg(test)]
mod tests;
