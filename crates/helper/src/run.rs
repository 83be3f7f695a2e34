//! The helper's life.

use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::timeout;
use uwt_session::Session;

use crate::shared::Shared;
use crate::{link, notify, start, sys};

/// How long connections may go on delivering what a tree that has ended left behind: as long as the kernel itself tries
/// for orphaned sockets by default (tcp(7), `tcp_orphan_retries`: about 100 seconds).
const DELIVERY: Duration = Duration::from_secs(100);

/// Serves the tree that arrives on `channel` until it has ended; without a listener, as long as its first process, whose
/// id `program` is.
///
/// # Errors
/// What keeps it from serving at all.
pub(crate) fn run(channel: &OwnedFd, link: OwnedFd, session: &str, program: u32) -> io::Result<()> {
    let session: &'static str = String::leak(session.to_owned());
    let session = Session::parse(session).map_err(|_| io::ErrorKind::InvalidInput)?;
    let guard = session.guard.ok_or(io::ErrorKind::InvalidInput)?;
    let shared = Rc::new(Shared::new(guard, Box::leak(Box::new(session))));
    // One thread: leaving the user namespace, forking the outsider and Rc all depend on it.
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let listener = start::taken_over(channel)?;
    LocalSet::new().block_on(&runtime, async {
        tokio::task::spawn_local(link::serve(link, Rc::clone(&shared)));
        match listener {
            Some(listener) => notify::serve(listener, &shared).await?,
            None => ended(program).await?,
        }
        shared.activity.tree_ended();
        // What is still not delivered then never will be.
        let _ = timeout(DELIVERY, shared.activity.idle()).await;
        Ok(())
    })
}

/// Waits for the end of a process.
async fn ended(pid: u32) -> io::Result<()> {
    let pidfd = sys::watch(sys::pidfd(pid)?)?;
    pidfd.readable().await.map(drop)
}
