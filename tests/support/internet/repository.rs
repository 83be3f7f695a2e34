//! A git repository to clone.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::process::{find, run};

/// The repository's directory name.
pub const NAME: &str = "hello.git";

/// Makes the bare repository `hello.git` in `dir`, with one commit of one file (`README`: `hello`).
///
/// # Errors
/// When git is missing or fails.
pub fn make(dir: &Path) -> Result<()> {
    let work = tempfile::tempdir()?;
    let git = |at: &Path| {
        let mut command = Command::new(find("git"));
        command.arg("-C").arg(at).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "Lab").env(format!("GIT_{role}_EMAIL"), "lab@lab.test");
        }
        command
    };
    run(git(work.path()).args(["init", "--quiet", "--initial-branch=main"]))?;
    std::fs::write(work.path().join("README"), "hello\n")?;
    run(git(work.path()).args(["add", "README"]))?;
    run(git(work.path()).args(["commit", "--quiet", "-m", "Say hello"]))?;
    let bare = dir.join(NAME);
    run(git(work.path()).args(["clone", "--quiet", "--bare", "."]).arg(&bare))?;
    // For the dumb protocol.
    run(git(&bare).arg("update-server-info"))?;
    Ok(())
}
