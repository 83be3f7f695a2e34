//! What a host name given to a resolver function is.

use core::fmt;

use crate::names::MAX_NAME;

/// How a numeric host is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numeric {
    /// Dotted, or one of inet_aton(3)'s shorter forms.
    V4,
    /// With colons, maybe with a zone.
    V6,
}

/// The verdict on a host name.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is no heap to box the name on")]
pub enum HostVerdict {
    /// An address literal: nothing to look up.
    Numeric(Numeric),
    /// `localhost` and everything below it (RFC 6761 §6.3), with the names Debian's /etc/hosts gives to ::1.
    Loopback,
    /// This machine's own name: answered here, an exit must not learn it.
    OwnHost,
    /// A name for the gateway.
    Remote(HostName),
    /// Not a name anyone could resolve through Tor: malformed, or of the local link (`.local`, RFC 6762 §3).
    NotFound,
}

/// A syntactically sound host name, in lower case, without the root's dot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HostName {
    bytes: [u8; MAX_NAME],
    len: u8,
}

impl HostName {
    /// Checks RFC 1123 §2.1 with underscores allowed: labels of 1 to 63 letters, digits, `-`, `_`; 253 bytes in all.
    #[must_use]
    pub fn parse(name: &[u8]) -> Option<Self> {
        let name = name.strip_suffix(b".").unwrap_or(name);
        let mut bytes = [0; MAX_NAME];
        let target = bytes.get_mut(..name.len())?;
        let sound = name.split(|byte| *byte == b'.').all(|label| {
            (1..=63).contains(&label.len())
                && label.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        });
        if !sound {
            return None;
        }
        target.copy_from_slice(name);
        target.make_ascii_lowercase();
        Some(Self { bytes, len: u8::try_from(name.len()).ok()? })
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default()
    }

    /// Whether it is an onion service (RFC 7686): its name is its address, nobody can resolve it.
    #[must_use]
    pub fn is_onion(&self) -> bool {
        self.is_below("onion")
    }

    fn is_below(&self, zone: &str) -> bool {
        let name = self.as_str();
        name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'))
    }
}

impl fmt::Debug for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const LOOPBACK_NAMES: &[&str] = &["localhost.localdomain", "ip6-localhost", "ip6-loopback"];

/// Decides on a host name; `own` is what gethostname(2) says.
pub fn host(name: &[u8], own: &[u8]) -> HostVerdict {
    #[expect(clippy::manual_contains, reason = "contains brings a search by whole words along")]
    let colon = name.iter().any(|byte| *byte == b':');
    if colon {
        return HostVerdict::Numeric(Numeric::V6);
    }
    if is_numeric(name) {
        return HostVerdict::Numeric(Numeric::V4);
    }
    let Some(parsed) = HostName::parse(name) else {
        return HostVerdict::NotFound;
    };
    if parsed.is_below("localhost") || LOOPBACK_NAMES.contains(&parsed.as_str()) {
        return HostVerdict::Loopback;
    }
    if HostName::parse(own).is_some_and(|own| own == parsed) {
        return HostVerdict::OwnHost;
    }
    if parsed.is_below("local") {
        return HostVerdict::NotFound;
    }
    HostVerdict::Remote(parsed)
}

/// No top-level domain is all digits (RFC 3696 §2), so a name that ends in a number is meant as an address: libc decides
/// whether it is a sound one, without asking anyone.
fn is_numeric(name: &[u8]) -> bool {
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix(b"0x").or_else(|| last.strip_prefix(b"0X"));
    match hexadecimal {
        Some(digits) => digits.iter().all(u8::is_ascii_hexdigit),
        None => !last.is_empty() && last.iter().all(u8::is_ascii_digit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;
    use std::vec;

    fn name(text: &str) -> HostVerdict {
        host(text.as_bytes(), b"Laptop")
    }

    #[test]
    fn kinds() {
        for text in ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "1.2.3.4.5", "999.1"] {
            assert_eq!(name(text), HostVerdict::Numeric(Numeric::V4), "{text}");
        }
        for text in ["::1", "fe80::1%eth0", "::ffff:1.2.3.4", "a:b"] {
            assert_eq!(name(text), HostVerdict::Numeric(Numeric::V6), "{text}");
        }
        for text in ["localhost", "LOCALHOST.", "a.localhost", "ip6-loopback", "localhost.localdomain"] {
            assert_eq!(name(text), HostVerdict::Loopback, "{text}");
        }
        for text in ["laptop", "LAPTOP."] {
            assert_eq!(name(text), HostVerdict::OwnHost, "{text}");
        }
        for text in ["", ".", "a..b", ".a", "a b", "a/b", "ä.example", "printer.local", "local", "a\0b"] {
            assert_eq!(name(text), HostVerdict::NotFound, "{text:?}");
        }
        for text in ["example.com", "xn--4ca.example", "_srv.example", "notlocalhost", "a.notlocal", "laptop.lan"] {
            assert!(matches!(name(text), HostVerdict::Remote(_)), "{text}");
        }
    }

    #[test]
    fn names_are_normalised() {
        let HostVerdict::Remote(parsed) = name("WWW.Example.ONION.") else { panic!() };
        assert_eq!(parsed.as_str(), "www.example.onion");
        assert!(parsed.is_onion());
        let HostVerdict::Remote(parsed) = name("notonion") else { panic!() };
        assert!(!parsed.is_onion());
    }

    #[test]
    fn lengths() {
        let label = String::from_utf8(vec![b'a'; 63]).unwrap();
        let longest = std::format!("{label}.{label}.{label}.{}", &label[..61]);
        assert_eq!(longest.len(), 253);
        assert!(matches!(name(&longest), HostVerdict::Remote(_)));
        assert!(matches!(name(&std::format!("{longest}.")), HostVerdict::Remote(_)));
        assert_eq!(name(&std::format!("{longest}a")), HostVerdict::NotFound);
        assert_eq!(name(&std::format!("{label}a.example")), HostVerdict::NotFound);
    }

    proptest::proptest! {
        #[test]
        fn never_panics_and_remote_names_are_sound(bytes in proptest::collection::vec(0_u8.., 0..300)) {
            if let HostVerdict::Remote(parsed) = host(&bytes, b"own") {
                assert!(parsed.as_str().len() <= 253 && !parsed.as_str().is_empty());
                assert!(parsed.as_str().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b)));
            }
        }
    }
}
