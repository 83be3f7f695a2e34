//! The kernel's side: seccomp(2) and the listener's ioctls. All unsafe code of the crate is here and below.
#![expect(unsafe_code, reason = "seccomp has no wrapper in libc, and its structures are passed by address")]

mod handover;
pub(crate) mod listener;
pub(crate) mod probe;

use std::error::Error;
use std::fmt;
use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd};

use libc::c_ulong;

use crate::{Instruction, Listener, Program};

/// A filter in force.
#[derive(Debug)]
pub struct Installed {
    /// Who has this is asked; `None` for a program that asks nobody.
    pub listener: Option<Listener>,
    /// Whether `PR_SET_NO_NEW_PRIVS` (prctl(2)) had to be set for it: setuid programs, and those with file capabilities,
    /// then run without their privileges in this tree.
    pub no_new_privileges: bool,
}

/// Why there is no filter.
#[derive(Debug)]
pub enum InstallError {
    /// A filter of this process or of one it came from has a listener already, and there can be but one.
    AnotherListener,
    /// This kernel has no seccomp filters, or none of this kind ([`crate::probe`] tells which).
    Unsupported(io::Error),
    /// `PR_SET_NO_NEW_PRIVS` was necessary and could not be set.
    NoNewPrivileges(io::Error),
    /// Anything else that seccomp(2) says.
    Refused(io::Error),
}

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnotherListener => f.write_str("another program already answers for the system calls of this one"),
            Self::Unsupported(error) => write!(f, "this kernel has no suitable seccomp filters: {error}"),
            Self::NoNewPrivileges(error) => write!(f, "can't give up new privileges (PR_SET_NO_NEW_PRIVS): {error}"),
            Self::Refused(error) => write!(f, "can't install the seccomp filter: {error}"),
        }
    }
}

impl Error for InstallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::AnotherListener => None,
            Self::Unsupported(error) | Self::NoNewPrivileges(error) | Self::Refused(error) => Some(error),
        }
    }
}

/// Puts the calling thread, and everything it will start, under the filter, for good.
///
/// Other threads of the process stay outside: call this before there are any. With `CAP_SYS_ADMIN` in its user namespace
/// the thread keeps what setuid programs it may run; without, it gives them up ([`Installed::no_new_privileges`]). The
/// listener is close-on-exec. It must leave the guarded tree by [`Listener::hand_over`]: who asks itself waits forever.
///
/// # Errors
///
/// No filter is in force then, but [`Installed::no_new_privileges`] may already be.
pub fn install(program: &Program) -> Result<Installed, InstallError> {
    let mut no_new_privileges = false;
    let mut result = set_filter(program);
    if result.as_ref().is_err_and(|error| error.raw_os_error() == Some(libc::EACCES)) {
        set_no_new_privileges().map_err(InstallError::NoNewPrivileges)?;
        no_new_privileges = true;
        result = set_filter(program);
    }
    match result {
        Ok(listener) => Ok(Installed { listener: listener.map(Listener::from), no_new_privileges }),
        Err(error) => Err(match error.raw_os_error() {
            Some(libc::EBUSY) => InstallError::AnotherListener,
            Some(libc::EINVAL | libc::ENOSYS) => InstallError::Unsupported(error),
            _ => InstallError::Refused(error),
        }),
    }
}

/// Has the fd of a new listener in its result where the program asks.
fn set_filter(program: &Program) -> io::Result<Option<OwnedFd>> {
    // The guard is no sandbox: without this flag kernels before 5.16 slow every guarded program down to protect others
    // from its speculation.
    let common = libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    if !program.asks() {
        return set_filter_with(program, common).map(|_| None);
    }
    let listening = common | libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // From 5.19: a signal doesn't interrupt a call that the helper has begun to answer.
    let number = match set_filter_with(program, listening | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => set_filter_with(program, listening),
        result => result,
    }?;
    // SAFETY: with NEW_LISTENER a success is the number of a descriptor that was just made, and nobody else's.
    let listener = unsafe { OwnedFd::from_raw_fd(number) };
    listener::wake_on_the_same_processor(&listener);
    Ok(Some(listener))
}

fn set_filter_with(program: &Program, flags: c_ulong) -> io::Result<i32> {
    let too_long = |_| io::Error::from_raw_os_error(libc::EINVAL);
    let mut filter: Vec<libc::sock_filter> = program.instructions().iter().copied().map(to_kernel).collect();
    let len = u16::try_from(filter.len()).map_err(too_long)?;
    let program = libc::sock_fprog { len, filter: filter.as_mut_ptr() };
    // SAFETY: the kernel reads `program` and the `len` instructions it points to, all alive here; it keeps a copy.
    let result = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program) };
    i32::try_from(result).map_err(too_long).and_then(check)
}

fn to_kernel(instruction: Instruction) -> libc::sock_filter {
    let Instruction { code, yes, no, value } = instruction;
    libc::sock_filter { code, jt: yes, jf: no, k: value }
}

fn set_no_new_privileges() -> io::Result<()> {
    let (one, zero): (c_ulong, c_ulong) = (1, 0);
    // SAFETY: PR_SET_NO_NEW_PRIVS takes plain numbers.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, one, zero, zero, zero) }).map(drop)
}

/// What libc's functions return for failures, as an error.
fn check(result: i32) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

#[cfg(test)]
mod tests;
