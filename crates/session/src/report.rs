//! What the preload tells the helper of what it does itself, for a report: the body of
//! [`Kind::Report`](crate::link::Kind::Report). The reply's body is empty; it comes when the helper has looked.
//!
//! | field | bytes |
//! |---|---|
//! | deed | 1 |
//! | how it ended: 0, an errno, or the gateway's reply code below 0 | 2 |
//! | the socket's family, type and protocol | 2 each |
//! | port | 2 |
//! | length of the host | 1 |
//! | host | … |
//! | label of the credential | … |
//!
//! Numbers are little-endian.

use uwt_policy::{Errno, SocketSpec};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Deed {
    /// A program has begun, with the preload in it.
    Begun = 0,
    /// A program could not be executed: the process is what it was.
    Stayed = 1,
    /// A connection through the gateway.
    Connect = 2,
    /// A question to the gateway for an address.
    Resolve = 3,
    /// A question to the gateway for a name.
    ResolvePtr = 4,
    /// A connection or a datagram to this machine, or a connection to the SocksPort itself.
    Direct = 5,
    /// A server was made.
    Listen = 6,
    /// Refused: a socket.
    NoSocket = 7,
    /// Refused: to connect.
    NoConnect = 8,
    /// Refused: to send a datagram.
    NoSend = 9,
    /// Refused: to bind.
    NoBind = 10,
    /// Refused: to listen.
    NoListen = 11,
    /// Refused: an option.
    NoOption = 12,
    /// Refused: io_uring.
    NoRing = 13,
    /// Refused: a protocol of libc's own.
    NoRemote = 14,
}

impl Deed {
    const ALL: [Self; 15] = [
        Self::Begun,
        Self::Stayed,
        Self::Connect,
        Self::Resolve,
        Self::ResolvePtr,
        Self::Direct,
        Self::Listen,
        Self::NoSocket,
        Self::NoConnect,
        Self::NoSend,
        Self::NoBind,
        Self::NoListen,
        Self::NoOption,
        Self::NoRing,
        Self::NoRemote,
    ];

    fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// Why something failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The gateway's reply code (RFC 1928 §6, and Tor's own), never 0.
    Gateway(u8),
    /// What the program was told, above 0.
    Errno(Errno),
}

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended(i16);

impl Ended {
    /// With an errno; 0 is a success.
    #[must_use]
    pub fn with(errno: Errno) -> Self {
        let [low, high, ..] = errno.0.to_le_bytes();
        Self(i16::from_le_bytes([low, high]))
    }

    /// With a reply code of the gateway (RFC 1928 §6, and Tor's own); 0 is a success.
    #[must_use]
    pub const fn by_gateway(code: u8) -> Self {
        Self(-(code as i16))
    }

    /// Why, where it is no success.
    #[must_use]
    pub fn why(self) -> Option<Why> {
        match self.0 {
            0 => None,
            errno @ 1.. => Some(Why::Errno(Errno(errno.into()))),
            // Nobody has a larger one.
            code => Some(Why::Gateway(u8::try_from(code.unsigned_abs()).unwrap_or(u8::MAX))),
        }
    }
}

/// What the preload tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told<'a> {
    /// What was done.
    pub deed: Deed,
    /// How it ended.
    pub ended: Ended,
    /// With which socket; zeros where that does not matter.
    pub socket: SocketSpec,
    /// With which host, a name or an address; empty where it has none.
    pub host: &'a str,
    /// And which port.
    pub port: u16,
    /// The label of the credential; empty where none was sent.
    pub credential: &'a str,
}

/// The longest body in bytes: a name has at most 255, a label fewer.
pub const MAX_TOLD: usize = HEAD + 255 + 64;

const HEAD: usize = 12;

impl<'a> Told<'a> {
    /// Writes the body and gives its length; `None` for texts that are too long.
    #[must_use]
    pub fn write(&self, out: &mut [u8; MAX_TOLD]) -> Option<usize> {
        let half = |number: i32| {
            let [low, high, ..] = number.to_le_bytes();
            [low, high]
        };
        let SocketSpec { domain, kind, protocol } = self.socket;
        let host = u8::try_from(self.host.len()).ok()?;
        let numbers = [self.ended.0.to_le_bytes(), half(domain), half(kind), half(protocol), self.port.to_le_bytes()];
        let (host_text, credential) = (self.host.as_bytes(), self.credential.as_bytes());
        crate::link::write(out, &[&[self.deed as u8], numbers.as_flattened(), &[host], host_text, credential])
    }

    /// Reads a body; `None` for anything that [`Self::write`] does not write.
    #[must_use]
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        let (head, texts) = body.split_first_chunk::<HEAD>()?;
        let [deed, numbers @ .., host] = *head;
        let mut numbers = numbers.as_chunks::<2>().0.iter().map(|number| u16::from_le_bytes(*number));
        let ended = numbers.next()?.cast_signed();
        let (domain, kind, protocol) = (numbers.next()?.into(), numbers.next()?.into(), numbers.next()?.into());
        let port = numbers.next()?;
        let (host, credential) = texts.split_at_checked(host.into())?;
        let text = |bytes| core::str::from_utf8(bytes).ok();
        Some(Self {
            deed: Deed::of(deed)?,
            ended: Ended(ended),
            socket: SocketSpec { domain, kind, protocol },
            host: text(host)?,
            port,
            credential: text(credential)?,
        })
        .filter(|_| body.len() <= MAX_TOLD)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told() -> impl Strategy<Value = (Deed, Ended, [u16; 4], std::string::String, std::string::String)> {
        let ended = any::<i16>().prop_map(Ended);
        let deed = proptest::sample::select(&Deed::ALL[..]);
        (deed, ended, any::<[u16; 4]>(), "[a-z.:0-9]{0,255}", "[a-z0-9-]{0,64}")
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back((deed, ended, numbers, host, credential) in told()) {
            let [domain, kind, protocol, port] = numbers;
            let socket = SocketSpec { domain: domain.into(), kind: kind.into(), protocol: protocol.into() };
            let told = Told { deed, ended, socket, host: &host, port, credential: &credential };
            let mut body = [0; MAX_TOLD];
            let len = told.write(&mut body).unwrap();
            prop_assert_eq!(Told::parse(&body[..len]), Some(told));
        }

        #[test]
        fn garbage_never_panics(body: std::vec::Vec<u8>) {
            if let Some(told) = Told::parse(&body) {
                let mut again = [0; MAX_TOLD];
                let len = told.write(&mut again).unwrap();
                prop_assert_eq!(&again[..len], &body[..]);
            }
        }
    }

    #[test]
    fn what_is_too_long_is_not_written() {
        let long = "a".repeat(256);
        let told = Told {
            deed: Deed::Connect,
            ended: Ended::by_gateway(0),
            socket: SocketSpec { domain: 2, kind: 1, protocol: 6 },
            host: &long,
            port: 1,
            credential: "",
        };
        assert_eq!(told.write(&mut [0; MAX_TOLD]), None);
        let (host, credential) = (&long[1..], &long[..65]);
        assert_eq!(Told { host, credential, ..told }.write(&mut [0; MAX_TOLD]), None);
    }

    #[test]
    fn why_it_failed() {
        for (ended, why) in [
            (Ended::with(Errno(0)), None),
            (Ended::by_gateway(0), None),
            (Ended::with(Errno::EACCES), Some(Why::Errno(Errno::EACCES))),
            (Ended::by_gateway(0xf7), Some(Why::Gateway(0xf7))),
        ] {
            assert_eq!(ended.why(), why);
        }
    }

    #[test]
    fn deeds_have_their_numbers() {
        for (number, deed) in Deed::ALL.into_iter().enumerate() {
            assert_eq!(deed as usize, number);
        }
        assert_eq!(Deed::of(15), None);
    }
}
