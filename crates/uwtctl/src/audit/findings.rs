//! What is found in a whole tree, in words: what was seen, and what to do.

use std::collections::BTreeSet;

use uwt_report::{GuardLevel, Layer, Transport};

use super::model::{Finding, Process, Setting, Verdict};
use super::verdict::{failed_altogether, reaches_other_runs, speaks_to_tor};

/// How a report ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It has its end.
    Told,
    /// The tree still runs.
    Running,
    /// It has no end: whoever wrote it was ended first, or it is read while it is written.
    Missing,
}

/// What holds for the tree, of whose events so many are lost, the worst first. There is always something.
pub(crate) fn findings(processes: &[Process], setting: Option<&Setting>, ending: Ending, lost: u64) -> Vec<Finding> {
    let mut verdicts: BTreeSet<Verdict> = processes.iter().flat_map(|process| &process.findings).copied().collect();
    let gaps = gaps(setting, ending, lost);
    if !gaps.is_empty() {
        verdicts.insert(Verdict::Unknown);
    }
    if verdicts.last().is_none_or(|worst| *worst == Verdict::NothingSent) {
        verdicts.insert(Verdict::NothingSent);
    } else {
        verdicts.remove(&Verdict::NothingSent);
    }
    // Where a part is not known, the whole is not isolated, whatever the rest is.
    if verdicts.contains(&Verdict::Unknown) {
        verdicts.remove(&Verdict::Isolated);
    }
    let found = verdicts.into_iter().rev().map(|verdict| {
        let of: Vec<&Process> = processes.iter().filter(|process| process.findings.contains(&verdict)).collect();
        let (why, advice) = match verdict {
            Verdict::NothingSent => ("No process asked for anything outside this machine.".to_owned(), String::new()),
            Verdict::Isolated => (isolated(setting), String::new()),
            Verdict::Unknown => unknown(&of, &gaps),
            Verdict::RefusedParts => refused(&of, setting),
            Verdict::WouldLeak => would_leak(&of),
            Verdict::SharesCredential => shares(&of, setting),
        };
        Finding { verdict, processes: of.iter().map(|process| process.pid).collect(), why, advice }
    });
    found.collect()
}

/// What is missing of the report as a whole, with what to do.
fn gaps(setting: Option<&Setting>, ending: Ending, lost: u64) -> Vec<(String, &'static str)> {
    let mut gaps = Vec::new();
    match setting {
        None => gaps.push((
            "The report does not begin: nothing was run, or it ran without uwt.".to_owned(),
            "See `uwt --explain COMMAND`.",
        )),
        Some(Setting { guard: GuardLevel::Off, .. }) => gaps.push((
            "There was no guard: what the preload library does not see went out directly, and nobody knows of it."
                .to_owned(),
            "Leave out --guard=off, or set guard = \"auto\".",
        )),
        Some(_) => {}
    }
    match lost {
        0 => {}
        1 => gaps.push(("An event is missing from the report.".to_owned(), "Run it again.")),
        lost => gaps.push((format!("{lost} events are missing from the report."), "Run it again.")),
    }
    match ending {
        Ending::Told => {}
        Ending::Running => gaps.push((
            "Processes were still running when the report was made.".to_owned(),
            "Let them end, or end them, before the report is made.",
        )),
        // A report of nothing has been told above.
        Ending::Missing if setting.is_none() => {}
        Ending::Missing => gaps.push((
            "The report has no end: uwt's helper was ended before the processes were.".to_owned(),
            "Run it again.",
        )),
    }
    gaps
}

fn unknown(of: &[&Process], gaps: &[(String, &'static str)]) -> (String, String) {
    let mut why: Vec<&str> = gaps.iter().map(|(why, _)| why.as_str()).collect();
    let mut advice: Vec<&str> = gaps.iter().map(|(_, advice)| *advice).collect();
    if of.iter().any(|process| speaks_to_tor(process)) {
        why.push(
            "A program spoke to a SocksPort itself, with a credential that uwt did not give it, or not as could be \
            followed: whether others use the same, only Tor knows.",
        );
        advice.push(
            "Take the proxy out of its own settings, and uwt carries it; `uwtctl circuits --watch` shows what it does.",
        );
    }
    if of.iter().any(|process| failed_altogether(process)) {
        why.push("Nothing that was asked for succeeded, and so nothing shows whether Tor heard of it.");
        advice.push("See what failed above, and whether the gateway answers: `uwtctl status`.");
    }
    (why.join(" "), advice.join(" "))
}

fn isolated(setting: Option<&Setting>) -> String {
    let whose = match setting.map(|setting| setting.scope.as_str()) {
        Some("invocation") => "the credential of this call",
        Some("destination") => "a credential for each process and host",
        _ => "a credential for each process",
    };
    format!("What was sent was carried to the SocksPort with {whose}: nobody else uses these circuits.")
}

fn would_leak(of: &[&Process]) -> (String, String) {
    let without = of.iter().filter(|process| process.programs.iter().all(|program| !program.preload)).count();
    let mut why =
        "The preload library did not see everything that was asked for; the guard carried or refused it. A tool \
        that only preloads a library, as torsocks does, would have let it out."
            .to_owned();
    if without == of.len() {
        why += " The library does not run there: the program is statically linked, or was started without it.";
    }
    (why, "Keep the guard: never run this with --guard=off.".to_owned())
}

fn shares(of: &[&Process], setting: Option<&Setting>) -> (String, String) {
    let further =
        "Give each process circuits of its own: `uwt --isolate process COMMAND`, or scope = \"process\" in the \
        command's table (uwt.d(5))."
            .to_owned();
    let mut why = Vec::new();
    if of.iter().flat_map(|process| &process.shares).any(|share| share.credential.is_none()) {
        why.push("What is sent without a credential shares circuits with every other client that sends none.");
    }
    match setting.map(|setting| setting.scope.as_str()) {
        Some("invocation") => why.push("By scope = invocation all that one call starts shares circuits."),
        Some("command") => why.push("By scope = command all runs of a program share circuits until the next boot."),
        Some("identity") => why.push("By its identity all that is given the same name shares circuits."),
        _ => {}
    }
    if why.is_empty() && of.iter().any(|process| !process.shares.is_empty()) {
        why.push("Processes used the same credential: one handed its socket, or a proxy's address, to the other.");
    }
    let by_intent = setting.is_some_and(|setting| reaches_other_runs(&setting.scope) || setting.scope == "none");
    let mut own_settings = of.iter().flat_map(|process| &process.connections).map(|connection| &connection.what);
    let advice = if own_settings.any(|it| it.layer == Layer::Program && it.credential.is_none()) && !by_intent {
        "Take the proxy out of the program's own settings: then uwt carries it with a credential.".to_owned()
    } else if by_intent || setting.is_some_and(|setting| setting.scope == "invocation") {
        further
    } else {
        "Where that is not wanted, see `uwt --explain COMMAND` for \"native\", and run the programs one by one."
            .to_owned()
    };
    (why.join(" "), advice)
}

fn refused(of: &[&Process], setting: Option<&Setting>) -> (String, String) {
    let refusals = || of.iter().flat_map(|process| &process.refused).map(|refusal| &refusal.what);
    let transports: BTreeSet<Option<Transport>> = refusals().map(|refusal| refusal.transport).collect();
    let mut why = vec!["What was refused did not get out either."];
    why.extend(transports.into_iter().flatten().filter_map(meaning));
    let denied = refusals().any(|it| it.transport == Some(Transport::Tcp) && it.layer == Layer::Guard)
        && setting.is_some_and(|setting| setting.guard == GuardLevel::Deny);
    let advice = if denied {
        "To have connections carried that the library does not see: --guard=tunnel."
    } else {
        "If the program works all the same there is nothing to do; else look for an option of its own that avoids it."
    };
    (why.join(" "), advice.to_owned())
}

/// What it means to go without.
fn meaning(transport: Transport) -> Option<&'static str> {
    Some(match transport {
        Transport::Tcp => "A connection was not made at all.",
        Transport::Udp => {
            "Tor carries no UDP: QUIC, WebRTC, NTP and questions to DNS servers of one's own do not work."
        }
        Transport::Icmp => "Tor carries no ICMP: ping and traceroute do not work.",
        Transport::Raw => "Tor carries no raw packets: scanners and the like do not work.",
        Transport::IoUring => "No filter can look into io_uring; most programs then use ordinary calls.",
        Transport::Other => return None,
    })
}

#[cfg(test)]
mod tests {
    use uwt_report::{Event, Happening};

    use super::super::collect::Collected;
    use super::super::events::{begin, by, connection, direct, event, failed, process, refused, unreached};
    use super::super::verdict::judge;
    use super::*;

    const TOLD: Ending = Ending::Told;

    fn found(first: Option<Event>, events: impl IntoIterator<Item = Event>, ending: Ending) -> Vec<Finding> {
        let Collected { mut processes, setting, lost, .. } = Collected::of(first.into_iter().chain(events));
        judge(&mut processes, setting.as_ref());
        findings(&processes, setting.as_ref(), ending, lost)
    }

    fn verdicts(events: impl IntoIterator<Item = Event>, ending: Ending) -> Vec<Verdict> {
        let findings = found(Some(begin(GuardLevel::Tunnel, "process")), events, ending);
        assert!(findings.iter().all(|finding| !finding.why.is_empty()), "{findings:#?}");
        findings.iter().map(|finding| finding.verdict).collect()
    }

    #[test]
    fn the_tree_has_what_its_processes_have() {
        let good = || [process(1, 99, "sh"), process(2, 1, "curl"), connection(2, "a.test", Some("uwt-1"))];
        assert_eq!(verdicts([], TOLD), [Verdict::NothingSent]);
        assert_eq!(verdicts([process(1, 99, "true")], TOLD), [Verdict::NothingSent]);
        assert_eq!(verdicts(good(), TOLD), [Verdict::Isolated]);
        let bad = [by(Layer::Cage, 3, "b.test", Some("uwt-2")), refused(Layer::Preload, 4, Transport::Udp)];
        let all = [Verdict::WouldLeak, Verdict::RefusedParts, Verdict::Isolated];
        assert_eq!(verdicts(good().into_iter().chain(bad), TOLD), all);
        let mixed = good().into_iter().chain([failed(3, "a.test", "uwt-2")]);
        assert_eq!(verdicts(mixed, TOLD), [Verdict::Unknown]);
    }

    #[test]
    fn what_is_missing_overrides_what_is_good_and_nothing_else() {
        let good = || connection(2, "a.test", Some("uwt-1"));
        let bad = || connection(2, "a.test", None);
        let lost = |count| event(0, Happening::Lost { count });
        for ending in [Ending::Running, Ending::Missing] {
            assert_eq!(verdicts([], ending), [Verdict::Unknown]);
            assert_eq!(verdicts([good()], ending), [Verdict::Unknown]);
            assert_eq!(verdicts([bad()], ending), [Verdict::SharesCredential, Verdict::Unknown]);
        }
        for count in [1, 2] {
            assert_eq!(verdicts([good(), lost(count)], TOLD), [Verdict::Unknown]);
        }
        let unguarded = found(Some(begin(GuardLevel::Off, "process")), [good()], TOLD);
        assert_eq!(unguarded[0].verdict, Verdict::Unknown);
        assert!(unguarded[0].why.contains("no guard") && unguarded[0].advice.contains("--guard=off"), "{unguarded:?}");
        let without = found(None, [], Ending::Missing);
        assert_eq!(without.len(), 1);
        assert!(without[0].why.contains("without uwt") && !without[0].why.contains("helper"), "{without:?}");
    }

    #[test]
    fn what_only_tor_knows_is_unknown() {
        let native = [connection(2, "a.test", Some("uwt-1")), direct(2, "10.152.152.10", 9050)];
        let finding = &found(Some(begin(GuardLevel::Tunnel, "process")), native, TOLD)[0];
        assert_eq!((finding.verdict, finding.processes.as_slice()), (Verdict::Unknown, &[2][..]));
        assert!(finding.why.contains("SocksPort itself") && finding.advice.contains("uwtctl circuits"), "{finding:?}");
    }

    #[test]
    fn a_proxy_without_a_credential_is_the_programs_own_setting() {
        let bare = by(Layer::Program, 2, "a.test", None);
        let finding = &found(Some(begin(GuardLevel::Tunnel, "process")), [bare], TOLD)[0];
        assert_eq!(finding.verdict, Verdict::SharesCredential);
        assert!(finding.why.contains("without a credential") && finding.advice.contains("own settings"), "{finding:?}");
    }

    #[test]
    fn a_gateway_that_is_not_reached_is_no_secret_of_tors() {
        let finding =
            &found(Some(begin(GuardLevel::Tunnel, "process")), [unreached(2, "10.152.152.10", 9050)], TOLD)[0];
        assert_eq!(finding.verdict, Verdict::Unknown);
        assert!(!finding.why.contains("SocksPort") && finding.advice.contains("uwtctl status"), "{finding:?}");
    }

    #[test]
    fn a_refusal_says_what_one_goes_without() {
        let refusal = refused(Layer::Guard, 4, Transport::Icmp);
        let finding = &found(Some(begin(GuardLevel::Tunnel, "process")), [refusal], TOLD)[1];
        assert!(finding.verdict == Verdict::RefusedParts && finding.why.contains("ping"), "{finding:?}");
        let refusal = refused(Layer::Guard, 4, Transport::Tcp);
        let finding = &found(Some(begin(GuardLevel::Deny, "process")), [refusal], TOLD)[1];
        assert!(finding.advice.contains("--guard=tunnel"), "{finding:?}");
    }

    #[test]
    fn a_share_says_by_which_scope() {
        let two = || [connection(2, "a.test", Some("uwt-1")), connection(3, "a.test", Some("uwt-1"))];
        for (scope, word) in [
            ("invocation", "one call"),
            ("command", "runs of a program"),
            ("identity", "same name"),
            ("process", "handed"),
        ] {
            let finding = &found(Some(begin(GuardLevel::Tunnel, scope)), two(), TOLD)[0];
            assert!(finding.why.contains(word), "{scope}: {finding:?}");
            assert_eq!(finding.advice.contains("--isolate process"), scope != "process", "{scope}: {finding:?}");
        }
        let none = &found(Some(begin(GuardLevel::Tunnel, "none")), [connection(2, "a.test", None)], TOLD)[0];
        assert!(none.why.contains("without a credential") && none.advice.contains("--isolate process"), "{none:?}");
    }
}
