//! The report for people.

use super::commands::Command;
use super::finding::{Finding, Severity};
use super::library::Library;
use super::report::Report;
use super::wrapped::Wrapping;
use crate::answer::{Answer, Status};
use crate::page::{Mood, Page, Text};

impl Answer for Report {
    fn write(&self, page: &mut Page) {
        machine(self, page);
        commands(self, page);
        page.heading("Findings");
        if self.findings.is_empty() {
            page.paragraph(Mood::Good.text("Nothing is known that undermines isolation."));
        }
        for Finding { severity, about, what, advice } in &self.findings {
            let (mood, word) = match severity {
                Severity::Bad => (Mood::Bad, "wrong"),
                Severity::Unknown => (Mood::Warning, "unknown"),
                Severity::Warning => (Mood::Warning, "warning"),
            };
            page.paragraph(mood.text(format!("{word}: {about}")));
            page.table(
                &[],
                [[Text::from(" "), Text::from(what.as_str())], [Text::from(" "), Mood::Faint.text(advice.as_str())]],
            );
        }
    }

    fn status(&self) -> Status {
        self.findings.iter().map(|finding| finding.severity.into()).max().unwrap_or(Status::Good)
    }
}

fn machine(report: &Report, page: &mut Page) {
    let row = |label: &str, text: Text| [Text::from(label), text];
    let mut rows = vec![row("uwtctl", report.version.into())];
    rows.push(match &report.uwt {
        Some(uwt) => {
            let version = uwt.version.as_deref().unwrap_or("of an unknown version");
            row("uwt", format!("{version}, {}", uwt.path.display()).into())
        }
        None => row("uwt", Mood::Bad.text("not found")),
    });
    let files: Vec<String> = report.files.iter().map(|file| file.display().to_string()).collect();
    rows.push(match (&report.global, files.is_empty()) {
        (None, _) => row("configuration", Mood::Bad.text("cannot be read")),
        (_, true) => row("configuration", "no file: as built in".into()),
        _ => row("configuration", files.join("\n").into()),
    });
    rows.push(match &report.machine {
        Some(machine) => row("machine", machine.text().into()),
        None => row("machine", Mood::Bad.text("not known")),
    });
    for port in &report.ports {
        let whose = if port.commands.is_empty() { String::new() } else { format!(" for {}", port.commands.join(", ")) };
        let text = format!("{}:{}{whose} ({})", port.address, port.port, port.how);
        rows.push(row("SocksPort", text.into()));
        let mood = match port.answer.status() {
            Status::Good => Mood::Good,
            Status::Unknown => Mood::Warning,
            Status::Bad | Status::Failed => Mood::Bad,
        };
        rows.push(row("", mood.text(port.answer.text())));
    }
    rows.push(match &report.guard {
        Some(guard) => {
            let mood = if guard.value == "tunnel" { Mood::Good } else { Mood::Warning };
            row("guard", mood.text(format!("{} ({})", guard.value, guard.why)))
        }
        None => row("guard", Mood::Warning.text("not known: uwt would not isolate a command")),
    });
    if let Some(preload) = &report.preload {
        rows.push(row("preload", format!("{} ({})", preload.value, preload.why).into()));
    }
    rows.push(row("made for", made_for(&report.libraries)));
    page.table(&[], rows);
}

/// The architectures of the preload libraries.
fn made_for(libraries: &[Library]) -> Text {
    let mut known: Vec<&str> =
        libraries.iter().map(|library| library.architecture.as_deref().unwrap_or("unknown")).collect();
    known.sort_unstable();
    known.dedup();
    // Without a plan it is not known which one uwt would take, perhaps one that lies beside it.
    let unknown = "not known: uwt names no preload library, and none is in /usr/lib";
    if known.is_empty() { Mood::Warning.text(unknown) } else { known.join(", ").into() }
}

fn commands(report: &Report, page: &mut Page) {
    page.heading("Commands");
    let (absent, there): (Vec<&Command>, Vec<&Command>) =
        report.commands.iter().partition(|command| command.wrapper == Wrapping::OriginalMissing);
    if there.is_empty() {
        page.paragraph(
            "None is wrapped. `uwtctl wrapper add NAME` wraps one, the package uwt-wrappers the usual ones.",
        );
    } else {
        page.table(&["Command", "Typed", "Isolation", "Guard", "Port"], there.iter().map(|command| row(command)));
    }
    if !absent.is_empty() {
        let names: Vec<&str> = absent.iter().map(|command| command.name.as_str()).collect();
        page.paragraph(Mood::Faint.text(format!("Wrapped as soon as they are installed: {}.", names.join(", "))));
    }
    if let Some(notice) = &report.notice {
        page.gap();
        page.paragraph(notice.as_str());
    }
}

fn row(command: &Command) -> [Text; 5] {
    let typed = match (command.wrapper, &command.path) {
        (Wrapping::Wrapped | Wrapping::OriginalMissing, _) => Mood::Good.text("wrapped"),
        (Wrapping::Broken, _) => Mood::Bad.text("broken wrapper"),
        (Wrapping::None, Some(_)) => "by `uwt` only".into(),
        (Wrapping::None, None) => Mood::Warning.text("not installed"),
    };
    let name = Text::from(command.name.as_str());
    match &command.settings {
        None => [name, typed, "?".into(), "?".into(), "?".into()],
        Some(it) if !it.enabled => [name, typed, Mood::Warning.text("off"), "".into(), "".into()],
        Some(it) => {
            let mood = if it.scope == "none" { Mood::Warning } else { Mood::Plain };
            [name, typed, mood.text(it.isolation()), it.guard.as_str().into(), it.port.to_string().into()]
        }
    }
}
