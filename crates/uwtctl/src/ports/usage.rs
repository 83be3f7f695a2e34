//! Who uses which port, as far as the configuration says so, and what is wrong with that.

use std::ffi::OsStr;
use std::path::Path;

use serde::Serialize;
use uwt_config::{Config, GatewayChoice, Settings};
use uwt_policy::Scope;

use super::plan::{DEFAULT, How, purpose};
use crate::config::place;
use crate::program;

/// A command with a port of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct User {
    pub(crate) command: String,
    pub(crate) port: u16,
    /// Whether it runs through uwt at all.
    pub(crate) enabled: bool,
    file: Option<String>,
    line: Option<usize>,
    #[serde(skip)]
    pub(crate) gateway: GatewayChoice,
}

/// Something about ports that is not as it should be.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) port: u16,
    /// The commands it is about; empty: all that have no port of their own.
    pub(crate) commands: Vec<String>,
    pub(crate) what: String,
}

/// The commands whose tables set a port, in the order of the ports.
pub(crate) fn users(config: &Config) -> Vec<User> {
    let own = config.commands().into_iter().filter(|table| table.entries.iter().any(|entry| entry.key == "port"));
    let mut users: Vec<User> = own
        .map(|table| {
            let settings = program::settings(config, &table.command);
            let (file, line) = place(&settings.port.origin).unzip();
            User {
                port: settings.port.value,
                enabled: settings.enabled.value,
                gateway: settings.gateway.value,
                command: table.command,
                file,
                line,
            }
        })
        .collect();
    users.sort_by_key(|user| user.port);
    users
}

/// Whether two tables are about one program, as far as their names tell.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let name = |command| Path::new(command).file_name();
    one == other || ((!one.contains('/') || !other.contains('/')) && name(one) == name(other))
}

/// The commands that use a port together, if there are two.
fn together<'a>(commands: impl Iterator<Item = &'a str>) -> Option<Vec<String>> {
    let mut different: Vec<String> = Vec::new();
    for command in commands {
        if !different.iter().any(|known| is_same(known, command)) {
            different.push(command.to_owned());
        }
    }
    (different.len() > 1).then_some(different)
}

/// What is wrong.
pub(crate) fn findings(config: &Config) -> Vec<Finding> {
    let (global, users) = (config.global(), users(config));
    let users: Vec<&User> = users.iter().filter(|user| user.enabled).collect();
    let mut findings = Vec::new();
    let mut seen = Vec::new();
    for user in &users {
        let at = (user.gateway, user.port);
        // There the credentials keep them apart, and everything uses it.
        if user.port == DEFAULT || seen.contains(&at) {
            continue;
        }
        seen.push(at);
        let sharing: Vec<&str> =
            users.iter().filter(|it| (it.gateway, it.port) == at).map(|it| it.command.as_str()).collect();
        if at == (global.gateway.value, global.port.value) {
            let what = "everything that has no port of its own uses it too".to_owned();
            findings.push(Finding { port: user.port, commands: owned(&sharing), what });
        } else if let Some(commands) = together(sharing.iter().copied()) {
            findings.push(Finding { port: user.port, commands, what: "they share it".to_owned() });
        }
        let strangers = sharing.into_iter().filter(|command| is_stranger(user.port, command));
        findings.extend(foreign(user.port, strangers.map(str::to_owned).collect()));
    }
    if global.enabled.value && is_stranger(global.port.value, "") {
        findings.extend(purpose(global.port.value).map(|it| Finding {
            port: global.port.value,
            commands: Vec::new(),
            what: format!("it is for {}, and is set for every command", it.whom),
        }));
    }
    findings.extend(without_credential(config, &global));
    findings
}

fn owned(commands: &[&str]) -> Vec<String> {
    commands.iter().map(|&command| command.to_owned()).collect()
}

/// Whether a port is for a program that this is not.
fn is_stranger(port: u16, command: &str) -> bool {
    let name = Path::new(command).file_name().and_then(OsStr::to_str).unwrap_or_default();
    let known = purpose(port).filter(|it| it.how == How::OwnSettings);
    known.is_some_and(|it| !it.programs.contains(&name))
}

fn foreign(port: u16, commands: Vec<String>) -> Option<Finding> {
    let known = purpose(port).filter(|_| !commands.is_empty())?;
    Some(Finding { port, commands, what: format!("it is for {}", known.whom) })
}

/// Whatever sends no credential shares circuits on its port, also on the default one.
fn without_credential(config: &Config, global: &Settings) -> Vec<Finding> {
    if global.scope.value == Scope::None {
        let what = "scope = \"none\" for every command: they share circuits".to_owned();
        return vec![Finding { port: global.port.value, commands: Vec::new(), what }];
    }
    let tables = config.commands().into_iter().map(|table| (program::settings(config, &table.command), table.command));
    let bare: Vec<_> = tables.filter(|(it, _)| it.enabled.value && it.scope.value == Scope::None).collect();
    let at = |settings: &Settings| (settings.gateway.value, settings.port.value);
    let mut places: Vec<_> = bare.iter().map(|(settings, _)| at(settings)).collect();
    places.dedup();
    let mut findings: Vec<Finding> = Vec::new();
    for place in places {
        let here = bare.iter().filter(|(settings, _)| at(settings) == place).map(|(_, command)| command.as_str());
        let Some(commands) = together(here) else { continue };
        let finding = Finding { port: place.1, commands, what: "scope = \"none\": they share circuits".to_owned() };
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn found(text: &str) -> Vec<(u16, String, String)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        fs::write(&path, text).unwrap();
        let found = findings(&Config::of_file(&path).unwrap());
        found.into_iter().map(|it| (it.port, it.commands.join(" "), it.what)).collect()
    }

    #[test]
    fn what_is_wrong_is_found_and_nothing_else() {
        let fine = "[command.a]\nport = 9153\n[command.b]\nport = 9154\n[command.c]\nport = 9050\n[command.d]\n\
            port = 9050\n[command.electrum]\nport = 9111\n[command.\"/opt/a\"]\nport = 9153\n";
        assert_eq!(found(fine), []);
        for (text, port, commands, what) in [
            ("[command.a]\nport = 9153\n[command.b]\nport = 9153\n", 9153, "a b", "they share it"),
            ("[command.\"/x/a\"]\nport = 9400\n[command.\"/y/a\"]\nport = 9400\n", 9400, "/x/a /y/a", "they share it"),
            ("[command.a]\nport = 9150\n", 9150, "a", "it is for Tor Browser"),
            ("port = 9102\n", 9102, "", "it is for Thunderbird, and is set for every command"),
            (
                "port = 9153\n[command.a]\nport = 9153\n",
                9153,
                "a",
                "everything that has no port of its own uses it too",
            ),
            ("scope = \"none\"\n", 9050, "", "scope = \"none\" for every command: they share circuits"),
            (
                "[command.a]\nscope = \"none\"\n[command.b]\nscope = \"none\"\n[command.c]\nscope = \"process\"\n",
                9050,
                "a b",
                "scope = \"none\": they share circuits",
            ),
        ] {
            assert_eq!(found(text), [(port, commands.to_owned(), what.to_owned())], "{text}");
        }
    }

    #[test]
    fn other_gateways_and_what_is_switched_off_do_not_count() {
        for text in [
            "[command.a]\nport = 9153\n[command.b]\nport = 9153\ngateway = \"10.0.0.1\"\n",
            "[command.a]\nport = 9153\n[command.b]\nport = 9153\nenabled = false\n",
            "[command.a]\nport = 9150\nenabled = false\n",
            "[command.a]\nscope = \"none\"\n",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
