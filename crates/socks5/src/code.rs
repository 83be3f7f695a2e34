//! Reply codes: RFC 1928 §6 and, for onion services, Tor's `ExtendedErrors` (proposal 304).

use crate::errno;

/// The REP field of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum ReplyCode {
    /// 0x00: granted.
    Succeeded,
    /// 0x01: general failure; Tor's answer to what it will not try (port 0, private addresses, malformed names).
    GeneralFailure,
    /// 0x02: the gateway's rules forbid it; with Tor also `SafeSocks` and exit policies.
    NotAllowed,
    /// 0x03: network unreachable.
    NetworkUnreachable,
    /// 0x04: host unreachable; Tor's answer to a name that does not resolve.
    HostUnreachable,
    /// 0x05: connection refused.
    ConnectionRefused,
    /// 0x06: TTL expired; Tor's answer to a timeout.
    TtlExpired,
    /// 0x07: command not supported.
    CommandNotSupported,
    /// 0x08: address type not supported.
    AddressTypeNotSupported,
    /// 0xF0: onion service descriptor not found.
    OnionDescriptorNotFound,
    /// 0xF1: onion service descriptor invalid.
    OnionDescriptorInvalid,
    /// 0xF2: introduction to the onion service failed.
    OnionIntroFailed,
    /// 0xF3: rendezvous with the onion service failed.
    OnionRendezvousFailed,
    /// 0xF4: the onion service wants client authorization.
    OnionAuthMissing,
    /// 0xF5: the client authorization given is wrong.
    OnionAuthWrong,
    /// 0xF6: not a valid onion address.
    OnionAddressInvalid,
    /// 0xF7: introduction to the onion service timed out.
    OnionIntroTimedOut,
    /// A code nobody has assigned.
    Unknown(u8),
}

impl ReplyCode {
    /// The code of a REP byte.
    pub const fn from_byte(byte: u8) -> Self {
        match byte {
            0x00 => Self::Succeeded,
            0x01 => Self::GeneralFailure,
            0x02 => Self::NotAllowed,
            0x03 => Self::NetworkUnreachable,
            0x04 => Self::HostUnreachable,
            0x05 => Self::ConnectionRefused,
            0x06 => Self::TtlExpired,
            0x07 => Self::CommandNotSupported,
            0x08 => Self::AddressTypeNotSupported,
            0xF0 => Self::OnionDescriptorNotFound,
            0xF1 => Self::OnionDescriptorInvalid,
            0xF2 => Self::OnionIntroFailed,
            0xF3 => Self::OnionRendezvousFailed,
            0xF4 => Self::OnionAuthMissing,
            0xF5 => Self::OnionAuthWrong,
            0xF6 => Self::OnionAddressInvalid,
            0xF7 => Self::OnionIntroTimedOut,
            other => Self::Unknown(other),
        }
    }

    /// The REP byte of this code.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Succeeded => 0x00,
            Self::GeneralFailure => 0x01,
            Self::NotAllowed => 0x02,
            Self::NetworkUnreachable => 0x03,
            Self::HostUnreachable => 0x04,
            Self::ConnectionRefused => 0x05,
            Self::TtlExpired => 0x06,
            Self::CommandNotSupported => 0x07,
            Self::AddressTypeNotSupported => 0x08,
            Self::OnionDescriptorNotFound => 0xF0,
            Self::OnionDescriptorInvalid => 0xF1,
            Self::OnionIntroFailed => 0xF2,
            Self::OnionRendezvousFailed => 0xF3,
            Self::OnionAuthMissing => 0xF4,
            Self::OnionAuthWrong => 0xF5,
            Self::OnionAddressInvalid => 0xF6,
            Self::OnionIntroTimedOut => 0xF7,
            Self::Unknown(byte) => byte,
        }
    }

    /// The errno a direct `connect(2)` would have given; 0 for [`ReplyCode::Succeeded`].
    #[must_use]
    pub const fn errno(self) -> i32 {
        match self {
            Self::Succeeded => 0,
            Self::GeneralFailure | Self::NetworkUnreachable | Self::OnionRendezvousFailed => errno::ENETUNREACH,
            Self::NotAllowed | Self::OnionAuthMissing | Self::OnionAuthWrong => errno::EACCES,
            Self::HostUnreachable
            | Self::OnionDescriptorNotFound
            | Self::OnionDescriptorInvalid
            | Self::OnionAddressInvalid => errno::EHOSTUNREACH,
            Self::ConnectionRefused | Self::OnionIntroFailed => errno::ECONNREFUSED,
            Self::TtlExpired | Self::OnionIntroTimedOut => errno::ETIMEDOUT,
            Self::CommandNotSupported => errno::EOPNOTSUPP,
            Self::AddressTypeNotSupported => errno::EAFNOSUPPORT,
            Self::Unknown(_) => errno::ECONNABORTED,
        }
    }

    /// What happened, for a person; a clause without a full stop.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Succeeded => "the gateway granted the request",
            Self::GeneralFailure => "the gateway could not carry the request",
            Self::NotAllowed => "the gateway's rules do not allow this connection",
            Self::NetworkUnreachable => "the network is unreachable from the gateway",
            Self::HostUnreachable => "the host is unreachable or its name does not resolve",
            Self::ConnectionRefused => "the destination refused the connection",
            Self::TtlExpired => "the connection through the gateway timed out",
            Self::CommandNotSupported => "the gateway does not support this SOCKS command",
            Self::AddressTypeNotSupported => "the gateway does not support this type of address",
            Self::OnionDescriptorNotFound => "the onion service's descriptor was not found: it may be offline",
            Self::OnionDescriptorInvalid => "the onion service's descriptor is invalid",
            Self::OnionIntroFailed => "the onion service could not be reached at its introduction points",
            Self::OnionRendezvousFailed => "the rendezvous with the onion service failed",
            Self::OnionAuthMissing => "the onion service requires client authorization",
            Self::OnionAuthWrong => "the onion service rejected the client authorization",
            Self::OnionAddressInvalid => "the onion address is not valid",
            Self::OnionIntroTimedOut => "the introduction to the onion service timed out",
            Self::Unknown(_) => "the gateway refused with an unknown reply code",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ReplyCode;
    use std::collections::HashSet;

    #[test]
    fn every_byte_survives_the_round_trip() {
        for byte in 0..=u8::MAX {
            assert_eq!(ReplyCode::from_byte(byte).byte(), byte);
        }
    }

    #[test]
    fn errno_of_every_assigned_code() {
        let table = [
            (0x00, 0),
            (0x01, libc::ENETUNREACH),
            (0x02, libc::EACCES),
            (0x03, libc::ENETUNREACH),
            (0x04, libc::EHOSTUNREACH),
            (0x05, libc::ECONNREFUSED),
            (0x06, libc::ETIMEDOUT),
            (0x07, libc::EOPNOTSUPP),
            (0x08, libc::EAFNOSUPPORT),
            (0xF0, libc::EHOSTUNREACH),
            (0xF1, libc::EHOSTUNREACH),
            (0xF2, libc::ECONNREFUSED),
            (0xF3, libc::ENETUNREACH),
            (0xF4, libc::EACCES),
            (0xF5, libc::EACCES),
            (0xF6, libc::EHOSTUNREACH),
            (0xF7, libc::ETIMEDOUT),
        ];
        let assigned: HashSet<u8> = table.iter().map(|row| row.0).collect();
        for (byte, errno) in table {
            let code = ReplyCode::from_byte(byte);
            assert_eq!(code.errno(), errno, "{code:?}");
            assert!(!matches!(code, ReplyCode::Unknown(_)));
        }
        for byte in (0..=u8::MAX).filter(|byte| !assigned.contains(byte)) {
            assert_eq!(ReplyCode::from_byte(byte), ReplyCode::Unknown(byte));
            assert_eq!(ReplyCode::from_byte(byte).errno(), libc::ECONNABORTED);
        }
    }

    #[test]
    fn every_code_has_its_own_text() {
        let codes = (0x00..=0x09).chain(0xF0..=0xF7).map(ReplyCode::from_byte);
        let texts: HashSet<&str> = codes.map(ReplyCode::text).collect();
        assert_eq!(texts.len(), 18);
        assert!(texts.iter().all(|text| !text.is_empty() && !text.ends_with('.')));
    }
}
