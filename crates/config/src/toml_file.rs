//! A TOML drop-in.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};
use uwt_policy::Scope;

use crate::command::Command;
use crate::error::{Error, Faults, Invalid, did_you_mean, one_of, quoted, shortened};
use crate::keys::{KEYS, Key};
use crate::settings::Layer;
use crate::source::{Contents, Source};
use crate::value::Item;

/// The table of tables.
const COMMAND: &str = "command";

/// Reads a whole file (TOML 1.0): what it says, or every fault, the first one that was found in front.
pub(crate) fn parse(source: &Source<'_>) -> Result<Contents, Faults> {
    let document = DeTable::parse(source.text).map_err(|fault| syntax_error(source, fault))?;
    let mut contents = Contents::default();
    let mut faults = Vec::new();
    for (key, value) in in_order(document.get_ref()) {
        match (key.get_ref().as_ref(), value.get_ref()) {
            (COMMAND, DeValue::Table(tables)) => contents.commands = commands(source, tables, &mut faults),
            (COMMAND, _) => faults.push(source.error(value.span().start, Invalid::new("command is no table", TABLES))),
            _ => faults.extend(entry(source, &mut contents.global, None, key, value).err()),
        }
    }
    // After another fault a missing half would be no news.
    if faults.is_empty() {
        faults.extend(pair_scope(source, &mut contents.global, document.get_ref(), None).err());
    }
    Faults::unless_none(contents, faults)
}

fn syntax_error(source: &Source<'_>, fault: toml::de::Error) -> Error {
    let place = |fault: &toml::de::Error| fault.span().map_or(source.text.len(), |span| span.start);
    // The parser reports what it finds first, which is not always what comes first.
    let all = DeTable::parse_recoverable(source.text).1;
    let fault = all.into_iter().min_by_key(place).unwrap_or(fault);
    let (problem, expected) = fault.message().split_once(", expected ").unwrap_or((fault.message(), ""));
    let invalid = match (problem, fault.span().and_then(|span| source.text.get(span))) {
        ("duplicate key", Some(key)) => Invalid::new(format!("{} is there twice", quoted(key)), "each key once"),
        ("string values must be quoted", Some("")) => Invalid::new("the value is missing", VALUES),
        ("string values must be quoted", Some(word)) => Invalid::new(format!("{} is no value", quoted(word)), VALUES),
        _ => Invalid::new(problem, if expected == "nothing" { "" } else { expected }),
    };
    source.error(place(&fault), invalid)
}

const VALUES: &str = "text in quotes, a number, true or false";

const TABLES: &str = "tables as [command.git] or [command.\"/usr/bin/git\"]";

fn commands(source: &Source<'_>, tables: &DeTable<'_>, faults: &mut Vec<Error>) -> Vec<(Command, Layer)> {
    let mut commands: Vec<(Command, Layer)> = Vec::new();
    for (key, value) in in_order(tables) {
        match command(source, key, value, &commands) {
            Ok(command) => commands.push(command),
            Err(found) => faults.extend(found.iter().cloned()),
        }
    }
    commands
}

/// One table; `others` are those before it.
fn command<'i>(
    source: &Source<'_>,
    key: &Spanned<DeString<'i>>,
    value: &Spanned<DeValue<'i>>,
    others: &[(Command, Layer)],
) -> Result<(Command, Layer), Faults> {
    let fault = |invalid| Faults::from(source.error(key.span().start, invalid));
    let name = key.get_ref().as_ref();
    let Some(table) = value.get_ref().as_table() else {
        return Err(fault(Invalid::new(format!("command.{} is no table", shortened(name)), TABLES)));
    };
    let command = Command::parse(name).map_err(fault)?;
    if others.iter().any(|(known, _)| *known == command) {
        let problem = format!("{} names a command a second time", quoted(name));
        return Err(fault(Invalid::new(problem, "one table each")));
    }
    let mut layer = Layer::default();
    let entries = in_order(table).into_iter();
    let mut faults: Vec<Error> =
        entries.filter_map(|(key, value)| entry(source, &mut layer, Some(name), key, value).err()).collect();
    if faults.is_empty() {
        faults.extend(pair_scope(source, &mut layer, table, Some(name)).err());
    }
    Faults::unless_none((command, layer), faults)
}

/// A table's entries as they stand in the file, so that the first fault is the one that is reported.
fn in_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<(&'a Spanned<DeString<'i>>, &'a Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn entry<'i>(
    source: &Source<'_>,
    layer: &mut Layer,
    command: Option<&str>,
    key: &Spanned<DeString<'i>>,
    value: &Spanned<DeValue<'i>>,
) -> Result<(), Error> {
    let name = key.get_ref().as_ref();
    let known = KEYS.iter().find(|key| key.name == name);
    match known.filter(|key| key.fits(command.is_some())) {
        Some(key) => (key.read)(layer, &Item { source, key: &full_name(command, name), value }),
        None => Err(source.error(key.span().start, stranger(command, name, known, value.get_ref()))),
    }
}

/// Says why a key cannot stand where it stands.
fn stranger(command: Option<&str>, name: &str, known: Option<&Key>, value: &DeValue<'_>) -> Invalid {
    match (known, command) {
        (Some(_), Some(_)) => {
            Invalid::new(format!("{name} cannot be set per command"), "it above the first [command.…] table")
        }
        (Some(_), None) => Invalid::new(format!("{name} can only be set per command"), "it in a [command.NAME] table"),
        (None, None) if value.is_table() => {
            let near = match did_you_mean(name, &[COMMAND]) {
                none if none.is_empty() => format!(" (did you mean [{COMMAND}.{}]?)", shortened(name)),
                near => near,
            };
            Invalid::new(format!("unknown table {}{near}", quoted(name)), TABLES)
        }
        (None, _) => {
            let fitting = KEYS.iter().filter(|key| key.fits(command.is_some()));
            let names: Vec<_> = fitting.map(|key| key.name).collect();
            Invalid::new(format!("unknown key {}{}", quoted(name), did_you_mean(name, &names)), one_of(&names))
        }
    }
}

fn full_name(command: Option<&str>, key: &str) -> String {
    command.map_or_else(|| key.to_owned(), |command| format!("{key} of {}", quoted(command)))
}

/// Brings `scope` and `identity` of one table together, so that whoever sets one sets both.
fn pair_scope(source: &Source<'_>, layer: &mut Layer, table: &DeTable<'_>, command: Option<&str>) -> Result<(), Error> {
    let fault = |key: &str, problem: &str, expected: &str| {
        let place = table.get(key).map_or(0, |value| value.span().start);
        Err(source.error(place, Invalid::new(problem, expected).of(&full_name(command, key))))
    };
    match (&mut layer.scope, &mut layer.identity) {
        (None, None) => Ok(()),
        (scope @ None, Some(identity)) => {
            *scope = Some(crate::Setting::new(Scope::Identity, identity.origin.clone()));
            Ok(())
        }
        (Some(scope), Some(_)) if scope.value == Scope::Identity => Ok(()),
        (Some(_), Some(_)) => fault("scope", "contradicts identity in the same table", "only one of the two"),
        (Some(scope), None) if scope.value == Scope::Identity => {
            fault("scope", "\"identity\" needs a name", "identity = \"NAME\" in the same table")
        }
        (Some(scope), identity @ None) => {
            *identity = Some(crate::Setting::new(None, scope.origin.clone()));
            Ok(())
        }
    }
}
