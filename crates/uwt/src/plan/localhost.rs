//! Words in the arguments that name this machine.

use std::ffi::{OsStr, OsString};

/// Found anywhere in an argument.
const WORDS: [&str; 2] = ["localhost", "127.0.0.1"];
/// Found where it is a whole address; the end of `2001:db8::1` is none.
const LOOPBACK6: &str = "::1";

/// The first word of the arguments that names this machine.
pub(crate) fn word(arguments: &[OsString]) -> Option<&'static str> {
    arguments.iter().find_map(|argument| word_in(argument))
}

fn word_in(argument: &OsStr) -> Option<&'static str> {
    let text = argument.as_encoded_bytes();
    let contains = |word: &str| text.windows(word.len()).any(|window| window == word.as_bytes());
    if let Some(word) = WORDS.into_iter().find(|word| contains(word)) {
        return Some(word);
    }
    let of_address = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit() || *byte == b':');
    let stands_alone = |(place, window): (usize, &[u8])| {
        let before = place.checked_sub(1).and_then(|before| text.get(before));
        window == LOOPBACK6.as_bytes() && !of_address(before) && !of_address(text.get(place + LOOPBACK6.len()))
    };
    text.windows(LOOPBACK6.len()).enumerate().any(stands_alone).then_some(LOOPBACK6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for (argument, expected) in [
            ("http://localhost:8080/", Some("localhost")),
            ("https://e.com/?next=localhost", Some("localhost")),
            ("--host=127.0.0.1", Some("127.0.0.1")),
            ("127.0.0.10", Some("127.0.0.1")),
            ("::1", Some("::1")),
            ("http://[::1]:8080/", Some("::1")),
            ("--bind=::1", Some("::1")),
            ("2001:db8::1", None),
            ("::1:2", None),
            ("::10", None),
            ("::ffff:127.0.0.2", None),
            ("local host", None),
            ("LOCALHOST", None),
            ("", None),
        ] {
            assert_eq!(word(&["x".into(), argument.into()]), expected, "{argument}");
        }
        assert_eq!(word(&[]), None);
    }
}
