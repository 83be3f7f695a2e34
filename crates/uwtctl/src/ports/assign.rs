//! A SocksPort of its own for a command.

use std::ffi::OsStr;

use anyhow::bail;
use serde::Serialize;
use uwt_config::{Config, Value, command_name};

use super::plan::{Isolation, assignable};
use super::usage::{is_same, users};
use crate::answer::{Answer, Status};
use crate::configuration;
use crate::dropin::{self, Change, Outcome, Whom};
use crate::gateway_files::needed;
use crate::page::Page;
use crate::program;

/// The port, and what has become of it.
#[derive(Debug, Serialize)]
pub(crate) struct Assigned {
    command: String,
    port: u16,
    isolation: Vec<&'static str>,
    /// `None` where the command had the port before.
    outcome: Option<Outcome>,
    /// What has to be on the gateway.
    gateway: String,
    #[serde(skip)]
    dry_run: bool,
}

/// Gives `command` a port with this isolation, unless it has one that no other command uses.
///
/// # Errors
/// `command` names none, all ports are taken, or the drop-in cannot be written.
pub(crate) fn assign(command: &OsStr, isolation: Isolation, user: bool, dry_run: bool) -> anyhow::Result<Assigned> {
    let command = command_name(configuration::utf8(command)?)?;
    let config = configuration::load()?.config;
    let (port, is_new) = choose(&config, &command, isolation)?;
    let change = Change { command: command.clone(), key: "port", value: Value::Number(port.into()) };
    let outcome = is_new.then(|| dropin::set(Whom::new(user), &[change], dry_run)).transpose()?;
    let gateway = needed(&config, port);
    Ok(Assigned { command, port, isolation: isolation.flags(), outcome, gateway, dry_run })
}

/// The port, and whether the command does not have it yet.
fn choose(config: &Config, command: &str, isolation: Isolation) -> anyhow::Result<(u16, bool)> {
    let ports = assignable(isolation);
    let users = users(config);
    let (own, others): (Vec<_>, Vec<_>) = users.iter().partition(|user| is_same(&user.command, command));
    let global = config.global().port.value;
    let is_taken = |port: u16| port == global || others.iter().any(|user| user.port == port);
    let has = program::settings(config, command).port.value;
    if !own.is_empty() && ports.contains(&has) && !is_taken(has) {
        return Ok((has, false));
    }
    match ports.clone().find(|port| !is_taken(*port)) {
        Some(port) => Ok((port, true)),
        None => bail!(
            "all ports from {} to {} are taken: `uwtctl ports` shows by which commands; take the key port out of the \
             table of one, or choose another isolation",
            ports.start(),
            ports.end()
        ),
    }
}

impl Answer for Assigned {
    fn write(&self, page: &mut Page) {
        let Self { command, port, .. } = self;
        let flags = if self.isolation.is_empty() { "none".to_owned() } else { self.isolation.join(" ") };
        match &self.outcome {
            None => page.paragraph(format!("{command} has port {port} already (isolation flags: {flags}).")),
            Some(outcome) => {
                page.paragraph(format!("Port {port} for {command} (isolation flags: {flags})."));
                outcome.write(page, self.dry_run);
            }
        }
        page.gap();
        page.paragraph(self.gateway.as_str());
    }

    fn status(&self) -> Status {
        if self.outcome.as_ref().is_none_or(Outcome::holds) { Status::Good } else { Status::Bad }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const NONE: Isolation = Isolation { address: false, port: false };
    const ADDRESS: Isolation = Isolation { address: true, port: false };

    fn chosen(text: &str, isolation: Isolation) -> Result<(u16, bool), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        fs::write(&path, text).unwrap();
        choose(&Config::of_file(&path).unwrap(), "mytool", isolation).map_err(|error| error.to_string())
    }

    #[test]
    fn the_next_free_port_unless_it_has_one() {
        let table = |command: &str, port: u16| format!("[command.{command}]\nport = {port}\n");
        for (text, isolation, expected) in [
            (String::new(), NONE, (9153, true)),
            (table("a", 9153) + &table("b", 9155), NONE, (9154, true)),
            (table("mytool", 9157), NONE, (9157, false)),
            (table("\"/none/mytool\"", 9154) + &table("mytool", 9157), NONE, (9157, false)),
            (table("mytool", 9157), ADDRESS, (9160, true)),
            // A port that another has as well is none of its own; neither is everybody's.
            (table("mytool", 9153) + &table("a", 9153), NONE, (9154, true)),
            ("port = 9153\n".to_owned() + &table("mytool", 9153), NONE, (9154, true)),
            ("port = 9153\n".to_owned(), NONE, (9154, true)),
        ] {
            assert_eq!(chosen(&text, isolation), Ok(expected), "{text}");
        }
        let full: String = (9153..=9159).map(|port| table(&format!("a{port}"), port)).collect::<Vec<_>>().concat();
        let error = chosen(&full, NONE).unwrap_err();
        assert!(error.starts_with("all ports from 9153 to 9159 are taken"), "{error}");
        assert_eq!(chosen(&full, ADDRESS), Ok((9160, true)));
    }
}
