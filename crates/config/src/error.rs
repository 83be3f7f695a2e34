//! What the user is told: one line that names the file, the line, the fault and what is expected.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::suggest::closest;

/// A configuration that cannot be used. Displays as `FILE:LINE: what is wrong; expected …`, always one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    file: PathBuf,
    line: Option<usize>,
    invalid: Invalid,
}

impl Error {
    pub(crate) fn new(file: &Path, line: Option<usize>, invalid: Invalid) -> Self {
        Self { file: file.to_owned(), line, invalid }
    }

    /// The file or folder at fault.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The line at fault, from 1; `None` where the whole file or folder is.
    #[must_use]
    pub const fn line(&self) -> Option<usize> {
        self.line
    }

    /// What is wrong there.
    #[must_use]
    pub const fn problem(&self) -> &Invalid {
        &self.invalid
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.file))?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.invalid)
    }
}

impl std::error::Error for Error {}

/// Everything that is wrong with one file, in the order in which it was found: at least one fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    first: Error,
    others: Vec<Error>,
}

impl Faults {
    /// `Ok` where there are none.
    pub(crate) fn unless_none<T>(value: T, faults: Vec<Error>) -> Result<T, Self> {
        let mut faults = faults.into_iter();
        match faults.next() {
            Some(first) => Err(Self { first, others: faults.collect() }),
            None => Ok(value),
        }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Error> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The one that was found first.
    #[must_use]
    pub fn into_first(self) -> Error {
        self.first
    }
}

impl From<Error> for Faults {
    fn from(first: Error) -> Self {
        Self { first, others: Vec::new() }
    }
}

impl fmt::Display for Faults {
    /// The first, and how many more there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.others.len() {
            0 => write!(f, "{}", self.first),
            more => write!(f, "{} (and {more} more)", self.first),
        }
    }
}

impl std::error::Error for Faults {}

/// A value that is not acceptable, wherever it was given. Displays as `what is wrong; expected …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    problem: String,
    expected: String,
}

impl Invalid {
    pub(crate) fn new(problem: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { problem: problem.into(), expected: expected.into() }
    }

    /// `word` is none of `words`.
    pub(crate) fn unknown(word: &str, words: &[&str]) -> Self {
        let problem = format!("{} is unknown{}", quoted(word), did_you_mean(word, words));
        Self::new(problem, one_of_words(words))
    }

    /// The same fault where something else is expected.
    pub(crate) fn expecting(self, expected: &str) -> Self {
        Self { expected: expected.to_owned(), ..self }
    }

    /// Says which key the value belongs to.
    pub(crate) fn of(self, key: &str) -> Self {
        Self { problem: format!("{key}: {}", self.problem), ..self }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)?;
        if self.expected.is_empty() { Ok(()) } else { write!(f, "; expected {}", self.expected) }
    }
}

impl std::error::Error for Invalid {}

/// ` (did you mean 'x'?)`, or nothing where no word is near.
pub(crate) fn did_you_mean(word: &str, words: &[&str]) -> String {
    closest(word, words).map(|near| format!(" (did you mean '{near}'?)")).unwrap_or_default()
}

/// `a, b or c`.
pub(crate) fn one_of(words: &[impl AsRef<str>]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// `"a", "b" or "c"`.
pub(crate) fn one_of_words(words: &[&str]) -> String {
    one_of(&words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>())
}

/// What the user wrote, in quotes, shortened, without control characters: it goes to a terminal.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", shortened(text))
}

/// As [`quoted`], without the quotes.
pub(crate) fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown = String::new();
    for (place, letter) in text.chars().enumerate() {
        if place == LONGEST {
            shown.push('…');
            break;
        }
        push_visible(&mut shown, letter);
    }
    shown
}

/// A path without control characters.
pub(crate) fn one_line(path: &Path) -> String {
    let mut shown = String::new();
    for letter in path.to_string_lossy().chars() {
        push_visible(&mut shown, letter);
    }
    shown
}

fn push_visible(shown: &mut String, letter: char) {
    // escape_debug escapes what is invisible or changes the direction of writing, and quotes, which are harmless here.
    if matches!(letter, '\'' | '"' | '\\') {
        shown.push(letter);
    } else {
        shown.extend(letter.escape_debug());
    }
}
