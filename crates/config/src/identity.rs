//! The names of identities.

use crate::error::{Invalid, quoted};

/// The longest name, in characters.
const LONGEST: usize = 64;

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
