//! A domain name as text in a fixed buffer.

use core::fmt;

use super::{MAX_LABEL, MAX_WIRE_NAME};

/// A name in lower case without the dot at the end; "." is the root. At most 253 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Name {
    // Bytes behind `len` stay zero, so that the derived comparison is right. The root has no byte.
    len: u8,
    bytes: [u8; MAX_WIRE_NAME],
}

/// Why a text is not a name that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum BadName {
    /// No text, or nothing between two dots.
    EmptyLabel,
    /// More than 63 bytes between two dots (RFC 1035 §2.3.4).
    LabelTooLong,
    /// More than 253 bytes (255 on the wire, RFC 1035 §2.3.4).
    TooLong,
    /// A byte that is no printable ASCII, or a space or backslash.
    Character,
}

impl Name {
    pub(super) const ROOT: Self = Self { len: 0, bytes: [0; MAX_WIRE_NAME] };

    /// The name of this text, which may end in a dot.
    ///
    /// # Errors
    /// [`BadName`] when it does not fit into a DNS message.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let mut name = Self::ROOT;
        let text = text.as_bytes();
        if text != b"." {
            for label in text.strip_suffix(b".").unwrap_or(text).split(|byte| *byte == b'.') {
                name.push_label(label)?;
            }
        }
        Ok(name)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self.text() {
            [] => ".",
            // Only ASCII is ever stored.
            text => core::str::from_utf8(text).unwrap_or("."),
        }
    }

    pub(super) fn labels(&self) -> impl Iterator<Item = &[u8]> {
        self.text().split(|byte| *byte == b'.').filter(|label| !label.is_empty())
    }

    pub(super) fn push_label(&mut self, label: &[u8]) -> Result<(), BadName> {
        if label.is_empty() {
            return Err(BadName::EmptyLabel);
        }
        if label.len() > MAX_LABEL {
            return Err(BadName::LabelTooLong);
        }
        if !label.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'.' | b'\\')) {
            return Err(BadName::Character);
        }
        let dot: &[u8] = if self.len == 0 { b"" } else { b"." };
        let start = usize::from(self.len);
        let end = start.saturating_add(dot.len()).saturating_add(label.len());
        // On the wire: a length byte in front of the first label instead of a dot, and the root behind the last.
        let wire = end.saturating_add(2);
        let (Ok(len), Some(room), true) = (u8::try_from(end), self.bytes.get_mut(start..end), wire <= MAX_WIRE_NAME)
        else {
            return Err(BadName::TooLong);
        };
        for (slot, byte) in room.iter_mut().zip(dot.iter().chain(label)) {
            *slot = byte.to_ascii_lowercase();
        }
        self.len = len;
        Ok(())
    }

    fn text(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyLabel => "the host name is empty or has nothing between two dots",
            Self::LabelTooLong => "the host name has more than 63 bytes between two dots",
            Self::TooLong => "the host name is longer than 253 bytes",
            Self::Character => "the host name has a character that no host name can have",
        })
    }
}

impl core::error::Error for BadName {}

#[cfg(test)]
mod tests {
    use super::{BadName, Name};
    use std::string::String;

    #[test]
    fn text_is_lower_case_without_the_last_dot() {
        for (typed, text) in [("Example.COM.", "example.com"), ("a", "a"), (".", "."), ("_x-1.b", "_x-1.b")] {
            assert_eq!(Name::parse(typed).unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_is_no_name() {
        for text in ["", "..", ".a", "a..b", "a.."] {
            assert_eq!(Name::parse(text), Err(BadName::EmptyLabel), "{text}");
        }
        for text in ["a b", "a\0b", "\u{e4}.de", "a\\.b", "a\n"] {
            assert_eq!(Name::parse(text), Err(BadName::Character), "{text}");
        }
        assert_eq!(Name::parse(&"a".repeat(64)), Err(BadName::LabelTooLong));
        assert!(Name::parse(&"a".repeat(63)).is_ok());
    }

    #[test]
    fn the_longest_name_has_253_bytes() {
        let label = "a".repeat(63);
        let longest: String = [&label[..], &label, &label, &label[2..]].join(".");
        assert_eq!(longest.len(), 253);
        assert_eq!(Name::parse(&longest).unwrap().as_str(), longest);
        assert_eq!(Name::parse(&std::format!("{longest}a")), Err(BadName::TooLong));
        assert_eq!(Name::parse(&"a.".repeat(127)).unwrap().labels().count(), 127);
        assert_eq!(Name::parse(&"a.".repeat(128)), Err(BadName::TooLong));
    }
}
