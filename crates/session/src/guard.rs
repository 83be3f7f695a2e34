//! What the guarded processes of one tree and their helper know in common.

use uwt_policy::Level;

use crate::Secret;

/// The guard a process tree runs under: made by the outermost `uwt`, kept by every nested one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Never [`Level::Off`]: a session without a guard has none of these.
    pub level: Level,
    /// The tree's own random secret, whatever the isolation scope: cookie, link and reserved addresses follow from it.
    pub secret: Secret,
}

impl Guard {
    /// What the preload shows to the seccomp filter in a spare argument register.
    #[must_use]
    pub fn cookie(&self) -> u64 {
        let hash = self.secret.hash(&[b"cookie"]);
        hash.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    /// The helper's address: an abstract unix socket (unix(7)) of this name, without the zero byte in front.
    ///
    /// Anyone can read it in /proc/net/unix; what makes a peer trusted is the tag on its messages ([`crate::link`]).
    #[must_use]
    pub fn link_name(&self) -> [u8; Self::LINK_NAME] {
        let mut name = *b"uwt-................................";
        let hash = self.secret.hash(&[b"link"]);
        for (index, place) in name.iter_mut().skip(4).enumerate() {
            let byte = hash.get(index / 2).copied().unwrap_or_default();
            let digit = if index % 2 == 0 { byte >> 4 } else { byte & 0xf };
            *place = if digit < 10 { b'0' + digit } else { b'a' - 10 + digit };
        }
        name
    }

    /// The length of [`Self::link_name`] in bytes.
    pub const LINK_NAME: usize = 36;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_from_the_secret() {
        let guard = |byte| Guard { level: Level::Deny, secret: Secret::new([byte; 32]) };
        assert_eq!(guard(1).cookie(), guard(1).cookie());
        assert_ne!(guard(1).cookie(), guard(2).cookie());
        assert_ne!(guard(1).link_name(), guard(2).link_name());
        let name = guard(1).link_name();
        assert!(name.starts_with(b"uwt-") && name.iter().skip(4).all(u8::is_ascii_hexdigit));
    }
}
