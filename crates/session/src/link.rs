//! The messages between the preload or a nested `uwt` and the tree's helper.
//!
//! One connection of a unix socket (`SOCK_SEQPACKET`, [`Guard::link_name`]) carries one request and its reply. Both
//! carry a keyed hash, for the address is in a namespace that everyone shares: a stranger that took a dead helper's place
//! can't answer, and one that found the address can't ask.
//!
//! | request | bytes | reply | bytes |
//! |---|---|---|---|
//! | tag | 16 | tag | 16 |
//! | nonce | 8 | body | … |
//! | kind | 1 | | |
//! | body | … | | |

use crate::{Guard, MAX_VARIABLE, Secret};

/// The longest message in bytes.
pub const MAX_MESSAGE: usize = REQUEST_HEAD + MAX_VARIABLE;

const TAG: usize = 16;
const REQUEST_HEAD: usize = TAG + 8 + 1;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The body is a reserved address, its four octets; the reply's body is the name that it stands for in the whole tree,
    /// empty where it stands for none.
    Name,
    /// The body is a host name that the policy has judged to be one for the gateway; the reply's body is the reserved address
    /// that stands for it in the whole tree, empty where there is none left. A program has looked the name up.
    Address,
    /// The body is the session variable of a nested `uwt`, for the asking process and what it starts; the reply's body is
    /// empty.
    Join,
    /// The socket that comes with the message (`SCM_RIGHTS`, unix(7)) shall be connected by the relay to the address in the
    /// body ([`crate::relay::Order`]); the reply's body says how connect(2) answers ([`crate::relay::Reply`]).
    Connect,
    /// The body is the cookie of a socket whose connect failed (`SO_COOKIE`), the reply's body why ([`crate::relay`]): the
    /// kernel could only be made to say ECONNRESET.
    Outcome,
    /// The helper shall run one of the programs that start services, outside the filter. The body is the length in bytes, a
    /// little-endian number of 32 bits, of what the asker sends behind this message on the same connection; descriptors
    /// come with it (`SCM_RIGHTS`). The reply comes when the program has ended. What all of it says is between the helper's
    /// crate and itself.
    Service,
    /// The body is what the preload did itself ([`crate::report`]); the reply's body is empty. Sent where the session says
    /// that there is a report.
    Report,
}

impl Kind {
    const fn number(self) -> u8 {
        match self {
            Self::Name => 1,
            Self::Join => 2,
            Self::Connect => 3,
            Self::Outcome => 4,
            Self::Service => 5,
            Self::Report => 6,
            Self::Address => 7,
        }
    }

    const fn of(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Name),
            2 => Some(Self::Join),
            3 => Some(Self::Connect),
            4 => Some(Self::Outcome),
            5 => Some(Self::Service),
            6 => Some(Self::Report),
            7 => Some(Self::Address),
            _ => None,
        }
    }
}

/// What a helper reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Chosen by the asker, never twice; it binds the reply to the request.
    pub nonce: u64,
    /// What is asked.
    pub kind: Kind,
    /// What it is asked about.
    pub body: &'a [u8],
}

impl Request<'_> {
    /// Writes the message and gives its length in bytes; `None` where `out` is too small ([`MAX_MESSAGE`] never is).
    #[must_use]
    pub fn seal(&self, guard: &Guard, out: &mut [u8]) -> Option<usize> {
        let nonce = self.nonce.to_le_bytes();
        let kind = [self.kind.number()];
        let tag = guard.secret.hash(&[b"request", &nonce, &kind, self.body]);
        write(out, &[&tag, &nonce, &kind, self.body])
    }
}

/// Reads a request; `None` for anything that was not sealed with this secret.
#[must_use]
pub fn open_request<'a>(guard: &Guard, message: &'a [u8]) -> Option<Request<'a>> {
    let (tag, rest) = message.split_first_chunk::<TAG>()?;
    let (nonce, rest) = rest.split_first_chunk::<8>()?;
    let (number, body) = rest.split_first()?;
    let kind = Kind::of(*number)?;
    let expected = guard.secret.hash(&[b"request", nonce, &[*number], body]);
    same(*tag, expected).then_some(Request { nonce: u64::from_le_bytes(*nonce), kind, body })
}

/// Writes the reply to the request with this nonce and gives its length in bytes; `None` where `out` is too small.
#[must_use]
pub fn seal_reply(guard: &Guard, nonce: u64, body: &[u8], out: &mut [u8]) -> Option<usize> {
    write(out, &[&reply_tag(&guard.secret, nonce, body), body])
}

/// Reads the reply to the request with this nonce; `None` for anything else.
#[must_use]
pub fn open_reply<'a>(guard: &Guard, nonce: u64, message: &'a [u8]) -> Option<&'a [u8]> {
    let (tag, body) = message.split_first_chunk::<TAG>()?;
    same(*tag, reply_tag(&guard.secret, nonce, body)).then_some(body)
}

fn reply_tag(secret: &Secret, nonce: u64, body: &[u8]) -> [u8; TAG] {
    secret.hash(&[b"reply", &nonce.to_le_bytes(), body])
}

/// Compares without telling by the time taken how much was right.
fn same(left: [u8; TAG], right: [u8; TAG]) -> bool {
    u128::from_ne_bytes(left) == u128::from_ne_bytes(right)
}

pub(crate) fn write(out: &mut [u8], parts: &[&[u8]]) -> Option<usize> {
    let mut len = 0_usize;
    for part in parts {
        let end = len.checked_add(part.len())?;
        out.get_mut(len..end)?.copy_from_slice(part);
        len = end;
    }
    Some(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uwt_policy::Level;

    const GUARD: Guard = Guard { level: Level::Tunnel, secret: Secret::new([3; 32]) };

    #[test]
    fn what_is_sealed_is_opened() {
        let mut buffer = [0; MAX_MESSAGE];
        let kinds = [Kind::Name, Kind::Address, Kind::Join, Kind::Connect, Kind::Outcome, Kind::Service, Kind::Report];
        for kind in kinds {
            for body in [&b""[..], b"x", &[7; MAX_VARIABLE]] {
                let request = Request { nonce: 5, kind, body };
                let len = request.seal(&GUARD, &mut buffer).unwrap();
                assert_eq!(open_request(&GUARD, &buffer[..len]), Some(request));
                let len = seal_reply(&GUARD, 5, body, &mut buffer).unwrap();
                assert_eq!(open_reply(&GUARD, 5, &buffer[..len]), Some(body));
            }
        }
        assert_eq!(Request { nonce: 5, kind: Kind::Name, body: b"long" }.seal(&GUARD, &mut [0; 28]), None);
    }

    #[test]
    fn strangers_are_not_understood() {
        let mut buffer = [0; 64];
        let len = Request { nonce: 5, kind: Kind::Name, body: b"body" }.seal(&GUARD, &mut buffer).unwrap();
        let other = Guard { secret: Secret::new([4; 32]), ..GUARD };
        assert_eq!(open_request(&other, &buffer[..len]), None);
        for index in 0..len {
            let mut changed = buffer;
            changed[index] ^= 1;
            assert_eq!(open_request(&GUARD, &changed[..len]), None, "{index}");
            assert_eq!(open_request(&GUARD, &buffer[..index]), None, "{index}");
        }
        let len = seal_reply(&GUARD, 5, b"body", &mut buffer).unwrap();
        assert_eq!(open_reply(&GUARD, 6, &buffer[..len]), None);
        assert_eq!(open_reply(&other, 5, &buffer[..len]), None);
        assert_eq!(open_reply(&GUARD, 5, &buffer[..len - 1]), None);
        assert_eq!(open_reply(&GUARD, 5, b""), None);
    }
}
