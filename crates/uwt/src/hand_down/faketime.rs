//! libfaketime (its README) in a program's environment.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use super::environment::LD_PRELOAD;
use super::preloads;
use crate::environment::Environment;

/// Names the library that we put into `LD_PRELOAD`, so that it can be told from one that somebody else put there.
const MARK: &str = "UWT_FAKETIME";

/// Whether the environment has a clock that we gave to a program outside.
pub(crate) fn is_inherited(environment: &Environment) -> bool {
    environment.get_filled(MARK).is_some()
}

/// Puts the clock ahead. Whatever another libfaketime was told is gone: there can only be one.
pub(crate) fn set(environment: &Environment, library: &str, ahead: Duration) -> Environment {
    let mut result = environment.clone();
    result.remove_all(is_variable);
    let list = environment.get(LD_PRELOAD).and_then(|list| preloads::without_named(list, is_library));
    let list = preloads::with(list.as_deref().map(OsStr::from_bytes), library, &[]);
    result.set(LD_PRELOAD, &list);
    // The fraction counts: seconds that begin at the same instants would join two commands. libfaketime reads it before a
    // program can choose a language with another sign for the decimal point.
    result.set("FAKETIME", format!("+{}.{:06}", ahead.as_secs(), ahead.subsec_micros()).as_bytes());
    // Timeouts hold: nothing but the time of day is another one.
    result.set("FAKETIME_DONT_FAKE_MONOTONIC", b"1");
    // What 0.9.10 believes glibc needs makes pthread_cond_timedwait(3) on the monotonic clock return at once.
    result.set("FAKETIME_FORCE_MONOTONIC_FIX", b"0");
    // Times of files are kept, compared and sent on (`If-Modified-Since`): they must be the same in every call.
    result.set("NO_FAKE_STAT", b"1");
    result.set(MARK, library.as_bytes());
    result
}

/// The same environment without what [`set`] left to the children of a program.
pub(crate) fn without(environment: &Environment) -> Environment {
    let mut result = environment.clone();
    if let Some(library) = environment.get_filled(MARK) {
        let ours = |path: &Path| path.as_os_str() == library;
        match environment.get(LD_PRELOAD).map(|list| preloads::without_named(list, ours)) {
            Some(Some(rest)) => result.set(LD_PRELOAD, &rest),
            Some(None) => result.remove(LD_PRELOAD),
            None => {}
        }
        result.remove_all(is_variable);
    }
    result
}

/// Libfaketime's variables begin like this, but for a few old ones.
fn is_variable(name: &[u8]) -> bool {
    name.starts_with(b"FAKETIME")
        || name.starts_with(b"FAKERANDOM")
        || matches!(name, b"NO_FAKE_STAT" | b"FAKE_UTIME" | b"DONT_FAKE_MONOTONIC")
        || name == MARK.as_bytes()
}

fn is_library(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_bytes().starts_with(b"libfaketime"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::tests::environment;
    use crate::hand_down::environment::wrapped;

    const LIBRARY: &str = "/f/libfaketime.so.1";

    #[test]
    fn there_is_one_clock() {
        let before = environment(&[
            "A=1",
            "LD_PRELOAD=a.so:/x/libfaketimeMT.so.1 /f/libfaketime.so.1",
            "FAKETIME=-1d",
            "FAKETIME_SKIP_CMDS=git",
            "FAKERANDOM_SEED=0x1",
            "DONT_FAKE_MONOTONIC=0",
            "FAKE_UTIME=1",
            "FAKE=stays",
        ]);
        let once = set(&before, LIBRARY, Duration::from_micros(3_599_000_045));
        let expected = environment(&[
            "A=1",
            "LD_PRELOAD=/f/libfaketime.so.1:a.so",
            "FAKE=stays",
            "FAKETIME=+3599.000045",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
            "FAKETIME_FORCE_MONOTONIC_FIX=0",
            "NO_FAKE_STAT=1",
            "UWT_FAKETIME=/f/libfaketime.so.1",
        ]);
        assert_eq!(once, expected);
        assert!(is_inherited(&once) && !is_inherited(&before));
        let again = set(&once, "/g/libfaketime.so.1", Duration::ZERO);
        assert_eq!(again.get("LD_PRELOAD"), Some(OsStr::new("/g/libfaketime.so.1:a.so")));
        assert_eq!(again.get("FAKETIME"), Some(OsStr::new("+0.000000")));
        let wrapped = wrapped(&once, 1, "/l/libuwt_preload.so", None, "version=1 …");
        assert_eq!(wrapped.get("LD_PRELOAD"), Some(OsStr::new("/l/libuwt_preload.so:/f/libfaketime.so.1:a.so")));
    }

    #[test]
    fn only_our_clock_is_taken_away() {
        for before in [
            environment(&["A=1", "LD_PRELOAD=a.so"]),
            environment(&["LD_PRELOAD=/f/libfaketime.so.1", "FAKETIME=-1d"]),
            environment(&[]),
        ] {
            assert_eq!(without(&before), before);
        }
        let bare = environment(&["A=1"]);
        assert_eq!(without(&set(&bare, LIBRARY, Duration::ZERO)), bare);
        let other = environment(&["LD_PRELOAD=a.so"]);
        assert_eq!(without(&set(&other, LIBRARY, Duration::ZERO)), other);
        let scrubbed = environment(&["UWT_FAKETIME=/f/libfaketime.so.1", "FAKETIME=+5.0"]);
        assert_eq!(without(&scrubbed), Environment::default());
    }
}
