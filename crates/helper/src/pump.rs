//! Copies between a program's connection, in the cage or by the relay, and its other half to the gateway.
//!
//! By splice(2) through a pipe: the bytes stay where the kernel has them, which takes two thirds of the time of a copy
//! through a buffer. All connections of the thread use one pipe, so each must leave it empty: what the other side has no
//! room for is taken out of it and kept, and nothing is read until that is gone.
//!
//! An urgent byte (tcp(7), `MSG_OOB`) stays at its place between the others. splice(2) stops in front of it as if there were
//! nothing more; it is read on its own and sent as an urgent one.

use std::cell::Cell;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, SpliceFFlags, fcntl, splice};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::socket::{MsgFlags, Shutdown, recv, send, setsockopt, shutdown, sockopt};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::sys::net::is_at_mark;

/// How many bytes the pipe holds, where the kernel lets it grow so far (pipe(7), `pipe-user-pages-soft`).
const ROOM: i32 = 256 * 1024;
/// How many bytes are asked for at a time: as many as the pipe holds.
const MOST: usize = 1024 * 1024;
/// How many bytes a connection may copy until the others have their turn.
const TURN: usize = 1024 * 1024;

thread_local! {
    static PIPE: Cell<Option<Pipe>> = const { Cell::new(None) };
}

/// Copies both ways until both are at their end. The end of one side is passed on as an end (a FIN) behind everything that
/// came before it, a reset as a reset. Once `unread` is ready, no program reads any more: then it ends when what came
/// from there is delivered.
pub(crate) fn pump(program: TcpStream, host: TcpStream, unread: impl Future<Output = ()>) -> impl Future<Output = ()> {
    pump_early(program, host, async |_: &TcpStream| true, unread)
}

/// Like [`pump`], for a gateway that has been asked and has not answered: what the program sends goes out at once.
/// `granted` reads the answer from `host` and says whether the rest may follow; if not, both connections are reset.
pub(crate) async fn pump_early(
    program: TcpStream,
    host: TcpStream,
    granted: impl AsyncFnOnce(&TcpStream) -> bool,
    unread: impl Future<Output = ()>,
) {
    for stream in [&program, &host] {
        // Else it could only be read past the others, and one that comes alone would wake nobody. What can't be set is
        // a socket that is broken, as the first read will tell.
        let _ = setsockopt(stream, sockopt::OobInline, &true);
    }
    let (open, out, back) = (Event::default(), Event::default(), Event::default());
    let backward = async {
        // On the heap, to be freed when it is known.
        if !Box::pin(granted(&host)).await {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        open.occur();
        one_way(&host, &program, &open, &back, &out).await
    };
    let delivered = async {
        unread.await;
        out.occurred().await;
    };
    let result = tokio::select! {
        // The gateway's reason comes before the error of writing to a gateway that has gone.
        biased;
        result = backward => result,
        result = one_way(&program, &host, &open, &out, &back) => result,
        () = delivered => Ok(()),
    };
    if result.is_err() {
        for stream in [&program, &host] {
            // Closing it is a reset then (socket(7), SO_LINGER).
            let linger = libc::linger { l_onoff: 1, l_linger: 0 };
            let _ = setsockopt(stream, sockopt::Linger, &linger);
        }
    }
}

/// Copies one way. Returns when both ways are at their end: the first one to get there waits for a reset.
async fn one_way(from: &TcpStream, to: &TcpStream, open: &Event, own_end: &Event, other_end: &Event) -> io::Result<()> {
    let mut step = first(from)?;
    loop {
        match step {
            Step::Nothing => from.readable().await?,
            Step::Turn => tokio::task::yield_now().await,
            Step::Send(rest, flags) => drain(&rest, flags, to).await?,
            Step::End => break,
        }
        step = copy(from, to)?;
    }
    // Tor drops a request whose asker ends its side before it was answered.
    open.occurred().await;
    shutdown(to.as_raw_fd(), Shutdown::Write)?;
    own_end.occur();
    if other_end.has_occurred.get() {
        return Ok(());
    }
    // Being woken is no proof of an error.
    from.async_io(Interest::ERROR, || from.take_error()?.map_or(Err(io::ErrorKind::WouldBlock.into()), Err)).await
}

/// Something that happens once, and that one task waits for.
#[derive(Debug, Default)]
struct Event {
    has_occurred: Cell<bool>,
    change: Notify,
}

impl Event {
    fn occur(&self) {
        self.has_occurred.set(true);
        self.change.notify_one();
    }

    async fn occurred(&self) {
        while !self.has_occurred.get() {
            self.change.notified().await;
        }
    }
}

enum Step {
    /// There is nothing to read.
    Nothing,
    /// There may be more to read, but it was much already.
    Turn,
    /// These bytes are next: what the other side had no room for, or an urgent one.
    Send(Vec<u8>, MsgFlags),
    /// There will be nothing more to read.
    End,
}

impl Step {
    fn urgent(byte: u8) -> Self {
        Self::Send(vec![byte], MsgFlags::MSG_OOB)
    }
}

/// An urgent byte that was here before the socket's option was set made nothing readable.
fn first(from: &TcpStream) -> io::Result<Step> {
    let byte = if is_at_mark(from)? { unless_blocked(take_urgent(from))?.flatten() } else { None };
    Ok(byte.map_or(Step::Nothing, Step::urgent))
}

fn copy(from: &TcpStream, to: &TcpStream) -> io::Result<Step> {
    // After an error it is not put back: the next connection must not find this one's bytes in it.
    let pipe = PIPE.take().map_or_else(Pipe::new, Ok)?;
    let mut copied = 0;
    let step = loop {
        if copied >= TURN {
            break Step::Turn;
        }
        let read = match unless_blocked(from.try_io(Interest::READABLE, || take(from, &pipe)))? {
            None => break Step::Nothing,
            Some(Taken::Bytes(read)) => read,
            Some(Taken::Urgent(byte)) => break Step::urgent(byte),
            Some(Taken::End) => break Step::End,
        };
        let mut written = 0;
        while written < read {
            let rest = read - written;
            match unless_blocked(to.try_io(Interest::WRITABLE, || carry(&pipe.output, to, rest)))? {
                Some(0) => return Err(io::ErrorKind::WriteZero.into()),
                Some(now) => written += now,
                None => break,
            }
        }
        if written < read {
            break Step::Send(pipe.take(read - written)?, MsgFlags::empty());
        }
        copied += read;
    };
    PIPE.set(Some(pipe));
    Ok(step)
}

enum Taken {
    /// So many are in the pipe.
    Bytes(usize),
    /// The next byte was this one.
    Urgent(u8),
    /// There will be nothing more.
    End,
}

fn take(from: &TcpStream, pipe: &Pipe) -> io::Result<Taken> {
    let stopped = match carry(from, &pipe.input, MOST) {
        Ok(0) => Ok(Taken::End),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(error),
        taken => return taken.map(Taken::Bytes),
    };
    if is_at_mark(from)? { Ok(take_urgent(from)?.map_or(Taken::End, Taken::Urgent)) } else { stopped }
}

/// Takes the byte at the mark. At the end there is none; before, it may have been announced only.
fn take_urgent(from: &TcpStream) -> io::Result<Option<u8>> {
    let mut byte = [0];
    let read = recv(from.as_raw_fd(), &mut byte, MsgFlags::MSG_DONTWAIT)?;
    Ok(byte.first().copied().filter(|_| read > 0))
}

/// Sends what is next.
async fn drain(mut rest: &[u8], flags: MsgFlags, to: &TcpStream) -> io::Result<()> {
    let flags = flags | MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    while !rest.is_empty() {
        to.writable().await?;
        let sent = to.try_io(Interest::WRITABLE, || Ok(send(to.as_raw_fd(), rest, flags)?));
        rest = rest.get(unless_blocked(sent)?.unwrap_or(0)..).unwrap_or_default();
    }
    Ok(())
}

fn carry(from: impl AsFd, to: impl AsFd, most: usize) -> io::Result<usize> {
    Ok(splice(from, None, to, None, most, SpliceFFlags::SPLICE_F_MOVE | SpliceFFlags::SPLICE_F_NONBLOCK)?)
}

fn unless_blocked<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        result => result.map(Some),
    }
}

/// The thread's pipe: empty between two uses.
#[derive(Debug)]
struct Pipe {
    output: OwnedFd,
    input: OwnedFd,
}

impl Pipe {
    fn new() -> io::Result<Self> {
        // Unlike send(2), splice(2) can't be told to do without the signal for a connection that is gone.
        SigSet::from(Signal::SIGPIPE).thread_block()?;
        let (output, input) = nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
        // A smaller one is only slower.
        let _ = fcntl(&input, FcntlArg::F_SETPIPE_SZ(ROOM));
        Ok(Self { output, input })
    }

    /// Takes the bytes that are in it.
    fn take(&self, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        let mut taken = 0;
        while let Some(room @ [_, ..]) = bytes.get_mut(taken..) {
            match nix::unistd::read(&self.output, room)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                now => taken += now,
            }
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests;
