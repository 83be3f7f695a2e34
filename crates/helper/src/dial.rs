//! Connects through the gateway: the SOCKS5 handshake on a socket of the host, its answer read exactly. It has two halves,
//! because a program that may send at once needs not wait for the second.

use std::io;
use std::net::{IpAddr, TcpStream as StdStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout_at};
use uwt_policy::Errno;
use uwt_report::{Destination, Happening, Layer, Outcome};
use uwt_session::{Credential, Session, Voice};
use uwt_socks5::{self as socks, Answer, Auth, Command, Progress, Reply, ReplyCode, Request, Target};

use crate::report::Witness;
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

/// Asks the gateway of a process's session for `target` and waits for the answer: [`ask`] and [`Asked::answer`].
///
/// # Errors
/// [`Failure`]; the program is told its [`errno`](Failure::errno).
pub(crate) async fn carry(
    process: &Process,
    shared: &Shared,
    layer: Layer,
    command: Command,
    target: Target<'_>,
) -> Result<(TcpStream, Answer), Failure> {
    // On the heap, because the caller's task keeps room for it as long as the connection lives.
    Box::pin(async { ask(process, shared, layer, command, target).await?.answer().await }).await
}

/// Sends the gateway of a process's session the request for `target`, with the credential that the preload would use there.
/// What the preload would tell the user, the user is told, and it is reported as what `layer` has carried: now if it fails,
/// else with the answer. From now on it takes `session.timeout` seconds at most until that is there.
///
/// # Errors
/// [`Failure`]; the program is told its [`errno`](Failure::errno).
pub(crate) async fn ask<'a>(
    process: &'a Process,
    shared: &'a Shared,
    layer: Layer,
    command: Command,
    target: Target<'_>,
) -> Result<Asked<'a>, Failure> {
    let limit = Duration::from_secs(process.session.timeout.into());
    let deadline = Instant::now() + limit;
    let destination = destination(target);
    // Nothing is sent without a credential that was asked for.
    let credential = process.credential(&destination.host, &shared.outside).map_err(|_| Failure::Call(Errno::EACCES));
    let ready = credential.and_then(|credential| {
        let socket = shared.outside.stream(false).map_err(|error| Failure::Call(errno_of(&error)))?;
        Ok((credential, socket))
    });
    let mut report = Report { process, shared, layer, command, destination, credential: None, is_open: true };
    let socket = match ready {
        Ok((credential, socket)) => {
            report.credential = credential;
            socket
        }
        Err(failure) => return Err(report.failed(failure)),
    };
    let sent = timeout_at(deadline, send(socket, process.session, report.credential.as_ref(), command, target)).await;
    match sent.unwrap_or(Err(Failure::Gateway(Errno::ETIMEDOUT))) {
        Ok((stream, reply)) => Ok(Asked { stream, question: Question { reply, deadline, report } }),
        Err(failure) => Err(report.failed(failure)),
    }
}

/// A request that was sent.
#[derive(Debug)]
#[must_use]
pub(crate) struct Asked<'a> {
    /// The connection to the gateway. What is written to it goes right behind the request; until the answer was read it is
    /// read by nobody else.
    pub(crate) stream: TcpStream,
    /// What was asked.
    pub(crate) question: Question<'a>,
}

impl Asked<'_> {
    /// Waits for the answer. What follows it is left in the stream.
    ///
    /// # Errors
    /// Those of [`Question::answer`]; the stream is closed then.
    pub(crate) async fn answer(self) -> Result<(TcpStream, Answer), Failure> {
        let answer = self.question.answer(&self.stream).await?;
        Ok((self.stream, answer))
    }
}

/// A request that is not answered yet.
#[derive(Debug)]
#[must_use]
pub(crate) struct Question<'a> {
    reply: Reply,
    deadline: Instant,
    report: Report<'a>,
}

impl Question<'_> {
    /// Waits for the answer on the stream of [`Asked`], reads exactly that, and tells the user what the preload would tell.
    ///
    /// # Errors
    /// [`Failure`]; the stream is of no further use then.
    pub(crate) async fn answer(self, stream: &TcpStream) -> Result<Answer, Failure> {
        let Self { reply, deadline, mut report } = self;
        match timeout_at(deadline, read(stream, reply)).await.unwrap_or(Err(Failure::Gateway(Errno::ETIMEDOUT))) {
            Ok(answer) => {
                report.ended(Outcome::Granted);
                Ok(answer)
            }
            Err(failure) => Err(report.failed(failure)),
        }
    }
}

/// Who asked for what, for the user and for the report.
#[derive(Debug)]
struct Report<'a> {
    process: &'a Process,
    shared: &'a Shared,
    layer: Layer,
    command: Command,
    destination: Destination,
    credential: Option<Credential>,
    /// How it ended was not told yet.
    is_open: bool,
}

impl Report<'_> {
    fn failed(&mut self, failure: Failure) -> Failure {
        let (process, shared) = (self.process, self.shared);
        if let Failure::Gateway(errno) = failure {
            shared.say.gateway(process, &complaint(process.session, errno), &shared.outside);
        }
        let why = match failure {
            Failure::Refused(code) => code.text().to_owned(),
            failure => failure.errno().to_string(),
        };
        self.ended(Outcome::Failed { why });
        failure
    }

    fn ended(&mut self, outcome: Outcome) {
        if self.process.session.voice == Voice::Verbose {
            self.say(&outcome);
        }
        self.is_open = false;
        let witness = if self.layer == Layer::Relay { Witness::Preload } else { Witness::Guard };
        self.shared.happened_by(self.process, witness, || {
            let (layer, destination) = (self.layer, self.destination.clone());
            let credential = self.credential.as_ref().map(|credential| credential.label().to_owned());
            match self.command {
                Command::Connect => Happening::Connection { layer, destination, credential, outcome },
                Command::Resolve | Command::ResolvePtr => {
                    Happening::Lookup { layer, name: destination.host, credential, sent: true, outcome }
                }
            }
        });
    }

    fn say(&self, outcome: &Outcome) {
        let how = match outcome {
            Outcome::Granted => "granted",
            Outcome::Failed { why } => why,
        };
        let verb = match self.command {
            Command::Connect => "connect to",
            Command::Resolve => "resolve",
            Command::ResolvePtr => "resolve the name of",
        };
        let who = self.credential.as_ref().map_or("no credential", Credential::label);
        let destination = &self.destination.host;
        Say::line(self.process.pid, &format!("{verb} {destination} as {who}: {how}"), &self.shared.outside);
    }
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        // The program has gone on, or has ended, and the request may have been sent all the same.
        if self.is_open {
            let why = "nobody waited for the answer".to_owned();
            self.ended(Outcome::Failed { why });
        }
    }
}

/// Connects `socket`, a non-blocking TCP/IPv4 socket of the host's network, to the session's gateway and asks it for
/// `target`.
///
/// # Errors
/// [`Failure`]; the socket is closed then.
async fn send(
    socket: OwnedFd,
    session: &Session<'_>,
    credential: Option<&Credential>,
    command: Command,
    target: Target<'_>,
) -> Result<(TcpStream, Reply), Failure> {
    let auth = credential.map_or(Auth::None, |credential| Auth::UserPass {
        username: credential.username().as_bytes(),
        password: credential.password().as_bytes(),
    });
    let request = Request::new(auth, command, target).map_err(|error| Failure::Call(Errno(error.errno())))?;
    let socket = TcpSocket::from_std_stream(StdStream::from(socket));
    let mut stream = socket.connect(session.gateway.into()).await?;
    stream.set_nodelay(true)?;
    stream.write_all(request.as_bytes()).await?;
    Ok((stream, request.reply()))
}

/// Reads an answer, and not one byte behind it.
async fn read(stream: &TcpStream, mut reply: Reply) -> Result<Answer, Failure> {
    let mut buffer = [0; STEP];
    loop {
        let room = buffer.get_mut(..reply.needed()).ok_or(Failure::Gateway(Errno::ECONNABORTED))?;
        stream.readable().await?;
        let read = match stream.try_read(room) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Ok(0) => return Err(Failure::Gateway(Errno(reply.eof().errno()))),
            read => read?,
        };
        match reply.feed(buffer.get(..read).unwrap_or_default()) {
            Ok(Progress::More) => {}
            Ok(Progress::Done(socks::Outcome::Granted(answer))) => return Ok(answer),
            Ok(Progress::Done(socks::Outcome::Refused(code))) => return Err(Failure::Refused(code)),
            Err(error) => return Err(Failure::Gateway(Errno(error.errno()))),
        }
    }
}

/// The errno of an error; ECONNABORTED for one without.
pub(crate) fn errno_of(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::ECONNABORTED, Errno)
}

/// The destination, its host in its canonical text.
fn destination(target: Target<'_>) -> Destination {
    let (host, port) = match target {
        Target::Name { host, port } => (String::from_utf8_lossy(host).into_owned(), port),
        Target::V4(address) => (IpAddr::V4(*address.ip()).to_string(), address.port()),
        Target::V6(address) => (IpAddr::V6(*address.ip()).to_string(), address.port()),
    };
    Destination { host, port }
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
