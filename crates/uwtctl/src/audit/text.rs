//! An audit for people.

use uwt_report::{Destination, GuardLevel};

use super::model::{Audit, Counted, Ended, Process, Verdict, layer, place};
use super::short::short;
use crate::answer::{Answer, Status};
use crate::page::{Mood, Page, Text};

/// The columns that a command line has in the list of processes: the others need the rest of the page.
const COMMAND: usize = 38;
/// The columns of a credential, which differ from its fifth on.
const CREDENTIAL: usize = 13;
/// The columns of a command in the lines about the run.
const LINE: usize = 68;

impl Answer for Audit {
    fn write(&self, page: &mut Page) {
        page.table(&[], self.run());
        if !self.processes.is_empty() {
            page.heading("Processes");
            page.table(&["PID", "Program", "Verdict"], self.processes.iter().map(listed));
        }
        let deeds: Vec<[Text; 6]> = self.processes.iter().flat_map(deeds).collect();
        if !deeds.is_empty() {
            page.heading("What they did");
            page.table(&["PID", "What", "Where", "Credential", "By", "Outcome"], deeds);
        }
        page.heading("Verdict");
        page.paragraph(self.summary());
        for finding in &self.findings {
            page.gap();
            page.paragraph(mood(finding.verdict).text(capital(finding.verdict.words()) + &self.of(&finding.processes)));
            page.paragraph(finding.why.as_str());
            if !finding.advice.is_empty() {
                page.paragraph(finding.advice.as_str());
            }
        }
    }

    fn status(&self) -> Status {
        match self.verdict {
            Verdict::NothingSent | Verdict::Isolated => Status::Good,
            Verdict::Unknown => Status::Unknown,
            Verdict::RefusedParts | Verdict::WouldLeak | Verdict::SharesCredential => Status::Bad,
        }
    }
}

impl Audit {
    /// What was run, and how.
    fn run(&self) -> Vec<[Text; 2]> {
        let mut rows: Vec<[Text; 2]> = Vec::new();
        let mut row = |label: &str, value: Text| rows.push([label.into(), value]);
        if let Some(command) = &self.command {
            row("Command", short(&command.join(" "), LINE).into());
        }
        match self.ended {
            Some(Ended::Status(0)) => row("Ended", "with status 0".into()),
            Some(Ended::Status(status)) => row("Ended", Mood::Warning.text(format!("with status {status}"))),
            Some(Ended::Signal(signal)) => row("Ended", Mood::Warning.text(format!("by signal {signal}"))),
            None => {}
        }
        match &self.setting {
            Some(setting) => {
                row("Gateway", place(&setting.gateway).into());
                row("Isolation", setting.scope.as_str().into());
                row("Guard", guard(setting.guard));
            }
            None => row("Gateway", Mood::Bad.text("unknown: the report does not begin")),
        }
        rows
    }

    /// How much there was.
    fn summary(&self) -> String {
        let each = |count: fn(&Process) -> u64| self.processes.iter().map(count).sum::<u64>();
        let counts = [
            (self.processes.len() as u64, "process", "processes"),
            (each(|process| sum(&process.connections)), "connection", "connections"),
            (each(|process| sum(&process.lookups)), "lookup", "lookups"),
            (each(|process| sum(&process.local)), "local connection", "local connections"),
            (each(|process| sum(&process.refused)), "refusal", "refusals"),
            (each(|process| sum(&process.servers)), "server", "servers"),
        ];
        let told = counts.iter().enumerate().filter(|(index, (count, ..))| *index < 3 || *count > 0);
        let told = told.map(|(_, (count, one, many))| format!("{count} {}", if *count == 1 { one } else { many }));
        told.collect::<Vec<_>>().join(", ") + "."
    }

    /// ": curl (pid 7), git (pid 8)", where that is not all of them.
    fn of(&self, pids: &[u32]) -> String {
        const MOST: usize = 5;
        let all = self.processes.iter().filter(|process| pids.contains(&process.pid));
        let names: Vec<String> = all.map(|process| short(&process.name(), COMMAND)).collect();
        match names.len() {
            0 => String::new(),
            count if count > MOST => format!(": {} and {} more", names[..MOST].join(", "), count - MOST),
            _ => format!(": {}", names.join(", ")),
        }
    }
}

fn guard(level: GuardLevel) -> Text {
    match level {
        GuardLevel::Tunnel => "tunnel".into(),
        GuardLevel::Deny => "deny".into(),
        GuardLevel::Off => Mood::Bad.text("off"),
    }
}

fn mood(verdict: Verdict) -> Mood {
    match verdict {
        Verdict::NothingSent => Mood::Plain,
        Verdict::Isolated => Mood::Good,
        Verdict::Unknown | Verdict::RefusedParts | Verdict::WouldLeak => Mood::Warning,
        Verdict::SharesCredential => Mood::Bad,
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A row of the list of processes.
fn listed(process: &Process) -> [Text; 3] {
    // Deeper ones stay where there is room for a name.
    let indent = match process.depth.min(COMMAND / 4) {
        0 => String::new(),
        depth => "  ".repeat(depth - 1) + "└ ",
    };
    let room = COMMAND - indent.chars().count();
    [
        process.pid.to_string().into(),
        (indent + &short(&process.command_line(), room)).into(),
        mood(process.verdict).text(process.verdict.words()),
    ]
}

/// The rows of what a process did; its id is in the first one.
fn deeds(process: &Process) -> Vec<[Text; 6]> {
    let mut rows: Vec<[Text; 5]> = Vec::new();
    for Counted { what, count } in &process.lookups {
        let outcome = match (&what.failed, what.sent) {
            (None, false) => "left to the exit".into(),
            (failed, _) => outcome(failed.as_deref(), *count),
        };
        let credential = if what.sent { credential(what.credential.as_deref()) } else { dash() };
        rows.push(["lookup".into(), what.name.as_str().into(), credential, layer(what.layer).into(), outcome]);
    }
    for Counted { what, count } in &process.connections {
        let (to, by) = (place(&what.destination), layer(what.layer));
        let outcome = outcome(what.failed.as_deref(), *count);
        rows.push(["connection".into(), to.into(), credential(what.credential.as_deref()), by.into(), outcome]);
    }
    for Counted { what, count } in &process.local {
        let outcome = if what.failed.is_some() {
            outcome(what.failed.as_deref(), *count)
        } else if what.tor {
            Mood::Warning.text(times("spoke to Tor itself", *count))
        } else {
            times("direct, as allowed", *count).into()
        };
        rows.push(["local".into(), place(&what.destination).into(), dash(), layer(what.layer).into(), outcome]);
    }
    for Counted { what, count } in &process.refused {
        let to = what.destination.as_ref().map(|to| format!(" ({})", place(to))).unwrap_or_default();
        let outcome = Mood::Warning.text(times(&what.errno, *count));
        rows.push(["refused".into(), (what.what.clone() + &to).into(), dash(), layer(what.layer).into(), outcome]);
    }
    for Counted { what, count } in &process.servers {
        let (at, by) = (place(&what.address), layer(what.layer));
        let outcome = if is_loopback(&what.address) {
            times("listens", *count).into()
        } else {
            Mood::Warning.text(times("listens (uwt.d(5): inbound)", *count))
        };
        rows.push(["server".into(), at.into(), dash(), by.into(), outcome]);
    }
    let mut pid = process.pid.to_string();
    let rows = rows.into_iter().map(|[what, to, credential, by, outcome]| {
        [std::mem::take(&mut pid).into(), what, to, credential, by, outcome]
    });
    rows.collect()
}

fn dash() -> Text {
    Mood::Faint.text("-")
}

fn credential(credential: Option<&str>) -> Text {
    match credential {
        Some(credential) => short(credential, CREDENTIAL).into(),
        None => Mood::Bad.text("none"),
    }
}

fn outcome(failed: Option<&str>, count: u64) -> Text {
    match failed {
        None => times("granted", count).into(),
        Some(why) => Mood::Warning.text(times(&format!("failed: {why}"), count)),
    }
}

fn times(what: &str, count: u64) -> String {
    if count == 1 { what.to_owned() } else { format!("{what}, {count} times") }
}

fn is_loopback(destination: &Destination) -> bool {
    destination.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn sum<T>(counted: &[Counted<T>]) -> u64 {
    counted.iter().map(|it| it.count).sum()
}

#[cfg(test)]
mod tests {
    use uwt_report::{Layer, Transport};

    use super::super::audit;
    use super::super::events::{begin, by, connection, direct, end, failed, process, refused};
    use super::super::run::Run;
    use super::*;
    use crate::answer::Shown;

    fn text(colour: bool) -> String {
        let token = "uwt-0123456789abcdef0123456789abcdef";
        let events = vec![
            begin(GuardLevel::Tunnel, "process"),
            process(1, 99, "/bin/sh"),
            process(20, 1, &format!("/usr/bin/{}", "long".repeat(30))),
            connection(20, "a.test", Some(token)),
            connection(20, "a.test", Some(token)),
            by(Layer::Cage, 30, &"very.".repeat(40), Some("uwt-2")),
            failed(20, "b.test", token),
            refused(Layer::Guard, 30, Transport::Udp),
            connection(31, "c.test", None),
            direct(32, "127.0.0.1", 9050),
            end(),
        ];
        Shown::Text { colour }.text(&audit(events, Run::default())).unwrap()
    }

    #[test]
    fn everything_is_in_it_and_nothing_is_too_wide() {
        let text = text(false);
        for part in [
            "Gateway    10.152.152.10:9050",
            "1    sh -x",
            "20   └ longlong",
            "unknown program (pid 30)",
            "uwt-01…abcdef",
            "granted, 2 times",
            "failed: the",
            "spoke to Tor",
            "5 processes, 5 connections, 0 lookups, 1 local connection, 1 refusal.",
            "Carried but shares a credential: unknown program (pid 31)",
        ] {
            assert!(text.contains(part), "{part}:\n{text}");
        }
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{wide:#?}");
    }

    #[test]
    fn the_worst_verdict_decides() {
        let status = |events| audit(events, Run::default()).status();
        let good = || vec![begin(GuardLevel::Tunnel, "process"), connection(2, "a.test", Some("uwt-1"))];
        assert_eq!(status(good()), Status::Unknown);
        assert_eq!(status([good(), vec![end()]].concat()), Status::Good);
        assert_eq!(status([good(), vec![connection(3, "a.test", None), end()]].concat()), Status::Bad);
        assert_eq!(status(vec![]), Status::Unknown);
    }
}
