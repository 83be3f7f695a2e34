//! The environment as execve(2) takes it: kept byte for byte, order, duplicates and malformed entries included.

use std::borrow::Cow;
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt as _;

/// One entry; those that stay as they were are not copied.
type Entry = Cow<'static, CStr>;

/// A list of `NAME=value` entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment(Vec<Entry>);

impl Environment {
    /// Of these entries.
    pub(crate) fn new(entries: Vec<Entry>) -> Self {
        Self(entries)
    }

    /// The value of the first entry of this name, as getenv(3) finds it.
    pub(crate) fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.iter().find_map(|entry| value_of(entry, name)).map(OsStr::from_bytes)
    }

    /// [`Self::get`], where an empty value is as good as none.
    pub(crate) fn get_filled(&self, name: &str) -> Option<&OsStr> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Leaves exactly one entry of this name, in the place of the first one. A value ends at its first NUL, which none
    /// that came out of an environment has.
    pub(crate) fn set(&mut self, name: &str, value: &[u8]) {
        let value = value.split(|byte| *byte == 0).next().unwrap_or_default();
        let entry = Cow::Owned(CString::new([name.as_bytes(), b"=", value].concat()).unwrap_or_default());
        let place = self.0.iter().position(|entry| value_of(entry, name).is_some());
        match place {
            Some(place) => {
                self.0[place] = entry;
                let mut index = 0;
                self.0.retain(|entry| {
                    index += 1;
                    index - 1 == place || value_of(entry, name).is_none()
                });
            }
            None => self.0.push(entry),
        }
    }

    /// Removes every entry of this name.
    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|entry| value_of(entry, name).is_none());
    }

    /// Removes every entry whose name is one of these.
    pub(crate) fn remove_all(&mut self, is_one: impl Fn(&[u8]) -> bool) {
        self.0.retain(|entry| {
            let entry = entry.to_bytes();
            let end = entry.iter().position(|byte| *byte == b'=');
            !end.and_then(|end| entry.get(..end)).is_some_and(&is_one)
        });
    }

    /// Every entry, for execve(2).
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.0
    }
}

fn value_of<'a>(entry: &'a Entry, name: &str) -> Option<&'a [u8]> {
    entry.to_bytes().strip_prefix(name.as_bytes())?.strip_prefix(b"=")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn environment(entries: &[&str]) -> Environment {
        Environment::new(entries.iter().map(|entry| Cow::Owned(CString::new(*entry).expect("no NUL"))).collect())
    }

    #[test]
    fn reading() {
        let environment = environment(&["A=1", "AB=2", "A=3", "junk", "E="]);
        assert_eq!(environment.get("A"), Some(OsStr::new("1")));
        assert_eq!(environment.get("AB"), Some(OsStr::new("2")));
        assert_eq!(environment.get("junk"), None);
        assert_eq!((environment.get("E"), environment.get_filled("E")), (Some(OsStr::new("")), None));
    }

    #[test]
    fn setting_keeps_the_rest_as_it_was() {
        let mut changed = environment(&["X=0", "A=1", "junk", "A=3", "AB=4"]);
        changed.set("A", b"2");
        assert_eq!(changed, environment(&["X=0", "A=2", "junk", "AB=4"]));
        changed.set("NEW", b"");
        assert_eq!(changed, environment(&["X=0", "A=2", "junk", "AB=4", "NEW="]));
        changed.remove("A");
        changed.remove("A");
        assert_eq!(changed, environment(&["X=0", "junk", "AB=4", "NEW="]));
        assert_eq!(changed.entries().len(), 4);
        changed.set("NEW", b"a\0b");
        assert_eq!(changed.get("NEW"), Some(OsStr::new("a")));
        changed.remove_all(|name| name.starts_with(b"X") || name == b"junk" || name == b"A");
        assert_eq!(changed, environment(&["junk", "AB=4", "NEW=a"]));
    }
}
