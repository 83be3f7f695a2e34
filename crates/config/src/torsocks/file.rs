//! torsocks.conf: a directive and its value on each line.

use super::Torsocks;
use super::words::{WORDS, Word};
use crate::error::{Error, Invalid, did_you_mean, one_of, quoted};
use crate::origin::Origin;
use crate::source::Source;

/// Reads a whole file; a directive that comes twice has its last value.
pub(super) fn parse(source: &Source<'_>) -> Result<Torsocks, Error> {
    let mut all = Torsocks::default();
    let mut place = 0;
    for text in source.text.split_inclusive('\n') {
        if let Some((word, directive, value)) = line(text).map_err(|invalid| source.error(place, invalid))? {
            let origin = Origin::File { path: source.path.to_owned(), line: source.line(place) };
            (word.read)(&mut all, value, origin).map_err(|invalid| source.error(place, invalid.of(directive)))?;
        }
        place += text.len();
    }
    Ok(all)
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
    let names: Vec<&str> = WORDS.iter().filter_map(|word| word.directive).collect();
    let near = did_you_mean(name, &names);
    Invalid::new(format!("unknown directive {}{near}", quoted(name)), one_of(&names))
}
