//! The address in a granted reply.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};

/// What a granted reply carries: the bound address for CONNECT (Tor says 0.0.0.0:0), the answer for the lookups.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is no allocator to box with; one per handshake")]
pub enum Answer {
    /// An IPv4 address.
    V4(SocketAddrV4),
    /// An IPv6 address.
    V6(SocketAddrV6),
    /// A name, Tor's answer to `RESOLVE_PTR`, and its port.
    Name(Name, u16),
}

impl Answer {
    pub(crate) const fn v4(octets: [u8; 4], port: u16) -> Self {
        let [a, b, c, d] = octets;
        Self::V4(SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), port))
    }

    pub(crate) const fn v6(octets: [u8; 16], port: u16) -> Self {
        Self::V6(SocketAddrV6::new(Ipv6Addr::from_octets(octets), port, 0, 0))
    }
}

/// A name of up to 255 bytes as the gateway sent it. It comes from strangers' DNS: see [`Name::host`].
#[derive(Clone, PartialEq, Eq)]
pub struct Name {
    len: u8,
    // Bytes behind `len` stay zero, so that the derived comparison is right.
    bytes: [u8; 255],
}

impl Name {
    pub(crate) const EMPTY: Self = Self { len: 0, bytes: [0; 255] };

    pub(crate) fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(usize::from(self.len)) {
            *slot = byte;
            self.len = self.len.saturating_add(1);
        }
    }

    /// The bytes as received, whatever they are.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The name if it is a host name: letters, digits, `-`, `_` and dots, not empty. Anything else (NULs, control
    /// characters, shell syntax) must not reach a program as the name of a host.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        let bytes = self.as_bytes();
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if bytes.is_empty() || !bytes.iter().all(allowed) {
            return None;
        }
        core::str::from_utf8(bytes).ok()
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    fn name(bytes: &[u8]) -> Name {
        let mut name = Name::EMPTY;
        for byte in bytes {
            name.push(*byte);
        }
        name
    }

    #[test]
    fn host_names_pass() {
        for text in ["a", "dns.google", "_srv.x-1.example.", "EXAMPLE.com"] {
            assert_eq!(name(text.as_bytes()).host(), Some(text));
        }
    }

    #[test]
    fn anything_else_is_no_host() {
        for bytes in [&b""[..], b"a\0b", b"a b", b"$(x)", b"a\nb", "\u{e4}".as_bytes(), b"\xff", b"/etc"] {
            assert_eq!(name(bytes).host(), None);
            assert_eq!(name(bytes).as_bytes(), bytes);
        }
    }

    #[test]
    fn it_holds_255_bytes_and_no_more() {
        assert_eq!(name(&[b'x'; 300]).as_bytes(), [b'x'; 255]);
    }
}
