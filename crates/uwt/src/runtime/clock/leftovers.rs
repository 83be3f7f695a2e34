//! What libfaketime leaves in shm_overview(7)'s folder: each tree of processes has a semaphore and a page there, named after
//! the process that made them, which removes them if it ends by itself and not if it is killed or executes another program.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Where the C library keeps both.
pub(super) const FOLDER: &str = "/dev/shm";
/// What their names begin with, before the process's number.
const NAMES: [&str; 2] = ["faketime_shm_", "sem.faketime_sem_"];

/// Removes those of `owner`'s processes that are gone. What is left of their trees has both already, or makes its own.
pub(super) fn sweep(folder: &Path, owner: u32) {
    // Nothing depends on it, and another call may be at it as well: so whatever fails is left to the next one.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| NAMES.iter().find_map(|begin| name.strip_prefix(begin)));
        let Some(process) = number.and_then(|number| number.parse::<u32>().ok()) else { continue };
        let is_gone = || fs::symlink_metadata(format!("/proc/{process}")).is_err();
        let is_own = || entry.metadata().is_ok_and(|status| status.is_file() && status.uid() == owner);
        if is_own() && is_gone() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, id};

    use nix::unistd::geteuid;

    use super::*;

    #[test]
    fn only_what_belongs_to_ended_processes_of_ours() {
        let mut child = Command::new("/bin/true").spawn().expect("starts");
        let ended = child.id();
        child.wait().expect("ends");
        let folder = tempfile::tempdir().expect("folder");
        let gone = [format!("faketime_shm_{ended}"), format!("sem.faketime_sem_{ended}")];
        let kept = [
            format!("faketime_shm_{}", id()),
            format!("sem.faketime_sem_{}", id()),
            format!("faketime_shm_{ended}x"),
            format!("sem.other_{ended}"),
            "faketime_shm_".to_owned(),
        ];
        let names = || {
            let entries = fs::read_dir(folder.path()).expect("there");
            let mut names: Vec<_> = entries.map(|entry| entry.expect("readable").file_name()).collect();
            names.sort();
            names
        };
        for name in kept.iter().chain(&gone) {
            fs::write(folder.path().join(name), "").expect("written");
        }
        let all = names();
        let own = geteuid().as_raw();
        sweep(folder.path(), own + 1);
        assert_eq!(names(), all, "somebody else's");
        sweep(folder.path(), own);
        let mut kept = kept.map(std::ffi::OsString::from);
        kept.sort();
        assert_eq!(names(), kept);
        sweep(Path::new("/nonexistent"), own);
    }
}
