//! apt-get, without starting the services that come with the packages.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;

use crate::workspace;

/// invoke-rc.d and deb-systemd-invoke ask this program whether a service may start (policy-rc.d.5 of Debian's
/// invoke-rc.d documentation); 101 says no.
const POLICY: &str = "/usr/sbin/policy-rc.d";
const POLICY_TEXT: &str =
    "#!/bin/sh\n# Temporary, by `cargo xtask`: delete it when no such task is running.\nexit 101\n";

/// Installs the packages, or fails with the line that does it when we aren't root.
pub(super) fn install(names: &[String]) -> Result<()> {
    let line = format!("apt-get install -y --no-install-recommends {}", names.join(" "));
    if !geteuid().is_root() {
        bail!("packages are missing; install them with\n\n    sudo {line}\n");
    }
    let _no_services = NoServices::hold(Path::new(POLICY))?;
    eprintln!("xtask: {line}");
    if apt_get(names).is_ok() {
        return Ok(());
    }
    // Old or empty package lists are the usual reason; with fresh ones a failure is real.
    eprintln!("xtask: once more, with fresh package lists");
    workspace::run(&mut apt(&["update"]))?;
    apt_get(names).with_context(|| format!("try it by hand: {line}"))
}

fn apt_get(names: &[String]) -> Result<()> {
    let mut command = apt(&["install", "-y", "--no-install-recommends"]);
    workspace::run(command.args(names))
}

fn apt(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command
        .args(["-qq", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=120"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Keeps newly installed services (tor, sshd) from starting while it lives. A policy that is already there is the
/// machine's own and stays.
#[derive(Debug)]
struct NoServices<'a> {
    policy: Option<&'a Path>,
}

impl<'a> NoServices<'a> {
    fn hold(policy: &'a Path) -> Result<Self> {
        if fs::read_to_string(policy).is_ok_and(|text| text == POLICY_TEXT) {
            // Left by a run that was killed.
            return Ok(Self { policy: Some(policy) });
        }
        match OpenOptions::new().write(true).create_new(true).mode(0o755).open(policy) {
            Ok(mut file) => {
                let held = Self { policy: Some(policy) };
                file.write_all(POLICY_TEXT.as_bytes()).with_context(|| format!("{}", policy.display()))?;
                Ok(held)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Self { policy: None }),
            Err(error) => Err(error).with_context(|| format!("{}", policy.display())),
        }
    }
}

impl Drop for NoServices<'_> {
    fn drop(&mut self) {
        if let Some(policy) = self.policy
            && let Err(error) = fs::remove_file(policy)
        {
            eprintln!("xtask: remove {} by hand ({error}): it keeps services from starting", policy.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_policy_goes_away_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let policy = directory.path().join("policy-rc.d");
        let held = NoServices::hold(&policy).expect("held");
        let mode = fs::metadata(&policy).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o500, 0o500, "{mode:o}");
        let status = Command::new("sh").arg(&policy).status().expect("it can be run");
        assert_eq!(status.code(), Some(101));
        drop(held);
        assert!(!policy.exists());
    }

    #[test]
    fn the_machines_own_policy_stays_and_a_leftover_goes() {
        let directory = tempfile::tempdir().expect("a directory");
        let policy = directory.path().join("policy-rc.d");
        fs::write(&policy, "#!/bin/sh\nexit 0\n").expect("written");
        drop(NoServices::hold(&policy).expect("held"));
        assert!(policy.exists());
        fs::write(&policy, POLICY_TEXT).expect("written");
        drop(NoServices::hold(&policy).expect("held"));
        assert!(!policy.exists());
    }
}
