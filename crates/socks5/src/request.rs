//! What we send: greeting, credentials and request in one segment.

use core::fmt;
use core::net::{SocketAddrV4, SocketAddrV6};

use crate::error::EncodeError;
use crate::reply::Reply;
use crate::{ATYP_NAME, ATYP_V4, ATYP_V6, AUTH_VERSION, METHOD_NONE, METHOD_USER_PASS, VERSION};

/// The longest request in bytes: greeting 3, username and password 1 + 2 × (1 + 255), request 4 + 1 + 255 + 2.
pub const MAX_REQUEST: usize = 3 + (1 + 2 * (1 + 255)) + (4 + 1 + 255 + 2);

/// What the gateway shall do (RFC 1928 §4, Tor's `socks-extensions` §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// 0x01: a TCP connection.
    Connect,
    /// 0xF0: the address of a name. The port is not used and sent as 0.
    Resolve,
    /// 0xF1: the name of an address. The port is not used and sent as 0.
    ResolvePtr,
}

impl Command {
    const fn byte(self) -> u8 {
        match self {
            Self::Connect => 0x01,
            Self::Resolve => 0xF0,
            Self::ResolvePtr => 0xF1,
        }
    }
}

/// Where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// A host name of 1 to 255 bytes without NUL; sent as it is, the exit resolves it.
    Name {
        /// The name, without a NUL at its end.
        host: &'a [u8],
        /// TCP port.
        port: u16,
    },
    /// An IPv4 address.
    V4(SocketAddrV4),
    /// An IPv6 address; flow information and scope have no place in SOCKS and are not sent.
    V6(SocketAddrV6),
}

/// Who we are to the gateway. Tor puts streams of different credentials on different circuits (`IsolateSOCKSAuth`).
/// Exactly one method is offered, so a gateway cannot choose to drop the credential.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Auth<'a> {
    /// Method 0: no credential.
    None,
    /// Method 2: username and password (RFC 1929), 1 to 255 bytes each.
    UserPass {
        /// The username.
        username: &'a [u8],
        /// The password.
        password: &'a [u8],
    },
}

/// Everything we ever send, ready to be written. It holds the credential: do not log it.
#[derive(Clone)]
pub struct Request {
    buf: [u8; MAX_REQUEST],
    len: usize,
    with_credential: bool,
}

impl Request {
    /// Encodes greeting, credentials and request.
    ///
    /// # Errors
    /// [`EncodeError`] when a name or credential does not fit the protocol, or the target does not fit the command.
    pub fn new(auth: Auth<'_>, command: Command, target: Target<'_>) -> Result<Self, EncodeError> {
        let mut request =
            Self { buf: [0; MAX_REQUEST], len: 0, with_credential: matches!(auth, Auth::UserPass { .. }) };
        match auth {
            Auth::None => request.put(&[VERSION, 1, METHOD_NONE]),
            Auth::UserPass { username, password } => {
                request.put(&[VERSION, 1, METHOD_USER_PASS, AUTH_VERSION]);
                request.put_credential(username)?;
                request.put_credential(password)?;
            }
        }
        let (v4, v6);
        let (kind, host, port): (_, &[u8], _) = match target {
            Target::Name { host, port } => (ATYP_NAME, host, port),
            Target::V4(addr) => {
                v4 = addr.ip().octets();
                (ATYP_V4, &v4, addr.port())
            }
            Target::V6(addr) => {
                v6 = addr.ip().octets();
                (ATYP_V6, &v6, addr.port())
            }
        };
        let misfit = match command {
            Command::Connect => false,
            Command::Resolve => kind != ATYP_NAME,
            Command::ResolvePtr => kind == ATYP_NAME,
        };
        if misfit {
            return Err(EncodeError::WrongTarget);
        }
        request.put(&[VERSION, command.byte(), 0, kind]);
        if kind == ATYP_NAME {
            request.put(&[name_length(host)?]);
        }
        request.put(host);
        let port = if matches!(command, Command::Connect) { port } else { 0 };
        request.put(&port.to_be_bytes());
        Ok(request)
    }

    /// The bytes to write, at best in one `write(2)`: Tor answers pipelined handshakes in one round trip.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.buf.get(..self.len).unwrap_or_default()
    }

    /// The reader for the answer to this request.
    #[must_use]
    pub const fn reply(&self) -> Reply {
        Reply::new(self.with_credential)
    }

    // The buffer holds the longest request there is, so nothing is ever cut: lengths are checked before. A loop, because
    // the panic in `copy_from_slice` would stay in the library.
    #[inline(never)]
    fn put(&mut self, bytes: &[u8]) {
        for (slot, byte) in self.buf.iter_mut().skip(self.len).zip(bytes) {
            *slot = *byte;
        }
        self.len = self.len.saturating_add(bytes.len());
    }

    #[inline(never)]
    fn put_credential(&mut self, field: &[u8]) -> Result<(), EncodeError> {
        self.put(&[credential_length(field)?]);
        self.put(field);
        Ok(())
    }
}

// Not derived: the credential has no place in a log.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("len", &self.len).finish_non_exhaustive()
    }
}

impl fmt::Debug for Auth<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::UserPass { .. } => "UserPass",
        })
    }
}

fn credential_length(field: &[u8]) -> Result<u8, EncodeError> {
    match u8::try_from(field.len()) {
        Ok(0) => Err(EncodeError::CredentialEmpty),
        Ok(length) => Ok(length),
        Err(_) => Err(EncodeError::CredentialTooLong),
    }
}

#[expect(clippy::manual_contains, reason = "contains brings a search by whole words along")]
fn name_length(host: &[u8]) -> Result<u8, EncodeError> {
    match u8::try_from(host.len()) {
        Ok(0) => Err(EncodeError::NameEmpty),
        Ok(_) if host.iter().any(|byte| *byte == 0) => Err(EncodeError::NameNul),
        Ok(length) => Ok(length),
        Err(_) => Err(EncodeError::NameTooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::{Auth, Command, MAX_REQUEST, Request, Target};
    use std::format;

    #[test]
    fn the_longest_request_fits_exactly() {
        let auth = Auth::UserPass { username: &[b'u'; 255], password: &[b'p'; 255] };
        let target = Target::Name { host: &[b'h'; 255], port: 0xABCD };
        let request = Request::new(auth, Command::Connect, target).unwrap();
        assert_eq!(request.as_bytes().len(), MAX_REQUEST);
        assert_eq!(request.as_bytes()[MAX_REQUEST - 3..], [b'h', 0xAB, 0xCD]);
    }

    #[test]
    fn debug_output_hides_the_credential() {
        let auth = Auth::UserPass { username: b"secretuser", password: b"secretpass" };
        let target = Target::Name { host: b"h", port: 1 };
        let request = Request::new(auth, Command::Connect, target).unwrap();
        let shown = format!("{auth:?} {request:?}");
        let numbers = format!("{:?}", &b"secret"[..]);
        assert!(!shown.contains("secret") && !shown.contains(numbers.trim_matches(['[', ']'])), "{shown}");
    }
}
