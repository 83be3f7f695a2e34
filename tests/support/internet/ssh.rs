//! An OpenSSH server with keys and configuration of its own; the system's are not touched.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process::{Process, find, run};

/// Makes the keys and the configurations of server and client in `dir` (`dir/config` is for `ssh -F`).
///
/// Must be root: the server lets root in, with the lab's key only.
///
/// # Errors
/// When ssh-keygen is missing or a file cannot be written.
pub fn prepare(dir: &Path, listen: &[SocketAddr], names: &[&str]) -> Result<()> {
    for key in ["host_key", "user_key"] {
        let path = dir.join(key);
        run(Command::new(find("ssh-keygen")).args(["-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f"]).arg(path))?;
    }
    fs::copy(dir.join("user_key.pub"), dir.join("authorized_keys"))?;
    // An account whose password is locked with "!" may only log in through PAM.
    let locked = fs::read_to_string("/etc/shadow").is_ok_and(|shadow| shadow.starts_with("root:!"));
    let pam = if locked { "yes" } else { "no" };
    let d = dir.display();
    let mut addresses = String::new();
    for address in listen {
        let _ = writeln!(addresses, "ListenAddress {address}");
    }
    fs::write(
        dir.join("sshd_config"),
        format!(
            "{addresses}HostKey {d}/host_key\nAuthorizedKeysFile {d}/authorized_keys\nStrictModes no\n\
             PermitRootLogin prohibit-password\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             UsePAM {pam}\nPidFile none\nUseDNS no\nPrintMotd no\nMaxStartups 100\nAcceptEnv none\n\
             Subsystem sftp internal-sftp\n",
        ),
    )?;
    let key = fs::read_to_string(dir.join("host_key.pub"))?;
    let key: Vec<&str> = key.split_whitespace().take(2).collect();
    fs::write(dir.join("known_hosts"), format!("{} {}\n", names.join(","), key.join(" ")))?;
    fs::write(
        dir.join("config"),
        format!(
            "Host *\n  User root\n  IdentityFile {d}/user_key\n  IdentitiesOnly yes\n  UserKnownHostsFile {d}/known_hosts\n\
             \x20 GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n  BatchMode yes\n  CheckHostIP no\n"
        ),
    )?;
    fs::set_permissions(dir.join("user_key"), fs::Permissions::from_mode(0o600))?;
    Ok(())
}

/// Starts the server prepared in `dir`, in the network namespace of the calling thread, which must outlive it.
///
/// # Errors
/// When sshd is missing or does not like its configuration.
pub fn start(dir: &Path) -> Result<Process> {
    // sshd insists on this directory and on being started by its full path.
    let separation = Path::new("/run/sshd");
    if !separation.exists() {
        fs::DirBuilder::new().mode(0o755).create(separation).context("make /run/sshd")?;
    }
    let sshd = find("sshd");
    let config = dir.join("sshd_config");
    run(Command::new(&sshd).arg("-t").arg("-f").arg(&config))?;
    Process::spawn("sshd", Command::new(&sshd).args(["-D", "-e", "-f"]).arg(&config), &dir.join("sshd.log"))
}
