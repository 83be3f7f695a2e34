//! Nobody else may change packages or diversions meanwhile.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;

/// dpkg's: those who call it take the first one, then the second one, as dpkg itself does.
const FILES: [&str; 2] = ["/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"];
/// As long as another uwtctl may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often we look whether it has ended.
const LOOK: Duration = Duration::from_millis(50);

/// The locks, until it is dropped.
#[derive(Debug)]
pub(super) struct Locked {
    _files: Vec<File>,
}

/// Keeps dpkg and other uwtctl away.
///
/// # Errors
/// One of them is at work and stays so.
pub(super) fn lock() -> anyhow::Result<Locked> {
    let begun = Instant::now();
    let mut files = Vec::new();
    for path in FILES.map(Path::new) {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o640).open(path);
        let file = file.with_context(|| format!("{} cannot be opened", path.display()))?;
        loop {
            match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(Errno::ACCESS | Errno::AGAIN) if begun.elapsed() < PATIENCE => thread::sleep(LOOK),
                Err(Errno::ACCESS | Errno::AGAIN) => {
                    bail!("packages are being changed ({} is locked); try again when that has ended", path.display())
                }
                Err(error) => return Err(error).with_context(|| format!("{} cannot be locked", path.display())),
            }
        }
        files.push(file);
    }
    Ok(Locked { _files: files })
}
