//! Which folders of configuration files count for this call.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::unistd::{getegid, geteuid, getgid, getuid};
use uwt_config::Sources;

use crate::environment::Environment;
use crate::message::Failure;
use crate::sys;

/// Replaces the system's folders.
const REPLACEMENT: &str = "UWT_CONFIG_PATH";

/// Who runs us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The real user.
    pub(crate) user: u32,
    /// Acts with somebody else's rights, so its environment must not say what we read.
    pub(crate) elevated: bool,
}

impl Caller {
    /// This process.
    pub(crate) fn current() -> Self {
        let elevated = getuid() != geteuid() || getgid() != getegid() || sys::is_secure_execution();
        Self { user: getuid().as_raw(), elevated }
    }
}

/// The folders to read.
///
/// # Errors
/// `UWT_CONFIG_PATH` is not a list of absolute paths.
pub(crate) fn sources(environment: &Environment, caller: Caller) -> Result<Sources, Failure> {
    let user = user_folder(environment, caller);
    let Some(list) = environment.get_filled(REPLACEMENT).filter(|_| !caller.elevated) else {
        return Ok(Sources::system(user.as_deref()));
    };
    let folders: Vec<PathBuf> = std::env::split_paths(list).filter(|folder| !folder.as_os_str().is_empty()).collect();
    if let Some(relative) = folders.iter().find(|folder| folder.is_relative()) {
        let shown = relative.display();
        return Err(Failure::ours(format!(
            "{REPLACEMENT}: {shown} is no absolute path; give absolute ones or unset it"
        )));
    }
    Ok(Sources { folders: folders.into_iter().chain(user).collect() })
}

/// `$XDG_CONFIG_HOME/uwt` or `~/.config/uwt`, unless its content could be somebody else's wish.
fn user_folder(environment: &Environment, caller: Caller) -> Option<PathBuf> {
    if caller.user == 0 || caller.elevated {
        return None;
    }
    let absolute = |name| environment.get(name).map(Path::new).filter(|path| path.is_absolute());
    let configuration = absolute("XDG_CONFIG_HOME").map(|path| (path, path.join("uwt")));
    let (home, folder) = configuration.or_else(|| absolute("HOME").map(|path| (path, path.join(".config/uwt"))))?;
    match fs::metadata(&folder) {
        Ok(status) if status.uid() == caller.user || status.uid() == 0 => Some(folder),
        Ok(_) => {
            tracing::warn!("{} is not read: it belongs to somebody else", folder.display());
            None
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => None,
        // Somebody else's home, as setpriv(1) and runuser(1) leave it: what we can't reach we can't have written.
        Err(error)
            if error.kind() == ErrorKind::PermissionDenied
                && fs::metadata(home).is_ok_and(|status| status.uid() != caller.user) =>
        {
            tracing::warn!("{} is not read: it lies in somebody else's folder", folder.display());
            None
        }
        // Reading it will say why it cannot be read.
        Err(_) => Some(folder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::tests::environment;

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
            let sources = sources(&environment(entries), caller).expect("valid");
            assert_eq!(sources, Sources::system(read.then_some(own.as_path())), "{entries:?}");
        }
        if owner == 0 {
            std::os::unix::fs::chown(&own, Some(4712), None).expect("root may");
            let sources = sources(&environment(&[&home_entry]), user).expect("valid");
            assert_eq!(sources, Sources::system(None), "somebody else's");
        }
    }

    #[test]
    fn other_system_folders() {
        let user = Caller { user: 4711, elevated: false };
        let given = sources(&environment(&["UWT_CONFIG_PATH=/a::/b"]), user).expect("valid");
        assert_eq!(given.folders, [Path::new("/a"), Path::new("/b")]);
        assert_eq!(sources(&environment(&["UWT_CONFIG_PATH="]), user), Ok(Sources::system(None)));
        let relative = sources(&environment(&["UWT_CONFIG_PATH=/a:b"]), user).expect_err("relative");
        assert_eq!(relative.status, Failure::OURS);
        let elevated = Caller { elevated: true, ..user };
        assert_eq!(sources(&environment(&["UWT_CONFIG_PATH=/a"]), elevated), Ok(Sources::system(None)));
    }
}
