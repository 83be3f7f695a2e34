//! The directory of programs that every user of the lab may run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};

use crate::process::run;

/// Copies a file into `dir`, unless the copy there is the same; gives the copy.
///
/// Several tests may do this at once: the copy appears by rename, whole, and is never written to.
pub(super) fn install(from: &Path, dir: &Path) -> Result<PathBuf> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = from.file_name().with_context(|| format!("{} is no file", from.display()))?;
    let to = dir.join(name);
    let wanted = fs::metadata(from).with_context(|| format!("{}", from.display()))?;
    let same = fs::metadata(&to).is_ok_and(|have| {
        have.len() == wanted.len() && matches!((have.modified(), wanted.modified()), (Ok(a), Ok(b)) if a >= b)
    });
    if same {
        return Ok(to);
    }
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let part = dir.join(format!(".{}-{}-{number}", name.display(), std::process::id()));
    // Not by this process: a child forked meanwhile would hold the copy open for writing, and exec says ETXTBSY.
    run(Command::new("install").args(["-m", "0755"]).arg(from).arg(&part))?;
    fs::rename(&part, &to).with_context(|| format!("copy {} to {}", from.display(), dir.display()))?;
    Ok(to)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_newer_file_replaces_the_copy() {
        let (from, to) = (tempfile::tempdir().expect("dir"), tempfile::tempdir().expect("dir"));
        let file = from.path().join("program");
        fs::write(&file, "one").expect("write");
        let copy = install(&file, to.path()).expect("install");
        assert_eq!(fs::metadata(&copy).expect("copy").permissions().mode() & 0o777, 0o755);
        fs::write(&file, "three").expect("write");
        assert_eq!(install(&file, to.path()).expect("install"), copy);
        assert_eq!(fs::read_to_string(copy).expect("read"), "three");
        assert!(install(&from.path().join("none"), to.path()).is_err());
    }
}
