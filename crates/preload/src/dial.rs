//! The SOCKS5 handshake on a descriptor: written in one segment, its answer read exactly, with a deadline, however the
//! program has set up the socket.

use core::ffi::c_int;
use core::net::SocketAddr;

use uwt_policy::{Errno, Scope};
use uwt_session::report::{Deed, Ended, Told};
use uwt_session::{Credential, Session, Voice};
use uwt_socks5::{Answer, Auth, Command, Outcome, Progress, ReplyCode, Request, Target};

use crate::notice::{self, Once};
use crate::wire::Encoded;
use crate::{process, report, sys};

/// Why a handshake ended without a connection.
pub(crate) enum Failure {
    /// The gateway answered with a refusal.
    Refused(ReplyCode),
    /// The gateway could not be reached or did not speak SOCKS5; the user was told.
    Gateway(Errno),
    /// A signal came, or the program's own time limit: what errno connect(2) has for that.
    Interrupted(Errno),
    /// The call made no sense, as the kernel says (EISCONN, EALREADY, EBADF, …).
    Call(Errno),
}

impl Failure {
    /// What the program is told.
    pub(crate) fn errno(&self) -> Errno {
        match self {
            Self::Refused(code) => Errno(code.errno()),
            Self::Gateway(errno) | Self::Interrupted(errno) | Self::Call(errno) => *errno,
        }
    }
}

/// How long, and what ends the waiting early.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// CLOCK_MONOTONIC in nanoseconds.
    deadline: u64,
    /// The deadline is the program's own (`SO_SNDTIMEO`), not ours.
    own: bool,
    /// A handler without `SA_RESTART` ends the wait, as it would end a blocking connect(2).
    interruptible: bool,
    /// The socket's status flags.
    flags: c_int,
}

impl Patience {
    /// For name lookups, which no signal ends (getaddrinfo(3) has no EINTR).
    pub(crate) fn of_lookup(session: &Session<'_>) -> Self {
        Self { deadline: after_seconds(session.timeout), own: false, interruptible: false, flags: libc::O_NONBLOCK }
    }

    /// For connect(2) on this socket.
    pub(crate) fn of_socket(session: &Session<'_>, fd: c_int, resumed: bool) -> Result<Self, Errno> {
        let flags = sys::status_flags(fd)?;
        let blocking = flags & libc::O_NONBLOCK == 0;
        let limit: Timeval = sys::option(fd, libc::SOL_SOCKET, libc::SO_SNDTIMEO)?;
        let limit = if blocking && !resumed { limit.nanoseconds() } else { 0 };
        let ours = after_seconds(session.timeout);
        let theirs = sys::now() + limit;
        let own = limit > 0 && theirs < ours;
        Ok(Self { deadline: if own { theirs } else { ours }, own, interruptible: blocking && !resumed, flags })
    }

    /// Waits until the socket is ready.
    pub(crate) fn wait(self, fd: c_int, events: i16) -> Result<(), Failure> {
        loop {
            let left = self.deadline.saturating_sub(sys::now());
            match sys::poll(fd, events, left) {
                Ok(0) if self.own => return Err(Failure::Interrupted(Errno::EINPROGRESS)),
                Ok(0) => return Err(Failure::Gateway(Errno::ETIMEDOUT)),
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) if self.interruptible && sys::has_interrupting_handler() => {
                    return Err(Failure::Interrupted(Errno::EINTR));
                }
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(Failure::Gateway(errno)),
            }
        }
    }
}

#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Timeval {
    seconds: i64,
    microseconds: i64,
}

impl Timeval {
    fn nanoseconds(self) -> u64 {
        // Longer than a hundred years is that long.
        let seconds = self.seconds.clamp(0, i64::from(u32::MAX)).cast_unsigned();
        let microseconds = self.microseconds.clamp(0, 999_999).cast_unsigned();
        seconds * 1_000_000_000 + microseconds * 1000
    }
}

fn after_seconds(seconds: u16) -> u64 {
    sys::now() + u64::from(seconds) * 1_000_000_000
}

/// Connects `fd`, an unconnected TCP socket, to the gateway at `address` and asks it for `target`.
///
/// After any failure but [`Failure::Call`] the socket is unconnected again.
pub(crate) fn dial(
    session: &Session<'_>,
    fd: c_int,
    address: SocketAddr,
    command: Command,
    target: Target<'_>,
    destination: &str,
    patience: Patience,
) -> Result<Answer, Failure> {
    let credential = match session.scope {
        Scope::None => None,
        _ => Some(process::credential(session, destination).ok_or(Failure::Call(Errno::EACCES))?),
    };
    let auth = credential.as_ref().map_or(Auth::None, auth);
    let request = Request::new(auth, command, target).map_err(|_| Failure::Call(Errno::EINVAL))?;
    let result = open(fd, address, patience).and_then(|()| ask(fd, &request, patience));
    match &result {
        Ok(_) | Err(Failure::Call(_)) => {}
        Err(failure) => {
            sys::disconnect(fd);
            if let Failure::Gateway(errno) = failure {
                complain(session, *errno);
            }
        }
    }
    if session.report || session.voice == Voice::Verbose {
        // A request ends with the port.
        let port = request.as_bytes().last_chunk().map_or(0, |port| u16::from_be_bytes(*port));
        tell(session, credential.as_ref(), (destination, port), command, &result);
    }
    result
}

fn auth(credential: &Credential) -> Auth<'_> {
    Auth::UserPass { username: credential.username().as_bytes(), password: credential.password().as_bytes() }
}

/// The TCP connection to the gateway. A blocking socket is made non-blocking for the call: the kernel would wait by its own
/// limit (two minutes), and we wait by ours.
fn open(fd: c_int, address: SocketAddr, patience: Patience) -> Result<(), Failure> {
    let address = Encoded::new(address);
    match sys::without_waiting(fd, patience.flags, || sys::connect(fd, address.as_bytes())) {
        Ok(()) => return Ok(()),
        Err(Errno::EINPROGRESS) => {}
        Err(errno @ (Errno::EISCONN | Errno::EALREADY | Errno::EBADF | Errno::ENOTSOCK | Errno::EINVAL)) => {
            return Err(Failure::Call(errno));
        }
        Err(errno) => return Err(Failure::Gateway(errno)),
    }
    patience.wait(fd, libc::POLLOUT)?;
    // How it went; and after a success the kernel lets one more connect(2) succeed, which must be ours and not a second
    // one of the program's.
    sys::connect(fd, address.as_bytes()).map_err(Failure::Gateway)
}

/// The handshake.
fn ask(fd: c_int, request: &Request, patience: Patience) -> Result<Answer, Failure> {
    let mut rest = request.as_bytes();
    while !rest.is_empty() {
        match sys::send(fd, rest) {
            Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
            Err(Errno::EAGAIN) => patience.wait(fd, libc::POLLOUT)?,
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(Failure::Gateway(errno)),
        }
    }
    let mut reply = request.reply();
    let mut buffer = [0; 300];
    loop {
        let room = buffer.get_mut(..reply.needed()).ok_or(Failure::Gateway(Errno::ECONNABORTED))?;
        let read = match sys::receive(fd, room) {
            Ok(0) => return Err(Failure::Gateway(Errno(reply.eof().errno()))),
            Ok(read) => read,
            Err(Errno::EAGAIN) => {
                patience.wait(fd, libc::POLLIN)?;
                continue;
            }
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(Failure::Gateway(errno)),
        };
        match reply.feed(buffer.get(..read).unwrap_or_default()) {
            Ok(Progress::More) => {}
            Ok(Progress::Done(Outcome::Granted(answer))) => return Ok(answer),
            Ok(Progress::Done(Outcome::Refused(code))) => return Err(Failure::Refused(code)),
            Err(error) => return Err(Failure::Gateway(Errno(error.errno()))),
        }
    }
}

/// Tells the user once why nothing works.
#[cold]
#[inline(never)]
fn complain(session: &Session<'_>, errno: Errno) {
    static ONCE: Once = Once::new();
    let hint = "(`uwt --explain` shows the gateway)";
    ONCE.say(|line| {
        match errno {
            Errno::ECONNABORTED => {
                line.text("the gateway at ").socket_address(session.gateway);
                line.text(" does not answer like a SocksPort; is it Tor's? ")
            }
            Errno::EACCES => {
                line.text("the SocksPort at ").socket_address(session.gateway);
                line.text(" refuses our credential; is it Tor's? ")
            }
            errno => {
                line.text("no connection through the SocksPort at ").socket_address(session.gateway);
                line.text(": ").errno(errno).text("; is Tor running? ")
            }
        };
        line.text(hint);
    });
}

#[cold]
#[inline(never)]
fn tell(
    session: &Session<'_>,
    credential: Option<&Credential>,
    (host, port): (&str, u16),
    command: Command,
    result: &Result<Answer, Failure>,
) {
    let (deed, verb) = match command {
        Command::Connect => (Deed::Connect, "connect to"),
        Command::Resolve => (Deed::Resolve, "resolve"),
        Command::ResolvePtr => (Deed::ResolvePtr, "resolve the name of"),
    };
    let label = credential.map(Credential::label);
    let ended = match result {
        Ok(_) => Ended::by_gateway(0),
        Err(Failure::Refused(code)) => Ended::by_gateway(code.byte()),
        Err(failure) => Ended::with(failure.errno()),
    };
    if session.report && !matches!(result, Err(Failure::Call(_))) {
        let credential = label.unwrap_or_default();
        report::send(session, &Told { deed, ended, socket: report::NONE, host, port, credential });
    }
    if session.voice != Voice::Verbose {
        return;
    }
    notice::say(|line| {
        line.text("[").number(sys::pid()).text("] ").text(verb).text(" ").text(host);
        line.text(" as ").text(label.unwrap_or("no credential")).text(": ");
        match result {
            Ok(_) => line.text("granted"),
            Err(Failure::Refused(code)) => line.text(code.text()),
            Err(failure) => line.errno(failure.errno()),
        };
    });
}
