//! The launcher's side.

use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, AsRawFd as _, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::stat::{Mode, umask};
use uwt_session::Guard;
use uwt_session::link::{Kind, MAX_MESSAGE, Request, open_reply};

use super::order::{Order, Sent};
use super::reply::Outcome;
use crate::{link, sys};

/// How much is sent in one message: what fits between two processes without waiting, whatever the machine's limits.
const PART: usize = 16 << 10;
/// What is passed on to the program.
const SIGNALS: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// Has the helper of the tree under `guard` run a program, waits for its end and passes on the signals that this process
/// gets meanwhile.
///
/// # Errors
/// ECONNREFUSED when there is no helper any more; [`io::ErrorKind::InvalidInput`] for an order longer than [`Order::MAX`];
/// [`io::ErrorKind::UnexpectedEof`] when the helper has ended before the program, which then goes on.
pub fn start(guard: &Guard, order: Order) -> io::Result<Outcome> {
    // Before there are any of ours.
    let standard = [0, 1, 2].map(sys::is_open);
    let umask = own_umask();
    let text = Sent { order, umask, standard }.to_bytes();
    let length = u32::try_from(text.len()).ok().filter(|_| text.len() <= Order::MAX);
    let length = length.ok_or(io::ErrorKind::InvalidInput)?.to_le_bytes();
    let helper = link::connect(guard)?;
    let folder = |path| open(Path::new(path), OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty());
    let (root, current) = (folder("/")?, folder(".")?);
    let mut descriptors: Vec<RawFd> = vec![root.as_raw_fd(), current.as_raw_fd()];
    descriptors.extend((0..).zip(standard).filter(|(_, open)| *open).map(|(fd, _)| fd));

    let signals = Signals::block()?;
    let nonce = link::nonce();
    let mut message = [0; MAX_MESSAGE];
    let request = Request { nonce, kind: Kind::Service, body: &length };
    let len = request.seal(guard, &mut message).ok_or(io::ErrorKind::InvalidInput)?;
    sys::message::send(&helper, message.get(..len).unwrap_or_default(), &descriptors, guard.cookie())?;
    for part in text.chunks(PART) {
        link::send(&helper, part)?;
    }
    let body = signals.pass_on_until_reply(&helper, &mut message)?;
    open_reply(guard, nonce, body).and_then(Outcome::parse).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// umask(2) can only be asked by setting it.
fn own_umask() -> Mode {
    let own = umask(Mode::empty());
    umask(own);
    own
}

/// The signals that wait to be passed on; they are as before when this is dropped.
struct Signals {
    arrived: SignalFd,
    before: SigSet,
}

impl Signals {
    fn block() -> io::Result<Self> {
        // A blocked signal arrives even where it is ignored.
        let passed_on: SigSet = SIGNALS.into_iter().filter(|signal| !sys::is_ignored(*signal)).collect();
        let arrived = SignalFd::with_flags(&passed_on, SfdFlags::SFD_CLOEXEC)?;
        let before = SigSet::thread_get_mask()?;
        passed_on.thread_block()?;
        Ok(Self { arrived, before })
    }

    fn pass_on_until_reply<'a>(&self, mut helper: &UnixStream, message: &'a mut [u8]) -> io::Result<&'a [u8]> {
        loop {
            let waiting = |fd| PollFd::new(fd, PollFlags::POLLIN);
            let mut set = [waiting(helper.as_fd()), waiting(self.arrived.as_fd())];
            match poll(&mut set, PollTimeout::NONE) {
                Err(Errno::EINTR) => continue,
                result => result?,
            };
            let [reply, signal] = set.map(|waiting| waiting.revents().is_some_and(|events| !events.is_empty()));
            if reply {
                let len = helper.read(message)?;
                return Ok(message.get(..len).unwrap_or_default());
            }
            if signal && let Some(signal) = self.arrived.read_signal()? {
                // If the helper has just gone, reading says so.
                let _ = link::send(helper, &[signal.ssi_signo.to_le_bytes()[0]]);
            }
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // It was so before.
        let _ = self.before.thread_set_mask();
    }
}
