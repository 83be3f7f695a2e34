//! The program's process, from fork(2) to execve(2).

use std::convert::Infallible;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sched::setns;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::stat::umask;
use nix::unistd::{
    ForkResult, Pid, chroot, close, dup2_stderr, dup2_stdin, dup2_stdout, execve, fchdir, pipe2, setsid,
};

use super::order::{Sent, Service};
use super::rights::Difference;
use crate::sys;

/// What came with a request.
#[derive(Debug)]
pub(super) struct Descriptors {
    root: OwnedFd,
    folder: OwnedFd,
    /// stdin, stdout and stderr, as far as they are open.
    standard: [Option<OwnedFd>; 3],
}

impl Descriptors {
    /// `None` where they are not as many as the order says.
    pub(super) fn of(descriptors: Vec<OwnedFd>, open: [bool; 3]) -> Option<Self> {
        let mut descriptors = descriptors.into_iter();
        let (root, folder) = (descriptors.next()?, descriptors.next()?);
        let mut standard = [None, None, None];
        for (place, open) in standard.iter_mut().zip(open) {
            if open {
                *place = Some(descriptors.next()?);
            }
        }
        descriptors.next().is_none().then_some(Self { root, folder, standard })
    }
}

/// Starts the program; gives its process, and a pipe from which the errno can be read if it could not be executed. It is
/// at its end when it was.
///
/// # Errors
/// Those of fork(2) and pipe(2).
pub(super) fn start(
    sent: &Sent,
    descriptors: Descriptors,
    asker: u32,
    difference: Difference,
) -> io::Result<(Pid, OwnedFd)> {
    let (failure, mut report) = pipe2(OFlag::O_CLOEXEC).map(|(read, write)| (read, File::from(write)))?;
    // How a child ended whose parent ignores this signal nobody would learn.
    sys::by_default(Signal::SIGCHLD)?;
    match sys::fork()? {
        ForkResult::Parent { child } => Ok((child, failure)),
        ForkResult::Child => {
            let Err(error) = become_program(sent, descriptors, asker, difference, &report);
            // Nobody else would hear of it.
            let _ = report.write_all(&error.raw_os_error().unwrap_or(libc::EIO).to_le_bytes());
            sys::exit(1)
        }
    }
}

/// Leaves all behind that is the helper's, and executes the program.
fn become_program(
    sent: &Sent,
    descriptors: Descriptors,
    asker: u32,
    difference: Difference,
    report: &File,
) -> io::Result<Infallible> {
    let Descriptors { root, folder, standard } = descriptors;
    setsid()?;
    sys::copy_limits(asker)?;
    if !difference.namespaces.is_empty() {
        setns(sys::pidfd(asker)?, difference.namespaces)?;
    }
    fchdir(root)?;
    chroot(".")?;
    fchdir(folder)?;
    umask(sent.umask);
    // None of them is in the way: the helper has all three open.
    let [input, output, errors] = &standard;
    input.as_ref().map_or_else(|| close(0), dup2_stdin)?;
    output.as_ref().map_or_else(|| close(1), dup2_stdout)?;
    errors.as_ref().map_or_else(|| close(2), dup2_stderr)?;
    sys::close_all_but(3, &[report.as_fd()])?;
    for signal in Signal::iterator().filter(|signal| !matches!(signal, Signal::SIGKILL | Signal::SIGSTOP)) {
        if difference.ignored >> (signal as i32 - 1) & 1 != 0 {
            sys::ignore(signal)?;
        } else {
            sys::by_default(signal)?;
        }
    }
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
    let mut errno = Errno::ENOENT;
    for folder in Service::FOLDERS {
        let path = CString::new(format!("{folder}/{}", sent.order.service.name()))?;
        let Err(error) = execve(&path, &sent.order.arguments, &sent.order.environment);
        errno = error;
        if !matches!(errno, Errno::ENOENT | Errno::ENOTDIR) {
            break;
        }
    }
    Err(errno.into())
}
