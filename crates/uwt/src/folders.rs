//! Which folders of configuration files count for this call.

use nix::unistd::{getegid, geteuid, getgid, getuid};
use uwt_config::{Caller, Sources};

use crate::environment::Environment;
use crate::message::Failure;
use crate::sys;

/// Who runs us.
pub(crate) fn caller() -> Caller {
    let elevated = getuid() != geteuid() || getgid() != getegid() || sys::is_secure_execution();
    Caller { user: getuid().as_raw(), elevated }
}

/// The folders to read.
///
/// # Errors
/// `UWT_CONFIG_PATH` is not a list of absolute paths.
pub(crate) fn sources(environment: &Environment, caller: Caller) -> Result<Sources, Failure> {
    let (sources, passed_over) = Sources::of(caller, |name| environment.get(name))
        .map_err(|error| Failure::ours(format!("{error} (nothing was run)")))?;
    if let Some(folder) = passed_over {
        tracing::warn!("{folder}");
    }
    Ok(sources)
}
