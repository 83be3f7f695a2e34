//! The keys of the directory authorities and the `DirAuthority` lines everybody needs.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, anyhow};

use super::torrc;
use crate::process::{find, run, run_with_input};

/// One directory authority before it is started.
#[derive(Debug)]
pub(crate) struct Authority {
    pub(crate) name: String,
    pub(crate) data: PathBuf,
    pub(crate) or_port: u16,
    pub(crate) dir_port: u16,
}

/// Makes the keys of all authorities (in parallel: RSA takes a while); gives their `DirAuthority` lines.
pub(crate) fn make(authorities: &[Authority]) -> Result<String> {
    let lines: Vec<Result<String>> = std::thread::scope(|scope| {
        let makers: Vec<_> = authorities.iter().map(|authority| scope.spawn(|| make_one(authority))).collect();
        makers.into_iter().map(|maker| maker.join().unwrap_or_else(|_| Err(anyhow!("key maker panicked")))).collect()
    });
    lines.into_iter().collect()
}

/// Makes the identity, signing and relay keys of one authority.
fn make_one(authority: &Authority) -> Result<String> {
    let keys = authority.data.join("keys");
    std::fs::create_dir(&keys)?;
    let certificate = keys.join("authority_certificate");
    let mut gencert = Command::new(find("tor-gencert"));
    gencert
        .args(["--create-identity-key", "--passphrase-fd", "0", "-m", "12", "-a"])
        .arg(format!("127.0.0.1:{}", authority.dir_port))
        .arg("-i")
        .arg(keys.join("authority_identity_key"))
        .arg("-s")
        .arg(keys.join("authority_signing_key"))
        .arg("-c")
        .arg(&certificate);
    // The passphrase only protects the identity key on disk, which is thrown away with the lab.
    run_with_input(&mut gencert, "lab\n").context("make authority keys with tor-gencert (package tor)")?;

    let bare = authority.data.join("torrc.keys");
    std::fs::write(&bare, torrc::for_keys(authority))?;
    let mut list = Command::new(find("tor"));
    list.args(["--defaults-torrc", "/dev/null", "--quiet", "--list-fingerprint", "-f"]).arg(&bare);
    run(&mut list)?;

    let fingerprint = std::fs::read_to_string(authority.data.join("fingerprint"))?;
    let fingerprint = fingerprint.split_whitespace().nth(1).context("no fingerprint from tor")?;
    let certificate = std::fs::read_to_string(certificate)?;
    let identity = certificate
        .lines()
        .find_map(|line| line.strip_prefix("fingerprint "))
        .context("no fingerprint in the authority certificate")?;
    Ok(format!(
        "DirAuthority {} orport={} no-v2 v3ident={identity} 127.0.0.1:{} {fingerprint}\n",
        authority.name, authority.or_port, authority.dir_port
    ))
}
