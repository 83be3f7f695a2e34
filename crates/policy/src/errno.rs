//! The error numbers a refused or failed call is answered with.

use core::fmt;

/// A Linux error number (errno(3)), positive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Errno(pub i32);

macro_rules! errnos {
    ($($name:ident),*) => {
        impl Errno {
            $(#[doc = concat!("`", stringify!($name), "` of errno(3).")] pub const $name: Self = Self(libc::$name);)*

            /// The symbolic name where it is one of those uwt itself uses.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $(libc::$name => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

errnos!(
    EPERM,
    ENOENT,
    EINTR,
    E2BIG,
    EBADF,
    EAGAIN,
    ENOMEM,
    EACCES,
    EFAULT,
    EINVAL,
    ENOSYS,
    EPROTONOSUPPORT,
    EOPNOTSUPP,
    EAFNOSUPPORT,
    ENOTSOCK,
    EADDRNOTAVAIL,
    ENETDOWN,
    ENETUNREACH,
    ECONNABORTED,
    ECONNRESET,
    EISCONN,
    ENOTCONN,
    ETIMEDOUT,
    ECONNREFUSED,
    EHOSTUNREACH,
    EALREADY,
    EINPROGRESS,
    ENOEXEC,
    EIO
);

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "errno {}", self.0),
        }
    }
}

impl Errno {
    /// What strerror(3) says, for the few errors that reach a message of ours.
    #[must_use]
    pub const fn text(self) -> Option<&'static str> {
        Some(match self {
            Self::ECONNREFUSED => "connection refused",
            Self::ETIMEDOUT => "timed out",
            Self::ENETUNREACH => "network is unreachable",
            Self::EHOSTUNREACH => "no route to host",
            Self::ECONNRESET => "connection reset",
            Self::ECONNABORTED => "connection aborted",
            Self::EACCES => "permission denied",
            Self::EADDRNOTAVAIL => "address not available",
            _ => return None,
        })
    }
}

impl fmt::Display for Errno {
    /// [`Errno::text`], or name or number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => f.write_str(text),
            None => write!(f, "{self:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn names_and_texts() {
        assert_eq!(format!("{:?}", Errno::EACCES), "EACCES");
        assert_eq!(format!("{}", Errno::ECONNREFUSED), "connection refused");
        assert_eq!(format!("{}", Errno(4095)), "errno 4095");
    }
}
