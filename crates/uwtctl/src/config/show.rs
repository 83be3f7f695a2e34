//! What holds, and which file says so.

use std::ffi::OsStr;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use uwt_config::{Entry, command_name};

use super::{place, to_json};
use crate::answer::{Answer, Status};
use crate::configuration::{Configuration, utf8};
use crate::page::{Mood, Page, Text};
use crate::program;

/// The merged configuration.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    /// The files, in the order in which they are read.
    files: Vec<String>,
    /// Why the user's own folder is not among them, if it is there.
    passed_over: Option<String>,
    /// Which command it is for; `None`: all.
    command: Option<String>,
    /// The program that is found by this name.
    program: Option<String>,
    settings: Vec<Setting>,
    /// What commands have of their own; empty where one was asked for.
    commands: Vec<OfCommand>,
}

/// What one command has of its own.
#[derive(Debug, Serialize)]
struct OfCommand {
    command: String,
    settings: Vec<Setting>,
}

/// A key.
#[derive(Debug, Serialize)]
struct Setting {
    key: &'static str,
    value: Value,
    /// As a file has it.
    toml: String,
    /// `None` where it is built in.
    file: Option<String>,
    line: Option<usize>,
}

impl From<&Entry> for Setting {
    fn from(entry: &Entry) -> Self {
        let (file, line) = place(&entry.origin).unzip();
        Self { key: entry.key, value: to_json(&entry.value), toml: entry.value.to_string(), file, line }
    }
}

fn settings(entries: &[Entry]) -> Vec<Setting> {
    entries.iter().map(Setting::from).collect()
}

/// What holds for `command`, or for all and each.
///
/// # Errors
/// `command` names none.
pub(crate) fn show(configuration: &Configuration, command: Option<&OsStr>) -> anyhow::Result<Shown> {
    let config = &configuration.config;
    let mut shown = Shown {
        files: config.files().iter().map(|file| file.display().to_string()).collect(),
        passed_over: configuration.passed_over.as_ref().map(ToString::to_string),
        command: None,
        program: None,
        settings: Vec::new(),
        commands: Vec::new(),
    };
    if let Some(command) = command {
        let name = command_name(utf8(command)?)?;
        shown.settings = settings(&program::settings(config, &name).entries());
        shown.program = program::find(Path::new(&name)).map(|path| path.display().to_string());
        shown.command = Some(name);
    } else {
        shown.settings = settings(&config.global().entries());
        let commands = config.commands().into_iter();
        shown.commands =
            commands.map(|it| OfCommand { command: it.command, settings: settings(&it.entries) }).collect();
    }
    Ok(shown)
}

impl Answer for Shown {
    fn write(&self, page: &mut Page) {
        page.heading("Files");
        if self.files.is_empty() {
            page.paragraph("none: everything is as built in");
        }
        self.files.iter().for_each(|file| page.verbatim(file));
        if let Some(why) = &self.passed_over {
            page.paragraph(Mood::Warning.text(why));
        }
        match (&self.command, &self.program) {
            (None, _) => page.heading("For every command"),
            (Some(command), Some(program)) => page.heading(&format!("For {command}, which is {program}")),
            (Some(command), None) => {
                page.heading(&format!("For {command}"));
                page.paragraph(Mood::Warning.text("No program of this name is installed; this is by its name alone."));
            }
        }
        page.table(&["Key", "Value", "Said by"], self.settings.iter().map(row));
        for OfCommand { command, settings } in &self.commands {
            page.heading(&format!("For {command}"));
            if settings.is_empty() {
                page.paragraph(Mood::Faint.text("nothing of its own"));
            } else {
                page.table(&[], settings.iter().map(row));
            }
        }
    }

    fn status(&self) -> Status {
        Status::Good
    }
}

fn row(setting: &Setting) -> [Text; 3] {
    let (mood, origin) = match (&setting.file, setting.line) {
        (Some(file), Some(line)) => (Mood::Plain, format!("{file}:{line}")),
        _ => (Mood::Faint, "built-in".to_owned()),
    };
    [mood.text(setting.key), mood.text(&setting.toml), mood.text(origin)]
}
