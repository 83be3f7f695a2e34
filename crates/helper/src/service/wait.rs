//! From the request to the reply.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::rc::Rc;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::socket::{MsgFlags, recv};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::UnixStream;
use uwt_session::link::{MAX_MESSAGE, Request};

use super::order::{Order, Sent};
use super::process::{self, Descriptors};
use super::reply::{Ending, Outcome, Refusal};
use super::rights;
use crate::link::{process_id, reply};
use crate::shared::{Activity, Shared};
use crate::sys;

/// How long the asker may take to send the order.
const PATIENCE: Duration = Duration::from_secs(5);

/// Does what the request asks for and replies, while others are attended to.
pub(crate) fn attend(shared: &Rc<Shared>, peer: UnixStream, request: &Request<'_>, descriptors: Vec<OwnedFd>) {
    let (nonce, length) = (request.nonce, <[u8; 4]>::try_from(request.body).map_or(0, u32::from_le_bytes));
    // As long as the program may have to be told that its asker has gone.
    let active = Activity::enter(shared);
    let guard = shared.guard;
    tokio::task::spawn_local(async move {
        let outcome = match tokio::time::timeout(PATIENCE, order(&peer, length, descriptors)).await {
            Ok(Some((sent, descriptors))) => run(&peer, sent, descriptors).await,
            // It was told enough before: that is no asker of ours.
            Ok(None) | Err(_) => Some(Outcome::Refused(Refusal::Order)),
        };
        drop(active);
        if let Some(outcome) = outcome {
            reply(&peer, &guard, nonce, &outcome.to_bytes(), &mut [0; MAX_MESSAGE]);
        }
    });
}

/// The order, of `length` bytes.
async fn order(peer: &UnixStream, length: u32, descriptors: Vec<OwnedFd>) -> Option<(Sent, Descriptors)> {
    let length = usize::try_from(length).ok().filter(|length| (1..=Order::MAX).contains(length))?;
    let mut text = vec![0; length];
    let mut have = 0;
    while have < length {
        have += match receive(peer, text.get_mut(have..)?).await {
            Ok(0) | Err(_) => return None,
            Ok(len) => len,
        };
    }
    let sent = Sent::parse(&text)?;
    let descriptors = Descriptors::of(descriptors, sent.standard)?;
    Some((sent, descriptors))
}

/// The next message, cut to the buffer's length; 0 for the end.
async fn receive(peer: &UnixStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut receive = || Ok(recv(peer.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT)?);
    peer.async_io(Interest::READABLE, &mut receive).await
}

/// Runs the program; `None` when the asker has not waited for its end.
async fn run(peer: &UnixStream, sent: Sent, descriptors: Descriptors) -> Option<Outcome> {
    let Some(asker) = process_id(peer) else { return Some(Outcome::Refused(Refusal::Namespaces)) };
    let difference = match rights::examine(asker) {
        Ok(difference) => difference,
        Err(refusal) => return Some(Outcome::Refused(refusal)),
    };
    let (program, failure) = match process::start(&sent, descriptors, asker, difference) {
        Ok(started) => started,
        Err(error) => return Some(Outcome::Failed(errno_of(&error))),
    };
    // It may be large.
    drop(sent);
    match attend_to(program, failure, peer).await {
        Ok(outcome) => outcome,
        Err(error) => {
            // There are no descriptors left, say. It is not reaped yet, so it is still the program.
            let _ = kill(program, Signal::SIGKILL);
            Some(Outcome::Failed(errno_of(&error)))
        }
    }
}

async fn attend_to(program: Pid, failure: OwnedFd, peer: &UnixStream) -> io::Result<Option<Outcome>> {
    let ended = sys::watch(sys::pidfd(program.as_raw().cast_unsigned())?)?;
    if let Some(errno) = executed(failure).await? {
        end_of(program, &ended).await?;
        return Ok(Some(Outcome::Failed(errno)));
    }
    loop {
        let mut signal = [0];
        tokio::select! {
            ending = end_of(program, &ended) => return Ok(Some(Outcome::Ended(ending?))),
            received = receive(peer, &mut signal) => {
                if !matches!(received, Ok(1..)) {
                    // Not reaped yet, so it is still the program.
                    let _ = kill(program, Signal::SIGTERM);
                    tokio::task::spawn_local(async move { end_of(program, &ended).await });
                    return Ok(None);
                }
                pass_on(program, signal[0]);
            }
        }
    }
}

/// Waits until the program is executed; gives the errno if it can't be.
async fn executed(failure: OwnedFd) -> io::Result<Option<Errno>> {
    let failure = sys::watch(failure)?;
    let mut errno = [0; 4];
    let len = failure.async_io(Interest::READABLE, |failure| Ok(nix::unistd::read(failure, &mut errno)?)).await?;
    Ok((len == errno.len()).then(|| Errno::from_raw(i32::from_le_bytes(errno))))
}

/// Waits for the program's end.
async fn end_of(program: Pid, pidfd: &AsyncFd<OwnedFd>) -> io::Result<Ending> {
    pidfd.readable().await?.retain_ready();
    match waitpid(program, None)? {
        WaitStatus::Exited(_, status) => Ok(Ending::Status(status.to_le_bytes()[0])),
        WaitStatus::Signaled(_, signal, _) => Ok(Ending::Signal((signal as i32).to_le_bytes()[0])),
        // Of one that is not traced there is nothing else.
        _ => Err(io::ErrorKind::Other.into()),
    }
}

fn errno_of(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO))
}

/// Gives the program a signal that its asker has got. What comes from the terminal comes to all processes of a group, and
/// the program has one of its own.
fn pass_on(program: Pid, number: u8) {
    let Ok(signal) = Signal::try_from(i32::from(number)) else { return };
    // It may have ended just now.
    let _ = match signal {
        Signal::SIGINT | Signal::SIGQUIT | Signal::SIGHUP => killpg(program, signal),
        _ => kill(program, signal),
    };
}
