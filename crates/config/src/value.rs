//! One TOML value, read as the type its key wants.

use std::ops::RangeInclusive;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use toml::Spanned;
use toml::de::DeValue;

use crate::error::{Error, Invalid, one_of_words, quoted, shortened};
use crate::origin::Setting;
use crate::source::Source;

/// A value, the key it was given for, and the file both are in.
pub(crate) struct Item<'a> {
    pub(crate) source: &'a Source<'a>,
    /// The key as it is named in messages, with its table.
    pub(crate) key: &'a str,
    pub(crate) value: &'a Spanned<DeValue<'a>>,
}

impl Item<'_> {
    /// true or false.
    pub(crate) fn boolean(&self) -> Result<Setting<bool>, Error> {
        self.read(|value| value.as_bool().ok_or_else(|| wrong(value, "true or false")))
    }

    /// true, false or "auto", which is `None`.
    pub(crate) fn boolean_or_auto(&self) -> Result<Setting<Option<bool>>, Error> {
        self.read(|value| match value {
            DeValue::Boolean(value) => Ok(Some(*value)),
            DeValue::String(word) if word == "auto" => Ok(None),
            _ => Err(wrong(value, "true, false or \"auto\"")),
        })
    }

    /// A whole number of the range.
    pub(crate) fn number<T: TryFrom<i64>>(&self, range: &RangeInclusive<i64>) -> Result<Setting<T>, Error> {
        let expected = format!("a number from {} to {}", range.start(), range.end());
        self.read(|value| {
            let DeValue::Integer(number) = value else { return Err(wrong(value, &expected)) };
            let parsed = i64::from_str_radix(number.as_str(), number.radix()).ok();
            let within = parsed.filter(|number| range.contains(number)).and_then(|number| T::try_from(number).ok());
            within.ok_or_else(|| {
                Invalid::new(format!("{} is out of range", shortened(number.as_str())), expected.as_str())
            })
        })
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&self, all: &[T], word: fn(T) -> &'static str) -> Result<Setting<T>, Error> {
        let words: Vec<_> = all.iter().map(|value| word(*value)).collect();
        self.text(&one_of_words(&words), |text| {
            let found = all.iter().copied().find(|value| word(*value) == text);
            found.ok_or_else(|| Invalid::unknown(text, &words))
        })
    }

    /// A string that `parse` understands.
    pub(crate) fn text<T>(
        &self,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Result<Setting<T>, Error> {
        self.read(|value| parse(value.as_str().ok_or_else(|| wrong(value, expected))?))
    }

    /// A list of absolute paths.
    pub(crate) fn paths(&self) -> Result<Setting<Vec<PathBuf>>, Error> {
        let Some(list) = self.value.get_ref().as_array() else {
            return self.read(|value| Err(wrong(value, "a list of absolute paths, as [\"/sbin/ldconfig\"]")));
        };
        let paths: Result<Vec<_>, _> =
            list.iter().map(|value| Item { value, ..*self }.text(PATH, absolute_path).map(|path| path.value)).collect();
        Ok(self.source.setting(self.value.span().start, paths?))
    }

    fn read<T>(&self, parse: impl FnOnce(&DeValue<'_>) -> Result<T, Invalid>) -> Result<Setting<T>, Error> {
        let place = self.value.span().start;
        match parse(self.value.get_ref()) {
            Ok(value) => Ok(self.source.setting(place, value)),
            Err(invalid) => Err(self.source.error(place, invalid.of(self.key))),
        }
    }
}

/// What a path in the configuration looks like.
pub(crate) const PATH: &str = "an absolute path in quotes, without '..', ':' and white space";

/// A path that can stand in a list separated by colons or white space, as in LD_PRELOAD (ld.so(8)).
pub(crate) fn absolute_path(text: &str) -> Result<PathBuf, Invalid> {
    let path = Path::new(text);
    let whole = path.is_absolute() && path.file_name().is_some_and(|name| text.as_bytes().ends_with(name.as_bytes()));
    let straight = !path.components().any(|part| part == Component::ParentDir);
    let plain = !text.contains(|letter: char| letter == ':' || letter.is_whitespace() || letter.is_control());
    if whole && straight && plain {
        Ok(path.to_owned())
    } else {
        Err(Invalid::new(format!("{} is no such path", quoted(text)), PATH))
    }
}

/// A value of the wrong type.
fn wrong(value: &DeValue<'_>, expected: &str) -> Invalid {
    let found = match value {
        DeValue::String(text) => format!("{} is a string", quoted(text)),
        DeValue::Integer(number) => format!("{} is a number", shortened(number.as_str())),
        DeValue::Float(number) => format!("{} is no whole number", shortened(number.as_str())),
        DeValue::Boolean(value) => format!("{value} is a boolean"),
        DeValue::Datetime(_) => "is a date".to_owned(),
        DeValue::Array(_) => "is a list".to_owned(),
        DeValue::Table(_) => "is a table".to_owned(),
    };
    Invalid::new(found, expected)
}
