//! The files that belong to the repository.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::output;

/// What git tracks or would add, relative to the root and sorted: what lies around ignored is nobody's business.
pub(crate) fn files(root: &Path) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let listing = String::from_utf8(output(&mut git)?).context("git names a file that is not UTF-8")?;
    let mut files: Vec<String> = listing.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    files.sort();
    files.dedup();
    // A file deleted but not yet committed is still in the index.
    files.retain(|path| root.join(path).symlink_metadata().is_ok());
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn ignored_and_deleted_files_do_not_count() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path();
        let git = |arguments: &[&str]| {
            let mut git = Command::new("git");
            output(git.current_dir(root).args(arguments)).expect("git works");
        };
        git(&["init", "-q"]);
        for (path, text) in [(".gitignore", "/target\n"), ("tracked", ""), ("gone", ""), ("new", ""), ("target", "")] {
            fs::write(root.join(path), text).expect("written");
        }
        git(&["add", ".gitignore", "tracked", "gone"]);
        fs::remove_file(root.join("gone")).expect("removed");
        assert_eq!(files(root).expect("listed"), [".gitignore", "new", "tracked"]);
    }
}
