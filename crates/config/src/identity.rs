//! Identities: what has one credential in common, in whatever calls.

use std::fmt;

use crate::error::{Invalid, quoted};

/// The longest name, in characters.
const LONGEST: usize = 64;

/// Whose credential is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The one of this name (`identity = "…"`, `--identity`).
    Name(String),
    /// The one of this username and password, which torsocks would send.
    Pair(Pair),
}

impl fmt::Display for Identity {
    /// The password is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Pair(Pair { username, .. }) => write!(f, "of the username {} and its password", quoted(username)),
        }
    }
}

/// A username and a password for SOCKS5 (RFC 1929).
#[derive(Clone, PartialEq, Eq)]
pub struct Pair {
    /// 1 to 255 bytes.
    pub username: String,
    /// 1 to 255 bytes.
    pub password: String,
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Checks the name of an identity (`identity = "…"`, `--identity`): 1 to 64 letters, digits, punctuation marks and
/// inner spaces. Invisible characters and combining accents are refused, for two names that look alike must be one.
///
/// # Errors
/// Says what is wrong with the name.
pub fn identity_name(text: &str) -> Result<&str, Invalid> {
    let invalid = |why: &str| {
        let expected = format!("a name of 1 to {LONGEST} letters, digits, punctuation marks and inner spaces");
        Err(Invalid::new(format!("{} {why}", quoted(text)), expected))
    };
    let printable = |letter: char| letter.is_alphanumeric() || letter.is_ascii_graphic() || letter == ' ';
    if text.is_empty() {
        invalid("is empty")
    } else if text.chars().count() > LONGEST {
        invalid("is too long")
    } else if !text.chars().all(printable) {
        invalid("has a character that is not plainly visible")
    } else if text.trim() != text {
        invalid("begins or ends with a space")
    } else {
        Ok(text)
    }
}
