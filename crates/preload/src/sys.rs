//! System calls, made directly: the libc functions of the same names are our own hooks.
#![expect(unsafe_code, reason = "this is where system calls are made")]

use core::arch::asm;
use core::ffi::{CStr, c_int, c_long};
use core::mem::MaybeUninit;

use uwt_policy::Errno;

use crate::state;

mod socket;

pub(crate) use socket::{
    attach, bind, caged_socket, connect, disconnect, name, option, receive, replace, send, send_with, set_option,
    socket, status_flags, without_waiting,
};

#[cfg(not(target_arch = "x86_64"))]
compile_error!("the preload knows the system call convention of x86-64 only");

/// The result of a system call.
pub(crate) type Sys<T> = Result<T, Errno>;

/// Makes a system call.
///
/// # Safety
/// As for the call itself: pointers must be valid for what the kernel does with them. A pointer that the program gave
/// may be anything, the kernel answers EFAULT for a bad one.
///
/// All the arguments that the call takes must be given, zeros too: what the other registers hold is left open.
#[inline(always)]
#[expect(clippy::inline_always, reason = "two bytes of code once the number of arguments is known")]
pub(crate) unsafe fn raw<const N: usize>(number: c_long, arguments: [usize; N]) -> isize {
    const { assert!(N <= 6) };
    let mut given = arguments.into_iter();
    let mut next = || given.next().unwrap_or_default();
    let (a, b, c, d, e, f) = (next(), next(), next(), next(), next(), next());
    #[expect(clippy::cast_possible_truncation, reason = "long and isize are the same on Linux")]
    let number = number as isize;
    let result: isize;
    if N <= 3 {
        // SAFETY: as below.
        unsafe {
            asm!(
                "syscall",
                inlateout("rax") number => result,
                in("rdi") a, in("rsi") b, in("rdx") c,
                lateout("rcx") _, lateout("r11") _,
                options(nostack),
            );
        }
        return result;
    }
    if N == 4 {
        // SAFETY: as below.
        unsafe {
            asm!(
                "syscall",
                inlateout("rax") number => result,
                in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d,
                lateout("rcx") _, lateout("r11") _,
                options(nostack),
            );
        }
        return result;
    }
    // SAFETY: the x86-64 convention: rcx and r11 are overwritten, the kernel touches no memory of ours but what the
    // arguments point to, which is the caller's promise.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// As [`raw`], with the kernel's negative error numbers taken apart.
///
/// # Safety
/// As for [`raw`].
#[inline(always)]
#[expect(clippy::inline_always, reason = "as above; the result stays in a register")]
pub(crate) unsafe fn call<const N: usize>(number: c_long, arguments: [usize; N]) -> Sys<usize> {
    // SAFETY: passed on to the caller.
    let result = unsafe { raw(number, arguments) };
    if (-4095..0).contains(&result) {
        Err(Errno(i32::try_from(-result).unwrap_or(libc::EIO)))
    } else {
        Ok(result.cast_unsigned())
    }
}

/// A descriptor or flag word as the kernel takes it.
#[expect(clippy::cast_sign_loss, reason = "the kernel looks at the low 32 bits")]
pub(crate) const fn word(value: c_int) -> usize {
    value as isize as usize
}

#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "descriptors and pids are ints")]
pub(crate) const fn int(value: usize) -> c_int {
    value as c_int
}

/// A 64-bit word as an argument of a call.
#[expect(clippy::cast_possible_truncation, reason = "usize has 64 bits here")]
pub(crate) const fn size(value: u64) -> usize {
    value as usize
}

/// A socklen_t, pid or user id: 32 bits to the kernel.
#[expect(clippy::cast_possible_truncation, reason = "they have 32 bits")]
const fn length(value: usize) -> u32 {
    value as u32
}

/// A call that was judged here: the guard lets it pass for the cookie in its fifth argument, which the kernel does not
/// look at. For calls of four arguments or less.
///
/// # Safety
/// As for [`raw`].
#[inline(never)]
pub(crate) unsafe fn judged(number: c_long, [a, b, c, d]: [usize; 4]) -> Sys<usize> {
    // SAFETY: passed on to the caller.
    unsafe { call(number, [a, b, c, d, state::cookie()]) }
}

/// close(2).
pub(crate) fn close(fd: c_int) {
    // SAFETY: takes no pointers; callers close only what they opened.
    let _ = unsafe { call(libc::SYS_close, [word(fd)]) };
}

/// Waits for `events` on one descriptor, at most `timeout` nanoseconds. EINTR after a signal, `Ok(0)` after the time.
#[inline(never)]
pub(crate) fn poll(fd: c_int, events: i16, timeout: u64) -> Sys<usize> {
    let mut set = libc::pollfd { fd, events, revents: 0 };
    let seconds = i64::try_from(timeout / 1_000_000_000).unwrap_or(i64::MAX);
    let mut limit = libc::timespec { tv_sec: seconds, tv_nsec: (timeout % 1_000_000_000).cast_signed() };
    let (set, limit) = ((&raw mut set).expose_provenance(), (&raw mut limit).expose_provenance());
    // SAFETY: one pollfd and one timespec, both ours and writable; no signal mask.
    unsafe { call(libc::SYS_ppoll, [set, 1, limit, 0, 0]) }
}

/// CLOCK_MONOTONIC in nanoseconds.
#[inline(never)]
pub(crate) fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: clock_gettime is not hooked, needs no locks and writes one timespec of ours.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec.cast_unsigned().wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec.cast_unsigned())
}

/// openat(2) for reading, close-on-exec.
pub(crate) fn open(directory: c_int, path: &CStr) -> Sys<c_int> {
    open_for(directory, path, libc::O_RDONLY | libc::O_NOCTTY | libc::O_NONBLOCK)
}

/// openat(2) to look at a file that can't be read, close-on-exec.
pub(crate) fn open_path(directory: c_int, path: &CStr) -> Sys<c_int> {
    open_for(directory, path, libc::O_PATH)
}

#[inline(never)]
fn open_for(directory: c_int, path: &CStr, flags: c_int) -> Sys<c_int> {
    // SAFETY: the kernel reads a NUL-terminated string.
    unsafe { call(libc::SYS_openat, [word(directory), path.as_ptr().addr(), word(flags | libc::O_CLOEXEC)]) }.map(int)
}

/// pread(2) from the start of the file.
pub(crate) fn read_head(fd: c_int, bytes: &mut [u8]) -> Sys<usize> {
    let (to, len) = (bytes.as_mut_ptr().expose_provenance(), bytes.len());
    // SAFETY: the kernel writes at most `len` bytes to `to`.
    unsafe { call(libc::SYS_pread64, [word(fd), to, len, 0]) }
}

/// newfstatat(2); an empty path means the descriptor itself.
#[inline(never)]
pub(crate) fn stat(directory: c_int, path: &CStr, flags: c_int) -> Sys<libc::stat> {
    let mut status = MaybeUninit::<libc::stat>::zeroed();
    let to = status.as_mut_ptr().expose_provenance();
    // SAFETY: the kernel reads a string and writes one struct stat, for which all bit patterns are valid.
    unsafe {
        call(libc::SYS_newfstatat, [word(directory), path.as_ptr().addr(), to, word(flags)])?;
        Ok(status.assume_init())
    }
}

/// Whether the file system of an open file ignores set-user-ID bits (fstatfs(2), `ST_NOSUID`).
pub(crate) fn is_nosuid(fd: c_int) -> bool {
    // struct statfs is 15 words on 64-bit machines; f_flags, which libc's declaration hides, is the eleventh.
    let mut status = [0_u64; 15];
    let to = status.as_mut_ptr().expose_provenance();
    // SAFETY: the kernel writes one struct statfs.
    let known = unsafe { call(libc::SYS_fstatfs, [word(fd), to]) }.is_ok();
    known && status[10] & libc::ST_NOSUID != 0
}

/// Whether an open file has the extended attribute `name` (fgetxattr(2)). `link` is its path in /proc, for descriptors
/// that can't be asked themselves (`O_PATH`).
pub(crate) fn has_attribute(fd: c_int, link: &CStr, name: &CStr) -> bool {
    let name = name.as_ptr().addr();
    // SAFETY: strings are read; with size 0 nothing is written.
    unsafe {
        match call(libc::SYS_fgetxattr, [word(fd), name, 0, 0]) {
            Err(Errno::EBADF) => call(libc::SYS_getxattr, [link.as_ptr().addr(), name, 0, 0]).is_ok(),
            result => result.is_ok(),
        }
    }
}

/// Whether execve can give no privileges any more (prctl(2), `PR_GET_NO_NEW_PRIVS`).
pub(crate) fn no_new_privileges() -> bool {
    // SAFETY: takes no pointers.
    let set = unsafe { call(libc::SYS_prctl, [word(libc::PR_GET_NO_NEW_PRIVS), 0, 0, 0, 0]) };
    set == Ok(1)
}

/// faccessat(2) with the effective ids: whether a file can be read.
pub(crate) fn is_readable(path: &CStr) -> bool {
    let arguments = [word(libc::AT_FDCWD), path.as_ptr().addr(), word(libc::R_OK), word(libc::AT_EACCESS)];
    // SAFETY: a string is read.
    unsafe { call(libc::SYS_faccessat2, arguments) }.is_ok()
}

/// readlink(2).
pub(crate) fn read_link<'a>(path: &CStr, target: &'a mut [u8]) -> Sys<&'a [u8]> {
    let (to, len) = (target.as_mut_ptr().expose_provenance(), target.len());
    // SAFETY: a string is read, at most `len` bytes are written to `to`.
    let read = unsafe { call(libc::SYS_readlink, [path.as_ptr().addr(), to, len]) }?;
    target.get(..read).ok_or(Errno::EIO)
}

/// getpid(2), asked of the kernel: libc's may be hooked by the program.
pub(crate) fn pid() -> u32 {
    // SAFETY: takes no pointers.
    length(unsafe { raw(libc::SYS_getpid, []) }.cast_unsigned())
}

/// The real user and group.
pub(crate) fn ids() -> (u32, u32) {
    // SAFETY: neither takes pointers.
    let (user, group) = unsafe { (raw(libc::SYS_getuid, []), raw(libc::SYS_getgid, [])) };
    (length(user.cast_unsigned()), length(group.cast_unsigned()))
}

/// Random bytes (getrandom(2)), or none at all.
pub(crate) fn random() -> Sys<u64> {
    let mut bytes = [0_u8; 8];
    // SAFETY: the kernel writes 8 bytes to `bytes`.
    let got = unsafe { call(libc::SYS_getrandom, [bytes.as_mut_ptr().expose_provenance(), 8, 0]) }?;
    if got == 8 { Ok(u64::from_ne_bytes(bytes)) } else { Err(Errno::EIO) }
}

/// uname(2)'s node name, which is what gethostname(3) gives.
#[inline(never)]
pub(crate) fn host_name() -> [u8; 65] {
    let mut names = [0_u8; 6 * 65];
    // SAFETY: the kernel writes one struct new_utsname of six fields of 65 bytes.
    let _ = unsafe { call(libc::SYS_uname, [names.as_mut_ptr().expose_provenance()]) };
    let mut own = [0; 65];
    for (to, from) in own.iter_mut().zip(names.iter().skip(65)) {
        *to = *from;
    }
    own
}

/// write(2), for messages.
pub(crate) fn write(fd: c_int, bytes: &[u8]) {
    // SAFETY: the kernel reads `bytes.len()` bytes of `bytes`.
    let _ = unsafe { call(libc::SYS_write, [word(fd), bytes.as_ptr().addr(), bytes.len()]) };
}

/// Changes the thread's signal mask (rt_sigprocmask(2)) and gives the old one.
pub(crate) fn signal_mask(how: c_int, mask: u64) -> u64 {
    let mut old = 0_u64;
    let (new, old_at) = ((&raw const mask).addr(), (&raw mut old).expose_provenance());
    // SAFETY: two 8-byte signal sets of ours.
    let _ = unsafe { call(libc::SYS_rt_sigprocmask, [word(how), new, old_at, 8]) };
    old
}

/// Whether a handler is installed that interrupts system calls instead of restarting them (signal(7)).
pub(crate) fn has_interrupting_handler() -> bool {
    /// The kernel's struct sigaction, not libc's.
    #[repr(C)]
    struct Action {
        handler: usize,
        flags: u64,
        restorer: usize,
        mask: u64,
    }
    // Handlers of faults (language runtimes have them) never interrupt a thread that waits.
    const FAULTS: [c_int; 6] = [libc::SIGILL, libc::SIGTRAP, libc::SIGBUS, libc::SIGFPE, libc::SIGSEGV, libc::SIGSYS];
    (1..=64).filter(|signal| !FAULTS.contains(signal)).any(|signal: c_int| {
        let mut action = Action { handler: 0, flags: 0, restorer: 0, mask: 0 };
        let to = (&raw mut action).expose_provenance();
        // SAFETY: the kernel writes one of its struct sigaction, declared above.
        let known = unsafe { call(libc::SYS_rt_sigaction, [word(signal), 0, to, 8]) }.is_ok();
        let caught = action.handler != libc::SIG_DFL && action.handler != libc::SIG_IGN;
        let restarts = action.flags & u64::from(libc::SA_RESTART.cast_unsigned()) != 0;
        known && caught && !restarts
    })
}

/// sched_yield(2).
pub(crate) fn yield_now() {
    // SAFETY: takes no pointers.
    let _ = unsafe { raw(libc::SYS_sched_yield, []) };
}

/// Ends the process as abort(3) does, without its locks.
pub(crate) fn abort() -> ! {
    // SAFETY: neither takes pointers.
    unsafe {
        raw(libc::SYS_kill, [pid() as usize, word(libc::SIGABRT)]);
        loop {
            raw(libc::SYS_exit_group, [134]);
        }
    }
}
