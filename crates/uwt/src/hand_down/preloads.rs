//! Edits of `LD_PRELOAD`, whose entries are separated by colons or white space (ld.so(8)).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::library::FILE_NAME;

/// The entries of `list`.
fn entries(list: &OsStr) -> impl Iterator<Item = &[u8]> {
    list.as_bytes().split(|byte| matches!(byte, b':' | b' ' | b'\t' | b'\n')).filter(|entry| !entry.is_empty())
}

/// The entries of `list` that are not ours, which are those named as our library, wherever it is.
fn others<'a>(list: &'a OsStr, ours: &'a [&str]) -> impl Iterator<Item = &'a [u8]> {
    entries(list).filter(move |entry| {
        let named = Path::new(OsStr::from_bytes(entry)).file_name() == Some(OsStr::new(FILE_NAME));
        !named && !ours.iter().any(|path| path.as_bytes() == *entry)
    })
}

/// `library` first, then what was there.
pub(crate) fn with(list: Option<&OsStr>, library: &str, ours: &[&str]) -> Vec<u8> {
    let mut entries = vec![library.as_bytes()];
    let ours: Vec<&str> = ours.iter().copied().chain([library]).collect();
    entries.extend(others(list.unwrap_or_default(), &ours));
    entries.join(&b':')
}

/// What was there without ours; `None` if nothing is left.
pub(crate) fn without(list: &OsStr, ours: &[&str]) -> Option<Vec<u8>> {
    let rest: Vec<&[u8]> = others(list, ours).collect();
    (!rest.is_empty()).then(|| rest.join(&b':'))
}

/// What was there without those that `unwanted` picks; `None` if nothing is left.
pub(crate) fn without_named(list: &OsStr, unwanted: impl Fn(&Path) -> bool) -> Option<Vec<u8>> {
    let rest: Vec<&[u8]> = entries(list).filter(|entry| !unwanted(Path::new(OsStr::from_bytes(entry)))).collect();
    (!rest.is_empty()).then(|| rest.join(&b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_comes_first_and_once() {
        let ours = "/lib/uwt/libuwt_preload.so";
        for (before, after) in [
            ("", "/lib/uwt/libuwt_preload.so"),
            ("/lib/uwt/libuwt_preload.so", "/lib/uwt/libuwt_preload.so"),
            ("libeatmydata.so", "/lib/uwt/libuwt_preload.so:libeatmydata.so"),
            ("a.so b.so:/lib/uwt/libuwt_preload.so", "/lib/uwt/libuwt_preload.so:a.so:b.so"),
            (":/old/libuwt_preload.so: a.so", "/lib/uwt/libuwt_preload.so:a.so"),
        ] {
            assert_eq!(with(Some(OsStr::new(before)), ours, &[]), after.as_bytes(), "{before:?}");
        }
        assert_eq!(with(None, ours, &[]), ours.as_bytes());
        assert_eq!(with(Some(OsStr::new("/x/dev.so")), "/y/dev.so", &["/x/dev.so"]), b"/y/dev.so");
    }

    #[test]
    fn only_ours_is_taken_out() {
        for (before, after) in [
            ("", None),
            ("/lib/uwt/libuwt_preload.so", None),
            ("/lib/uwt/libuwt_preload.so:a.so", Some("a.so")),
            ("a.so /dev/uwt.so b.so", Some("a.so:b.so")),
        ] {
            let rest = without(OsStr::new(before), &["/dev/uwt.so"]);
            assert_eq!(rest.as_deref(), after.map(str::as_bytes), "{before:?}");
        }
    }
}
