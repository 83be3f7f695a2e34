//! The files of the clocks, one for each program.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use uwt_session::Secret;

use super::steps::Clock;
use crate::message::{self, Failure};
use crate::runtime::file;
use crate::sys;

/// As many programs have a clock; then the one that was used longest ago loses its own.
const MOST: usize = 500;

/// Advances the clock of `program` in `folder`, and says how far it is ahead. Calls at the same time come one after the
/// other.
///
/// # Errors
/// Its file is not one that only `owner` can have written and read, or cannot be written.
pub(super) fn advance(folder: &Path, owner: u32, program: &Path) -> Result<Duration, Failure> {
    let failed = |error: io::Error| Failure::ours(format!("{}: {error}; make it writable", folder.display()));
    let name = name(program);
    let path = folder.join(&name);
    let lock = file::lock(folder).map_err(failed)?;
    let text = file::read(&path, owner)?;
    // Not before: an earlier call may have held the lock, and its clock is behind ours then.
    let now = now()?;
    let random = random()?;
    let (before, fault) = match text.as_deref().map(Clock::parse) {
        None => (None, None),
        Some(None) => (None, Some("is malformed")),
        Some(Some(clock)) => match clock.next(now, random[0]) {
            None => (None, Some("the real clock was set back by more than the hour that there is")),
            next => (next, None),
        },
    };
    if let Some(fault) = fault {
        let (path, program) = (path.display(), program.display());
        message::print(format_args!("{path}: {fault}; the time that {program} sees begins anew"));
    }
    if text.is_none() {
        make_room(folder).map_err(failed)?;
    }
    let clock = before.unwrap_or_else(|| Clock::first(now, random));
    file::replace(folder, &name, &clock.to_string()).map_err(failed)?;
    drop(lock);
    Ok(clock.ahead())
}

/// A file's name for any path, and no other path's: a hash of it (BLAKE2s, RFC 7693), whose key is no secret.
fn name(program: &Path) -> String {
    let hash = Secret::new([0; Secret::LEN]).hash(&[b"clock", program.as_os_str().as_bytes()]);
    let mut name = String::with_capacity(2 * hash.len());
    for byte in hash {
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// In microseconds since 1970.
fn now() -> Result<u64, Failure> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    let micros = since.and_then(|since| u64::try_from(since.as_micros()).ok());
    micros.ok_or_else(|| Failure::ours("the clock of this machine is far from the present; set it (date(1))"))
}

fn random() -> Result<[u64; 2], Failure> {
    let bytes = sys::random().map_err(|error| Failure::ours(format!("no random bytes from the kernel: {error}")))?;
    let word = |from| bytes.iter().skip(from).take(8).fold(0, |word, byte| word << 8 | u64::from(*byte));
    Ok([word(0), word(8)])
}

/// Leaves at least one place.
fn make_room(folder: &Path) -> io::Result<()> {
    let mut files: Vec<OsString> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
    if files.len() < MOST {
        return Ok(());
    }
    files.sort_by_cached_key(|name| fs::symlink_metadata(folder.join(name)).and_then(|status| status.modified()).ok());
    for name in &files[..=files.len() - MOST] {
        fs::remove_file(folder.join(name))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{File, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use nix::unistd::geteuid;

    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("folder")
    }

    fn advanced(folder: &tempfile::TempDir, program: &str) -> Result<Duration, Failure> {
        advance(folder.path(), geteuid().as_raw(), Path::new(program))
    }

    fn path(folder: &tempfile::TempDir, program: &str) -> PathBuf {
        folder.path().join(name(Path::new(program)))
    }

    #[test]
    fn programs_have_clocks_of_their_own() {
        let folder = folder();
        let [git, ssh] = ["/usr/bin/git", "/usr/bin/ssh"].map(|program| advanced(&folder, program).expect("advances"));
        assert_ne!(git, ssh);
        assert!(advanced(&folder, "/usr/bin/git").expect("advances") >= git);
        assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 2);
        assert_eq!(fs::metadata(path(&folder, "/usr/bin/git")).expect("there").permissions().mode() & 0o7777, 0o600);
        let name = name(Path::new("/a b/\n\u{1b}'$x"));
        assert!(name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
    }

    #[test]
    fn racing_calls_go_forward() {
        let folder = folder();
        let aheads: Vec<Vec<Duration>> = std::thread::scope(|scope| {
            let racing = || (0..20).map(|_| advanced(&folder, "/bin/date").expect("advances")).collect();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(racing)).collect();
            threads.into_iter().map(|thread| thread.join().expect("ends")).collect()
        });
        for calls in &aheads {
            assert!(calls.is_sorted(), "{calls:?}");
        }
        let latest = aheads.iter().flatten().max().copied().expect("some");
        assert!(advanced(&folder, "/bin/date").expect("advances") >= latest, "nobody's call was lost");
    }

    #[test]
    fn what_cannot_be_understood_is_made_anew() {
        let folder = folder();
        let file = path(&folder, "/bin/date");
        advanced(&folder, "/bin/date").expect("advances");
        for garbage in ["", "garbage", "9999999999999999 0 0\n"] {
            fs::write(&file, garbage).expect("written");
            advanced(&folder, "/bin/date").expect("made anew");
            assert_ne!(fs::read_to_string(&file).expect("there"), garbage);
        }
    }

    #[test]
    fn what_others_could_have_written_is_refused() {
        let folder = folder();
        advanced(&folder, "/bin/date").expect("advances");
        let file = path(&folder, "/bin/date");
        fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("set");
        let failure = advanced(&folder, "/bin/date").expect_err("open to others");
        assert_eq!(failure.status, Failure::OURS);
        assert!(failure.message.contains("is open to others"), "{}", failure.message);
        let failure = advance(folder.path(), geteuid().as_raw() + 1, Path::new("/bin/date")).expect_err("not ours");
        assert!(failure.message.contains("belongs to somebody else"), "{}", failure.message);
    }

    #[test]
    fn the_folder_does_not_grow_without_end() {
        let folder = folder();
        for program in 0..MOST {
            let file = File::create(folder.path().join(format!("{program}"))).expect("made");
            let age = Duration::from_secs(u64::try_from(MOST - program).expect("small"));
            file.set_modified(SystemTime::now() - age).expect("set");
        }
        advanced(&folder, "/bin/date").expect("advances");
        assert_eq!(fs::read_dir(folder.path()).expect("there").count(), MOST);
        assert!(!folder.path().join("0").exists() && folder.path().join("1").exists(), "the oldest one went");
        advanced(&folder, "/bin/date").expect("advances");
        assert!(folder.path().join("1").exists(), "it has its place already");
    }
}
