//! Old files in today's words.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use serde::Serialize;
use toml_edit::{DocumentMut, Item, Key, Table, Value};
use uwt_config::{Entry, Old, OldKind};

use super::comments::Comments;
use super::place;
use crate::answer::{Answer, Status};
use crate::page::{Page, one_line};

/// A translated file.
#[derive(Debug, Serialize)]
pub(crate) struct Imported {
    /// The old file.
    file: String,
    /// Whose words it is in.
    #[serde(rename = "kind")]
    word: &'static str,
    #[serde(skip)]
    kind: OldKind,
    /// Where the new one was written; `None`: nowhere.
    output: Option<String>,
    /// The new file's text.
    toml: String,
    /// What is worth knowing, first of all what the old file says without setting anything.
    notes: Vec<String>,
}

/// Translates `file`, and writes what comes out to `output` if there is one.
///
/// # Errors
/// A line of it has no meaning in uwt.d; all of these are named. `output` is there already or cannot be written.
pub(crate) fn import(file: &Path, output: Option<&Path>) -> anyhow::Result<Imported> {
    let old = Old::of_file(file).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        anyhow!("{}; nothing was translated", lines.join("\n"))
    })?;
    // It was read a moment ago; only its comments would be others by now.
    let text = fs::read_to_string(file).with_context(|| shown(file))?;
    let (toml, remarks) = translated(&old, file, &text)?;
    if let Some(output) = output {
        write(output, &toml)?;
    }
    let word = match old.kind {
        OldKind::Uwt => "uwt",
        OldKind::Torsocks => "torsocks",
    };
    let notes = notes(old.kind, remarks, file, output);
    let output = output.map(|path| path.display().to_string());
    Ok(Imported { file: file.display().to_string(), word, kind: old.kind, output, toml, notes })
}

/// Never over a file that is there.
fn write(output: &Path, toml: &str) -> anyhow::Result<()> {
    let made = OpenOptions::new().write(true).create_new(true).open(output);
    let mut file = match made {
        Ok(file) => file,
        Err(fault) if fault.kind() == ErrorKind::AlreadyExists => {
            bail!("{} is there already and stays as it is; name another file", shown(output))
        }
        Err(fault) => return Err(unwritable(&fault, output)),
    };
    file.write_all(toml.as_bytes()).and_then(|()| file.sync_all()).or_else(|fault| {
        // Half a configuration would be worse than none.
        fs::remove_file(output)?;
        Err(unwritable(&fault, output))
    })
}

fn unwritable(fault: &io::Error, output: &Path) -> anyhow::Error {
    let advice = match fault.kind() {
        ErrorKind::NotFound => "make its folder first, or name another file",
        ErrorKind::PermissionDenied => "run it as root (sudo), or name a file in a folder of yours",
        _ => "name another file",
    };
    anyhow!("{} cannot be written ({fault}): {advice}", shown(output))
}

fn notes(kind: OldKind, remarks: Vec<String>, file: &Path, output: Option<&Path>) -> Vec<String> {
    let mut notes = remarks;
    match kind {
        OldKind::Uwt => notes.push(format!(
            "{} is read as long as it is in a folder of uwt's: remove it from there when the new file is in place",
            shown(file)
        )),
        OldKind::Torsocks => notes.push(format!(
            "the new file is for every command that runs through uwt; torsocks goes on reading {}",
            shown(file)
        )),
    }
    let name = output.and_then(Path::file_name).map(|name| name.to_string_lossy());
    if name.is_some_and(|name| name.starts_with('.') || !name.ends_with(".toml")) {
        notes.push("uwt reads only files whose name ends in .toml and does not begin with a dot".to_owned());
    }
    notes
}

/// The new file, and what there is to say about it. Each key has the line above it that it comes from, and what that has for
/// a comment.
fn translated(old: &Old, file: &Path, text: &str) -> anyhow::Result<(String, Vec<String>)> {
    let lines: Vec<&str> = text.split('\n').collect();
    let comments = Comments::of(&lines);
    let mut document = DocumentMut::new();
    fill(&mut document, &old.global, &lines, &comments)?;
    if !old.commands.is_empty() {
        let mut commands = Table::new();
        commands.set_implicit(true);
        for command in &old.commands {
            let mut table = Table::new();
            table.decor_mut().set_prefix("\n");
            fill(&mut table, &command.entries, &lines, &comments)?;
            commands.insert(&command.command, Item::Table(table));
        }
        document.insert("command", Item::Table(commands));
    }
    let commands = old.commands.iter().flat_map(|command| &command.entries);
    let used: Vec<usize> = old.global.iter().chain(commands).filter_map(line).collect();
    let left = comments.others(&used).map(|block| {
        let lines = match (block.start(), block.end()) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        };
        format!("{}:{lines}: this comment is above nothing that is set, and is left out", shown(file))
    });
    let remarks: Vec<String> = old.remarks.iter().cloned().chain(left).collect();
    let kind = old.kind;
    let first = format!("From {}, {kind}, by uwtctl config import.", shown(file));
    let mut head = String::new();
    for said in std::iter::once(&first).chain(&remarks) {
        head.extend(["# ", &one_line(said), "\n"]);
    }
    if !comments.head().is_empty() {
        head.push('\n');
        head.extend(comments.head().iter().map(|comment| carried(comment)));
    }
    Ok((format!("{head}\n{document}"), remarks))
}

fn fill(table: &mut Table, entries: &[Entry], lines: &[&str], comments: &Comments<'_>) -> anyhow::Result<()> {
    for entry in entries {
        let value: Value = entry.value.to_string().parse()?;
        let mut key = Key::new(entry.key);
        let said = line(entry).and_then(|line| Some((line, lines.get(line.checked_sub(1)?)?)));
        if let Some((line, said)) = said {
            let mut above: String = comments.above(line).iter().map(|comment| carried(comment)).collect();
            above.extend(["# line ", &line.to_string(), ": ", &one_line(said.trim()), "\n"]);
            key.leaf_decor_mut().set_prefix(above);
        }
        table.insert_formatted(&key, Item::Value(value));
    }
    Ok(())
}

/// The line of the old file that sets this.
fn line(entry: &Entry) -> Option<usize> {
    place(&entry.origin).map(|(_, line)| line)
}

/// A comment's line in the new file. TOML's can hold no control characters.
fn carried(comment: &str) -> String {
    one_line(&comment.trim().replace('\t', " ")) + "\n"
}

/// A file in a line of ours.
fn shown(file: &Path) -> String {
    one_line(&file.display().to_string())
}

impl Answer for Imported {
    fn write(&self, page: &mut Page) {
        match &self.output {
            // It may go straight into a file, so there must be nothing else.
            None => page.verbatim(&self.toml),
            Some(output) => {
                page.paragraph(format!("{} is {}; what it sets is in {output} now.", self.file, self.kind));
                self.notes.iter().for_each(|note| page.paragraph(note.as_str()));
            }
        }
    }

    fn status(&self) -> Status {
        Status::Good
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use tempfile::tempdir;
    use uwt_config::{CommandEntries, Config};

    use super::*;

    type Set = (Vec<String>, Vec<(String, Vec<String>)>);

    /// What is set, whoever says so.
    fn set(global: &[Entry], commands: &[CommandEntries]) -> Set {
        let shown = |entries: &[Entry]| entries.iter().map(ToString::to_string).collect::<Vec<_>>();
        (shown(global), commands.iter().map(|it| (it.command.clone(), shown(&it.entries))).collect())
    }

    fn both(text: &str) -> Result<(Set, Set, String), TestCaseError> {
        let folder = tempdir().unwrap();
        let (old, new) = (folder.path().join("old.conf"), folder.path().join("new.toml"));
        fs::write(&old, text).unwrap();
        let imported = import(&old, Some(&new)).map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
        let config = Config::of_file(&new).map_err(|faults| TestCaseError::fail(faults.to_string()))?;
        let was = Old::of_file(&old).unwrap();
        Ok((set(&was.global, &was.commands), set(&config.set_globally(), &config.commands()), imported.toml))
    }

    proptest! {
        #[test]
        fn an_old_uwt_file_keeps_its_meaning(
            lines in vec("uwtwrapper_global=\"[01]\" *(# .{0,9})?|uwtwrapper\\[\"/usr/bin/[a-z\"'#.é\\]]{1,3}\"\\]=[01]|\
                uwtwrapper_max=[1-9][0-9]?|uwtport\\['/[a-z +@-]{1,3}x'\\]=91[0-9][0-9]|timeprivacy_global=0|\
                timeprivacy\\[\"/usr/bin/git\"\\]=1|nested_protection\\(\\) \\{ true; \\}|#.{0,9}", 1..8)
        ) {
            let understood = |line: &&String| {
                let folder = tempdir().unwrap();
                let path = folder.path().join("line");
                fs::write(&path, format!("uwtwrapper_max=1\n{line}\n")).unwrap();
                Old::of_file(&path).is_ok()
            };
            let lines: Vec<&str> = lines.iter().filter(understood).map(String::as_str).collect();
            let text = format!("uwtwrapper_max=7\n{}\n", lines.join("\n"));
            let (was, is, toml) = both(&text)?;
            prop_assert_eq!(was, is, "{}", toml);
        }

        #[test]
        fn a_torsocks_conf_keeps_its_meaning(
            lines in vec("TorAddress 127\\.0\\.0\\.[1-9]|TorPort [1-9][0-9]{0,3}|OnionAddrRange 127\\.42\\.42\\.0/24|\
                AllowInbound [01]|AllowOutboundLocalhost [012]|IsolatePID [01]|EnableIPv6 [01] # .?", 1..8)
        ) {
            let (was, is, toml) = both(&format!("{}\n", lines.join("\n")))?;
            prop_assert_eq!(was, is, "{}", toml);
        }
    }

    #[test]
    fn a_file_that_is_there_stays_as_it_is() {
        let folder = tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new.toml"));
        fs::write(&old, "uwtwrapper_global=0\n").unwrap();
        fs::write(&new, "mine").unwrap();
        let said = import(&old, Some(&new)).unwrap_err().to_string();
        assert!(said.ends_with("is there already and stays as it is; name another file"), "{said}");
        assert_eq!(fs::read_to_string(&new).unwrap(), "mine");
        assert!(import(&old, Some(&folder.path().join("none/new.toml"))).is_err());
    }
}
