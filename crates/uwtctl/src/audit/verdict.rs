//! How isolated the processes of a run were.

use std::collections::{BTreeMap, BTreeSet};

use uwt_report::{GuardLevel, Layer};

use super::model::{Process, Setting, Share, Verdict};

/// Says of each process what holds for it.
pub(crate) fn judge(processes: &mut [Process], setting: Option<&Setting>) {
    let users = users(processes);
    let scope = setting.map(|setting| setting.scope.as_str());
    // The report of a tree without a guard is silent about what the library does not see.
    let blind = setting.is_none_or(|setting| setting.guard == GuardLevel::Off);
    for process in processes {
        process.shares = shares(process, &users, scope);
        let mut findings = BTreeSet::from([sent(process)]);
        if blind || speaks_to_tor(process) {
            findings.insert(Verdict::Unknown);
        }
        if !process.refused.is_empty() {
            findings.insert(Verdict::RefusedParts);
        }
        if is_seen_by_the_guard_alone(process) {
            findings.insert(Verdict::WouldLeak);
        }
        if !process.shares.is_empty() {
            findings.insert(Verdict::SharesCredential);
        }
        process.findings = worst_first(&findings);
        process.verdict = process.findings.first().copied().unwrap_or(Verdict::Unknown);
    }
}

/// What is found, the worst first: what looks good is said only where nothing else is.
fn worst_first(findings: &BTreeSet<Verdict>) -> Vec<Verdict> {
    let (bad, good): (Vec<Verdict>, Vec<Verdict>) =
        findings.iter().rev().copied().partition(|it| *it > Verdict::Isolated);
    if bad.is_empty() { good } else { bad }
}

/// Which processes used a credential; without one there is nothing to compare.
fn users(processes: &[Process]) -> BTreeMap<String, BTreeSet<(u32, u64)>> {
    let mut users: BTreeMap<String, BTreeSet<(u32, u64)>> = BTreeMap::new();
    for process in processes {
        for credential in process.credentials().flatten() {
            users.entry(credential.to_owned()).or_default().insert((process.pid, process.start));
        }
    }
    users
}

/// Whether what a process sent was its own.
fn sent(process: &Process) -> Verdict {
    match outcomes(process).next() {
        None => Verdict::NothingSent,
        // It may be that Tor never heard of any.
        Some(_) if failed_altogether(process) => Verdict::Unknown,
        Some(_) => Verdict::Isolated,
    }
}

/// Whether something was to be sent, and nothing of it succeeded.
pub(crate) fn failed_altogether(process: &Process) -> bool {
    outcomes(process).next().is_some() && outcomes(process).all(|failed| failed.is_some())
}

/// Whether something was said to a SocksPort that nobody but Tor knows.
pub(crate) fn speaks_to_tor(process: &Process) -> bool {
    process.local.iter().any(|local| local.what.tor && local.what.failed.is_none())
}

/// Of all that was to be sent, why it failed.
fn outcomes(process: &Process) -> impl Iterator<Item = Option<&str>> {
    let lookups = process.lookups.iter().filter(|lookup| lookup.what.sent).map(|lookup| lookup.what.failed.as_deref());
    // A SocksPort that was reached says no more of how that went.
    let unreached = process.local.iter().filter(|local| local.what.tor && local.what.failed.is_some());
    let connections = process.connections.iter().map(|connection| connection.what.failed.as_deref());
    lookups.chain(connections).chain(unreached.map(|local| local.what.failed.as_deref()))
}

/// The credentials of a process that others used as well, or may use by what the scope says (`scope` in uwt.d(5)).
fn shares(process: &Process, users: &BTreeMap<String, BTreeSet<(u32, u64)>>, scope: Option<&str>) -> Vec<Share> {
    let beyond = scope.is_some_and(reaches_other_runs);
    let used: BTreeSet<Option<&str>> = process.credentials().collect();
    let shares = used.into_iter().filter_map(|credential| {
        let Some(credential) = credential else { return Some(Share { credential: None, with: Vec::new() }) };
        let others = users.get(credential).into_iter().flatten().filter(|user| **user != (process.pid, process.start));
        let with: Vec<u32> = others.map(|(pid, _)| *pid).collect();
        (beyond || !with.is_empty()).then(|| Share { credential: Some(credential.to_owned()), with })
    });
    shares.collect()
}

/// Whether other runs have the same credentials, by intent.
pub(crate) fn reaches_other_runs(scope: &str) -> bool {
    matches!(scope, "command" | "identity")
}

/// Whether the guard had to hold something that the library did not see.
fn is_seen_by_the_guard_alone(process: &Process) -> bool {
    let lookups = process.lookups.iter().map(|it| it.what.layer);
    let connections = process.connections.iter().map(|it| it.what.layer);
    let refused = process.refused.iter().map(|it| it.what.layer);
    lookups.chain(connections).chain(refused).any(|layer| matches!(layer, Layer::Cage | Layer::Guard))
}

#[cfg(test)]
mod tests {
    use uwt_report::{Event, Transport};

    use super::super::collect::Collected;
    use super::super::events::{begin, by, connection, direct, failed, process, refused, unreached};
    use super::*;

    fn judged(guard: GuardLevel, scope: &str, events: impl IntoIterator<Item = Event>) -> Vec<Process> {
        let Collected { mut processes, setting, .. } =
            Collected::of(std::iter::once(begin(guard, scope)).chain(events));
        judge(&mut processes, setting.as_ref());
        processes
    }

    fn findings(events: impl IntoIterator<Item = Event>) -> Vec<Verdict> {
        let processes = judged(GuardLevel::Tunnel, "process", events);
        assert_eq!(processes[0].verdict, processes[0].findings[0]);
        processes[0].findings.clone()
    }

    #[test]
    fn each_finding_alone() {
        let own = Some("uwt-1");
        assert_eq!(findings([process(7, 1, "a")]), [Verdict::NothingSent]);
        assert_eq!(findings([connection(7, "a.test", own)]), [Verdict::Isolated]);
        assert_eq!(findings([failed(7, "a.test", "uwt-1")]), [Verdict::Unknown]);
        assert_eq!(findings([failed(7, "a.test", "uwt-1"), connection(7, "a.test", own)]), [Verdict::Isolated]);
        assert_eq!(findings([connection(7, "a.test", None)]), [Verdict::SharesCredential]);
        assert_eq!(findings([by(Layer::Cage, 7, "a.test", own)]), [Verdict::WouldLeak]);
        assert_eq!(findings([by(Layer::Relay, 7, "a.test", own)]), [Verdict::Isolated]);
        assert_eq!(findings([refused(Layer::Preload, 7, Transport::Udp)]), [Verdict::RefusedParts]);
    }

    #[test]
    fn what_is_said_to_tor_directly_is_not_known() {
        let own = || connection(7, "a.test", Some("uwt-1"));
        assert_eq!(findings([own(), direct(7, "127.0.0.1", 9050)]), [Verdict::Unknown]);
        assert_eq!(findings([own(), direct(7, "127.0.0.1", 631)]), [Verdict::Isolated]);
        assert_eq!(findings([direct(7, "127.0.0.1", 631)]), [Verdict::NothingSent]);
        // Heard on the way, it is known; where nobody listened nothing was said.
        assert_eq!(findings([by(Layer::Program, 7, "a.test", Some("uwt-1"))]), [Verdict::Isolated]);
        assert_eq!(findings([by(Layer::Program, 7, "a.test", None)]), [Verdict::SharesCredential]);
        let processes = judged(GuardLevel::Tunnel, "process", [unreached(7, "127.0.0.1", 9050)]);
        assert!(processes[0].verdict == Verdict::Unknown && !speaks_to_tor(&processes[0]), "{processes:?}");
        assert_eq!(findings([own(), unreached(7, "127.0.0.1", 9050)]), [Verdict::Isolated]);
    }

    #[test]
    fn several_findings_are_told_the_worst_first() {
        let events = [refused(Layer::Guard, 7, Transport::IoUring), connection(7, "a.test", None)];
        assert_eq!(findings(events), [Verdict::SharesCredential, Verdict::WouldLeak, Verdict::RefusedParts]);
    }

    #[test]
    fn those_who_share_are_named() {
        let events = [
            connection(7, "a.test", Some("uwt-1")),
            connection(8, "b.test", Some("uwt-1")),
            connection(9, "c.test", Some("uwt-2")),
        ];
        let processes = judged(GuardLevel::Tunnel, "invocation", events);
        let with: Vec<&[u32]> = processes.iter().flat_map(|it| &it.shares).map(|share| share.with.as_slice()).collect();
        assert_eq!(with, [&[8], &[7]]);
        assert_eq!(processes[2].verdict, Verdict::Isolated);
    }

    #[test]
    fn some_scopes_are_shared_with_other_runs() {
        for (scope, expected) in [
            ("process", Verdict::Isolated),
            ("destination", Verdict::Isolated),
            ("invocation", Verdict::Isolated),
            ("command", Verdict::SharesCredential),
            ("identity", Verdict::SharesCredential),
        ] {
            let processes = judged(GuardLevel::Tunnel, scope, [connection(7, "a.test", Some("uwt-1"))]);
            assert_eq!(processes[0].verdict, expected, "{scope}");
        }
    }

    #[test]
    fn without_a_guard_nothing_is_good() {
        for events in [vec![process(7, 1, "a")], vec![connection(7, "a.test", Some("uwt-1"))]] {
            assert_eq!(judged(GuardLevel::Off, "process", events.clone())[0].findings, [Verdict::Unknown]);
            assert_ne!(judged(GuardLevel::Deny, "process", events)[0].verdict, Verdict::Unknown);
        }
        assert_eq!(
            judged(GuardLevel::Off, "none", [connection(7, "a.test", None)])[0].verdict,
            Verdict::SharesCredential
        );
    }
}
