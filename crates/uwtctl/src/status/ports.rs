//! The SocksPorts that the configuration names, and what answers there.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::thread;

use serde::Serialize;
use uwt_config::{GatewayChoice, Settings, Surroundings};

use super::commands::Command;
use super::finding::{Finding, Severity};
use crate::answer::Status;
use crate::gateway::{self, Answer, PATIENCE};

/// A SocksPort.
#[derive(Debug, Serialize)]
pub(super) struct SocksPort {
    pub(super) address: Ipv4Addr,
    pub(super) port: u16,
    /// How the address was found.
    pub(super) how: String,
    /// The commands that have it for themselves; empty: it is that of all the others.
    pub(super) commands: Vec<String>,
    #[serde(flatten)]
    pub(super) answer: Answer,
}

/// The ports, none of them asked yet.
pub(super) fn of(
    global: &Settings,
    commands: &[Command],
    found: Option<&Surroundings>,
    why_not: &str,
) -> Vec<SocksPort> {
    let mut ports: Vec<SocksPort> = Vec::new();
    let own = commands.iter().filter_map(|command| Some((command.all.as_ref()?, Some(&command.name))));
    for (settings, name) in std::iter::once((global, None)).chain(own).filter(|(settings, _)| settings.enabled.value) {
        let origin = &settings.gateway.origin;
        let (address, how) = match (settings.gateway.value, found) {
            (GatewayChoice::Address(address), _) => (address, origin.to_string()),
            (GatewayChoice::Auto, Some(found)) => (found.gateway, format!("auto, {origin}: {}", found.reason)),
            (GatewayChoice::Auto, None) => continue,
        };
        let port = settings.port.value;
        match ports.iter_mut().find(|known| (known.address, known.port) == (address, port)) {
            Some(known) if known.commands.is_empty() => {}
            Some(known) => known.commands.extend(name.cloned()),
            None => {
                let answer = Answer::NotAsked { what: why_not.to_owned() };
                ports.push(SocksPort { address, port, how, commands: name.cloned().into_iter().collect(), answer });
            }
        }
    }
    ports
}

/// Asks all of them, side by side.
pub(super) fn ask(ports: &mut [SocksPort]) {
    thread::scope(|scope| {
        for port in ports {
            scope.spawn(|| port.answer = gateway::ask(SocketAddrV4::new(port.address, port.port), PATIENCE));
        }
    });
}

/// What is wrong with it.
pub(super) fn finding(port: &SocksPort) -> Option<Finding> {
    let severity = match port.answer.status() {
        Status::Good => return None,
        Status::Unknown => Severity::Unknown,
        Status::Bad | Status::Failed => Severity::Bad,
    };
    let advice = port.answer.advice(port.address.is_loopback())?;
    let about = format!("SocksPort {}:{}", port.address, port.port);
    Some(Finding::new(severity, about, port.answer.text(), advice))
}
