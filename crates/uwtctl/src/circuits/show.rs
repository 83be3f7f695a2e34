//! Circuits for people.

use nix::unistd::geteuid;

use super::list::{Circuits, Client, Flow, Used};
use crate::answer::{Answer, Status};
use crate::check::MARK;
use crate::control::{Relay, host};
use crate::page::{Mood, Page, Text, one_line};
use crate::processes::Owner;

impl Answer for Circuits {
    fn write(&self, page: &mut Page) {
        let tor = self.tor.as_ref().map_or_else(String::new, |version| format!(", Tor {version}"));
        page.paragraph(Mood::Faint.text(format!("Control port {}{tor}", self.control)));
        for client in &self.clients {
            client.write(page);
        }
        page.gap();
        if self.clients.is_empty() {
            page.paragraph("No circuit is in use.");
        }
        page.paragraph(Mood::Faint.text(format!(
            "Circuits without a credential that carry nothing now (ready, or Tor's own): {}.",
            self.idle
        )));
        if self.is_uncertain() {
            page.paragraph(Mood::Warning.text(
                "Not every port of this Tor is known to isolate by credentials (NoIsolateSOCKSAuth): a stream may be \
                 another process's than its circuit's. Tor says whose it is only when it begins: see --watch.",
            ));
        }
        let unknown = self.clients.iter().any(|client| client.uwt && client.processes.is_empty());
        if unknown && self.hidden_processes && !geteuid().is_root() {
            page.paragraph(Mood::Faint.text("Processes of other users can be told by root only."));
        }
    }

    fn status(&self) -> Status {
        self.verdict()
    }
}

impl Client {
    fn write(&self, page: &mut Page) {
        page.heading(self.credential.as_deref().unwrap_or("without a credential"));
        let mut rows: Vec<[Text; 2]> = Vec::new();
        if self.uwt && self.processes.is_empty() {
            let unknown = "unknown (ended, or another user's)";
            rows.push(["process".into(), Mood::Faint.text(unknown)]);
        } else if !self.uwt {
            // A check of ours leaves a circuit that is still there for a while.
            let is_check = self.credential.as_deref().is_some_and(|username| username.starts_with(MARK));
            rows.push(["process".into(), Mood::Faint.text(if is_check { "uwtctl, for a check" } else { "not uwt's" })]);
        }
        rows.extend(self.processes.iter().map(|owner| ["process".into(), process(owner).into()]));
        for circuit in &self.circuits {
            circuit.write(&mut rows);
        }
        for flow in &self.waiting {
            rows.push(["waiting".into(), stream(flow)]);
            if !flow.told {
                rows.push(["".into(), Mood::Faint.text("whose it is Tor has not said")]);
            }
        }
        page.table(&[], rows);
    }
}

impl Used {
    fn write(&self, rows: &mut Vec<[Text; 2]>) {
        let relays: Vec<&str> = self.relays.iter().map(relay).collect();
        let relays = if relays.is_empty() { "no relay yet".to_owned() } else { relays.join(" \u{2192} ") };
        let state = if self.state == "BUILT" { String::new() } else { format!(" ({})", self.state) };
        rows.push(["circuit".into(), format!("{}{state}  {relays}", self.id).into()]);
        if !self.shared_with.is_empty() {
            let others =
                self.shared_with.iter().map(|other| other.as_deref().unwrap_or("programs without a credential"));
            let text = format!("shared with {}: not isolated", others.map(one_line).collect::<Vec<_>>().join(", "));
            rows.push(["".into(), Mood::Bad.text(text)]);
        }
        rows.extend(self.streams.iter().map(|flow| ["  stream".into(), stream(flow)]));
    }
}

fn process(owner: &Owner) -> String {
    let ended = if owner.running { "" } else { ", has ended" };
    let scope = if owner.scope == "process" { String::new() } else { format!(", scope {}", owner.scope) };
    format!("{} {}{scope}{ended}", owner.pid, one_line(&owner.name))
}

/// Nicknames are not unique, but they are what people know relays by; `--json` has the identities too.
fn relay(relay: &Relay) -> &str {
    relay.nickname.as_deref().unwrap_or_else(|| relay.fingerprint.get(..8).unwrap_or(&relay.fingerprint))
}

fn stream(flow: &Flow) -> Text {
    let target = match &flow.asked {
        Some(asked) if *asked != flow.target => format!("{asked} at {}", host(&flow.target)),
        _ => flow.target.strip_suffix(":0").map_or_else(|| flow.target.clone(), |host| format!("{host} (lookup)")),
    };
    match flow.state.as_str() {
        "SUCCEEDED" => target.into(),
        "FAILED" | "CLOSED" | "DETACHED" => Mood::Warning.text(format!("{target} ({})", flow.state)),
        state => Mood::Faint.text(format!("{target} ({state})")),
    }
}
