//! The configuration that counts for whoever runs us.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};

use anyhow::Context as _;
use nix::unistd::{getegid, geteuid, getgid, getuid};
use uwt_config::{Caller, Config, PassedOver, Sources};

/// What holds here, and where it was read.
pub(crate) struct Configuration {
    /// Everything that the files say.
    pub(crate) config: Config,
    /// The user's own folder, if it is there and does not count.
    pub(crate) passed_over: Option<PassedOver>,
}

/// The folders that count, as for `uwt`; and what was passed over.
///
/// # Errors
/// `UWT_CONFIG_PATH` is not a list of absolute paths.
pub(crate) fn sources() -> anyhow::Result<(Sources, Option<PassedOver>)> {
    let caller = Caller { user: getuid().as_raw(), elevated: getuid() != geteuid() || getgid() != getegid() };
    let environment: HashMap<OsString, OsString> = std::env::vars_os().collect();
    Ok(Sources::of(caller, |name| environment.get(OsStr::new(name)).map(OsString::as_os_str))?)
}

/// The name of a command, as the files can have it.
///
/// # Errors
/// It is not UTF-8.
pub(crate) fn utf8(name: &OsStr) -> anyhow::Result<&str> {
    name.to_str().with_context(|| {
        format!(
            "{}: a name that is not UTF-8, so no file of the configuration can be about it; what is set for every command \
             holds for it",
            name.display()
        )
    })
}

/// Reads all of it.
///
/// # Errors
/// A file cannot be read or understood. `uwt` runs nothing then.
pub(crate) fn load() -> anyhow::Result<Configuration> {
    let (sources, passed_over) = sources()?;
    let config = Config::load(&sources).context("uwt runs nothing, see `uwtctl config check`")?;
    Ok(Configuration { config, passed_over })
}
