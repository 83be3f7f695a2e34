//! The words of a reply: separated by spaces, with values in quotes (control-spec, "General-use tokens").

use std::borrow::Cow;

/// Splits at spaces outside of quoted strings; the quotes stay.
pub(super) fn words(line: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    let separates = move |letter: char| {
        let separates = letter == ' ' && !quoted;
        if letter == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && letter == '\\' && !escaped;
        separates
    };
    line.split(separates).filter(|word| !word.is_empty())
}

/// The value of the first word `KEY=value`, without its quotes.
pub(super) fn value<'a>(line: &'a str, key: &str) -> Option<Cow<'a, [u8]>> {
    let mut values = words(line).filter_map(|word| word.strip_prefix(key)?.strip_prefix('='));
    values.next().map(unquoted)
}

/// As [`value`], as text. Bytes that are no UTF-8 become U+FFFD.
pub(super) fn text(line: &str, key: &str) -> Option<String> {
    value(line, key).map(|value| String::from_utf8_lossy(&value).into_owned())
}

/// What quotes stand for: Tor escapes as C does, with octal numbers for what cannot be printed.
fn unquoted(text: &str) -> Cow<'_, [u8]> {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(text.as_bytes());
    };
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.bytes().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'n') => bytes.push(b'\n'),
            Some(b'r') => bytes.push(b'\r'),
            Some(b't') => bytes.push(b'\t'),
            Some(digit @ b'0'..=b'7') => {
                let mut value = digit & 7;
                for _ in 0..2 {
                    let Some(next) = rest.next_if(|next| (b'0'..=b'7').contains(next)) else { break };
                    value = value << 3 | next & 7;
                }
                bytes.push(value);
            }
            Some(other) => bytes.push(other),
            None => {}
        }
    }
    Cow::Owned(bytes)
}

/// A string as a command takes it.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Bytes as a command takes them.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Bytes that were written in pairs of hexadecimal digits.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    if rest.is_empty() { bytes } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_keep_words_together() {
        let line = r#"AUTH METHODS=COOKIE  COOKIEFILE="/a \"b\" \\" X=1"#;
        assert_eq!(words(line).collect::<Vec<_>>(), ["AUTH", "METHODS=COOKIE", r#"COOKIEFILE="/a \"b\" \\""#, "X=1"]);
        assert_eq!(text(line, "COOKIEFILE").as_deref(), Some(r#"/a "b" \"#));
        assert_eq!(text(line, "X").as_deref(), Some("1"));
        assert_eq!(text(line, "COOKIE"), None);
        assert_eq!(text("", "X"), None);
    }

    #[test]
    fn escapes_stand_for_bytes() {
        assert_eq!(value(r#"P="/\303\244\t\0017\377""#, "P").as_deref(), Some(&b"/\xc3\xa4\t\x017\xff"[..]));
        assert_eq!(value(r#"P="open"#, "P").as_deref(), Some(&b"\"open"[..]));
    }

    #[test]
    fn hexadecimal() {
        assert_eq!(from_hex("00fFa5"), Some(vec![0, 255, 0xa5]));
        for bad in ["0", "0g", "+1", "ä"] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_read_back(string in "[ -~]{0,20}") {
            let line = format!("A=1 B={} C=2", quoted(&string));
            prop_assert_eq!(text(&line, "B"), Some(string));
            prop_assert_eq!(text(&line, "C"), Some("2".to_owned()));
        }

        #[test]
        fn nothing_panics(line in ".{0,40}") {
            let _ = value(&line, "A");
        }

        #[test]
        fn bytes_are_read_back(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(from_hex(&hex(&bytes)), Some(bytes));
        }
    }
}
