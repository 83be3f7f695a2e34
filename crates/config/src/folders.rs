//! Which folders of configuration files count for a caller.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::config::Sources;
use crate::error::{Invalid, one_line, quoted};

/// The variable that replaces the system's folders: absolute paths, separated by colons.
const REPLACEMENT: &str = "UWT_CONFIG_PATH";

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The real user.
    pub user: u32,
    /// Acts with somebody else's rights (getauxval(3), `AT_SECURE`), so its environment must not say what is read.
    pub elevated: bool,
}

/// A user's folder that is not read, because its content could be somebody else's wish. `Display` says which and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    folder: PathBuf,
    why: &'static str,
}

impl PassedOver {
    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Why it does not count.
    #[must_use]
    pub const fn why(&self) -> &'static str {
        self.why
    }
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not read: {}", one_line(&self.folder), self.why)
    }
}

impl Sources {
    /// The folders that count for `caller`, whose environment variables `get` gives: the system's, or those that
    /// `UWT_CONFIG_PATH` names, then the user's own; and what was passed over.
    ///
    /// # Errors
    /// `UWT_CONFIG_PATH` is not a list of absolute paths.
    pub fn of<'a>(
        caller: Caller,
        get: impl Fn(&str) -> Option<&'a OsStr>,
    ) -> Result<(Self, Option<PassedOver>), Invalid> {
        let (user, passed_over) = match user_folder(caller, &get) {
            Ok(folder) => (folder, None),
            Err(passed_over) => (None, Some(passed_over)),
        };
        let list = get(REPLACEMENT).filter(|list| !list.is_empty() && !caller.elevated);
        let Some(list) = list else { return Ok((Self::system(user.as_deref()), passed_over)) };
        let folders: Vec<PathBuf> =
            std::env::split_paths(list).filter(|folder| !folder.as_os_str().is_empty()).collect();
        if let Some(relative) = folders.iter().find(|folder| folder.is_relative()) {
            let problem = format!("{REPLACEMENT}: {} is no absolute path", quoted(&relative.to_string_lossy()));
            return Err(Invalid::new(problem, "absolute ones, or the variable unset"));
        }
        Ok((Self { folders: folders.into_iter().chain(user).collect() }, passed_over))
    }

    /// The user's own folder, whether it is there or not: `$XDG_CONFIG_HOME/uwt` or `~/.config/uwt`. `None` where the
    /// environment variables that `get` gives name no home.
    pub fn own<'a>(get: impl Fn(&str) -> Option<&'a OsStr>) -> Option<PathBuf> {
        own_place(&get).map(|(_, folder)| folder)
    }
}

/// `$XDG_CONFIG_HOME/uwt` or `~/.config/uwt`, behind the folder of the variable.
fn own_place<'a>(get: &impl Fn(&str) -> Option<&'a OsStr>) -> Option<(&'a Path, PathBuf)> {
    let absolute = |name| get(name).map(Path::new).filter(|path| path.is_absolute());
    let configuration = absolute("XDG_CONFIG_HOME").map(|path| (path, path.join("uwt")));
    configuration.or_else(|| absolute("HOME").map(|path| (path, path.join(".config/uwt"))))
}

/// The user's own folder, if it is there and counts.
fn user_folder<'a>(caller: Caller, get: &impl Fn(&str) -> Option<&'a OsStr>) -> Result<Option<PathBuf>, PassedOver> {
    if caller.user == 0 || caller.elevated {
        return Ok(None);
    }
    let Some((home, folder)) = own_place(get) else { return Ok(None) };
    match fs::metadata(&folder) {
        Ok(status) if status.uid() == caller.user || status.uid() == 0 => Ok(Some(folder)),
        Ok(_) => Err(PassedOver { folder, why: "it belongs to somebody else" }),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        // Somebody else's home, as setpriv(1) and runuser(1) leave it: what we can't reach we can't have written.
        Err(error)
            if error.kind() == ErrorKind::PermissionDenied
                && fs::metadata(home).is_ok_and(|status| status.uid() != caller.user) =>
        {
            Err(PassedOver { folder, why: "it lies in somebody else's folder" })
        }
        // Reading it will say why it cannot be read.
        Err(_) => Ok(Some(folder)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The folders, for an environment of `NAME=value` entries.
    fn sources(entries: &[&str], caller: Caller) -> Result<Sources, Invalid> {
        let get = |name: &str| {
            let found = entries.iter().filter_map(|entry| entry.split_once('=')).find(|(key, _)| *key == name);
            found.map(|(_, value)| OsStr::new(value))
        };
        Sources::of(caller, get).map(|(sources, _)| sources)
    }

    #[test]
    fn whose_folders_count() {
        let home = tempfile::tempdir().expect("folder");
        fs::create_dir_all(home.path().join(".config/uwt")).expect("made");
        let owner = fs::metadata(home.path()).expect("there").uid();
        let home_entry = format!("HOME={}", home.path().display());
        let config_entry = format!("XDG_CONFIG_HOME={}/.config", home.path().display());
        let own = home.path().join(".config/uwt");
        // Somebody who is not root; the folder belongs to whoever runs this test.
        let user = Caller { user: 4711, elevated: false };
        let counts = owner == 0 || owner == 4711;
        for (entries, caller, read) in [
            (&[home_entry.as_str()][..], user, counts),
            (&[config_entry.as_str(), "HOME=/nonexistent"], user, counts),
            (&["XDG_CONFIG_HOME=relative", home_entry.as_str()], user, counts),
            (&["XDG_CONFIG_HOME=/nonexistent", home_entry.as_str()], user, false),
            (&[], user, false),
            (&[home_entry.as_str()], Caller { user: 0, elevated: false }, false),
            (&[home_entry.as_str()], Caller { elevated: true, ..user }, false),
        ] {
            let sources = sources(entries, caller).expect("valid");
            assert_eq!(sources, Sources::system(read.then_some(own.as_path())), "{entries:?}");
        }
        if owner == 0 {
            std::os::unix::fs::chown(&own, Some(4712), None).expect("root may");
            assert_eq!(sources(&[&home_entry], user), Ok(Sources::system(None)), "somebody else's");
            let home = home.path().as_os_str();
            let (_, passed_over) = Sources::of(user, |name| (name == "HOME").then_some(home)).expect("valid");
            let said = passed_over.expect("it is there").to_string();
            assert_eq!(said, format!("{} is not read: it belongs to somebody else", own.display()));
        }
    }

    #[test]
    fn other_system_folders() {
        let user = Caller { user: 4711, elevated: false };
        let given = sources(&["UWT_CONFIG_PATH=/a::/b"], user).expect("valid");
        assert_eq!(given.folders, [Path::new("/a"), Path::new("/b")]);
        assert_eq!(sources(&["UWT_CONFIG_PATH="], user), Ok(Sources::system(None)));
        let relative = sources(&["UWT_CONFIG_PATH=/a:b"], user).expect_err("relative").to_string();
        assert!(relative.starts_with("UWT_CONFIG_PATH: 'b' is no absolute path; expected absolute"), "{relative}");
        let elevated = Caller { elevated: true, ..user };
        assert_eq!(sources(&["UWT_CONFIG_PATH=/a"], elevated), Ok(Sources::system(None)));
    }
}
