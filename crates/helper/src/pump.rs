//! Copies between a connection in the cage and its other half outside.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::AsRawFd as _;

use nix::sys::socket::{Shutdown, setsockopt, shutdown, sockopt};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// The bytes of the thread's buffer, which every connection uses while it copies.
const BUFFER: usize = 256 * 1024;
/// How many bytes a connection may copy until the others have their turn.
const TURN: usize = 4 * 1024 * 1024;

thread_local! {
    static SHARED: RefCell<Vec<u8>> = RefCell::new(vec![0; BUFFER]);
}

/// Copies both ways until both are at their end. The end of one side is passed on as an end (a FIN) behind everything that
/// came before it, a reset as a reset.
pub(crate) async fn pump(cage: TcpStream, host: TcpStream) {
    let ended = Cell::new(0);
    let result = tokio::select! {
        result = one_way(&cage, &host, &ended) => result,
        result = one_way(&host, &cage, &ended) => result,
    };
    if result.is_err() {
        for stream in [&cage, &host] {
            // Closing it is a reset then (socket(7), SO_LINGER).
            let linger = libc::linger { l_onoff: 1, l_linger: 0 };
            let _ = setsockopt(stream, sockopt::Linger, &linger);
        }
    }
}

/// Copies one way. Returns when both ways are at their end: the first one to get there waits for a reset.
async fn one_way(from: &TcpStream, to: &TcpStream, ended: &Cell<u8>) -> io::Result<()> {
    loop {
        from.readable().await?;
        match copy(from, to)? {
            Step::Nothing => {}
            Step::Turn => tokio::task::yield_now().await,
            Step::Full(rest) => drain(&rest, to).await?,
            Step::End => break,
        }
    }
    shutdown(to.as_raw_fd(), Shutdown::Write)?;
    ended.set(ended.get() + 1);
    if ended.get() == 2 {
        return Ok(());
    }
    from.ready(Interest::ERROR).await?;
    Err(io::ErrorKind::ConnectionReset.into())
}

enum Step {
    /// There is nothing to read.
    Nothing,
    /// There may be more to read, but it was much already.
    Turn,
    /// The other side takes no more; this is left over.
    Full(Vec<u8>),
    /// There will be nothing more to read.
    End,
}

fn copy(from: &TcpStream, to: &TcpStream) -> io::Result<Step> {
    SHARED.with_borrow_mut(|buffer| {
        let mut copied = 0;
        while copied < TURN {
            let read = match from.try_read(buffer) {
                Ok(0) => return Ok(Step::End),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Step::Nothing),
                Err(error) => return Err(error),
            };
            let rest = buffer.get(..read).unwrap_or_default();
            let written = write(rest, to)?;
            if written < read {
                return Ok(Step::Full(rest.get(written..).unwrap_or_default().to_vec()));
            }
            copied += read;
        }
        Ok(Step::Turn)
    })
}

async fn drain(mut rest: &[u8], to: &TcpStream) -> io::Result<()> {
    while !rest.is_empty() {
        to.writable().await?;
        rest = rest.get(write(rest, to)?..).unwrap_or_default();
    }
    Ok(())
}

/// Writes as much as there is room for.
fn write(bytes: &[u8], to: &TcpStream) -> io::Result<usize> {
    let mut written = 0;
    while let Some(rest @ [_, ..]) = bytes.get(written..) {
        match to.try_write(rest) {
            Ok(now) => written += now,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}

#[cfg(test)]
mod tests;
