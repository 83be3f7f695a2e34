//! Questions to seccomp(2) that change nothing, and one that changes a child.

use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::ptr;

use libc::{c_uint, c_ulong};

use super::{InstallError, Installed, check, install};
use crate::bpf::{Assembler, Field, Target, Test};
use crate::{Program, Verdict};

/// Whether the kernel knows `SECCOMP_RET_USER_NOTIF`.
pub(crate) fn can_ask() -> io::Result<bool> {
    let action: u32 = libc::SECCOMP_RET_USER_NOTIF;
    match seccomp(libc::SECCOMP_GET_ACTION_AVAIL, 0, (&raw const action).cast()) {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the kernel's structures have the sizes that ours have: it writes as much as its own are long.
pub(crate) fn structures_fit() -> io::Result<bool> {
    let mut sizes = libc::seccomp_notif_sizes { seccomp_notif: 0, seccomp_notif_resp: 0, seccomp_data: 0 };
    seccomp(libc::SECCOMP_GET_NOTIF_SIZES, 0, (&raw mut sizes).cast_const().cast())?;
    Ok(usize::from(sizes.seccomp_notif) == size_of::<libc::seccomp_notif>()
        && usize::from(sizes.seccomp_notif_resp) == size_of::<libc::seccomp_notif_resp>()
        && usize::from(sizes.seccomp_data) == size_of::<libc::seccomp_data>())
}

/// Whether the kernel knows `SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV` (5.19): it looks at the flags, then for the program,
/// of which there is none.
pub(crate) fn knows_killable_waits() -> bool {
    let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    let result = seccomp(libc::SECCOMP_SET_MODE_FILTER, flags, ptr::null());
    result.is_err_and(|error| error.raw_os_error() == Some(libc::EFAULT))
}

/// Whether this thread is under a filter.
pub(crate) fn has_filter() -> bool {
    // SAFETY: PR_GET_SECCOMP takes no arguments.
    unsafe { libc::prctl(libc::PR_GET_SECCOMP) != libc::SECCOMP_MODE_DISABLED.cast_signed() }
}

fn seccomp(operation: c_uint, flags: c_ulong, argument: *const libc::c_void) -> io::Result<()> {
    // SAFETY: the callers give each operation the address of the structure it reads or writes, or null where a failure is
    // what they want.
    let result = unsafe { libc::syscall(libc::SYS_seccomp, operation, flags, argument) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// What the child found out.
#[derive(Debug)]
pub(crate) enum Trial {
    /// Answers can be descriptors.
    Works,
    /// The kernel doesn't know how.
    Unknown,
    /// There is a listener already.
    Busy,
    /// The filter could not be installed, or something stranger happened.
    Failed(io::Error),
}

const WORKS: i32 = 0;
const BUSY: i32 = -1;

/// Has a child install a filter and offer a descriptor to nobody: a kernel that knows the flag looks for the caller and
/// finds none, another dislikes the flag.
pub(crate) fn try_descriptors() -> io::Result<Trial> {
    let program = asks_about_nothing()?;
    let (mut reader, writer) = io::pipe()?;
    // SAFETY: the child makes system calls, allocates (glibc and musl keep their allocators usable over fork(2)) and
    // leaves by _exit(2); it touches no state of this process's other threads.
    let child = check(unsafe { libc::fork() })?;
    if child == 0 {
        report(writer, &program, &reader);
    }
    drop(writer);
    let mut found = [0; 4];
    let said = reader.read_exact(&mut found);
    reap(child);
    said?;
    Ok(match i32::from_ne_bytes(found) {
        WORKS => Trial::Works,
        BUSY => Trial::Busy,
        libc::EINVAL => Trial::Unknown,
        errno => Trial::Failed(io::Error::from_raw_os_error(errno)),
    })
}

/// In the child.
fn report(mut writer: PipeWriter, program: &Program, reader: &PipeReader) -> ! {
    let found = match install(program) {
        Ok(Installed { listener: Some(listener), .. }) => match listener.give(0, reader.as_fd(), true) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => WORKS,
            Err(error) => error.raw_os_error().unwrap_or(libc::EIO),
            Ok(_) => libc::EIO,
        },
        Ok(Installed { listener: None, .. }) => libc::EIO,
        Err(InstallError::AnotherListener) => BUSY,
        Err(InstallError::Unsupported(error) | InstallError::NoNewPrivileges(error) | InstallError::Refused(error)) => {
            error.raw_os_error().unwrap_or(libc::EIO)
        }
    };
    let written = writer.write_all(&found.to_ne_bytes());
    // SAFETY: always sound; it skips the exit handlers, which are the parent's.
    unsafe { libc::_exit(i32::from(written.is_err())) }
}

/// Where the caller's parent made this process ignore `SIGCHLD`, the kernel has done so itself.
fn reap(child: libc::pid_t) {
    // SAFETY: without a place for the status nothing is written.
    while unsafe { libc::waitpid(child, ptr::null_mut(), 0) } < 0
        && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
    {}
}

/// A program that needs a listener and never uses it: no call has this number.
fn asks_about_nothing() -> io::Result<Program> {
    let mut assembler = Assembler::new();
    let ask = assembler.label();
    assembler.load(Field::Number);
    assembler.test(Test::Equal, u32::MAX, ask, Target::Next);
    assembler.end(Verdict::Allow);
    assembler.place(ask);
    assembler.end(Verdict::Ask);
    assembler.finish().map_err(io::Error::other)
}
