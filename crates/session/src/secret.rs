//! The random secret that credentials and reserved addresses are derived from.

use core::fmt;

use crate::blake2s::Blake2s;

/// 256 random bits. Never printed; only keyed hashes (BLAKE2s, RFC 7693) of it leave the process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret([u8; Self::LEN]);

impl Secret {
    /// Its length in bytes.
    pub const LEN: usize = 32;

    /// A secret of these bytes, which must come from a cryptographic random source.
    #[must_use]
    pub const fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes, for handing it down and for keeping it in a file of mode 0600.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// A secret of its own for `purpose` and `name`, from which this one can't be found.
    #[must_use]
    pub fn derive(&self, purpose: &str, name: &[u8]) -> Self {
        let mut bytes = [0; Self::LEN];
        let (low, high) = bytes.split_at_mut(Self::LEN / 2);
        low.copy_from_slice(&self.hash(&[purpose.as_bytes(), name, b"low"]));
        high.copy_from_slice(&self.hash(&[purpose.as_bytes(), name, b"high"]));
        Self(bytes)
    }

    /// A keyed hash over `fields`; their lengths are hashed too, so that no two lists give the same input.
    #[must_use]
    pub fn hash(&self, fields: &[&[u8]]) -> [u8; 16] {
        let mut mac = Blake2s::keyed(&self.0);
        for field in fields {
            mac.update(&(field.len() as u64).to_le_bytes());
            mac.update(field);
        }
        mac.finish()
    }

    /// Low bits of a reserved address for `name`: the same in every process of the session, unpredictable outside it.
    #[must_use]
    pub fn name_bits(&self, name: &str, attempt: u32) -> u32 {
        let [a, b, c, d, ..] = self.hash(&[b"name", name.as_bytes(), &attempt.to_le_bytes()]);
        u32::from_le_bytes([a, b, c, d])
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    const SECRET: Secret = Secret::new([7; 32]);

    #[test]
    fn fields_do_not_run_together() {
        assert_ne!(SECRET.hash(&[b"ab", b"c"]), SECRET.hash(&[b"a", b"bc"]));
        assert_ne!(SECRET.hash(&[b"ab"]), Secret::new([8; 32]).hash(&[b"ab"]));
        assert_eq!(SECRET.hash(&[b"ab"]), SECRET.hash(&[b"ab"]));
    }

    /// From an independent implementation: Python's `hashlib.blake2s(message, digest_size=16, key=bytes([7] * 32))`.
    #[test]
    fn known_answers() {
        let hash = |fields: &[&[u8]]| u128::from_be_bytes(SECRET.hash(fields));
        assert_eq!(hash(&[]), 0xcf0b_d61f_2d86_b3ec_faef_2343_569f_e9c2);
        assert_eq!(hash(&[b"process", &[1, 2, 3, 4], &[9; 8]]), 0x5cf6_4fcb_49c4_eb98_14dd_1f77_cf9c_d59a);
        assert_eq!(hash(&[&[0x61; 300]]), 0xc256_5bc0_1b8e_3b07_fb79_2843_8c85_5c74);
    }

    #[test]
    fn derived_secrets_differ() {
        let work = SECRET.derive("identity", b"work");
        assert_ne!(work, SECRET.derive("identity", b"home"));
        assert_ne!(work.bytes()[..16], work.bytes()[16..]);
    }

    #[test]
    fn it_is_not_printed() {
        assert_eq!(format!("{SECRET:?}"), "Secret(…)");
    }
}
