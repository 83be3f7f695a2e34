//! torsocks.conf: a directive and its value on each line.

use super::Torsocks;
use super::words::{WORDS, Word};
use crate::error::{Faults, Invalid, did_you_mean, one_of, quoted};
use crate::origin::Origin;
use crate::source::Source;

/// Reads a whole file; a directive that comes twice has its last value.
pub(super) fn parse(source: &Source<'_>) -> Result<Torsocks, Faults> {
    let mut all = Torsocks::default();
    for Line { said, .. } in lines(source)? {
        all.overlay(said);
    }
    Ok(all)
}

/// A line with a directive.
pub(crate) struct Line {
    pub(crate) directive: &'static str,
    /// Its number, from 1.
    pub(crate) number: usize,
    pub(crate) said: Torsocks,
}

/// The lines with a directive in their order, or every fault.
pub(crate) fn lines(source: &Source<'_>) -> Result<Vec<Line>, Faults> {
    let mut all = Vec::new();
    let mut faults = Vec::new();
    let mut place = 0;
    for text in source.text.split_inclusive('\n') {
        match read(source, place, text) {
            Ok(one) => all.extend(one),
            Err(invalid) => faults.push(source.error(place, invalid)),
        }
        place += text.len();
    }
    Faults::unless_none(all, faults)
}

fn read(source: &Source<'_>, place: usize, text: &str) -> Result<Option<Line>, Invalid> {
    let Some((word, directive, value)) = line(text)? else { return Ok(None) };
    let mut said = Torsocks::default();
    let number = source.line(place);
    let origin = Origin::File { path: source.path.to_owned(), line: number };
    (word.read)(&mut said, value, origin).map_err(|invalid| invalid.of(directive))?;
    Ok(Some(Line { directive, number, said }))
}

/// The directive of a line and its value; `None` for a comment or an empty line.
fn line(text: &str) -> Result<Option<(&'static Word, &'static str, &str)>, Invalid> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    let mut parts = text.split([' ', '\t']).filter(|part| !part.is_empty()).take_while(|part| !part.starts_with('#'));
    let Some(name) = parts.next() else { return Ok(None) };
    let found = WORDS.iter().find_map(|word| word.directive.filter(|known| *known == name).map(|known| (word, known)));
    let Some((word, directive)) = found else { return Err(stranger(name)) };
    // What the value is stays unsaid: it may be a password.
    match (parts.next(), parts.next()) {
        (None, _) => Err(Invalid::new(format!("{directive} has no value"), "one behind it")),
        (Some(_), Some(_)) => Err(Invalid::new(format!("{directive} has several values"), "one without white space")),
        // torsocks.conf(5) makes it the beginning of a comment, torsocks a part of the value.
        (Some(value), None) if value.contains('#') => {
            let expected = "a value without, or white space before a comment";
            Err(Invalid::new(format!("the value of {directive} has a '#' in it"), expected))
        }
        (Some(value), None) => Ok(Some((word, directive, value))),
    }
}

fn stranger(name: &str) -> Invalid {
    let names: Vec<&str> = directives().collect();
    let near = did_you_mean(name, &names);
    Invalid::new(format!("unknown directive {}{near}", quoted(name)), one_of(&names))
}

/// The words that a line can begin with.
pub(crate) fn directives() -> impl Iterator<Item = &'static str> {
    WORDS.iter().filter_map(|word| word.directive)
}
