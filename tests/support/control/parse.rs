//! The lines of `circuit-status` and `stream-status` (control-spec, GETINFO, CIRC and STREAM events).

/// A relay in a circuit's path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Relay {
    /// Identity, 40 hex digits without `$`.
    pub fingerprint: String,
    /// Nickname, empty when Tor did not say.
    pub nickname: String,
}

/// One circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circuit {
    /// Tor's number of the circuit.
    pub id: u32,
    /// LAUNCHED, BUILT, EXTENDED, …
    pub state: String,
    /// The relays in order, entry first.
    pub path: Vec<Relay>,
    /// GENERAL, `HS_CLIENT_REND`, `CONFLUX_LINKED`, …
    pub purpose: String,
    /// The SOCKS username its streams came with, unescaped.
    pub username: Option<String>,
    /// The SOCKS password its streams came with, unescaped.
    pub password: Option<String>,
}

/// One stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Tor's number of the stream.
    pub id: u32,
    /// NEW, SENTCONNECT, SUCCEEDED, …
    pub state: String,
    /// The circuit it is attached to; `None` before that.
    pub circuit: Option<u32>,
    /// `host:port`
    pub target: String,
    /// The SOCKS username it came with, unescaped.
    pub username: Option<String>,
}

impl Circuit {
    /// Reads one line of `circuit-status`, or a CIRC event without the word `CIRC`.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = words(line).into_iter();
        let id = words.next()?.parse().ok()?;
        let state = words.next()?;
        let mut circuit = Self { id, state, path: Vec::new(), purpose: String::new(), username: None, password: None };
        for word in words {
            match word.split_once('=') {
                Some(("PURPOSE", value)) => value.clone_into(&mut circuit.purpose),
                Some(("SOCKS_USERNAME", value)) => circuit.username = Some(unquote(value)),
                Some(("SOCKS_PASSWORD", value)) => circuit.password = Some(unquote(value)),
                Some((key, _)) if !key.starts_with('$') => {}
                _ => circuit.path = word.split(',').filter_map(Relay::parse).collect(),
            }
        }
        Some(circuit)
    }

    /// Whether streams can use it now.
    #[must_use]
    pub fn is_built(&self) -> bool {
        self.state == "BUILT"
    }
}

impl Relay {
    /// Reads `$FINGERPRINT~nickname` (older Tors write `=` for `~`).
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('$')?;
        let (fingerprint, nickname) = text.split_once(['~', '=']).unwrap_or((text, ""));
        Some(Self { fingerprint: fingerprint.to_owned(), nickname: nickname.to_owned() })
    }
}

impl Stream {
    /// Reads one line of `stream-status`, or a STREAM event without the word `STREAM`.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = words(line).into_iter();
        let id = words.next()?.parse().ok()?;
        let state = words.next()?;
        let circuit = words.next()?.parse().ok().filter(|number| *number != 0);
        let target = words.next()?;
        let username = words.find_map(|word| word.strip_prefix("SOCKS_USERNAME=").map(unquote));
        Some(Self { id, state, circuit, target, username })
    }
}

/// Splits at spaces outside of quoted strings; the quotes stay.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for letter in line.chars() {
        if letter == ' ' && !quoted {
            words.push(String::new());
            continue;
        }
        match letter {
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
        if let Some(word) = words.last_mut() {
            word.push(letter);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Undoes Tor's quoting: `\"`, `\\`, `\n`, `\r`, `\t`, `\'`, and octal (control-spec 2.1.1). Bytes above 127 that are
/// not UTF-8 together become U+FFFD.
fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut bytes = Vec::new();
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
                let mut value = u16::from(digit - b'0');
                for _ in 0..2 {
                    let Some(next) = rest.next_if(|next| (b'0'..=b'7').contains(next)) else { break };
                    value = value * 8 + u16::from(next - b'0');
                }
                bytes.push(u8::try_from(value).unwrap_or(b'?'));
            }
            Some(other) => bytes.push(other),
            None => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circuit_with_a_credential() {
        let line = "12 BUILT $00AA~relay0,$11BB~relay1,$22CC BUILD_FLAGS=NEED_CAPACITY PURPOSE=GENERAL \
                    TIME_CREATED=2026-01-01T00:00:00.0 SOCKS_USERNAME=\"uwt \\\"x\\\" \\\\\" SOCKS_PASSWORD=\"0\"";
        let circuit = Circuit::parse(line).expect("circuit");
        assert_eq!((circuit.id, circuit.is_built()), (12, true));
        let names: Vec<_> = circuit.path.iter().map(|relay| relay.nickname.as_str()).collect();
        assert_eq!(names, ["relay0", "relay1", ""]);
        assert_eq!(circuit.path[2].fingerprint, "22CC");
        assert_eq!(circuit.purpose, "GENERAL");
        assert_eq!(circuit.username.as_deref(), Some("uwt \"x\" \\"));
        assert_eq!(circuit.password.as_deref(), Some("0"));
    }

    #[test]
    fn a_circuit_without_path_or_credential() {
        let circuit = Circuit::parse("3 LAUNCHED BUILD_FLAGS=IS_INTERNAL PURPOSE=HS_VANGUARDS").expect("circuit");
        assert_eq!((circuit.path.len(), circuit.username), (0, None));
        assert_eq!(Circuit::parse(""), None);
        assert_eq!(Circuit::parse("x BUILT"), None);
    }

    #[test]
    fn streams() {
        let line = "7 SUCCEEDED 12 www.lab.test:80 SOCKS_USERNAME=\"a\" SOCKS_PASSWORD=\"b\" CLIENT_PROTOCOL=SOCKS5";
        let stream = Stream::parse(line).expect("stream");
        assert_eq!((stream.id, stream.circuit, stream.target.as_str()), (7, Some(12), "www.lab.test:80"));
        assert_eq!(stream.username.as_deref(), Some("a"));
        assert_eq!(Stream::parse("8 NEW 0 x.onion:1 PURPOSE=USER").expect("stream").circuit, None);
    }

    #[test]
    fn escapes() {
        assert_eq!(unquote(r#""\101\tb\303\244""#), "A\tbä");
        assert_eq!(unquote(r#""\0017""#), "\u{1}7");
        assert_eq!(unquote("plain"), "plain");
    }
}
