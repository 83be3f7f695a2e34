//! The plan, and who uses which port.

use serde::Serialize;
use uwt_config::Config;

use super::plan::{How, PLAN, Purpose, purpose};
use super::usage::{Finding, User, findings, users};
use crate::answer::{Answer, Status};
use crate::config::place;
use crate::page::{Mood, Page, Text};

/// All of it.
#[derive(Debug, Serialize)]
pub(crate) struct Ports {
    default: Default,
    plan: Vec<Planned>,
    /// The commands whose port is in no part of the plan.
    other: Vec<User>,
    findings: Vec<Finding>,
}

/// The port of every command that has none of its own.
#[derive(Debug, Serialize)]
struct Default {
    port: u16,
    file: Option<String>,
    line: Option<usize>,
}

/// A part of the plan.
#[derive(Debug, Serialize)]
struct Planned {
    first: u16,
    last: u16,
    r#for: &'static str,
    how: How,
    isolation: Vec<&'static str>,
    commands: Vec<User>,
}

/// Who uses which port, by the configuration.
pub(crate) fn show(config: &Config) -> Ports {
    let (inside, other): (Vec<User>, Vec<User>) =
        users(config).into_iter().partition(|user| purpose(user.port).is_some());
    let planned = |part: &Purpose| Planned {
        first: *part.ports.start(),
        last: *part.ports.end(),
        r#for: part.whom,
        how: part.how,
        isolation: part.isolation.flags(),
        commands: inside.iter().filter(|user| part.ports.contains(&user.port)).cloned().collect(),
    };
    let global = config.global().port;
    let (file, line) = place(&global.origin).unzip();
    Ports {
        default: Default { port: global.value, file, line },
        plan: PLAN.iter().map(planned).collect(),
        other,
        findings: findings(config),
    }
}

/// The commands of a part; the port where the part has several.
fn named(users: &[User], with_port: bool) -> String {
    let shown = users.iter().map(|User { command, port, enabled, .. }| {
        let port = if with_port { format!(" {port}") } else { String::new() };
        let off = if *enabled { "" } else { " (disabled)" };
        format!("{command}{port}{off}")
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn row(part: &Planned) -> [Text; 4] {
    let ports = if part.first == part.last { part.first.to_string() } else { format!("{}-{}", part.first, part.last) };
    let flags: Vec<&str> = part.isolation.iter().filter_map(|flag| flag.strip_prefix("IsolateDest")).collect();
    let isolation = match part.how {
        How::Uwt => "credential".to_owned(),
        How::OwnSettings | How::Assigned => flags.join(", "),
    };
    let mood = if part.how == How::OwnSettings && part.commands.is_empty() { Mood::Faint } else { Mood::Plain };
    let commands = named(&part.commands, part.first != part.last);
    [mood.text(ports), mood.text(part.r#for), mood.text(isolation), mood.text(commands)]
}

impl Answer for Ports {
    fn write(&self, page: &mut Page) {
        page.table(&["Port", "For", "IsolateDest…", "Commands"], self.plan.iter().map(row));
        if !self.other.is_empty() {
            page.gap();
            page.paragraph(format!("Outside of the plan: {}.", named(&self.other, true)));
        }
        page.gap();
        let Default { port, file, line } = &self.default;
        let said = file.as_ref().zip(*line).map(|(file, line)| format!(" ({file}:{line})")).unwrap_or_default();
        page.paragraph(format!(
            "Every other command uses {port}{said}. Of programs that uwt does not run nothing is known."
        ));
        for Finding { port, commands, what } in &self.findings {
            let commands = if commands.is_empty() { String::new() } else { format!(", {}", commands.join(", ")) };
            page.paragraph(Mood::Bad.text(format!("Port {port}{commands}: {what}.")));
        }
        if !self.findings.is_empty() {
            page.paragraph("`uwtctl ports assign COMMAND` gives a command a port that no other command uses.");
        }
    }

    fn status(&self) -> Status {
        if self.findings.is_empty() { Status::Good } else { Status::Bad }
    }
}
