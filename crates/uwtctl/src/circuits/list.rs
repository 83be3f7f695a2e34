//! From circuits, streams and processes to what is shown.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use crate::answer::Status;
use crate::control::{Circuit, Pair, Relay, Snapshot, Stream};
use crate::processes::{Owner, Processes};

/// The username of the extended form (socks-extensions, "extended authentication").
const EXTENDED: &str = "<torS0X>0";
/// What the labels of our credentials begin with.
const LABEL: &str = "uwt-";
/// How many hexadecimal digits follow.
const DIGITS: usize = 32;

/// Everything that is known at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Circuits {
    /// Where Tor's control port is.
    pub(crate) control: String,
    /// Tor's version, as far as it says it.
    pub(crate) tor: Option<String>,
    /// Who uses circuits.
    pub(crate) clients: Vec<Client>,
    /// How many circuits Tor has ready, or for itself.
    pub(crate) idle: usize,
    /// Whether every port for clients isolates by credentials; `null`: Tor does not say.
    pub(crate) isolating: Option<bool>,
    /// How many streams are on a circuit without a word of Tor's on whose they are: they are listed as their circuit's,
    /// which is certain where `isolating` is true.
    pub(crate) untold_streams: usize,
    /// Whether there are processes that could not be looked at.
    pub(crate) hidden_processes: bool,
}

/// Everything with one credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Client {
    /// Ours by its label, another program's by its username, `null` where none was sent.
    pub(crate) credential: Option<String>,
    /// Whether uwt made the credential.
    pub(crate) uwt: bool,
    /// The processes whose credential it is, as far as they are known.
    pub(crate) processes: Vec<Owner>,
    /// Its circuits.
    pub(crate) circuits: Vec<Used>,
    /// Its streams that wait for a circuit.
    pub(crate) waiting: Vec<Flow>,
}

/// A circuit that is in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Used {
    /// Tor's number.
    pub(crate) id: String,
    /// BUILT, EXTENDED, …
    pub(crate) state: String,
    /// GENERAL, HS_CLIENT_REND, …
    pub(crate) purpose: Option<String>,
    /// From the entry to the exit.
    pub(crate) relays: Vec<Relay>,
    /// What it carries for this client now.
    pub(crate) streams: Vec<Flow>,
    /// The other credentials whose streams it carries, `null` for those without one: it isolates none of them then.
    pub(crate) shared_with: Vec<Option<String>>,
}

/// A stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Flow {
    /// Tor's number.
    pub(crate) id: String,
    /// SUCCEEDED, SENTCONNECT, …
    pub(crate) state: String,
    /// `host:port`, port 0 for a lookup; the address as soon as the exit has said it.
    pub(crate) target: String,
    /// `host:port` as the client asked for it, if it did while we watched.
    pub(crate) asked: Option<String>,
    /// Whether Tor said whose it is.
    pub(crate) told: bool,
}

/// Who had which credential when it was last seen.
#[derive(Debug, Default)]
pub(crate) struct Memory(HashMap<String, Vec<Owner>>);

impl Circuits {
    /// Puts them together. `before` and `after` are the processes around the time of the snapshot.
    pub(crate) fn of(
        control: String,
        tor: Option<&str>,
        snapshot: Snapshot,
        isolating: Option<bool>,
        before: &Processes,
        after: &Processes,
        memory: &mut Memory,
    ) -> Self {
        memory.learn(&snapshot, before, after);
        let Snapshot { circuits, streams } = snapshot;
        let (mut idle, mut untold_streams) = (0, 0);
        let mut clients: BTreeMap<Option<Pair>, Client> = BTreeMap::new();
        for circuit in circuits {
            let carried: Vec<&Stream> = streams.iter().filter(|it| it.circuit.as_ref() == Some(&circuit.id)).collect();
            let mut pairs: Vec<Option<&Pair>> = carried.iter().map(|it| of_stream(it, &circuit)).collect();
            untold_streams += carried.iter().filter(|it| !it.told).count();
            if circuit.pair.is_some() {
                pairs.push(circuit.pair.as_ref());
            }
            pairs.sort_unstable();
            pairs.dedup();
            idle += usize::from(pairs.is_empty());
            for pair in &pairs {
                let others = pairs.iter().filter(|other| *other != pair);
                let client = clients.entry(pair.cloned()).or_insert_with(|| Client::of(*pair, memory));
                client.circuits.push(Used {
                    id: circuit.id.clone(),
                    state: circuit.state.clone(),
                    purpose: circuit.purpose.clone(),
                    relays: circuit.path.clone(),
                    streams: carried.iter().filter(|it| of_stream(it, &circuit) == *pair).map(|it| flow(it)).collect(),
                    shared_with: others.map(|other| other.map(name)).collect(),
                });
            }
        }
        for stream in streams.iter().filter(|stream| stream.circuit.is_none()) {
            let pair = stream.pair.as_ref();
            let client = clients.entry(pair.cloned()).or_insert_with(|| Client::of(pair, memory));
            client.waiting.push(flow(stream));
        }
        let tor = tor.map(str::to_owned);
        Self {
            control,
            tor,
            clients: clients.into_values().collect(),
            idle,
            isolating,
            untold_streams,
            hidden_processes: after.hidden > 0,
        }
    }

    /// Bad where a circuit carries what should have been kept apart; unknown where it may.
    pub(crate) fn verdict(&self) -> Status {
        let mut used = self.clients.iter().filter(|client| client.uwt).flat_map(|client| &client.circuits);
        if used.any(|circuit| !circuit.shared_with.is_empty()) {
            Status::Bad
        } else if self.is_uncertain() {
            Status::Unknown
        } else {
            Status::Good
        }
    }

    /// Whether streams may be another client's than they are listed as.
    pub(crate) fn is_uncertain(&self) -> bool {
        self.untold_streams > 0 && self.isolating != Some(true)
    }
}

impl Client {
    fn of(pair: Option<&Pair>, memory: &Memory) -> Self {
        let label = pair.and_then(label);
        let processes = label.as_ref().and_then(|label| memory.0.get(label)).cloned().unwrap_or_default();
        let (uwt, credential) = (label.is_some(), pair.map(name));
        Self { credential, uwt, processes, circuits: Vec::new(), waiting: Vec::new() }
    }
}

impl Memory {
    /// Takes in who is there, and keeps those who are gone as long as Tor knows their credential.
    fn learn(&mut self, snapshot: &Snapshot, before: &Processes, after: &Processes) {
        let hosts = snapshot.streams.iter().flat_map(Stream::hosts);
        for (label, owners) in before.owners(&hosts).into_iter().chain(after.owners(&hosts)) {
            let known = self.0.entry(label).or_default();
            // A process may have another name than before (execve(2)).
            known.retain(|old| !owners.iter().any(|new| new.pid == old.pid));
            known.extend(owners);
            known.sort_unstable();
        }
        for owner in self.0.values_mut().flatten() {
            owner.running = after.contains(owner);
        }
        let circuits = snapshot.circuits.iter().filter_map(|circuit| circuit.pair.as_ref());
        let streams = snapshot.streams.iter().filter_map(|stream| stream.pair.as_ref());
        let labels: HashSet<String> = circuits.chain(streams).filter_map(label).collect();
        self.0.retain(|label, _| labels.contains(label));
    }
}

/// Whose stream it is. Where that was not told it is as the circuit's.
fn of_stream<'a>(stream: &'a Stream, circuit: &'a Circuit) -> Option<&'a Pair> {
    if stream.told { stream.pair.as_ref() } else { circuit.pair.as_ref() }
}

fn flow(stream: &Stream) -> Flow {
    let Stream { id, state, target, asked, told, .. } = stream.clone();
    Flow { id, state, target, asked, told }
}

/// The label, if it is a credential of ours.
pub(crate) fn label(pair: &Pair) -> Option<String> {
    let label = match (pair.username.as_str(), pair.password.as_str()) {
        (EXTENDED, token) => format!("{LABEL}{token}"),
        (label, "0") => label.to_owned(),
        _ => return None,
    };
    let digits = label.strip_prefix(LABEL)?;
    let ours = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    ours.then_some(label)
}

/// What a credential is called. Passwords of other programs stay theirs.
fn name(pair: &Pair) -> String {
    label(pair).unwrap_or_else(|| pair.username.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(username: &str, password: &str) -> Pair {
        Pair { username: username.to_owned(), password: password.to_owned() }
    }

    fn ours(digit: &str) -> Pair {
        pair(&format!("uwt-{}", digit.repeat(DIGITS)), "0")
    }

    fn circuit(id: &str, pair: Option<Pair>) -> Circuit {
        Circuit { id: id.into(), state: "BUILT".into(), path: Vec::new(), purpose: None, pair }
    }

    fn stream(id: &str, circuit: Option<&str>, pair: Option<Pair>) -> Stream {
        let circuit = circuit.map(str::to_owned);
        let (told, target) = (pair.is_some(), "a.test:80".to_owned());
        Stream { id: id.into(), state: "SUCCEEDED".into(), circuit, target, asked: None, told, pair }
    }

    fn circuits(circuits: Vec<Circuit>, streams: Vec<Stream>) -> Circuits {
        let none = Processes::default();
        let snapshot = Snapshot { circuits, streams };
        Circuits::of("c".into(), None, snapshot, Some(true), &none, &none, &mut Memory::default())
    }

    #[test]
    fn credentials_of_ours_are_known_by_their_form() {
        let digits = "0123456789abcdef".repeat(2);
        let expected = Some(format!("uwt-{digits}"));
        assert_eq!(label(&pair(&format!("uwt-{digits}"), "0")), expected);
        assert_eq!(label(&pair("<torS0X>0", &digits)), expected);
        for other in [pair("example.org", "0123"), pair("uwt-x", "0"), pair("<torS0X>0", "x"), pair("", "")] {
            assert_eq!(label(&other), None, "{other:?}");
        }
    }

    #[test]
    fn each_credential_has_its_circuits_and_streams() {
        let seen = circuits(
            vec![circuit("1", Some(ours("a"))), circuit("2", None), circuit("3", None), circuit("4", Some(ours("b")))],
            vec![
                stream("7", Some("1"), Some(ours("a"))),
                stream("8", Some("3"), None),
                stream("9", None, Some(ours("b"))),
                stream("10", Some("4"), None),
            ],
        );
        assert_eq!((seen.idle, seen.verdict()), (1, Status::Good));
        let shape: Vec<_> = seen
            .clients
            .iter()
            .map(|it| {
                let carried: Vec<(&str, usize)> =
                    it.circuits.iter().map(|it| (it.id.as_str(), it.streams.len())).collect();
                (it.credential.is_some(), it.uwt, carried, it.waiting.len())
            })
            .collect();
        let none = (false, false, vec![("3", 1)], 0);
        assert_eq!(shape, [none, (true, true, vec![("1", 1)], 0), (true, true, vec![("4", 1)], 1)]);
    }

    #[test]
    fn a_circuit_of_two_is_seen() {
        let streams = vec![stream("7", Some("1"), Some(ours("a"))), stream("8", Some("1"), Some(ours("b")))];
        let seen = circuits(vec![circuit("1", None)], streams);
        assert_eq!(seen.verdict(), Status::Bad);
        let shared: Vec<_> = seen.clients.iter().map(|it| it.circuits[0].shared_with.clone()).collect();
        assert_eq!(shared, [[Some(name(&ours("b")))], [Some(name(&ours("a")))]]);
    }

    #[test]
    fn what_was_not_told_is_certain_only_where_every_port_isolates() {
        let none = Processes::default();
        let verdict = |isolating, of_circuit: Option<Pair>, pair: Option<Pair>| {
            let snapshot =
                Snapshot { circuits: vec![circuit("1", of_circuit)], streams: vec![stream("7", Some("1"), pair)] };
            Circuits::of("c".into(), None, snapshot, isolating, &none, &none, &mut Memory::default()).verdict()
        };
        // On the circuit of another program a stream of uwt's may be hidden.
        for of_circuit in [Some(ours("a")), Some(pair("x", "y")), None] {
            assert_eq!(verdict(Some(true), of_circuit.clone(), None), Status::Good);
            assert_eq!(verdict(Some(false), of_circuit.clone(), None), Status::Unknown);
            assert_eq!(verdict(None, of_circuit, None), Status::Unknown);
        }
        assert_eq!(verdict(Some(false), Some(ours("a")), Some(ours("a"))), Status::Good);
    }

    #[test]
    fn a_stream_that_is_told_to_have_no_credential_shares_a_circuit_too() {
        let stream = Stream { told: true, ..stream("7", Some("1"), None) };
        let seen = circuits(vec![circuit("1", Some(ours("a")))], vec![stream]);
        assert_eq!((seen.verdict(), seen.untold_streams), (Status::Bad, 0));
        let ours = seen.clients.iter().find(|client| client.uwt).unwrap();
        assert_eq!(ours.circuits[0].shared_with, [None]);
    }

    #[test]
    fn other_programs_may_share() {
        let streams = vec![stream("7", Some("1"), None), stream("8", Some("1"), Some(pair("x", "y")))];
        assert_eq!(circuits(vec![circuit("1", None)], streams).verdict(), Status::Good);
    }
}
