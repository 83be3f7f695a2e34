//! `uwtctl config`: what holds and who says so, where files are wrong, old files in today's words.

mod check;
mod comments;
mod import;
mod show;

use serde_json::{Value, json};
use uwt_cli::ctl::{ConfigCommand, ConfigOptions};
use uwt_config::Origin;

use crate::answer::{Shown, Status};
use crate::configuration;

/// Does what the options say.
///
/// # Errors
/// The configuration, or the file to translate, cannot be read; the translation cannot be written.
pub(crate) fn run(options: &ConfigOptions, shown: Shown) -> anyhow::Result<Status> {
    match &options.command {
        ConfigCommand::Show { command } => shown.print(&show::show(&configuration::load()?, command.as_deref())?),
        ConfigCommand::Check { files } => shown.print(&check::check(files)?),
        ConfigCommand::Import { file, output } => shown.print(&import::import(file, output.as_deref())?),
    }
}

/// A value for programs.
pub(crate) fn to_json(value: &uwt_config::Value) -> Value {
    match value {
        uwt_config::Value::Boolean(value) => json!(value),
        uwt_config::Value::Number(value) => json!(value),
        uwt_config::Value::Text(value) => json!(value),
        uwt_config::Value::List(value) => json!(value),
    }
}

/// The line of a file that set something; `None` for what is built in.
pub(crate) fn place(origin: &Origin) -> Option<(String, usize)> {
    match origin {
        Origin::File { path, line } => Some((path.display().to_string(), *line)),
        _ => None,
    }
}
