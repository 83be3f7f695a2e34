//! What this kernel can do, found out without a filter on the caller.

use std::error::Error;
use std::fmt;
use std::io;

use crate::sys::probe;

/// Why calls can't be asked about here, so that [`crate::Foreign::Refuse`] is what remains.
#[derive(Debug)]
pub enum ProbeError {
    /// There is no seccomp(2) at all, or something keeps it from us.
    NoSeccomp(io::Error),
    /// Filters can't ask (Linux before 5.0).
    NoNotifications,
    /// The kernel's structures are larger than those of this program.
    OtherStructures,
    /// An answer can't be a new descriptor (Linux before 5.14).
    NoDescriptors,
    /// A filter above this process has a listener already, and there can be but one.
    AnotherListener,
    /// The child that tries it could not be made, or did not say.
    NoTrial(io::Error),
}

impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSeccomp(error) => write!(f, "seccomp(2) doesn't work here: {error}"),
            Self::NoNotifications => f.write_str("this kernel has no seccomp notifications (Linux 5.0)"),
            Self::OtherStructures => f.write_str("this kernel's seccomp notifications are newer than this program"),
            Self::NoDescriptors => f.write_str("this kernel's seccomp notifications can't carry sockets (Linux 5.14)"),
            Self::AnotherListener => f.write_str("another program already answers for the system calls of this one"),
            Self::NoTrial(error) => write!(f, "can't try seccomp notifications in a child: {error}"),
        }
    }
}

impl Error for ProbeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoSeccomp(error) | Self::NoTrial(error) => Some(error),
            Self::NoNotifications | Self::OtherStructures | Self::NoDescriptors | Self::AnotherListener => None,
        }
    }
}

/// Whether [`crate::Foreign::Ask`], with every answer of [`crate::Listener`], works on this kernel.
///
/// Three system calls from Linux 5.19 on. Before, a short-lived child tries what the version alone wouldn't tell, since
/// distributions port such things back; so it does under a filter, which may have a listener already.
///
/// # Errors
///
/// What is missing.
pub fn notifications() -> Result<(), ProbeError> {
    if !probe::can_ask().map_err(ProbeError::NoSeccomp)? {
        return Err(ProbeError::NoNotifications);
    }
    if !probe::structures_fit().map_err(ProbeError::NoSeccomp)? {
        return Err(ProbeError::OtherStructures);
    }
    // Younger than answers by descriptor, and it can be asked for without a filter.
    if probe::knows_killable_waits() && !is_filtered() {
        return Ok(());
    }
    match probe::try_descriptors().map_err(ProbeError::NoTrial)? {
        probe::Trial::Works => Ok(()),
        probe::Trial::Unknown => Err(ProbeError::NoDescriptors),
        probe::Trial::Busy => Err(ProbeError::AnotherListener),
        probe::Trial::Failed(error) => Err(ProbeError::NoTrial(error)),
    }
}

/// Whether this thread is under a filter already, whoever made it (prctl(2), `PR_GET_SECCOMP`).
#[must_use]
pub fn is_filtered() -> bool {
    probe::has_filter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Foreign, Rules, compile, install};

    /// A filter is a thread's own.
    #[test]
    fn one_listener_is_enough() {
        for (foreign, works) in [(Foreign::Refuse, true), (Foreign::Ask, false)] {
            let found = std::thread::spawn(move || {
                assert!(!is_filtered());
                let installed = install(&compile(&Rules { cookie: 1, foreign }).unwrap()).unwrap();
                assert!(is_filtered());
                let found = notifications();
                drop(installed);
                found
            });
            let found = found.join().unwrap();
            assert!(if works { found.is_ok() } else { matches!(found, Err(ProbeError::AnotherListener)) }, "{found:?}");
        }
    }

    #[test]
    fn this_kernel_has_what_the_tests_of_this_crate_need() {
        notifications().unwrap();
        // The long way comes to the same end.
        assert!(matches!(probe::try_descriptors().unwrap(), probe::Trial::Works));
    }
}
