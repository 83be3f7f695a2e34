//! Circuits and streams as `circuit-status` and `stream-status` list them (control-spec, GETINFO, CIRC and STREAM).

use serde::Serialize;

use super::words::{text, words};

/// A relay in a circuit's path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Relay {
    /// The identity, 40 hexadecimal digits.
    pub(crate) fingerprint: String,
    /// The nickname, where Tor says it.
    pub(crate) nickname: Option<String>,
}

/// A username and a password that a client gave to the SocksPort.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pair {
    pub(crate) username: String,
    pub(crate) password: String,
}

/// A circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Circuit {
    /// Tor's number of the circuit; letters may occur (control-spec, CircuitID).
    pub(crate) id: String,
    /// LAUNCHED, BUILT, EXTENDED, …
    pub(crate) state: String,
    /// The relays in order, entry first.
    pub(crate) path: Vec<Relay>,
    /// GENERAL, HS_CLIENT_REND, …
    pub(crate) purpose: Option<String>,
    /// Whose circuit it is.
    pub(crate) pair: Option<Pair>,
}

/// A stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stream {
    /// Tor's number of the stream.
    pub(crate) id: String,
    /// NEW, SENTCONNECT, SUCCEEDED, …
    pub(crate) state: String,
    /// The circuit it is on; `None` while it waits for one.
    pub(crate) circuit: Option<String>,
    /// `host:port`: as the client asked for it, until the exit has said the address.
    pub(crate) target: String,
    /// `host:port` as the client asked for it, as far as that was told.
    pub(crate) asked: Option<String>,
    /// Whether Tor said whose stream it is: it does in events, from 0.4.6 on, and not in `stream-status`.
    pub(crate) told: bool,
    /// Whose stream it is, if that was told and there is a credential.
    pub(crate) pair: Option<Pair>,
}

impl Relay {
    /// `$FINGERPRINT~nickname`; `=` was once written for `~`.
    fn parse(word: &str) -> Option<Self> {
        let word = word.strip_prefix('$')?;
        let (fingerprint, nickname) = match word.split_once(['~', '=']) {
            Some((fingerprint, nickname)) => (fingerprint, Some(nickname.to_owned())),
            None => (word, None),
        };
        Some(Self { fingerprint: fingerprint.to_owned(), nickname })
    }
}

impl Pair {
    fn of(line: &str) -> Option<Self> {
        let (username, password) = (text(line, "SOCKS_USERNAME"), text(line, "SOCKS_PASSWORD"));
        let some = username.is_some() || password.is_some();
        some.then(|| Self { username: username.unwrap_or_default(), password: password.unwrap_or_default() })
    }
}

impl Circuit {
    /// A line of `circuit-status`.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut head = words(line);
        let (id, state) = (head.next()?.to_owned(), head.next()?.to_owned());
        let path = head.next().filter(|word| word.starts_with('$')).unwrap_or_default();
        let path = path.split(',').filter_map(Relay::parse).collect();
        Some(Self { id, state, path, purpose: text(line, "PURPOSE"), pair: Pair::of(line) })
    }
}

impl Stream {
    /// A line of `stream-status`.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut head = words(line);
        let (id, state) = (head.next()?.to_owned(), head.next()?.to_owned());
        let circuit = Some(head.next()?.to_owned()).filter(|circuit| circuit != "0");
        let target = head.next()?.to_owned();
        // Tor says this beside the credential, and where there is none as well.
        let told = text(line, "CLIENT_PROTOCOL").is_some();
        Some(Self { id, state, circuit, target, asked: None, told, pair: Pair::of(line).filter(|_| told) })
    }

    /// The hosts that it may have been asked for by.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &str> + Clone {
        [Some(&self.target), self.asked.as_ref()].into_iter().flatten().map(|target| host(target))
    }
}

/// The host of `host:port`, without the brackets of an IPv6 address.
pub(crate) fn host(target: &str) -> &str {
    let host = target.rsplit_once(':').map_or(target, |(host, _)| host);
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circuit_with_a_credential() {
        let line = "12 BUILT $00AA~one,$11BB=two,$22CC BUILD_FLAGS=NEED_CAPACITY PURPOSE=GENERAL \
                    TIME_CREATED=2026-01-01T00:00:00.0 SOCKS_USERNAME=\"a \\\"b\\\"\" SOCKS_PASSWORD=\"0\"";
        let circuit = Circuit::parse(line).unwrap();
        assert_eq!((circuit.id.as_str(), circuit.state.as_str()), ("12", "BUILT"));
        let path: Vec<_> = circuit.path.iter().map(|it| (it.fingerprint.as_str(), it.nickname.as_deref())).collect();
        assert_eq!(path, [("00AA", Some("one")), ("11BB", Some("two")), ("22CC", None)]);
        assert_eq!(circuit.purpose.as_deref(), Some("GENERAL"));
        assert_eq!(circuit.pair, Some(Pair { username: "a \"b\"".into(), password: "0".into() }));
    }

    #[test]
    fn a_circuit_that_has_no_path_yet() {
        let circuit = Circuit::parse("3 LAUNCHED BUILD_FLAGS=IS_INTERNAL PURPOSE=HS_VANGUARDS").unwrap();
        assert_eq!((circuit.path, circuit.pair), (Vec::new(), None));
        assert_eq!(circuit.purpose.as_deref(), Some("HS_VANGUARDS"));
        assert_eq!(Circuit::parse("3"), None);
    }

    #[test]
    fn streams_and_their_hosts() {
        let stream = |line| Stream::parse(line).unwrap();
        let carried = stream("7 SENTCONNECT 12 www.example:80 SOCKS_USERNAME=\"a\" CLIENT_PROTOCOL=SOCKS5");
        assert_eq!((carried.circuit.as_deref(), carried.target.as_str()), (Some("12"), "www.example:80"));
        assert_eq!((carried.told, carried.pair.as_ref().map(|it| it.username.as_str())), (true, Some("a")));
        let bare = stream("7 SENTCONNECT 12 www.example:80 CLIENT_PROTOCOL=TRANS");
        assert_eq!((bare.told, bare.pair), (true, None));
        assert!(!stream("7 SENTCONNECT 12 www.example:80").told);
        assert_eq!(carried.hosts().collect::<Vec<_>>(), ["www.example"]);
        assert_eq!(host(&stream("8 NEW 0 [2001:db8::1]:443").target), "2001:db8::1");
        assert_eq!(stream("8 NEW 0 x.onion:1").circuit, None);
        assert_eq!(Stream::parse("8 NEW 0"), None);
    }
}
