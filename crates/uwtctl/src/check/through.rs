//! Asking the same through Tor: what works there, and not without it, is kept back.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, SocketAddrV4, TcpStream};
use std::time::{Duration, Instant};

use uwt_socks5::{Answer, Auth, Command, Outcome, Progress, Request, Target};

/// What the username of a check of ours begins with.
pub(crate) const MARK: &str = "uwtctl-";

/// The gateway's SocksPort.
#[derive(Clone, Copy, Debug)]
pub(super) struct SocksPort {
    pub(super) address: SocketAddrV4,
    pub(super) patience: Duration,
}

impl SocksPort {
    /// The address of a host, as Tor's RESOLVE says it.
    ///
    /// # Errors
    /// Says why there is none, in a clause.
    pub(super) fn resolve(&self, host: &str) -> Result<IpAddr, String> {
        match self.ask(Command::Resolve, Target::Name { host: host.as_bytes(), port: 0 })? {
            Answer::V4(address) => Ok(IpAddr::V4(*address.ip())),
            Answer::V6(address) => Ok(IpAddr::V6(*address.ip())),
            Answer::Name(..) => Err(format!("Tor gives a name for {host}, and no address")),
        }
    }

    /// Whether a TCP connection can be made there.
    ///
    /// # Errors
    /// Says why not, in a clause.
    pub(super) fn connect(&self, to: SocketAddr) -> Result<(), String> {
        let target = match to {
            SocketAddr::V4(address) => Target::V4(address),
            SocketAddr::V6(address) => Target::V6(address),
        };
        self.ask(Command::Connect, target).map(drop)
    }

    fn ask(&self, command: Command, target: Target<'_>) -> Result<Answer, String> {
        // Nobody's: on a circuit of its own.
        let mut token = [0; 16];
        getrandom::fill(&mut token).map_err(|error| error.to_string())?;
        let username: String = token.iter().fold(MARK.to_owned(), |text, byte| format!("{text}{byte:02x}"));
        let auth = Auth::UserPass { username: username.as_bytes(), password: b"0" };
        let request = Request::new(auth, command, target).map_err(|error| error.to_string())?;
        match self.exchange(&request) {
            Ok(Outcome::Granted(answer)) => Ok(answer),
            Ok(Outcome::Refused(code)) => Err(format!("Tor refuses it: {}", code.text())),
            Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => {
                Err(format!("the SocksPort {} does not answer in time", self.address))
            }
            Err(error) => Err(format!("the SocksPort {} is of no use: {error}", self.address)),
        }
    }

    fn exchange(&self, request: &Request) -> io::Result<Outcome> {
        let until = Instant::now() + self.patience;
        let mut stream = TcpStream::connect_timeout(&self.address.into(), self.patience)?;
        stream.write_all(request.as_bytes())?;
        let mut reply = request.reply();
        let mut chunk = [0; 512];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            stream.set_read_timeout(Some(left))?;
            let needed = reply.needed().min(chunk.len());
            let length = stream.read(chunk.get_mut(..needed).unwrap_or_default())?;
            if length == 0 {
                return Err(io::Error::other(reply.eof()));
            }
            match reply.feed(chunk.get(..length).unwrap_or_default()).map_err(io::Error::other)? {
                Progress::More => {}
                Progress::Done(outcome) => return Ok(outcome),
            }
        }
    }
}
