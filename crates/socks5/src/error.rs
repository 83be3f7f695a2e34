//! What can go wrong that is not a reply code.

use core::fmt;

use crate::errno;

/// How far the gateway had answered when it closed the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before anything conclusive: the greeting (RFC 1928 §3) was not answered.
    Method,
    /// The method was agreed, the credentials (RFC 1929) were not answered.
    Auth,
    /// Everything but the request itself (RFC 1928 §6) was answered, or the reply was cut short.
    Reply,
}

/// The gateway's answer is not one we can use. Nothing was granted; the connection is of no further use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Error {
    /// The byte where a SOCKS version belongs: whatever listens there does not speak SOCKS5.
    Version(u8),
    /// `05 FF`: the gateway wants another kind of authentication than ours (RFC 1928 §3).
    NoAcceptableMethod,
    /// The gateway chose a method we did not offer.
    WrongMethod(u8),
    /// The byte where the version of the username/password reply belongs.
    AuthVersion(u8),
    /// The credentials were refused with this status (RFC 1929 §2).
    AuthRefused(u8),
    /// The request was granted although the credentials were never accepted: the connection would not be isolated.
    AuthSkipped,
    /// The reserved byte was not zero, as it must be (RFC 1928 §6).
    Reserved(u8),
    /// An address type that does not exist: where the reply ends is unknown.
    AddressType(u8),
    /// The gateway closed the connection.
    Eof(Stage),
    /// The caller fed more than [`needed`](crate::Reply::needed) bytes, or went on after the end. Fails closed: bytes of
    /// the program may have been swallowed.
    Misuse,
}

impl Error {
    /// The errno the program shall see: EACCES when authentication failed, else ECONNABORTED.
    #[must_use]
    pub const fn errno(self) -> i32 {
        match self {
            Self::AuthRefused(_) | Self::NoAcceptableMethod => errno::EACCES,
            _ => errno::ECONNABORTED,
        }
    }

    /// What happened, for a person; a clause without a full stop.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Version(_) => "what listens there does not speak SOCKS5",
            Self::NoAcceptableMethod => "the gateway does not accept our kind of authentication",
            Self::WrongMethod(_) => "the gateway chose an authentication method that was not offered",
            Self::AuthVersion(_) => "the gateway's answer to the credentials is malformed",
            Self::AuthRefused(_) => "the gateway refused the credentials",
            Self::AuthSkipped => "the gateway ignored the credentials: streams would not be isolated",
            Self::Reserved(_) => "the gateway's reply is malformed (reserved byte)",
            Self::AddressType(_) => "the gateway's reply is malformed (address type)",
            Self::Eof(Stage::Method) => "the gateway closed the connection without an answer",
            Self::Eof(Stage::Auth) => "the gateway closed the connection during authentication",
            Self::Eof(Stage::Reply) => "the gateway closed the connection before its reply was complete",
            Self::Misuse => "internal error: the reply was read too far",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for Error {}

/// What was asked for cannot be said in SOCKS5; nothing may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum EncodeError {
    /// A name without a byte.
    NameEmpty,
    /// A name of more than 255 bytes: its length does not fit (RFC 1928 §5).
    NameTooLong,
    /// A name with a NUL in it, which no resolver accepts.
    NameNul,
    /// A username or password without a byte: RFC 1929 §2 asks for 1 to 255.
    CredentialEmpty,
    /// A username or password of more than 255 bytes.
    CredentialTooLong,
    /// RESOLVE takes a name and `RESOLVE_PTR` an address; it was the other way round.
    WrongTarget,
}

impl EncodeError {
    /// The errno the program shall see: EHOSTUNREACH for a name nobody can have, else EINVAL.
    #[must_use]
    pub const fn errno(self) -> i32 {
        match self {
            Self::NameEmpty | Self::NameTooLong | Self::NameNul => errno::EHOSTUNREACH,
            Self::CredentialEmpty | Self::CredentialTooLong | Self::WrongTarget => errno::EINVAL,
        }
    }

    /// What is wrong, for a person; a clause without a full stop.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::NameEmpty => "the host name is empty",
            Self::NameTooLong => "the host name is longer than 255 bytes",
            Self::NameNul => "the host name contains a NUL byte",
            Self::CredentialEmpty => "the SOCKS username or password is empty",
            Self::CredentialTooLong => "the SOCKS username or password is longer than 255 bytes",
            Self::WrongTarget => "this kind of lookup does not fit the target",
        }
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for EncodeError {}

#[cfg(test)]
mod tests {
    use super::{EncodeError, Error, Stage};

    #[test]
    fn only_refused_authentication_is_a_permission_problem() {
        assert_eq!(Error::AuthRefused(1).errno(), libc::EACCES);
        assert_eq!(Error::NoAcceptableMethod.errno(), libc::EACCES);
        let others = [
            Error::Version(72),
            Error::WrongMethod(1),
            Error::AuthVersion(9),
            Error::AuthSkipped,
            Error::Reserved(1),
            Error::AddressType(2),
            Error::Eof(Stage::Method),
            Error::Eof(Stage::Auth),
            Error::Eof(Stage::Reply),
            Error::Misuse,
        ];
        for error in others {
            assert_eq!(error.errno(), libc::ECONNABORTED, "{error}");
        }
    }

    #[test]
    fn impossible_names_are_unreachable_hosts() {
        assert_eq!(EncodeError::NameTooLong.errno(), libc::EHOSTUNREACH);
        assert_eq!(EncodeError::CredentialEmpty.errno(), libc::EINVAL);
    }
}
