//! A Debian 12 without anything of ours, for the tests of the packages: made once by mmdebstrap and kept in the target
//! directory.
//!
//! `target/debian-12/KEY/root` is the root directory, KEY stands for what it is made of. Tests lay a file system of their
//! own over it and never write to it. It is made anew after some days, for it shall be the Debian 12 that people have.

mod mirror;
mod recipe;

use std::fs::{self, DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, anyhow, bail, ensure};

use crate::interrupt::Interrupt;
use crate::lab::need_root;
use crate::prereq::{self, Group};
use crate::workspace::Workspace;

/// When it is made anew.
const OLD: Duration = Duration::from_hours(7 * 24);
/// A minute is usual, and several on a busy machine; a mirror that gives nothing must not keep the tests for ever.
const WITHIN: Duration = Duration::from_mins(20);
/// How often we look.
const LOOK: Duration = Duration::from_millis(50);
/// Beside `root`: written last, its age is the root's.
const MADE: &str = "made";
/// Beside `root`: held, shared, by those who use it.
const IN_USE: &str = "in-use";

/// `cargo xtask debian`: makes it when it isn't there, and says where it is.
pub(crate) fn run(workspace: &Workspace, interrupt: &Interrupt) -> Result<()> {
    need_root("debian")?;
    prereq::ensure(&[Group::Test])?;
    let root = Preparing::start(workspace).finish(interrupt)?;
    println!("export UWT_DEBIAN_ROOT={}", root.path.display());
    Ok(())
}

/// The root, which nobody removes as long as this lives.
#[derive(Debug)]
pub(crate) struct Root {
    /// For `UWT_DEBIAN_ROOT`.
    pub(crate) path: PathBuf,
    _in_use: File,
}

/// The root in the making, beside what is compiled meanwhile: it mostly waits for the mirror. Dropping it gives up.
#[derive(Debug)]
pub(crate) struct Preparing {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<Root>>>,
}

impl Preparing {
    /// Begins. When the root is there already, that is all.
    pub(crate) fn start(workspace: &Workspace) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (place, seen) = (workspace.target.join("debian-12"), Arc::clone(&stop));
        let thread = thread::spawn(move || prepare(&place, &seen));
        Self { stop, thread: Some(thread) }
    }

    /// Waits for it.
    pub(crate) fn finish(mut self, interrupt: &Interrupt) -> Result<Root> {
        let thread = self.thread.take().context("it was waited for already")?;
        while !thread.is_finished() {
            if let Err(error) = interrupt.check() {
                self.stop.store(true, Ordering::Relaxed);
                // It ends at once, with an error that says no more.
                let _ = thread.join();
                return Err(error);
            }
            thread::sleep(LOOK);
        }
        thread.join().unwrap_or_else(|_| bail!("making Debian 12 panicked"))
    }
}

impl Drop for Preparing {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // An earlier step has failed; that is what shall be read.
            let _ = thread.join();
        }
    }
}

/// The root that is there, or a new one. Two at once: the second waits for the first and uses what it made.
fn prepare(place: &Path, stop: &AtomicBool) -> Result<Root> {
    // Its set-user-ID programs are of no use to the users of this machine.
    DirBuilder::new().recursive(true).mode(0o700).create(place).with_context(|| format!("{}", place.display()))?;
    let builder = File::create(place.join("lock")).context("lock the Debian root")?;
    loop {
        match builder.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) => thread::sleep(LOOK),
            Err(TryLockError::Error(error)) => return Err(error).context("lock the Debian root"),
        }
        ensure!(!stop.load(Ordering::Relaxed), "given up");
    }
    let kept = place.join(recipe::key());
    if age(&kept).is_none_or(|age| age > OLD) {
        match make(place, stop) {
            Ok(made) => replace(&kept, &made)?,
            Err(error) if age(&kept).is_some() => eprintln!("xtask: the Debian root is old but stays: {error:#}"),
            Err(error) => return Err(error),
        }
        remove_unused(place, &kept)?;
    }
    let in_use = File::create(kept.join(IN_USE))?;
    in_use.lock_shared()?;
    Ok(Root { path: kept.join("root"), _in_use: in_use })
}

/// The age of a finished root.
fn age(directory: &Path) -> Option<Duration> {
    let made = fs::metadata(directory.join(MADE)).and_then(|made| made.modified()).ok()?;
    // A clock that was set back: it is new.
    Some(SystemTime::now().duration_since(made).unwrap_or_default())
}

/// Makes a root in a directory of its own, and gives that.
fn make(place: &Path, stop: &AtomicBool) -> Result<PathBuf> {
    let directory = place.join(format!("new-{}", std::process::id()));
    fs::create_dir(&directory).with_context(|| format!("{}", directory.display()))?;
    let log = place.join("log");
    let output = File::create(&log).with_context(|| format!("{}", log.display()))?;
    let mut command = recipe::command(&directory.join("root"), &mirror::find()?);
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    // ^C is for us: dropping the child ends it.
    command.process_group(0);
    let status = Killed::spawn(&mut command)?.wait(stop)?;
    if !status.success() {
        let text = fs::read_to_string(&log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        bail!(
            "mmdebstrap: {status}; {} ends with:\n{}",
            log.display(),
            lines[lines.len().saturating_sub(15)..].join("\n")
        );
    }
    File::create(directory.join(MADE))?;
    Ok(directory)
}

/// Puts the new root in the old one's place.
fn replace(kept: &Path, made: &Path) -> Result<()> {
    if kept.exists() {
        let old = kept.with_extension(format!("old-{}", std::process::id()));
        fs::rename(kept, &old).with_context(|| format!("{}", kept.display()))?;
    }
    fs::rename(made, kept).with_context(|| format!("{}", kept.display()))
}

/// Removes the other roots, and what was left half made, unless a test still uses them.
fn remove_unused(place: &Path, kept: &Path) -> Result<()> {
    for entry in fs::read_dir(place)? {
        let path = entry?.path();
        if path == kept || !path.is_dir() {
            continue;
        }
        if File::create(path.join(IN_USE))?.try_lock().is_ok() {
            fs::remove_dir_all(&path).with_context(|| format!("{}", path.display()))?;
        }
    }
    Ok(())
}

/// A child that is killed when it is not waited for to its end.
#[derive(Debug)]
struct Killed(Child);

impl Killed {
    fn spawn(command: &mut Command) -> Result<Self> {
        command.spawn().map(Self).with_context(|| anyhow!("cannot start {}", command.get_program().display()))
    }

    fn wait(mut self, stop: &AtomicBool) -> Result<ExitStatus> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            ensure!(!stop.load(Ordering::Relaxed), "given up");
            ensure!(start.elapsed() < WITHIN, "Debian 12 was not there within {} s", WITHIN.as_secs());
            thread::sleep(LOOK);
        }
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        // Nothing to do when it has ended, and nothing that could be done when this fails.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(place: &Path, name: &str) -> PathBuf {
        let directory = place.join(name);
        fs::create_dir_all(directory.join("root")).expect("made");
        File::create(directory.join(MADE)).expect("made");
        directory
    }

    #[test]
    fn a_root_that_is_there_is_used() {
        let place = tempfile::tempdir().expect("a directory");
        let kept = finished(place.path(), &recipe::key());
        let root = prepare(place.path(), &AtomicBool::new(false)).expect("there");
        assert_eq!(root.path, kept.join("root"));
        let other = File::create(kept.join(IN_USE)).expect("there");
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)), "it is in use");
        drop(root);
        other.try_lock().expect("it is not in use");
    }

    #[test]
    fn others_go_unless_they_are_in_use() {
        let place = tempfile::tempdir().expect("a directory");
        let kept = finished(place.path(), "kept");
        let (used, unused) = (finished(place.path(), "used"), finished(place.path(), "unused"));
        fs::create_dir(place.path().join("new-1")).expect("made");
        let held = File::create(used.join(IN_USE)).expect("made");
        held.lock_shared().expect("held");
        remove_unused(place.path(), &kept).expect("removed");
        assert!(kept.exists() && used.exists() && !unused.exists() && !place.path().join("new-1").exists());
    }

    #[test]
    fn a_new_root_takes_the_place_of_the_old_one() {
        let place = tempfile::tempdir().expect("a directory");
        let (kept, made) = (finished(place.path(), "kept"), finished(place.path(), "new-1"));
        fs::write(made.join("root/new"), "").expect("written");
        replace(&kept, &made).expect("replaced");
        assert!(kept.join("root/new").exists() && !made.exists());
    }

    #[test]
    fn only_a_finished_root_has_an_age() {
        let place = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(place.path().join("half/root")).expect("made");
        assert_eq!(age(&place.path().join("half")), None);
        let old = finished(place.path(), "old");
        let made = File::options().write(true).open(old.join(MADE)).expect("there");
        made.set_modified(SystemTime::now() - OLD * 2).expect("set");
        assert!(age(&old).expect("finished") > OLD);
    }

    #[test]
    fn giving_up_ends_the_program() {
        let child = Killed::spawn(Command::new("sleep").arg("1000")).expect("started");
        let pid = child.0.id();
        assert!(child.wait(&AtomicBool::new(true)).is_err());
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "ended and reaped");
    }
}
