//! Where `uwt` is.

use std::env;
use std::path::{Path, PathBuf};

/// The `uwt` that belongs to this program: the one beside it, else the first in `PATH`.
///
/// # Errors
/// There is none; what to do about it is said.
pub(crate) fn uwt() -> anyhow::Result<PathBuf> {
    let own = env::current_exe().ok();
    let beside = own.as_deref().and_then(Path::parent).map(Path::to_owned);
    let path = env::var_os("PATH").unwrap_or_default();
    found(beside, env::split_paths(&path).filter(|folder| folder.is_absolute()))
        .ok_or_else(|| anyhow::anyhow!("uwt is neither beside uwtctl nor in PATH; install it (package uwt)"))
}

fn found(beside: Option<PathBuf>, path: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    beside.into_iter().chain(path).map(|folder| folder.join("uwt")).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_beside_comes_first() {
        let [beside, other] = [(), ()].map(|()| tempfile::tempdir().unwrap());
        let find = || found(Some(beside.path().to_owned()), std::iter::once(other.path().to_owned()));
        assert_eq!(find(), None);
        std::fs::write(other.path().join("uwt"), "").unwrap();
        assert_eq!(find(), Some(other.path().join("uwt")));
        std::fs::write(beside.path().join("uwt"), "").unwrap();
        assert_eq!(find(), Some(beside.path().join("uwt")));
    }
}
