//! `cargo xtask demo`: hands over to the demo program of the lab.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};

use crate::artifacts;
use crate::prereq::{self, Group};
use crate::workspace::Workspace;

/// Builds, then becomes the demo program.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    prereq::ensure(&[Group::Build, Group::Demo])?;
    artifacts::build(workspace)?;
    let demo = workspace.dev_program("uwt-tests", "demo")?;
    let error = Command::new(&demo).current_dir(&workspace.root).env("UWT_BIN_DIR", workspace.bin_dir()).exec();
    Err(error).with_context(|| format!("{}", demo.display()))
}
