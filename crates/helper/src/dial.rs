//! Connects through the gateway: the SOCKS5 handshake on a socket of the host, its answer read exactly.

use std::io;
use std::net::{IpAddr, TcpStream as StdStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use uwt_policy::Errno;
use uwt_session::{Credential, Session};
use uwt_socks5::{Answer, Auth, Command, Outcome, Progress, ReplyCode, Request, Target};

use crate::say::Say;
use crate::shared::Shared;
use crate::tree::Process;

/// Room for the longest step of an answer: a name of 255 bytes and what is around it.
const STEP: usize = 300;

/// Why a handshake ended without a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The gateway answered with a refusal.
    Refused(ReplyCode),
    /// The gateway could not be reached, took too long or did not speak SOCKS5.
    Gateway(Errno),
    /// It was not even tried: no socket, no credential, a target that SOCKS can't say.
    Call(Errno),
}

impl Failure {
    /// What the program is told.
    pub(crate) fn errno(self) -> Errno {
        match self {
            Self::Refused(code) => Errno(code.errno()),
            Self::Gateway(errno) | Self::Call(errno) => errno,
        }
    }
}

impl From<io::Error> for Failure {
    /// Of the connection to the gateway.
    fn from(error: io::Error) -> Self {
        Self::Gateway(errno_of(&error))
    }
}

/// Asks the gateway of a process's session for `target`, with the credential that the preload would use there, and tells
/// the user what the preload would tell.
///
/// # Errors
/// [`Failure`]; the program is told its [`errno`](Failure::errno).
pub(crate) async fn carry(
    process: &Process,
    shared: &Shared,
    command: Command,
    target: Target<'_>,
) -> Result<(TcpStream, Answer), Failure> {
    let destination = text(target);
    // Nothing is sent without a credential that was asked for.
    let credential = process.credential(&destination, &shared.outside).map_err(|_| Failure::Call(Errno::EACCES))?;
    let socket = shared.outside.stream(false).map_err(|error| Failure::Call(errno_of(&error)))?;
    let result = dial(socket, process.session, credential.as_ref(), command, target).await;
    if let Err(Failure::Gateway(errno)) = result {
        shared.say.gateway(process.pid, &complaint(process.session, errno), &shared.outside);
    }
    if process.session.verbose {
        let verb = match command {
            Command::Connect => "connect to",
            Command::Resolve => "resolve",
            Command::ResolvePtr => "resolve the name of",
        };
        let who = credential.as_ref().map_or("no credential", Credential::label);
        let end = match &result {
            Ok(_) => "granted".to_owned(),
            Err(Failure::Refused(code)) => code.text().to_owned(),
            Err(failure) => failure.errno().to_string(),
        };
        Say::line(process.pid, &format!("{verb} {destination} as {who}: {end}"), &shared.outside);
    }
    result
}

/// Connects `socket`, a non-blocking TCP/IPv4 socket of the host's network, to the session's gateway and asks it for
/// `target`: at most `session.timeout` seconds, then it is ETIMEDOUT. What follows the answer is left in the socket.
///
/// # Errors
/// [`Failure`]; the socket is closed then.
pub(crate) async fn dial(
    socket: OwnedFd,
    session: &Session<'_>,
    credential: Option<&Credential>,
    command: Command,
    target: Target<'_>,
) -> Result<(TcpStream, Answer), Failure> {
    let auth = credential.map_or(Auth::None, |credential| Auth::UserPass {
        username: credential.username().as_bytes(),
        password: credential.password().as_bytes(),
    });
    let request = Request::new(auth, command, target).map_err(|error| Failure::Call(Errno(error.errno())))?;
    let socket = TcpSocket::from_std_stream(StdStream::from(socket));
    // On the heap, because the caller's task keeps room for it as long as the connection lives.
    let handshake = Box::pin(async move {
        let mut stream = socket.connect(session.gateway.into()).await?;
        stream.set_nodelay(true)?;
        let answer = ask(&mut stream, &request).await?;
        Ok((stream, answer))
    });
    let limit = Duration::from_secs(session.timeout.into());
    tokio::time::timeout(limit, handshake).await.unwrap_or(Err(Failure::Gateway(Errno::ETIMEDOUT)))
}

async fn ask(stream: &mut TcpStream, request: &Request) -> Result<Answer, Failure> {
    stream.write_all(request.as_bytes()).await?;
    let mut reply = request.reply();
    let mut buffer = [0; STEP];
    loop {
        let room = buffer.get_mut(..reply.needed()).ok_or(Failure::Gateway(Errno::ECONNABORTED))?;
        let read = stream.read(room).await?;
        if read == 0 {
            return Err(Failure::Gateway(Errno(reply.eof().errno())));
        }
        match reply.feed(buffer.get(..read).unwrap_or_default()) {
            Ok(Progress::More) => {}
            Ok(Progress::Done(Outcome::Granted(answer))) => return Ok(answer),
            Ok(Progress::Done(Outcome::Refused(code))) => return Err(Failure::Refused(code)),
            Err(error) => return Err(Failure::Gateway(Errno(error.errno()))),
        }
    }
}

/// The errno of an error; ECONNABORTED for one without.
pub(crate) fn errno_of(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::ECONNABORTED, Errno)
}

/// The destination host in its canonical text.
fn text(target: Target<'_>) -> String {
    match target {
        Target::Name { host, .. } => String::from_utf8_lossy(host).into_owned(),
        Target::V4(address) => IpAddr::V4(*address.ip()).to_string(),
        Target::V6(address) => IpAddr::V6(*address.ip()).to_string(),
    }
}

/// Why nothing works.
fn complaint(session: &Session<'_>, errno: Errno) -> String {
    let gateway = session.gateway;
    let what = match errno {
        Errno::ECONNABORTED => format!("the gateway at {gateway} does not answer like a SocksPort; is it Tor's?"),
        Errno::EACCES => format!("the SocksPort at {gateway} refuses our credential; is it Tor's?"),
        errno => format!("no connection through the SocksPort at {gateway}: {errno}; is Tor running?"),
    };
    what + " (`uwt --explain` shows the gateway)"
}

#[cfg(test)]
mod tests;
