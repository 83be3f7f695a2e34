//! The `OpenPGP` key the lab's keyserver hands out.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process::{find, run};

/// Makes a key, writes it armored to `file`, gives its fingerprint.
///
/// # Errors
/// When gpg is missing or fails.
pub fn make_key(file: &Path) -> Result<String> {
    // A short path of its own: gpg-agent's socket lies in it.
    let home = tempfile::Builder::new().prefix("uwt-gpg-").tempdir()?;
    let dir = home.path().join("h");
    std::fs::DirBuilder::new().mode(0o700).create(&dir)?;
    let gpg = || {
        let mut command = Command::new(find("gpg"));
        command.arg("--homedir").arg(&dir).args(["--batch", "--quiet", "--no-tty", "--passphrase", ""]);
        command
    };
    let made = (|| {
        run(gpg().args(["--quick-gen-key", "Lab <lab@lab.test>", "ed25519", "sign", "never"]))?;
        let listed = run(gpg().args(["--with-colons", "--list-keys"]))?;
        run(gpg().args(["--armor", "--export", "--output"]).arg(file))?;
        let text = String::from_utf8(listed.stdout)?;
        let line = text.lines().find(|line| line.starts_with("fpr:")).context("no fingerprint from gpg")?;
        Ok(line.trim_end_matches(':').rsplit(':').next().unwrap_or_default().to_owned())
    })();
    // gpg has started an agent for this directory; it must not outlive us.
    let _ = Command::new(find("gpgconf")).arg("--homedir").arg(&dir).args(["--kill", "all"]).output();
    made
}
