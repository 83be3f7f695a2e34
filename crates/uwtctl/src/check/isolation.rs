//! `isolation`: whether two processes get circuits of their own.
//!
//! Tor's control port says which circuits carry two processes that run under uwt. Where there is none, what both send to a
//! SocksPort is compared; what Tor makes of it is not seen then, and that is said.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::finding::{Finding, Looked, Outcome};
use super::listener::{Listener, Seen};
use super::probe::{Probe, Target};
use crate::circuits::label;
use crate::control::{Control, Problem, Snapshot};
use crate::launcher;

/// How many processes are compared.
const PROCESSES: usize = 2;
const EXPECTED: &str = "each of two processes under uwt has a credential of its own, and a circuit";

/// An outcome, what it means and what to do.
type Verdict = (Outcome, String, Vec<String>);

/// Makes a control port ready to tell of processes that are started now.
///
/// # Errors
/// [`Problem::Refused`] where a filter does not let the questions through.
pub(super) fn ready(mut control: Control) -> Result<Control, Problem> {
    // Tor says whose a stream is when it begins: what tells us must be there before.
    control.subscribe()?;
    control.snapshot()?;
    Ok(control)
}

/// Compares processes, by their circuits where there is a control port, which is [`ready`]; else it says why not.
///
/// # Errors
/// `uwt` cannot be run; or the control port went away.
pub(super) fn check(control: Result<Control, String>, target: &Target, patience: Duration) -> anyhow::Result<Finding> {
    match control {
        Ok(control) => by_circuits(control, target, patience),
        Err(why) => by_credentials(&why, target, patience),
    }
}

fn finding(seen: Vec<String>, (outcome, meaning, advice): Verdict, processes: Vec<Looked>) -> Finding {
    Finding { check: "isolation", outcome, expected: EXPECTED, seen, meaning, advice, processes }
}

fn unknown(mut seen: Vec<String>, why: String) -> Finding {
    seen.push(why);
    let meaning = "The processes could not be compared.".to_owned();
    let advice = vec![
        "`uwt --explain uwtctl` says how they run; --address IP:PORT names a port that answers, --timeout gives it longer"
            .to_owned(),
    ];
    finding(seen, (Outcome::Unknown, meaning, advice), Vec::new())
}

/// Waits until a process is connected; it holds its connection until it is dropped.
///
/// # Errors
/// It is not; says why, in a clause.
fn connected(probe: &Probe, target: &Target, patience: Duration) -> Result<(), String> {
    let failed = |why| format!("a process under uwt, to {}:{}: {why}", target.host, target.port);
    probe.connected(patience).map_err(failed)
}

fn by_circuits(mut control: Control, target: &Target, patience: Duration) -> anyhow::Result<Finding> {
    let mut seen = vec![format!("compared by circuits, as Tor's control port {} lists them", control.place())];
    let uwt = launcher::uwt()?;
    let probes: Vec<Probe> = (0..PROCESSES).map(|_| Probe::start(&uwt, &[], target)).collect::<anyhow::Result<_>>()?;
    let until = Instant::now() + patience;
    for probe in &probes {
        if let Err(why) = connected(probe, target, until.saturating_duration_since(Instant::now())) {
            return Ok(unknown(seen, why));
        }
    }
    let snapshot = control.snapshot()?;
    let mut processes = Vec::new();
    for probe in &probes {
        let credential = match probe.credential(&target.host) {
            Ok(credential) => credential,
            Err(why) => return Ok(unknown(seen, why)),
        };
        let circuits = credential.as_ref().map(|credential| carrying(&snapshot, credential)).unwrap_or_default();
        processes.push(Looked { pid: probe.pid(), credential, circuits: Some(circuits) });
    }
    seen.extend(processes.iter().map(shown));
    let strange = processes.iter().any(|it| it.credential.is_some() && it.circuits.iter().all(Vec::is_empty));
    if strange {
        let why = format!(
            "the Tor of {} has no stream with that credential: it is not the one behind the SocksPort",
            control.place()
        );
        return Ok(unknown(seen, why));
    }
    let verdict = judged(&processes);
    Ok(finding(seen, verdict, processes))
}

/// The circuits that carry streams with this credential.
fn carrying(snapshot: &Snapshot, credential: &str) -> Vec<String> {
    let is_of = |pair: Option<&_>| pair.and_then(label).as_deref() == Some(credential);
    // Tor before 0.4.6 says it of circuits only.
    let ours = |id: &String| snapshot.circuits.iter().any(|circuit| circuit.id == *id && is_of(circuit.pair.as_ref()));
    let streams = snapshot.streams.iter().filter_map(|stream| {
        let circuit = stream.circuit.as_ref()?;
        let own = if stream.told { is_of(stream.pair.as_ref()) } else { ours(circuit) };
        own.then(|| circuit.clone())
    });
    let mut circuits: Vec<String> = streams.collect();
    circuits.sort_unstable();
    circuits.dedup();
    circuits
}

fn by_credentials(why: &str, target: &Target, patience: Duration) -> anyhow::Result<Finding> {
    let mut seen = vec![
        format!("Tor's control port was not asked: {why}"),
        "compared by credentials, at a SocksPort that uwtctl opened on this machine".to_owned(),
    ];
    let listener = Listener::start()?;
    let options = ["-i", "127.0.0.1", "-p"].map(str::to_owned).into_iter();
    let options: Vec<String> = options.chain([listener.address.port().to_string()]).collect();
    let uwt = launcher::uwt()?;
    let (mut probes, mut processes) = (Vec::new(), Vec::new());
    // One after the other: what arrives is that one's.
    for _ in 0..PROCESSES {
        let probe = Probe::start(&uwt, &options, target)?;
        if let Err(why) = connected(&probe, target, patience) {
            return Ok(unknown(seen, why));
        }
        // Each has told its credential before it was connected.
        let Some(Seen(pair)) = listener.next(Duration::ZERO) else {
            return Ok(unknown(seen, "a process is connected, but not by the SocksPort".to_owned()));
        };
        let credential = pair.map(|pair| label(&pair).unwrap_or(pair.username));
        processes.push(Looked { pid: probe.pid(), credential, circuits: None });
        probes.push(probe);
    }
    seen.extend(processes.iter().map(shown));
    let verdict = judged(&processes);
    Ok(finding(seen, verdict, processes))
}

fn shown(process: &Looked) -> String {
    let credential = process.credential.as_deref().unwrap_or("no credential");
    match &process.circuits {
        Some(circuits) if !circuits.is_empty() => {
            format!("process {}: {credential}, circuit {}", process.pid, circuits.join(" and "))
        }
        _ => format!("process {}: {credential}", process.pid),
    }
}

/// What the processes' credentials and circuits say, as far as these are known.
fn judged(processes: &[Looked]) -> Verdict {
    let explain = "`uwt --explain uwtctl` says which scope holds and who set it".to_owned();
    if processes.iter().any(|process| process.credential.is_none()) {
        let meaning = "uwt sends no credential: Tor puts everything on shared circuits. The scope is `none`.";
        return (Outcome::Bad, meaning.to_owned(), vec![explain]);
    }
    let credentials: HashSet<_> = processes.iter().map(|process| &process.credential).collect();
    if credentials.len() < processes.len() {
        let meaning =
            "Both processes send the same credential, and so share circuits: the scope is wider than a process.";
        return (Outcome::Bad, meaning.to_owned(), vec![explain]);
    }
    if processes.iter().any(|process| process.circuits.is_none()) {
        let meaning = "Each process sends a credential of its own. That is what uwt does; that Tor then gives each its own \
                       circuit (IsolateSOCKSAuth, which a SocksPort has unless its torrc takes it away) was not seen.";
        let advice = vec!["to see circuits: run this where Tor's control port can be used (--control)".to_owned()];
        return (Outcome::Good, meaning.to_owned(), advice);
    }
    let circuits: Vec<&String> = processes.iter().filter_map(|process| process.circuits.as_ref()).flatten().collect();
    let distinct: HashSet<_> = circuits.iter().collect();
    if distinct.len() < circuits.len() {
        let meaning = "Tor put two credentials on one circuit: its SocksPort does not isolate by them.";
        let advice =
            vec!["on the gateway: take `NoIsolateSOCKSAuth` away from the SocksPort's line in the torrc".to_owned()];
        return (Outcome::Bad, meaning.to_owned(), advice);
    }
    (Outcome::Good, "Each process has a credential and a circuit of its own.".to_owned(), Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(credential: Option<&str>, circuits: Option<&[&str]>) -> Looked {
        let circuits = circuits.map(|circuits| circuits.iter().map(|it| (*it).to_owned()).collect());
        Looked { pid: 1, credential: credential.map(str::to_owned), circuits }
    }

    #[test]
    fn circuits_and_credentials_must_both_differ() {
        let outcome = |one: Looked, other: Looked| judged(&[one, other]).0;
        let (a, b) = (Some("a"), Some("b"));
        assert_eq!(outcome(looked(a, Some(&["1"])), looked(b, Some(&["2"]))), Outcome::Good);
        assert_eq!(outcome(looked(a, Some(&["1", "3"])), looked(b, Some(&["2"]))), Outcome::Good);
        assert_eq!(outcome(looked(a, Some(&["1"])), looked(b, Some(&["1"]))), Outcome::Bad);
        assert_eq!(outcome(looked(a, Some(&["1", "2"])), looked(b, Some(&["2"]))), Outcome::Bad);
        assert_eq!(outcome(looked(a, Some(&["1"])), looked(a, Some(&["2"]))), Outcome::Bad);
        assert_eq!(outcome(looked(None, Some(&[])), looked(None, Some(&[]))), Outcome::Bad);
    }

    #[test]
    fn at_the_wire_only_credentials_are_judged_and_that_is_said() {
        let (outcome, meaning, _) = judged(&[looked(Some("a"), None), looked(Some("b"), None)]);
        assert_eq!(outcome, Outcome::Good);
        assert!(meaning.ends_with("was not seen."), "{meaning}");
        assert_eq!(judged(&[looked(Some("a"), None), looked(Some("a"), None)]).0, Outcome::Bad);
        assert_eq!(judged(&[looked(Some("a"), None), looked(None, None)]).0, Outcome::Bad);
    }
}
