//! The drop-in's file: read, and replaced in one piece while nobody else does.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};

use super::Whom;

/// As long as another uwtctl may take to write a small file, on the slowest disk.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often we look whether it has.
const LOOK: Duration = Duration::from_millis(20);

/// The file, which no other uwtctl writes as long as this lives.
#[derive(Debug)]
pub(super) struct DropIn {
    path: PathBuf,
    whom: Whom,
    /// Its folder, locked; `None` where nothing is to be written.
    _folder: Option<File>,
}

impl DropIn {
    /// Makes the folder, unless nothing is to be written, and waits for whoever is writing there.
    ///
    /// # Errors
    /// It cannot be made, or is not left alone.
    pub(super) fn open(path: &Path, whom: Whom, dry_run: bool) -> anyhow::Result<Self> {
        // Whoever has made it a link wants the file it leads to written.
        let path = if path.is_symlink() {
            path.canonicalize().with_context(|| format!("{} leads nowhere; remove it", path.display()))?
        } else {
            path.to_owned()
        };
        let parent = path.parent().context("no folder")?;
        let folder = if dry_run {
            None
        } else {
            make(parent, whom).map_err(|error| refused(&error, parent, whom))?;
            Some(lock(parent)?)
        };
        Ok(Self { path, whom, _folder: folder })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What it says; nothing if it isn't there.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn text(&self) -> anyhow::Result<String> {
        match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
            text => text.with_context(|| format!("{} cannot be read; nothing was written", self.path.display())),
        }
    }

    /// Puts a new file in its place, which is on the disk then.
    ///
    /// # Errors
    /// Says who can.
    pub(super) fn replace(&self, text: &str) -> anyhow::Result<()> {
        let folder = self.path.parent().context("no folder")?;
        let replaced = || -> io::Result<()> {
            // A name with a dot in front is no configuration file.
            let mut file = tempfile::Builder::new().prefix(".90_uwtctl.").suffix(".new").tempfile_in(folder)?;
            file.write_all(text.as_bytes())?;
            // Whatever the umask says: everybody's commands read it, and run nothing if they cannot.
            file.as_file().set_permissions(Permissions::from_mode(0o644))?;
            file.as_file().sync_all()?;
            file.persist(&self.path)?;
            File::open(folder)?.sync_all()
        };
        replaced().map_err(|error| refused(&error, &self.path, self.whom))
    }
}

fn refused(error: &io::Error, path: &Path, whom: Whom) -> anyhow::Error {
    let denied = matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem);
    let advice = match whom {
        Whom::Everybody if denied => "run it as root, or with --user for yourself alone",
        Whom::Caller if denied => "HOME, or XDG_CONFIG_HOME if that is set, should name a folder of yours",
        _ => "nothing was written",
    };
    anyhow!("{} cannot be written ({error}): {advice}", path.display())
}

/// Makes the folder and those above it. Everybody must be able to read the machine's, whatever the umask is: uwt runs
/// nothing where it cannot.
fn make(folder: &Path, whom: Whom) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        make(parent, whom)?;
    }
    match DirBuilder::new().mode(0o755).create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => return Ok(()),
        made => made?,
    }
    if whom == Whom::Everybody {
        fs::set_permissions(folder, Permissions::from_mode(0o755))?;
    }
    Ok(())
}

fn lock(folder: &Path) -> anyhow::Result<File> {
    let file = File::open(folder).with_context(|| format!("{} cannot be opened", folder.display()))?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => thread::sleep(LOOK),
            Err(TryLockError::WouldBlock) => {
                bail!("{} is locked by another program (flock); try again when it has ended", folder.display())
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{} cannot be locked", folder.display()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("there").permissions().mode() & 0o7777
    }

    #[test]
    fn it_is_replaced_in_one_piece() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("a/b/90_uwtctl.toml");
        let drop_in = DropIn::open(&path, Whom::Everybody, false).expect("opened");
        assert_eq!(drop_in.text().expect("nothing"), "");
        drop_in.replace("port = 9100\n").expect("written");
        assert_eq!(drop_in.text().expect("read"), "port = 9100\n");
        assert_eq!((mode(&path), mode(&root.path().join("a/b")), mode(&root.path().join("a"))), (0o644, 0o755, 0o755));
        let entries = fs::read_dir(root.path().join("a/b")).expect("a folder").count();
        assert_eq!(entries, 1, "nothing is left beside it");
    }

    #[test]
    fn a_link_stays_one() {
        let root = tempfile::tempdir().expect("a folder");
        fs::create_dir(root.path().join("dotfiles")).expect("made");
        let (real, link) = (root.path().join("dotfiles/uwt.toml"), root.path().join("90_uwtctl.toml"));
        symlink(&real, &link).expect("linked");
        let error = DropIn::open(&link, Whom::Caller, false).expect_err("it leads nowhere").to_string();
        assert!(error.ends_with("leads nowhere; remove it"), "{error}");
        fs::write(&real, "").expect("written");
        DropIn::open(&link, Whom::Caller, false).and_then(|file| file.replace("port = 9100\n")).expect("written");
        assert_eq!(fs::read_to_string(&real).expect("read"), "port = 9100\n");
        assert!(link.is_symlink());
    }

    #[test]
    fn two_take_turns() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("90_uwtctl.toml");
        let count = || -> u32 { fs::read_to_string(&path).map_or(0, |text| text.len().try_into().expect("few")) };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let file = DropIn::open(&path, Whom::Everybody, false).expect("opened");
                        let longer = file.text().expect("read") + "#";
                        file.replace(&longer).expect("written");
                    }
                });
            }
        });
        assert_eq!(count(), 20);
    }
}
