//! What Tor was asked for by one workstation, read from its control port (control-spec, STREAM events).

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use support::control::{Control, Stream};

/// One request that came through the `SocksPort`, and the circuit that carried it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flow {
    /// As asked: `host:port`, port 0 when only a name was to be looked up.
    pub(crate) target: String,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    /// Tor's number of the circuit.
    pub(crate) circuit: u32,
}

/// What was asked for, each with a credential of ours.
#[track_caller]
pub(crate) fn targets(flows: &[Flow]) -> Vec<&str> {
    for flow in flows {
        let username = flow.username.as_deref().unwrap_or_default();
        let token = username.strip_prefix("uwt-").unwrap_or_default();
        assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{flows:#?}");
        assert_eq!(flow.password.as_deref(), Some("0"), "{flows:#?}");
    }
    flows.iter().map(|flow| flow.target.as_str()).collect()
}

/// A listener at the control port, for the requests of one client.
#[derive(Debug)]
pub(crate) struct Flows {
    control: Control,
    client: String,
}

impl Flows {
    /// Listens from now on.
    pub(crate) fn watch(mut control: Control, client: Ipv4Addr) -> Self {
        control.subscribe(&["STREAM"]).expect("STREAM events");
        Self { control, client: format!("{client}:") }
    }

    /// The requests since the last call, in the order in which they came.
    ///
    /// Each was sent on by a circuit, or this fails: to be called when the client has got its answers.
    pub(crate) fn take(&mut self) -> Vec<Flow> {
        // Tor writes in order: whatever happened before this answer is there when it is.
        self.control.get_info("version").expect("Tor answers");
        let mut asked: BTreeMap<u32, (Flow, Option<u32>)> = BTreeMap::new();
        while let Some(event) = self.control.next_event(Duration::ZERO).expect("event") {
            let Some(line) = event.strip_prefix("STREAM ") else { continue };
            let stream = Stream::parse(line).unwrap_or_else(|| panic!("a stream event: {event}"));
            match stream.state.as_str() {
                "NEW" | "NEWRESOLVE" if self.is_ours(line) => {
                    let password = value(line, "SOCKS_PASSWORD").map(str::to_owned);
                    let flow = Flow { target: stream.target, username: stream.username, password, circuit: 0 };
                    asked.insert(stream.id, (flow, None));
                }
                // Another circuit may follow when the first was of no use; the last one counts.
                "SENTCONNECT" | "SENTRESOLVE" => {
                    if let Some((_, circuit)) = asked.get_mut(&stream.id) {
                        *circuit = stream.circuit;
                    }
                }
                _ => {}
            }
        }
        let carried = asked.into_values().map(|(flow, circuit)| {
            let circuit = circuit.unwrap_or_else(|| panic!("no circuit took it: {flow:?}"));
            Flow { circuit, ..flow }
        });
        carried.collect()
    }

    /// Whether an event about a new stream names the client.
    fn is_ours(&self, line: &str) -> bool {
        value(line, "SOURCE_ADDR").is_some_and(|source| source.starts_with(&self.client))
    }

    /// Fails unless Tor lists, now, the circuit of each flow as built, under the flow's credential, across several
    /// relays.
    #[track_caller]
    pub(crate) fn assert_listed(&mut self, flows: &[Flow]) {
        let circuits = self.control.circuits().expect("circuit-status");
        for flow in flows {
            let found = circuits.iter().find(|circuit| circuit.id == flow.circuit);
            let circuit = found.unwrap_or_else(|| panic!("no circuit of {flow:?} in {circuits:#?}"));
            assert!(circuit.is_built() && circuit.path.len() >= 3, "{circuit:?}");
            assert_eq!((&circuit.username, &circuit.password), (&flow.username, &flow.password), "{circuit:?}");
        }
    }
}

/// `KEY=value` or `KEY="value"` in an event; our values contain neither blanks nor quotes.
fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let mut words = line.split(' ').filter_map(|word| word.split_once('='));
    words.find(|(name, _)| *name == key).map(|(_, value)| value.trim_matches('"'))
}
