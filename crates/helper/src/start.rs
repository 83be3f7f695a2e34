//! How the helper comes into being, seen from the launcher.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, send, socketpair};
use nix::sys::stat::Mode;
use nix::unistd::{chdir, dup2_stderr, dup2_stdout};
use uwt_guard::Listener;
use uwt_session::Session;

use crate::sys::Between;
use crate::{link, run, sys};

/// What a helper is told.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The value of the session variable of the outermost call. It has a guard.
    pub session: String,
}

/// A helper that waits for its tree.
#[derive(Debug)]
#[must_use = "without its tree the helper ends"]
pub struct Helper {
    channel: OwnedFd,
    /// This process is under the filter when it hands over.
    cookie: u64,
    between: Between,
}

/// Starts the helper of the tree that begins with this process: a process of its own session, nobody's child, with no
/// descriptor of the caller's. It is reachable for the tree when this returns.
///
/// The caller must have one thread only.
///
/// # Errors
/// The session has no guard, or a system call fails.
pub fn start(setup: &Setup) -> io::Result<Helper> {
    let session = setup.session.as_str();
    let guard = Session::parse(session).ok().and_then(|session| session.guard).ok_or(io::ErrorKind::InvalidInput)?;
    let link = link::bind(&guard)?;
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
    let program = std::process::id();
    let mut ends = Some((theirs, link));
    let between = sys::detached(|| {
        let ended = ends.take().ok_or_else(|| io::ErrorKind::NotFound.into()).and_then(|(channel, link)| {
            let (channel, link) = prepare(channel, link)?;
            run::run(&channel, link, session, program)
        });
        i32::from(ended.is_err())
    })?;
    Ok(Helper { channel: ours, cookie: guard.cookie(), between })
}

impl Helper {
    /// Hands over the listener of the filter that this process has installed, and so the tree: the helper ends when
    /// nobody is under that filter any more. Without a listener it lives as long as this process.
    ///
    /// # Errors
    /// The helper has ended.
    pub fn hand_over(self, listener: Option<Listener>) -> io::Result<()> {
        match listener {
            Some(listener) => listener.hand_over(self.channel.as_fd(), self.cookie),
            None => send(self.channel.as_raw_fd(), &[0], MsgFlags::MSG_NOSIGNAL).map(drop).map_err(io::Error::from),
        }?;
        // Not before: it would be waited for, and by now it mostly has ended.
        self.between.ended()
    }
}

/// What [`Helper::hand_over`] sent.
///
/// # Errors
/// The launcher has ended before, or that of recvmsg(2).
pub(crate) fn taken_over(channel: &OwnedFd) -> io::Result<Option<Listener>> {
    match Listener::receive(channel.as_fd()) {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(error),
    }
}

/// Lets go of everything that was the launcher's but the two descriptors.
fn prepare(channel: OwnedFd, link: OwnedFd) -> io::Result<(OwnedFd, OwnedFd)> {
    nix::sys::prctl::set_name(c"uwt-helper")?;
    let (channel, link) = (above_standard(channel)?, above_standard(link)?);
    sys::close_all_but(0, &[channel.as_fd(), link.as_fd()])?;
    let null = open("/dev/null", OFlag::O_RDWR, Mode::empty())?;
    // It is number 0, the lowest that is free.
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    sys::keep(null);
    chdir("/")?;
    // What else the caller ignores may stay ignored.
    sys::set_action(Signal::SIGPIPE, &SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty()))?;
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    Ok((channel, link))
}

/// The same file at a number that is none of stdin's, stdout's and stderr's.
fn above_standard(fd: OwnedFd) -> io::Result<OwnedFd> {
    if fd.as_raw_fd() > 2 {
        return Ok(fd);
    }
    Ok(sys::received(fcntl(&fd, FcntlArg::F_DUPFD_CLOEXEC(3))?))
}
