//! The text of the drop-in.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use toml_edit::{DocumentMut, Item, Table, Value};
use uwt_config::command_name;

use super::Change;

/// What a new file begins with.
const BEGIN: &str = "# Written by uwtctl. What is changed or added here by hand stays.\n";
const COMMAND: &str = "command";

/// Reads a file's text; an empty one is a new file.
///
/// # Errors
/// It is no TOML.
pub(super) fn parse(file: &Path, text: &str) -> anyhow::Result<DocumentMut> {
    let text = if text.is_empty() { BEGIN } else { text };
    text.parse().map_err(|error: toml_edit::TomlError| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let said = error.message().lines().next().unwrap_or_default();
        anyhow!("{}:{line}: {said}; nothing was written, see `uwtctl config check`", file.display())
    })
}

/// Sets a key, whose comment stays.
///
/// # Errors
/// What should be a table is none.
pub(super) fn set(document: &mut DocumentMut, change: &Change) -> anyhow::Result<()> {
    // What stands behind the last line stays before what is added.
    let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
    let first = document.is_empty();
    let commands = document.entry(COMMAND).or_insert_with(|| {
        let mut table = Table::new();
        // No line [command] of its own.
        table.set_implicit(true);
        Item::Table(table)
    });
    let commands = commands.as_table_like_mut().context("command is no table")?;
    let known = commands.iter().map(|(name, _)| name).find(|name| is_about(name, &change.command));
    let (name, is_new) = known.map_or((change.command.clone(), true), |name| (name.to_owned(), false));
    let table = commands.entry(&name).or_insert_with(|| {
        let mut table = Table::new();
        let gap = if first && trailing.is_empty() { "" } else { "\n" };
        table.decor_mut().set_prefix(format!("{trailing}{gap}"));
        Item::Table(table)
    });
    let table = table.as_table_like_mut().with_context(|| format!("command.{name} is no table"))?;
    let mut value: Value = change.value.to_string().parse().context(change.key)?;
    match table.get_mut(change.key).and_then(Item::as_value_mut) {
        Some(former) => {
            *value.decor_mut() = former.decor().clone();
            *former = value;
        }
        None => drop(table.insert(change.key, Item::Value(value))),
    }
    if is_new {
        document.set_trailing("");
    }
    Ok(())
}

/// Whether a table of this name is about the command.
fn is_about(name: &str, command: &str) -> bool {
    command_name(name).is_ok_and(|name| name == command)
}

/// The tables of the commands that are changed, by themselves.
pub(super) fn tables(document: &DocumentMut, changes: &[Change]) -> String {
    let mut shown = DocumentMut::new();
    let Some(commands) = document.get(COMMAND).and_then(Item::as_table_like) else { return String::new() };
    let mut all = Table::new();
    all.set_implicit(true);
    for (name, table) in commands.iter() {
        if changes.iter().any(|change| is_about(name, &change.command)) {
            all.insert(name, table.clone());
        }
    }
    shown.insert(COMMAND, Item::Table(all));
    shown.to_string().trim().to_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(command: &str, key: &'static str, value: uwt_config::Value) -> Change {
        Change { command: command.to_owned(), key, value }
    }

    fn disabled(command: &str) -> Change {
        change(command, "enabled", uwt_config::Value::Boolean(false))
    }

    /// The text after changes.
    fn changed(text: &str, changes: &[Change]) -> String {
        let mut document = parse(Path::new("/f"), text).expect("TOML");
        for change in changes {
            set(&mut document, change).expect("set");
        }
        document.to_string()
    }

    #[test]
    fn a_new_file() {
        let port = change("ssh", "port", uwt_config::Value::Number(9153));
        let text = changed("", &[disabled("curl"), disabled("/usr/bin/git"), port]);
        let expected = format!(
            "{BEGIN}\n[command.curl]\nenabled = false\n\n[command.\"/usr/bin/git\"]\nenabled = false\n\n\
             [command.ssh]\nport = 9153\n"
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn what_is_there_stays() {
        let text = "# of mine\nport = 9100 # why\n\n[command.git] # work\n# as before\nenabled = true  # for now\n\
            identity = \"work\"\n\n[command.\"curl.anondist\"]\nscope = \"none\"\n";
        let expected = text.replace("enabled = true  #", "enabled = false  #") + "enabled = false\n";
        assert_eq!(changed(text, &[disabled("git"), disabled("curl")]), expected);
        // What is behind the last line.
        let text = "port = 9100\n# the end\n";
        assert_eq!(changed(text, &[disabled("git")]), format!("{text}\n[command.git]\nenabled = false\n"));
        // The same again changes nothing.
        assert_eq!(changed(&expected, &[disabled("git"), disabled("curl")]), expected);
    }

    #[test]
    fn tables_are_written_in_several_ways() {
        for (text, expected) in [
            ("command.git.port = 9100\n", "command.git.port = 9100\ncommand.git.enabled = false\n"),
            ("[command]\ngit = { port = 9100 }\n", "[command]\ngit = { port = 9100 , enabled = false }\n"),
        ] {
            assert_eq!(changed(text, &[disabled("git")]), expected);
        }
        let mut document = parse(Path::new("/f"), "command = 1\n").expect("TOML");
        assert_eq!(set(&mut document, &disabled("git")).expect_err("no table").to_string(), "command is no table");
    }

    #[test]
    fn the_tables_that_are_shown() {
        let text = "[command.git]\nenabled = true\n[command.ssh]\nport = 9153\n";
        let document = parse(Path::new("/f"), text).expect("TOML");
        assert_eq!(tables(&document, &[disabled("ssh")]), "[command.ssh]\nport = 9153\n");
    }

    #[test]
    fn what_is_no_toml_is_said_with_its_line() {
        let error = parse(Path::new("/f"), "a = 1\n[command.git\n").expect_err("no TOML").to_string();
        assert!(error.starts_with("/f:2: ") && error.lines().count() == 1, "{error}");
    }
}
