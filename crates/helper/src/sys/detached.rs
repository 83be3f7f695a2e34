//! A process of its own that executes this program again.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::ptr::null;

use nix::unistd::Pid;

use super::received;

/// The path by which a program executes itself.
pub(crate) const OWN: &CStr = c"/proc/self/exe";
/// What the helper is called.
pub(crate) const NAME: &CStr = c"uwt-helper";
/// Where it finds its channel.
const CHANNEL: RawFd = 0;
/// Bytes of stack for a few system calls in a row.
const STACK: usize = 16 << 10;

/// The memory of two processes that share ours: a stack each.
#[repr(C, align(16))]
struct Memory {
    middle: MaybeUninit<[u8; STACK]>,
    last: MaybeUninit<[u8; STACK]>,
    /// The descriptor's number.
    channel: RawFd,
    /// The environment.
    environment: *const *const c_char,
}

unsafe extern "C" {
    /// environ(7).
    static environ: *const *const c_char;
}

/// Executes this program as a process of a session of its own that is nobody's child, with `channel` at [`CHANNEL`] and no
/// other descriptor, and without waiting for it; its environment is ours. What is returned is its parent, which ends at
/// once, without a signal, and is to be [`reap`](super::reap)ed.
///
/// Both processes share our memory until the one has ended and the other has executed the program, which may be after we
/// have executed another ourselves: there are no page tables to copy, and no page has to be copied when it is written to.
///
/// # Errors
/// clone(2)'s. What goes wrong later the other end of the channel tells: it is closed.
pub(crate) fn execute_detached(channel: BorrowedFd<'_>) -> io::Result<Pid> {
    // For as long as the processes may need it.
    let memory = Box::leak(Box::<Memory>::new_uninit()).as_mut_ptr();
    // SAFETY: the fields of an allocation of ours; stacks grow downwards, from one past the end of the array. What runs there
    // beside us, `middle` and `last`, uses nothing but this memory, constants, the environment, which we never change, and
    // system calls, whose results it keeps to itself. Descriptors and all other state are copies; in particular there is no
    // CLONE_FS, for which execve(2) would take the rights away that setuid programs have.
    let pid = unsafe {
        (&raw mut (*memory).channel).write(channel.as_raw_fd());
        (&raw mut (*memory).environment).write(environ);
        libc::clone(middle, (&raw mut (*memory).middle).add(1).cast(), libc::CLONE_VM, memory.cast())
    };
    if pid < 0 { Err(io::Error::last_os_error()) } else { Ok(Pid::from_raw(pid)) }
}

/// Starts the process proper and ends, so that init or a subreaper becomes its parent.
extern "C" fn middle(memory: *mut c_void) -> c_int {
    let memory = memory.cast::<Memory>();
    // SAFETY: see above. Where it fails nobody keeps the other end of the channel, which is how the launcher learns of it.
    // At the end nothing is cleared up of the process whose memory this is.
    unsafe {
        libc::clone(last, (&raw mut (*memory).last).add(1).cast(), libc::CLONE_VM | libc::SIGCHLD, memory.cast());
        libc::_exit(0)
    }
}

/// Makes itself independent and executes the program.
extern "C" fn last(memory: *mut c_void) -> c_int {
    let arguments: [*const c_char; 2] = [NAME.as_ptr(), null()];
    // SAFETY: see above; numbers, and C strings and vectors that are alive. Only a failure writes to what is not this
    // process's alone, `errno`: the launcher finds no helper then and runs nothing, whatever it has read there.
    unsafe {
        let Memory { channel, environment, .. } = *memory.cast::<Memory>();
        // Out of the reach of the terminal's signals.
        libc::setsid();
        // A copy stays open, and this one has to where it is in its place already.
        let placed =
            if channel == CHANNEL { libc::fcntl(channel, libc::F_SETFD, 0) } else { libc::dup2(channel, CHANNEL) };
        if placed == CHANNEL && libc::syscall(libc::SYS_close_range, CHANNEL + 1, c_int::MAX, 0) == 0 {
            libc::execve(OWN.as_ptr(), arguments.as_ptr(), environment);
        }
        libc::_exit(1)
    }
}

/// The channel of a process that [`execute_detached`] has made. To be called once in it.
pub(crate) fn inherited_channel() -> OwnedFd {
    received(CHANNEL)
}
