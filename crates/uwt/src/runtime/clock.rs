//! Time privacy: how far a command's own clock is ahead of the real one.
//!
//! Each program has a clock of its own, in a file of the user's runtime folder, so that nobody can tell by the time that
//! two of them run on the same machine.

mod file;
mod leftovers;
mod steps;

use std::path::Path;
use std::time::Duration;

use nix::unistd::geteuid;

use crate::environment::Environment;
use crate::message::Failure;
use crate::runtime;

/// In the user's runtime folder.
const FOLDER: &str = "clocks";

/// Draws how far ahead `program`, which starts now, is of the real clock.
///
/// # Errors
/// The folder or the file cannot be made, or somebody else could know or have chosen what is in it.
pub(crate) fn ahead(environment: &Environment, program: &Path) -> Result<Duration, Failure> {
    let owner = geteuid().as_raw();
    let folder = runtime::inner(&runtime::folder(environment, owner)?, FOLDER, owner)?;
    leftovers::sweep(Path::new(leftovers::FOLDER), owner);
    file::advance(&folder, owner, program)
}
