//! How the helper comes into being, seen from the launcher.

use std::ffi::OsStr;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::socket::sockopt::PeerCredentials;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, getsockopt, recvmsg, send,
    sendmsg, socketpair,
};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, chdir, dup2_stderr, dup2_stdout};
use uwt_guard::Listener;
use uwt_session::{MAX_VARIABLE, Session};

use crate::sys::detached;
use crate::{link, run, sys};

/// A helper that knows nothing yet.
#[derive(Debug)]
#[must_use = "without a tree the helper ends"]
pub struct Spare {
    channel: OwnedFd,
    parent: Parent,
}

/// The helper's parent, a child of this process with nothing more to do but to end: waited for when this is dropped, not
/// before, for by then it has ended.
#[derive(Debug)]
struct Parent(Pid);

impl Drop for Parent {
    fn drop(&mut self) {
        // Nobody else can have waited for it.
        let _ = sys::reap(self.0);
    }
}

/// A helper that waits for its tree.
#[derive(Debug)]
#[must_use = "without its tree the helper ends"]
pub struct Helper {
    channel: OwnedFd,
    /// This process is under the filter when it hands over.
    cookie: u64,
    _parent: Parent,
}

/// Starts the process that will be a helper: of a session of its own, nobody's child, with no descriptor of the caller's. It
/// takes longer than the caller should wait, and so it goes on meanwhile.
///
/// It is this program, executed afresh: [`is_asked_for`] tells it what it is, and it calls [`serve`]. A copy of the caller
/// would cost more, since both would then copy each page they write to.
///
/// # Errors
/// Those of socketpair(2) and clone(2).
pub fn prepare() -> io::Result<Spare> {
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
    let parent = detached::execute_detached(theirs.as_fd())?;
    Ok(Spare { channel: ours, parent: Parent(parent) })
}

/// Whether this process was executed by [`prepare`]: `executed` is the path that execve(2) was given (`AT_EXECFN`), `typed`
/// is `argv[0]`. Nobody else executes a program by this path and that name.
#[must_use]
pub fn is_asked_for(executed: Option<&Path>, typed: Option<&OsStr>) -> bool {
    let path = Path::new(OsStr::from_bytes(detached::OWN.to_bytes()));
    let name = OsStr::from_bytes(detached::NAME.to_bytes());
    executed == Some(path) && typed == Some(name)
}

/// The life of a process that [`is_asked_for`] as a helper; gives its exit status.
#[must_use]
pub fn serve() -> u8 {
    let served = let_go(detached::inherited_channel()).and_then(|channel| {
        let program = getsockopt(&channel, PeerCredentials)?.pid();
        run::run(&channel, told(&channel)?, program.cast_unsigned())
    });
    u8::from(served.is_err())
}

impl Spare {
    /// Makes it the helper of the tree that begins with this process, told the value of that tree's session variable, and
    /// where to write what the tree does (uwt-report's events). It is reachable for the tree when this returns.
    ///
    /// # Errors
    /// The session has no guard, or a system call fails.
    pub fn start(self, session: &str, report: Option<BorrowedFd<'_>>) -> io::Result<Helper> {
        let parsed = Session::parse(session).ok();
        let guard = parsed.and_then(|session| session.guard).ok_or(io::ErrorKind::InvalidInput)?;
        let link = link::bind(&guard)?;
        let numbers: Vec<RawFd> = [link.as_fd()].into_iter().chain(report).map(|fd| fd.as_raw_fd()).collect();
        let text = [IoSlice::new(session.as_bytes())];
        let rights = [ControlMessage::ScmRights(&numbers)];
        sendmsg::<()>(self.channel.as_raw_fd(), &text, &rights, MsgFlags::MSG_NOSIGNAL, None)?;
        Ok(Helper { channel: self.channel, cookie: guard.cookie(), _parent: self.parent })
    }
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
        }
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

/// What [`Spare::start`] sends.
#[derive(Debug)]
pub(crate) struct Told {
    /// The value of the session variable.
    pub(crate) session: String,
    /// The socket on which the tree's requests arrive.
    pub(crate) link: OwnedFd,
    /// Where the report is written.
    pub(crate) report: Option<OwnedFd>,
}

/// Waits for it.
///
/// # Errors
/// The launcher has ended before, or that of recvmsg(2).
fn told(channel: &OwnedFd) -> io::Result<Told> {
    let mut text = vec![0; MAX_VARIABLE];
    let mut control = nix::cmsg_space!([RawFd; 2]);
    let (len, link, report) = {
        let mut parts = [IoSliceMut::new(&mut text)];
        let message = recvmsg::<()>(channel.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::MSG_CMSG_CLOEXEC)?;
        let mut received = Vec::new();
        for control in message.cmsgs()? {
            if let ControlMessageOwned::ScmRights(numbers) = control {
                received.extend(numbers.into_iter().map(sys::received));
            }
        }
        let mut received = received.into_iter();
        (message.bytes, received.next(), received.next())
    };
    text.truncate(len);
    let link = link.ok_or(io::ErrorKind::UnexpectedEof)?;
    let session = String::from_utf8(text).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(Told { session, link, report })
}

/// Lets go of everything that was the launcher's but the channel.
fn let_go(channel: OwnedFd) -> io::Result<OwnedFd> {
    nix::sys::prctl::set_name(detached::NAME)?;
    let channel = above_standard(channel)?;
    sys::close_all_but(0, &[channel.as_fd()])?;
    let null = open("/dev/null", OFlag::O_RDWR, Mode::empty())?;
    // It is number 0, the lowest that is free.
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    sys::keep(null);
    chdir("/")?;
    // What else the caller ignores may stay ignored.
    sys::ignore(Signal::SIGPIPE)?;
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    Ok(channel)
}

/// The same file at a number that is none of stdin's, stdout's and stderr's.
fn above_standard(fd: OwnedFd) -> io::Result<OwnedFd> {
    if fd.as_raw_fd() > 2 {
        return Ok(fd);
    }
    Ok(sys::received(fcntl(&fd, FcntlArg::F_DUPFD_CLOEXEC(3))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_is_executed_by_itself_under_that_name_is_a_helper() {
        let asked = |executed: &str, typed| is_asked_for(Some(Path::new(executed)), Some(OsStr::new(typed)));
        assert!(asked("/proc/self/exe", "uwt-helper"));
        // A wrapped command of that name, by its path and by a descriptor.
        for (executed, typed) in [
            ("/usr/bin/uwt-helper", "uwt-helper"),
            ("/proc/self/exe", "uwt"),
            ("/proc/self/fd/3", "uwt-helper"),
            ("/dev/fd/3", "uwt-helper"),
        ] {
            assert!(!asked(executed, typed), "{executed} {typed}");
        }
        assert!(!is_asked_for(None, Some(OsStr::new("uwt-helper"))));
    }
}
