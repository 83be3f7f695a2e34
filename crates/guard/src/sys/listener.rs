//! The end of the guard where questions arrive and answers leave: seccomp_unotify(2).

use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use libc::{POLLERR, POLLHUP, POLLIN, c_short};

use super::check;
use crate::{Call, Notification, SystemCall};

/// `SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP` of linux/seccomp.h, since 6.6.
const SYNC_WAKE_UP: u64 = 1;

/// Where the calls of a guarded tree arrive that its filter asks about.
///
/// The descriptor becomes readable (poll(2), epoll(7)) when a call waits, and hangs up when the last guarded process has
/// ended. Once the last copy of it is closed, waiting calls and all later ones fail with `ENOSYS`.
///
/// A caller may be killed at any time, and a signal may take it out of its call before [`Listener::next`] has delivered
/// it. Then nobody waits for the answer: methods without a result of their own call that a success, the others give the
/// error kind [`io::ErrorKind::NotFound`].
#[derive(Debug)]
pub struct Listener(OwnedFd);

impl Listener {
    /// The next call that waits, or `None`: this never blocks.
    ///
    /// Every notification wants exactly one answer, and the caller waits until then.
    ///
    /// # Errors
    ///
    /// Those of poll(2) and of `SECCOMP_IOCTL_NOTIF_RECV`, except that the caller is gone.
    pub fn next(&self) -> io::Result<Option<Notification>> {
        // Receiving blocks where nothing waits, not where what waited is gone: that is ENOENT, and the next one's turn.
        while self.events()? & POLLIN != 0 {
            // SAFETY: the structure consists of integers, for which zero is a value; the kernel insists on it.
            let mut received: libc::seccomp_notif = unsafe { mem::zeroed() };
            // SAFETY: this request writes one `struct seccomp_notif`.
            let result = unsafe { libc::ioctl(self.number(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut received) };
            match check(result) {
                Ok(_) => return Ok(Some(decode(&received))),
                Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINTR)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Whether the last guarded process has ended: nothing will ever arrive again. From Linux 5.9; false before.
    ///
    /// # Errors
    ///
    /// Those of poll(2).
    pub fn has_ended(&self) -> io::Result<bool> {
        Ok(self.events()? & POLLHUP != 0)
    }

    /// Lets the call go on as if there were no filter, with what its memory holds *by then*: only for calls whose
    /// integer arguments decided.
    ///
    /// # Errors
    ///
    /// Those of `SECCOMP_IOCTL_NOTIF_SEND`, except that the caller is gone.
    pub fn resume(&self, id: u64) -> io::Result<()> {
        let flags = u32::try_from(libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE).unwrap_or(0);
        self.send(&libc::seccomp_notif_resp { id, val: 0, error: 0, flags })
    }

    /// Lets the call fail with this errno, a positive number of errno(3).
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a number that is no errno, since 0 would be a success to the caller. Else as [`Self::resume`].
    pub fn refuse(&self, id: u64, errno: i32) -> io::Result<()> {
        if !(1..=4095).contains(&errno) {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        self.send(&libc::seccomp_notif_resp { id, val: 0, error: -errno, flags: 0 })
    }

    /// Lets the call succeed with this result, without carrying it out.
    ///
    /// # Errors
    ///
    /// As [`Self::resume`].
    pub fn answer(&self, id: u64, value: i64) -> io::Result<()> {
        self.send(&libc::seccomp_notif_resp { id, val: value, error: 0, flags: 0 })
    }

    /// Puts a copy of `fd` into the caller, close-on-exec or not, and answers with its number there, in one step. The
    /// number is the result.
    ///
    /// # Errors
    ///
    /// Of `SECCOMP_IOCTL_NOTIF_ADDFD`: `NotFound` where the caller is gone, and there is nothing left to do. With any
    /// other the caller still waits; `EMFILE`, its table of descriptors is full, is what socket(2) would have told it.
    pub fn give(&self, id: u64, fd: BorrowedFd<'_>, cloexec: bool) -> io::Result<i32> {
        self.add(id, fd, libc::SECCOMP_ADDFD_FLAG_SEND, 0, cloexec)
    }

    /// Puts a copy of `fd` in the place of the caller's descriptor `number`, as dup3(2) would there. The caller still
    /// waits for its answer.
    ///
    /// # Errors
    ///
    /// As [`Self::give`]; `EBADF` for a number above the caller's limit.
    pub fn replace(&self, id: u64, fd: BorrowedFd<'_>, number: i32, cloexec: bool) -> io::Result<()> {
        let number = u32::try_from(number).map_err(|_| io::Error::from_raw_os_error(libc::EBADF))?;
        self.add(id, fd, libc::SECCOMP_ADDFD_FLAG_SETFD, number, cloexec).map(drop)
    }

    /// Whether the caller still waits: what was found out about [`Notification::thread`] before was about it, and not
    /// about another thread that got the same number since.
    ///
    /// # Errors
    ///
    /// Those of `SECCOMP_IOCTL_NOTIF_ID_VALID`, except that the caller is gone.
    pub fn is_valid(&self, id: u64) -> io::Result<bool> {
        // SAFETY: this request reads one u64.
        let result = unsafe { libc::ioctl(self.number(), libc::SECCOMP_IOCTL_NOTIF_ID_VALID, &raw const id) };
        match check(result) {
            Ok(_) => Ok(true),
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn send(&self, response: &libc::seccomp_notif_resp) -> io::Result<()> {
        loop {
            // SAFETY: this request reads one `struct seccomp_notif_resp`.
            let result = unsafe { libc::ioctl(self.number(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw const *response) };
            match check(result) {
                Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok(()),
                Err(error) if error.raw_os_error() == Some(libc::EINTR) => {}
                result => return result.map(drop),
            }
        }
    }

    fn add(&self, id: u64, fd: BorrowedFd<'_>, flags: libc::c_ulong, newfd: u32, cloexec: bool) -> io::Result<i32> {
        let request = libc::seccomp_notif_addfd {
            id,
            flags: u32::try_from(flags).unwrap_or(u32::MAX),
            srcfd: fd.as_raw_fd().cast_unsigned(),
            newfd,
            newfd_flags: if cloexec { libc::O_CLOEXEC.cast_unsigned() } else { 0 },
        };
        // SAFETY: this request reads one `struct seccomp_notif_addfd`; the kernel takes its own reference to the file.
        check(unsafe { libc::ioctl(self.number(), libc::SECCOMP_IOCTL_NOTIF_ADDFD, &raw const request) })
    }

    fn events(&self) -> io::Result<c_short> {
        loop {
            let mut poll = libc::pollfd { fd: self.number(), events: POLLIN, revents: 0 };
            // SAFETY: one structure, as the count says; with the timeout 0 this does not wait.
            match check(unsafe { libc::poll(&raw mut poll, 1, 0) }) {
                // A signal came: poll(2) itself says so, the listener's part of it by POLLERR.
                Ok(_) if poll.revents & (POLLERR | POLLIN | POLLHUP) == POLLERR => {}
                Ok(_) => return Ok(poll.revents),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn number(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// The two processes take turns: waking the other where this one runs saves a wake-up of an idle processor. A matter of
/// speed alone, so that a kernel before 6.6 may say no.
pub(super) fn wake_on_the_same_processor(listener: &OwnedFd) {
    // SAFETY: this request takes its argument as a number.
    unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS, SYNC_WAKE_UP) };
}

fn decode(received: &libc::seccomp_notif) -> Notification {
    let data = &received.data;
    let call = SystemCall { arch: data.arch, number: data.nr.cast_unsigned(), arguments: data.args };
    Notification { id: received.id, thread: received.pid, call: Call::decode(&call) }
}

impl From<OwnedFd> for Listener {
    fn from(fd: OwnedFd) -> Self {
        Self(fd)
    }
}

impl From<Listener> for OwnedFd {
    fn from(listener: Listener) -> Self {
        listener.0
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Listener {
    fn as_raw_fd(&self) -> RawFd {
        self.number()
    }
}
