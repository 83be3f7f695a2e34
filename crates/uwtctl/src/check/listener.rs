//! A SocksPort of our own, to see what uwt sends to one.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::control::Pair;

/// How long a client may take for the next byte.
const PATIENCE: Duration = Duration::from_secs(10);
const VERSION: u8 = 5;
const METHOD_NONE: u8 = 0;
const METHOD_USER_PASS: u8 = 2;
const CONNECT: u8 = 1;
/// The answer to a request: granted, bound to 0.0.0.0:0.
const GRANTED: [u8; 10] = [VERSION, 0, 0, 1, 0, 0, 0, 0, 0, 0];
/// The answer to a lookup: 192.0.2.1, an address that documentation has for itself (RFC 5737).
const RESOLVED: [u8; 10] = [VERSION, 0, 0, 1, 192, 0, 2, 1, 0, 0];

/// What a client sent to be known by; none where it offered none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen(pub(super) Option<Pair>);

/// A SOCKS5 server on loopback that grants everything and connects nowhere.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) address: SocketAddr,
    seen: Receiver<Seen>,
}

impl Listener {
    /// Starts it; it ends with this process.
    ///
    /// # Errors
    /// There is no port to be had.
    pub(super) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let (tell, seen) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let tell = tell.clone();
                thread::spawn(move || serve(stream, &tell));
            }
        });
        Ok(Self { address, seen })
    }

    /// The credential of the next connection that was asked for, if one is in time.
    pub(super) fn next(&self, patience: Duration) -> Option<Seen> {
        self.seen.recv_timeout(patience).ok()
    }
}

/// Answers one client, and holds its connection until it closes it.
fn serve(mut stream: TcpStream, tell: &Sender<Seen>) {
    // Whoever speaks otherwise gets no answer, and is not counted.
    let Ok((pair, command)) = handshake(&mut stream) else { return };
    if command != CONNECT {
        let _ = stream.write_all(&RESOLVED);
        return;
    }
    // Told before it is answered: when the client says that it is connected it is known.
    let _ = tell.send(Seen(pair));
    if stream.write_all(&GRANTED).is_ok() && stream.set_read_timeout(None).is_ok() {
        let _ = io::copy(&mut stream, &mut io::sink());
    }
}

/// RFC 1928 and RFC 1929, from the server's side: the credential, if there is one, and the command.
fn handshake(stream: &mut TcpStream) -> io::Result<(Option<Pair>, u8)> {
    let foreign = || io::Error::from(ErrorKind::InvalidData);
    stream.set_read_timeout(Some(PATIENCE))?;
    let [version, methods] = bytes(stream)?;
    let methods = string(stream, methods)?;
    if version != VERSION {
        return Err(foreign());
    }
    let pair = if methods.contains(&METHOD_USER_PASS) {
        stream.write_all(&[VERSION, METHOD_USER_PASS])?;
        let [_, length] = bytes(stream)?;
        let username = string(stream, length)?;
        let [length] = bytes(stream)?;
        let password = string(stream, length)?;
        stream.write_all(&[1, 0])?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Some(Pair { username: text(username), password: text(password) })
    } else {
        stream.write_all(&[VERSION, METHOD_NONE])?;
        None
    };
    let [_, command, _, kind] = bytes(stream)?;
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => bytes::<1>(stream)?[0],
        _ => return Err(foreign()),
    };
    string(stream, length)?;
    bytes::<2>(stream)?;
    Ok((pair, command))
}

fn bytes<const N: usize>(stream: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn string(stream: &mut TcpStream, length: u8) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::from(length)];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use uwt_socks5::{Auth, Command, Progress, Request, Target};

    use super::*;

    /// What a client is told, and what was seen of it.
    fn ask(auth: Auth<'_>, command: Command) -> (bool, Option<Seen>) {
        let listener = Listener::start().unwrap();
        let request = Request::new(auth, command, Target::Name { host: b"a.test", port: 80 }).unwrap();
        let mut stream = TcpStream::connect(listener.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = request.reply();
        let mut byte = [0];
        let done = loop {
            stream.read_exact(&mut byte).unwrap();
            if let Progress::Done(outcome) = reply.feed(&byte).unwrap() {
                break outcome;
            }
        };
        (matches!(done, uwt_socks5::Outcome::Granted(_)), listener.next(Duration::from_millis(50)))
    }

    #[test]
    fn credentials_are_seen() {
        let auth = Auth::UserPass { username: b"u", password: b"p" };
        let pair = Pair { username: "u".into(), password: "p".into() };
        assert_eq!(ask(auth, Command::Connect), (true, Some(Seen(Some(pair)))));
        assert_eq!(ask(Auth::None, Command::Connect), (true, Some(Seen(None))));
    }

    #[test]
    fn lookups_are_no_connections() {
        assert_eq!(ask(Auth::None, Command::Resolve), (true, None));
    }
}
