//! A legacy `*.conf` file: the few shapes of shell that are understood. They are read, never executed, so whatever a
//! shell would expand or run is no part of them.

#[cfg(test)]
mod bash;
mod line;

use self::line::{Assignment, Function, Step};
use crate::command::Command;
use crate::error::{Faults, Invalid, did_you_mean, quoted};
use crate::settings::Layer;
use crate::source::{Contents, Source};

const SUBSET: &str = "uwtwrapper_global=\"1\", uwtwrapper[\"/PATH\"]=\"1\", uwtwrapper_max=10, \
    uwtport[\"/PATH\"]=\"9050\", timeprivacy_global=\"0\", timeprivacy[\"/PATH\"]=\"0\", \
    nested_protection() { true; }, a comment or an empty line";

/// The names that are assigned to, and the function's.
pub(crate) const VARIABLES: &[&str] = &[
    "uwtwrapper_global",
    "uwtwrapper",
    "uwtwrapper_max",
    "uwtport",
    "timeprivacy_global",
    "timeprivacy",
    "nested_protection",
];

/// What one statement sets.
pub(crate) struct Statement {
    /// Which command it is about; `None`: all.
    pub(crate) command: Option<Command>,
    pub(crate) layer: Layer,
}

/// Reads a whole file: what it says, or every fault.
pub(crate) fn parse(source: &Source<'_>) -> Result<Contents, Faults> {
    let mut contents = Contents::default();
    for Statement { command, layer } in statements(source)? {
        match command {
            Some(command) => match contents.commands.iter_mut().find(|(known, _)| *known == command) {
                Some((_, known)) => known.overlay(layer),
                None => contents.commands.push((command, layer)),
            },
            None => contents.global.overlay(layer),
        }
    }
    Ok(contents)
}

/// The statements of a whole file in their order, or every fault.
pub(crate) fn statements(source: &Source<'_>) -> Result<Vec<Statement>, Faults> {
    let mut statements = Vec::new();
    let mut faults = Vec::new();
    let mut function: Option<(Function, usize)> = None;
    let mut place = 0;
    for text in source.text.split_inclusive('\n') {
        let statement = line::trimmed(text);
        let step = if let Some((function, _)) = &mut function {
            function.body(statement)
        } else if let Some((begun, rest)) = Function::begin(statement) {
            function.insert((begun, place)).0.body(rest)
        } else if line::is_blank(statement) {
            Step::Nothing
        } else {
            match assign(source, place, statement) {
                Ok(statement) => statements.push(statement),
                Err(invalid) => faults.push(source.error(place, invalid)),
            }
            Step::Nothing
        };
        match step {
            Step::Nothing => {}
            Step::Stranger => {
                faults.push(source.error(place, stranger(statement)));
                function = None;
            }
            Step::Finished => statements.extend(function.take().map(|(_, begun)| {
                let layer = Layer { max_nested: Some(source.setting(begun, 0)), ..Layer::default() };
                Statement { command: None, layer }
            })),
        }
        place += text.len();
    }
    if let Some((_, begun)) = function {
        faults.push(source.error(begun, Invalid::new("nested_protection() has no end", "a closing }")));
    }
    Faults::unless_none(statements, faults)
}

fn stranger(statement: &str) -> Invalid {
    let end = statement.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(statement.len());
    let near = statement.get(..end).filter(|word| !VARIABLES.contains(word));
    let near = near.map(|word| did_you_mean(word, VARIABLES)).unwrap_or_default();
    Invalid::new(format!("{} is not understood{near}", quoted(statement)), SUBSET)
}

fn assign(source: &Source<'_>, place: usize, statement: &str) -> Result<Statement, Invalid> {
    let Assignment { name, index, value } = Assignment::parse(statement).ok_or_else(|| stranger(statement))?;
    let none = Layer::default;
    let layer = match (name, index) {
        ("uwtwrapper_global", None) | ("uwtwrapper", Some(_)) => {
            switch(value).map(|on| Layer { enabled: Some(source.setting(place, on)), ..none() })
        }
        ("uwtwrapper_max", None) => {
            number(value, "a number from 1; to switch the protection off: nested_protection() { true; }")
                .map(|limit| Layer { max_nested: Some(source.setting(place, limit)), ..none() })
        }
        ("uwtport", Some(_)) => number(value, "a number from 1 to 65535")
            .map(|port| Layer { port: Some(source.setting(place, port)), ..none() }),
        ("timeprivacy_global", None) | ("timeprivacy", Some(_)) => {
            switch(value).map(|on| Layer { time_privacy: Some(source.setting(place, on)), ..none() })
        }
        _ => return Err(stranger(statement)),
    };
    let whole = || Ok(Statement { command: index.map(Command::path).transpose()?, layer: layer? });
    whole().map_err(|invalid: Invalid| invalid.of(name))
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
