//! System calls without a safe wrapper.
#![expect(unsafe_code, reason = "fork(2), and calls that nix does not wrap")]

pub(crate) mod net;
#[cfg(test)]
pub(crate) mod test;

use std::ffi::{CStr, c_int, c_long, c_void};
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd as _, IntoRawFd as _, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt as _;

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use nix::sys::signal::{SigAction, Signal, sigaction};
use nix::sys::socket::{SockaddrLike as _, UnixAddr};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, setsid};
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
    clone_as_fork()
}

/// Of a process with one thread.
fn clone_as_fork() -> io::Result<ForkResult> {
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

/// Runs `life` in a process that is nobody's child, in a session of its own (setsid(2)), and ends that with the status it
/// gives. The caller goes on at once, without a signal for it; [`Between::ended`] tells later whether that process came
/// about.
///
/// The process in between shares the caller's memory, as after vfork(2): copying the tables of that memory twice would take
/// longer than all the rest of starting a program under uwt.
///
/// # Errors
/// Those of mmap(2), clone(2) and setsid(2); EINVAL in a process with more threads.
pub(crate) fn detached(mut life: impl FnMut() -> i32) -> io::Result<Between> {
    /// As much as the stack of a Rust thread; what is not used costs nothing.
    const STACK: NonZeroUsize = NonZeroUsize::new(2 << 20).unwrap();

    extern "C" fn between(life: *mut c_void) -> c_int {
        // SAFETY: this is what `detached` passes, and it waits in clone(2) while this process uses it.
        let life = unsafe { &mut *life.cast::<&mut dyn FnMut() -> i32>() };
        if let Err(errno) = setsid() {
            return errno as c_int;
        }
        match clone_as_fork() {
            Ok(ForkResult::Child) => exit(life()),
            Ok(ForkResult::Parent { .. }) => 0,
            Err(error) => error.raw_os_error().unwrap_or(libc::EIO),
        }
    }

    check_alone()?;
    let mut life: &mut dyn FnMut() -> i32 = &mut life;
    let (access, kind) = (ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_PRIVATE | MapFlags::MAP_STACK);
    // SAFETY: a new mapping, wherever the kernel puts it.
    let stack = unsafe { mmap_anonymous(None, STACK, access, kind) }?;
    // SAFETY: the end of the mapping: stacks grow down.
    let top = unsafe { stack.as_ptr().byte_add(STACK.get()) };
    // SAFETY: the stack is that process's alone; the caller's memory, which it shares, is still until it has ended
    // (CLONE_VFORK), for there is no other thread. `life` lives that long.
    let pid = unsafe { libc::clone(between, top, libc::CLONE_VM | libc::CLONE_VFORK, (&raw mut life).cast()) };
    let result = if pid < 0 { Err(io::Error::last_os_error()) } else { Ok(Between(Pid::from_raw(pid))) };
    // SAFETY: nobody is on this stack any more: the process in between has let go of the memory, the last one has a copy.
    unsafe { munmap(stack, STACK.get()) }?;
    result
}

/// The process in between, which has nothing more to do but to end.
#[derive(Debug)]
#[must_use]
pub(crate) struct Between(Pid);

impl Between {
    /// Waits for its end.
    ///
    /// # Errors
    /// Those of setsid(2) and clone(2) in it.
    pub(crate) fn ended(self) -> io::Result<()> {
        match waitpid(self.0, Some(WaitPidFlag::__WALL))? {
            WaitStatus::Exited(_, 0) => Ok(()),
            WaitStatus::Exited(_, errno) => Err(io::Error::from_raw_os_error(errno)),
            _ => Err(io::Error::from(io::ErrorKind::Interrupted)),
        }
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

/// sigaction(2) with a disposition that runs no code of ours.
///
/// # Errors
/// EINVAL for the two signals that can't be changed.
pub(crate) fn set_action(signal: Signal, action: &SigAction) -> io::Result<()> {
    // SAFETY: callers pass SIG_DFL or SIG_IGN only.
    unsafe { sigaction(signal, action) }.map(drop).map_err(io::Error::from)
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
    // SAFETY: what turns into an OwnedFd owns one, so it stays open and the same until it is dropped.
    unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }.map_err(io::Error::from)
}
