//! The helper's life.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::rc::Rc;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::timeout;
use uwt_guard::Listener;
use uwt_session::Session;

use crate::report::Report;
use crate::shared::Shared;
use crate::start::Told;
use crate::{link, notify, report, start, sys};

/// How long connections may go on delivering what a tree that has ended left behind: as long as the kernel itself tries
/// for orphaned sockets by default (tcp(7), `tcp_orphan_retries`: about 100 seconds).
const DELIVERY: Duration = Duration::from_secs(100);

/// Serves the tree that arrives on `channel`, as it was told, until it has ended; without a listener, as long as its first
/// process, whose id `program` is.
///
/// # Errors
/// What keeps it from serving at all.
pub(crate) fn run(channel: &OwnedFd, told: Told, program: u32) -> io::Result<()> {
    let Told { session, link, report } = told;
    let session: &'static str = String::leak(session);
    let session = Session::parse(session).map_err(|_| io::ErrorKind::InvalidInput)?;
    let guard = session.guard.ok_or(io::ErrorKind::InvalidInput)?;
    let listener = start::taken_over(channel)?;
    // A report says that nothing was done, too.
    if report.is_none()
        && let Some(listener) = &listener
        && !is_needed(listener, &link)?
    {
        return Ok(());
    }
    // One thread: leaving the user namespace, forking the outsider and Rc all depend on it.
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    LocalSet::new().block_on(&runtime, async {
        let mut shared = Shared::new(guard, Box::leak(Box::new(session)));
        if let Some(file) = report {
            shared.report = Report::into(file, program)?;
        }
        let shared = Rc::new(shared);
        shared.begin();
        tokio::task::spawn_local(report::serve(Rc::clone(&shared)));
        tokio::task::spawn_local(link::serve(link, Rc::clone(&shared)));
        match listener {
            Some(listener) => notify::serve(listener, &shared).await?,
            None => ended(program).await?,
        }
        shared.activity.tree_ended();
        // What is still not delivered then never will be.
        let delivered = async {
            shared.activity.idle().await;
            report::finish(&shared).await;
        };
        let _ = timeout(DELIVERY, delivered).await;
        Ok(())
    })
}

/// Waits for the first question, before anything is made ready: most programs end without one, and on a machine with few
/// processors what is done here is taken from them. `false` when the tree has ended.
fn is_needed(listener: &Listener, link: &OwnedFd) -> io::Result<bool> {
    let mut set = [PollFd::new(listener.as_fd(), PollFlags::POLLIN), PollFd::new(link.as_fd(), PollFlags::POLLIN)];
    while let Err(errno) = poll(&mut set, PollTimeout::NONE) {
        if errno != Errno::EINTR {
            return Err(errno.into());
        }
    }
    Ok(set.iter().any(|waiting| waiting.revents().is_some_and(|events| events.contains(PollFlags::POLLIN))))
}

/// Waits for the end of a process.
async fn ended(pid: u32) -> io::Result<()> {
    let pidfd = sys::watch(sys::pidfd(pid)?)?;
    pidfd.readable().await.map(drop)
}
