//! System calls without a safe wrapper.
#![expect(unsafe_code, reason = "fork(2), and calls that nix does not wrap")]

pub(crate) mod detached;
pub(crate) mod message;
pub(crate) mod net;
#[cfg(test)]
pub(crate) mod test;

use std::ffi::{CStr, c_int, c_long};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd as _, IntoRawFd as _, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt as _;
use std::ptr::{null, null_mut};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::socket::{SockaddrLike as _, UnixAddr};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::{ForkResult, Pid};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// fork(2) of a process with one thread.
///
/// # Errors
/// The system call's; EINVAL in a process with more threads, whose locks the child could not trust.
pub(crate) fn fork() -> io::Result<ForkResult> {
    check_alone()?;
    // SAFETY: there is no other thread that could hold a lock or a half-changed structure.
    unsafe { nix::unistd::fork() }.map_err(io::Error::from)
}

fn check_alone() -> io::Result<()> {
    // Each thread is a folder, and a folder's links are its own two and one of each folder in it.
    let alone = std::fs::metadata("/proc/self/task")?.nlink() == 2 + 1;
    if alone { Ok(()) } else { Err(io::Error::from(io::ErrorKind::InvalidInput)) }
}

/// [`fork`] of a child whose end sends no signal, to be [`reap`]ed: a program that is executed afterwards finds no SIGCHLD
/// pending that it knows nothing of, and where the caller was started with SIGCHLD ignored the child is still there.
///
/// # Errors
/// Those of [`fork`].
pub(crate) fn fork_unnoticed() -> io::Result<ForkResult> {
    check_alone()?;
    // SAFETY: without flags and a stack clone(2) is fork(2), but for the signal in the lowest byte of the flags; there is no
    // other thread that could hold a lock or a half-changed structure.
    let pid =
        unsafe { libc::syscall(libc::SYS_clone, 0 as c_long, 0 as c_long, 0 as c_long, 0 as c_long, 0 as c_long) };
    match i32::try_from(pid).unwrap_or(-1) {
        0 => Ok(ForkResult::Child),
        pid if pid > 0 => Ok(ForkResult::Parent { child: Pid::from_raw(pid) }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// connect(2) to a unix socket, with `cookie` in the fifth argument, which the call does not have: the guard's filter passes
/// it then.
///
/// # Errors
/// The system call's.
pub(crate) fn connect(socket: &impl AsRawFd, address: &UnixAddr, cookie: u64) -> io::Result<()> {
    let (fd, len) = (c_long::from(socket.as_raw_fd()), c_long::from(address.len()));
    // SAFETY: the address is alive and has this length.
    let result = unsafe { libc::syscall(libc::SYS_connect, fd, address.as_ptr(), len, 0 as c_long, cookie) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Reaps a child of ours that is about to end.
///
/// # Errors
/// It is no child of ours.
pub(crate) fn reap(child: Pid) -> io::Result<()> {
    // Also one that sends no signal.
    waitpid(child, Some(WaitPidFlag::__WALL)).map(drop).map_err(io::Error::from)
}

/// The value of an extended attribute (getxattr(2)), in as many bytes as `value` has.
///
/// # Errors
/// The system call's.
pub(crate) fn attribute<'a>(path: &CStr, name: &CStr, value: &'a mut [u8]) -> io::Result<&'a [u8]> {
    // SAFETY: two C strings, and a buffer with its length.
    let got = unsafe { libc::getxattr(path.as_ptr(), name.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
    let got = usize::try_from(got).map_err(|_| io::Error::last_os_error())?;
    Ok(value.get(..got).unwrap_or_default())
}

/// pidfd_open(2).
///
/// # Errors
/// The system call's.
pub(crate) fn pidfd(pid: u32) -> io::Result<OwnedFd> {
    // SAFETY: takes no pointers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let fd = RawFd::try_from(fd).unwrap_or(-1);
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a new descriptor that nobody else knows.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Closes every descriptor from `first` on (close_range(2)) but `keep`.
///
/// # Errors
/// The system call's.
pub(crate) fn close_all_but(first: RawFd, keep: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut keep: Vec<u32> = keep.iter().filter_map(|fd| u32::try_from(fd.as_raw_fd()).ok()).collect();
    keep.sort_unstable();
    let mut start = u32::try_from(first).unwrap_or(0);
    for fd in keep.into_iter().chain([u32::MAX]) {
        if fd > start {
            // SAFETY: the callers are newly forked processes, which own every descriptor and use only those they keep.
            let result = unsafe { libc::syscall(libc::SYS_close_range, start, fd.saturating_sub(1), 0) };
            if result < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        start = start.max(fd.saturating_add(1));
    }
    Ok(())
}

/// Ends this process as _exit(2): no destructor of what the parent still uses.
pub(crate) fn exit(status: i32) -> ! {
    // SAFETY: takes no pointers, does not return.
    unsafe { libc::_exit(status) }
}

/// Ignores a signal (sigaction(2)).
///
/// # Errors
/// EINVAL for the two signals that can't be ignored.
pub(crate) fn ignore(signal: Signal) -> io::Result<()> {
    handle(signal, SigHandler::SigIgn)
}

/// Lets a signal do what it does by default (signal(7)).
///
/// # Errors
/// EINVAL for the two signals that always do.
pub(crate) fn by_default(signal: Signal) -> io::Result<()> {
    handle(signal, SigHandler::SigDfl)
}

fn handle(signal: Signal, handler: SigHandler) -> io::Result<()> {
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: no code of ours runs when it arrives: callers ignore it or leave it to the kernel.
    unsafe { sigaction(signal, &action) }.map(drop).map_err(io::Error::from)
}

/// Whether this process ignores a signal.
pub(crate) fn is_ignored(signal: Signal) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: nothing is changed, and the structure is read only where it was written.
    unsafe {
        libc::sigaction(signal as c_int, null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

/// Whether a descriptor of this number is open.
pub(crate) fn is_open(number: RawFd) -> bool {
    // SAFETY: takes no pointers; the descriptor may be any number.
    unsafe { libc::fcntl(number, libc::F_GETFD) >= 0 }
}

/// Gives this process the limits of another one (prlimit(2)).
///
/// # Errors
/// The system call's.
pub(crate) fn copy_limits(from: u32) -> io::Result<()> {
    /// `RLIM_NLIMITS` of asm-generic/resource.h: their numbers are below it.
    const LIMITS: u32 = 16;
    for limit in 0..LIMITS {
        let mut value = MaybeUninit::<libc::rlimit64>::uninit();
        // SAFETY: the first call writes the structure, or the second is not made; a null pointer is allowed for either.
        let result = unsafe {
            let (there, none) = (value.as_mut_ptr(), null_mut::<libc::rlimit64>());
            match libc::syscall(libc::SYS_prlimit64, from, limit, none, there) {
                0 => libc::syscall(libc::SYS_prlimit64, 0, limit, there, none),
                failed => failed,
            }
        };
        if result < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Leaves a descriptor open for as long as the process lives.
pub(crate) fn keep(fd: OwnedFd) {
    let _ = fd.into_raw_fd();
}

/// A descriptor that came by SCM_RIGHTS.
pub(crate) fn received(number: RawFd) -> OwnedFd {
    // SAFETY: callers pass the numbers of a message they have just received, which are nobody else's yet.
    unsafe { OwnedFd::from_raw_fd(number) }
}

/// Waits for a descriptor to become readable, in the event loop.
///
/// # Errors
/// That of epoll_ctl(2): it can't be waited for.
pub(crate) fn watch<T: AsRawFd + Into<OwnedFd>>(fd: T) -> io::Result<AsyncFd<T>> {
    watch_for(fd, Interest::READABLE)
}

/// Waits for a descriptor to become writable, in the event loop.
///
/// # Errors
/// That of epoll_ctl(2): it can't be waited for.
pub(crate) fn watch_for_writing(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    watch_for(fd, Interest::WRITABLE)
}

fn watch_for<T: AsRawFd + Into<OwnedFd>>(fd: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    // SAFETY: what turns into an OwnedFd owns one, so it stays open and the same until it is dropped.
    unsafe { AsyncFd::register_with_interest(fd, interest) }.map_err(io::Error::from)
}
