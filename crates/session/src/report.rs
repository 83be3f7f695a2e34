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

/// What the preload tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told<'a> {
    /// What was done.
    pub deed: Deed,
    /// How it ended.
    pub ended: Result<(), Why>,
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
        let ended = match self.ended {
            Ok(()) => 0,
            Err(Why::Errno(errno)) => errno.0,
            Err(Why::Gateway(code)) => -i32::from(code),
        };
        let host = u8::try_from(self.host.len()).ok()?;
        let SocketSpec { domain, kind, protocol } = self.socket;
        let numbers = [ended, domain, kind, protocol, self.port.into()];
        let mut places = out.iter_mut();
        *places.next()? = self.deed as u8;
        for number in numbers {
            let [low, high, ..] = number.to_le_bytes();
            *places.next()? = low;
            *places.next()? = high;
        }
        *places.next()? = host;
        let mut len = HEAD;
        for byte in self.host.bytes().chain(self.credential.bytes()) {
            *places.next()? = byte;
            len += 1;
        }
        Some(len)
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
            ended: match ended {
                0 => Ok(()),
                1.. => Err(Why::Errno(Errno(ended.into()))),
                _ => Err(Why::Gateway(u8::try_from(ended.unsigned_abs()).ok()?)),
            },
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

    fn told() -> impl Strategy<Value = (Deed, Result<(), Why>, [u16; 4], std::string::String, std::string::String)> {
        let ended = prop_oneof![
            Just(Ok(())),
            (1..4096).prop_map(|errno| Err(Why::Errno(Errno(errno)))),
            (1..=u8::MAX).prop_map(|code| Err(Why::Gateway(code))),
        ];
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
            ended: Ok(()),
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
    fn deeds_have_their_numbers() {
        for (number, deed) in Deed::ALL.into_iter().enumerate() {
            assert_eq!(deed as usize, number);
        }
        assert_eq!(Deed::of(15), None);
    }
}
