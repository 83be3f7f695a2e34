//! How the wrapped commands stand, in one line: for whoever logs in.

use std::env;

use serde::Serialize;

use super::commands::{self, Command};
use super::launches::{Asked, Launcher, Plan, is_alike, line};
use super::wrapped::Wrapping;
use crate::answer::{Answer, Status};
use crate::configuration;
use crate::page::Page;

/// The variable that switches uwt off for a session.
pub(super) const PASSTHROUGH: &str = "UWT_DEV_PASSTHROUGH";

/// The line by itself.
#[derive(Debug, Serialize)]
pub(super) struct Notice {
    /// `None` where nothing is wrapped.
    notice: Option<String>,
    #[serde(skip)]
    status: Status,
}

impl Answer for Notice {
    fn write(&self, page: &mut Page) {
        if let Some(notice) = &self.notice {
            // A line, however wide the terminal is.
            page.verbatim(notice);
        }
    }

    fn status(&self) -> Status {
        self.status
    }
}

/// The notice, with nothing else found out.
pub(super) fn of_login() -> Notice {
    let config = configuration::load().ok().map(|loaded| loaded.config);
    let commands = commands::wrapped_ones(config.as_ref());
    let launcher = Launcher::find().ok();
    let plans = wait(ask(&commands, launcher.as_ref()));
    let cannot_start = plans.iter().any(|(command, plan)| command.wrapper == Wrapping::Wrapped && plan.is_err());
    let status = if cannot_start { Status::Bad } else { Status::Good };
    Notice { notice: text(&plans), status }
}

/// Whether uwt is switched off by the environment.
pub(super) fn is_passthrough() -> bool {
    env::var_os(PASSTHROUGH).is_some_and(|value| value == "1")
}

/// What uwt is asked about commands, `None` where there is no uwt: each with those that the answer holds for.
pub(super) type Questions<'a> = Vec<(Vec<&'a Command>, Option<Asked>)>;

/// Starts asking about every command that is there.
pub(super) fn ask<'a>(commands: &'a [Command], launcher: Option<&Launcher>) -> Questions<'a> {
    let there = |it: &&Command| matches!(it.wrapper, Wrapping::Wrapped | Wrapping::None) && it.path.is_some();
    let mut groups: Vec<Vec<&Command>> = Vec::new();
    for command in commands.iter().filter(there) {
        let alike = |group: &&mut Vec<&Command>| {
            group.first().is_some_and(|first| match (&first.all, &command.all) {
                (Some(one), Some(other)) => is_alike(one, other),
                // Nothing starts with a configuration that cannot be read.
                _ => true,
            })
        };
        match groups.iter_mut().find(alike) {
            Some(group) => group.push(command),
            None => groups.push(vec![command]),
        }
    }
    let question = |group: &[&Command]| {
        let path = group.first()?.path.as_ref()?;
        launcher.map(|launcher| launcher.explain(path.as_os_str()))
    };
    groups.into_iter().map(|group| (question(&group), group)).map(|(asked, group)| (group, asked)).collect()
}

/// What it says about each command, in the order of their names.
pub(super) fn wait(questions: Questions<'_>) -> Vec<(&Command, Plan)> {
    let mut plans = Vec::new();
    for (group, asked) in questions {
        let plan = asked.map_or_else(|| Err("there is no uwt".to_owned()), Asked::plan);
        plans.extend(group.into_iter().map(|command| (command, plan.clone())));
    }
    plans.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
    plans
}

/// How the wrapped commands stand; `None` if none is wrapped.
pub(super) fn text(plans: &[(&Command, Plan)]) -> Option<String> {
    let (mut isolated, mut shared, mut off) = (0_usize, Vec::new(), Vec::new());
    for (command, plan) in plans.iter().filter(|(command, _)| command.wrapper == Wrapping::Wrapped) {
        let name = command.name.as_str();
        let Ok(plan) = plan else {
            return Some(format!(
                "uwt: {name}, and perhaps other wrapped commands, cannot start; `uwt --explain {name}` says why"
            ));
        };
        let protection = line(plan, "protection").map_or("off", |line| line.value.as_str());
        // Alike are those that start alike; the scope is the command's own.
        let scope = command.settings.as_ref().map_or("none", |settings| settings.scope.as_str());
        match (protection, scope) {
            ("on", "none") => shared.push(name),
            ("on", _) => isolated += 1,
            _ if protection.starts_with("by ") => shared.push(name),
            _ => off.push(name),
        }
    }
    let mut parts = Vec::new();
    match isolated {
        0 => {}
        1 => parts.push("1 wrapped command is isolated, on Tor circuits of its own".to_owned()),
        many => parts.push(format!("{many} wrapped commands are isolated, on Tor circuits of their own")),
    }
    if !shared.is_empty() {
        parts.push(format!("through Tor, but not isolated: {}", shared.join(" ")));
    }
    if !off.is_empty() {
        let by = if is_passthrough() { format!("{PASSTHROUGH}=1") } else { "the configuration".to_owned() };
        parts.push(format!("NOT through Tor, by {by}: {}", off.join(" ")));
    }
    if isolated > 0 || !shared.is_empty() {
        parts.push(format!("{PASSTHROUGH}=1 switches uwt off"));
    }
    (!parts.is_empty()).then(|| format!("uwt: {}", parts.join("; ")))
}
