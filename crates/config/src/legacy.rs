//! A legacy `*.conf` file: the few shapes of shell that are understood. They are read, never executed, so whatever a
//! shell would expand or run is no part of them.

#[cfg(test)]
mod bash;
mod line;

use self::line::{Assignment, Function, Step};
use crate::command::Command;
use crate::error::{Error, Invalid, did_you_mean, quoted};
use crate::settings::Layer;
use crate::source::{Contents, Source};

const SUBSET: &str = "uwtwrapper_global=\"1\", uwtwrapper[\"/PATH\"]=\"1\", uwtwrapper_max=10, \
    uwtport[\"/PATH\"]=\"9050\", timeprivacy_global=\"0\", timeprivacy[\"/PATH\"]=\"0\", \
    nested_protection() { true; }, a comment or an empty line";

const VARIABLES: &[&str] = &[
    "uwtwrapper_global",
    "uwtwrapper",
    "uwtwrapper_max",
    "uwtport",
    "timeprivacy_global",
    "timeprivacy",
    "nested_protection",
];

/// Reads a whole file.
pub(crate) fn parse(source: &Source<'_>) -> Result<Contents, Error> {
    let mut contents = Contents::default();
    let mut function: Option<(Function, usize)> = None;
    let mut place = 0;
    for text in source.text.split_inclusive('\n') {
        let statement = line::trimmed(text);
        let fault = |invalid| source.error(place, invalid);
        let step = if let Some((function, _)) = &mut function {
            function.body(statement)
        } else if let Some((begun, rest)) = Function::begin(statement) {
            function.insert((begun, place)).0.body(rest)
        } else if line::is_blank(statement) {
            Step::Nothing
        } else {
            let assignment = Assignment::parse(statement).ok_or_else(|| fault(stranger(statement)))?;
            assign(source, place, statement, &assignment, &mut contents)?;
            Step::Nothing
        };
        match step {
            Step::Nothing => {}
            Step::Stranger => return Err(fault(stranger(statement))),
            Step::Finished => {
                if let Some((_, begun)) = function.take() {
                    contents.global.max_nested = Some(source.setting(begun, 0));
                }
            }
        }
        place += text.len();
    }
    match function {
        Some((_, begun)) => Err(source.error(begun, Invalid::new("nested_protection() has no end", "a closing }"))),
        None => Ok(contents),
    }
}

fn stranger(statement: &str) -> Invalid {
    let end = statement.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(statement.len());
    let near = statement.get(..end).filter(|word| !VARIABLES.contains(word));
    let near = near.map(|word| did_you_mean(word, VARIABLES)).unwrap_or_default();
    Invalid::new(format!("{} is not understood{near}", quoted(statement)), SUBSET)
}

fn assign(
    source: &Source<'_>,
    place: usize,
    statement: &str,
    assignment: &Assignment<'_>,
    contents: &mut Contents,
) -> Result<(), Error> {
    let Assignment { name, index, value } = *assignment;
    let result = match (name, index) {
        ("uwtwrapper_global", None) => {
            switch(value).map(|on| contents.global.enabled = Some(source.setting(place, on)))
        }
        ("uwtwrapper", Some(path)) => switch(value)
            .and_then(|on| command(contents, path).map(|layer| layer.enabled = Some(source.setting(place, on)))),
        ("uwtwrapper_max", None) => {
            number(value, "a number from 1; to switch the protection off: nested_protection() { true; }")
                .map(|limit| contents.global.max_nested = Some(source.setting(place, limit)))
        }
        ("uwtport", Some(path)) => number(value, "a number from 1 to 65535")
            .and_then(|port| command(contents, path).map(|layer| layer.port = Some(source.setting(place, port)))),
        ("timeprivacy_global", None) => {
            switch(value).map(|on| contents.global.time_privacy = Some(source.setting(place, on)))
        }
        ("timeprivacy", Some(path)) => switch(value)
            .and_then(|on| command(contents, path).map(|layer| layer.time_privacy = Some(source.setting(place, on)))),
        _ => return Err(source.error(place, stranger(statement))),
    };
    result.map_err(|invalid| source.error(place, invalid.of(name)))
}

/// The table of a command, made where there is none yet.
fn command<'a>(contents: &'a mut Contents, path: &str) -> Result<&'a mut Layer, Invalid> {
    let command = Command::path(path)?;
    let place = contents.commands.iter().position(|(known, _)| *known == command).unwrap_or_else(|| {
        contents.commands.push((command, Layer::default()));
        contents.commands.len() - 1
    });
    Ok(&mut contents.commands[place].1)
}

fn switch(value: &str) -> Result<bool, Invalid> {
    match value {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(Invalid::new(format!("{} is unknown", quoted(value)), "\"0\" or \"1\"")),
    }
}

fn number<T: std::str::FromStr + Default + PartialEq>(value: &str, expected: &str) -> Result<T, Invalid> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = value.parse().ok().filter(|number| digits && *number != T::default());
    parsed.ok_or_else(|| Invalid::new(format!("{} is no such number", quoted(value)), expected))
}
