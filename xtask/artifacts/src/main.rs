//! `cargo run -p xtask-artifacts`: builds what is shipped.

use anyhow::Result;
use xtask_artifacts::artifacts;
use xtask_artifacts::workspace::Workspace;

fn main() -> Result<()> {
    let workspace = Workspace::locate()?;
    artifacts::build(&workspace)?;
    artifacts::show(&workspace)
}
