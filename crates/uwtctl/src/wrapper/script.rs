//! The shell functions that wrap and unwrap, the same as the maintainer scripts have.
//!
//! There is one order of steps in which every command works at every moment, and it is written once, tested by being killed
//! at each step, and needed where no uwtctl is: when packages are removed.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use super::machine::{ADDED, MEMORY};

const FUNCTIONS: &str = include_str!("../../../../debian/wrappers.sh");
/// Shows what would be done, and notes nothing.
const DRY_RUN: &str = "\
uwt_do() {
    printf '%s\\n' \"$*\"
}
uwt_begin() {
    :
}
uwt_end() {
    :
}
";
/// Wraps exactly the commands of the first argument.
const WORK: &str = "set -e\nuwt_wrap_all local \"$1\"\n";

/// What the functions have done or would do.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// The steps, if they were only shown.
    pub(super) steps: Vec<String>,
    /// What they have to say.
    pub(super) messages: Vec<String>,
}

/// Wraps exactly these commands, of those that are not of a package.
///
/// # Errors
/// A step failed. What was begun is completed the next time.
pub(super) fn wrap(commands: &BTreeSet<PathBuf>, dry_run: bool) -> anyhow::Result<Done> {
    let list: Vec<String> = commands.iter().map(|path| path.display().to_string()).collect();
    let script = [FUNCTIONS, if dry_run { DRY_RUN } else { "" }, WORK].concat();
    let mut command = Command::new("sh");
    command.args(["-c", &script, "uwtctl", &list.join("\n")]);
    command.env("LC_ALL", "C").env_remove("DPKG_ROOT").stdin(Stdio::null());
    let output = command.output().context("sh")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let messages: Vec<String> =
        said.lines().map(|line| line.strip_prefix("uwt: ").unwrap_or(line).to_owned()).collect();
    if !output.status.success() {
        let advice = "every command works; the same again completes it";
        bail!("a step failed, {}: {} ({advice})", output.status, messages.join("; "));
    }
    let steps = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    Ok(Done { steps, messages })
}

/// Remembers which commands are wrapped by us: for the next call, and for when uwt is removed.
///
/// # Errors
/// It cannot be written.
pub(super) fn remember(commands: &BTreeSet<PathBuf>) -> anyhow::Result<()> {
    let folder = Path::new(MEMORY);
    let file = folder.join(ADDED);
    let written = || -> std::io::Result<()> {
        if commands.is_empty() {
            if file.exists() {
                fs::remove_file(&file)?;
            }
            // Others may have something in it.
            let _ = fs::remove_dir(folder);
            return Ok(());
        }
        DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
        fs::set_permissions(folder, Permissions::from_mode(0o755))?;
        let mut new = tempfile::Builder::new().prefix(".local.").tempfile_in(folder)?;
        for command in commands {
            writeln!(new, "{}", command.display())?;
        }
        new.as_file().set_permissions(Permissions::from_mode(0o644))?;
        new.as_file().sync_all()?;
        new.persist(&file)?;
        Ok(())
    };
    written().with_context(|| format!("{} cannot be written", file.display()))
}
