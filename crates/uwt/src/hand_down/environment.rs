//! The program's environment.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use uwt_session::VARIABLE;

use super::{faketime, native, preloads};
use crate::call::invocation::is_of_services;
use crate::environment::Environment;
use crate::plan::nesting::COUNTER;

/// The loader's list of libraries (ld.so(8)).
pub(super) const LD_PRELOAD: &str = "LD_PRELOAD";
/// Where programs are looked up (execvp(3)).
const PATH: &str = "PATH";

/// What a wrapped program gets on top of `environment`; `former` is the library of the session we are nested in.
pub(crate) fn wrapped(
    environment: &Environment,
    counter: u32,
    library: &str,
    former: Option<&str>,
    session: &str,
) -> Environment {
    let mut result = environment.clone();
    native::remove_inherited(&mut result);
    result.set(COUNTER, counter.to_string().as_bytes());
    let list = preloads::with(environment.get(LD_PRELOAD), library, former.as_slice());
    result.set(LD_PRELOAD, &list);
    result.set(VARIABLE, session.as_bytes());
    result
}

/// What a program that runs without uwt gets: nothing of ours but the count.
pub(crate) fn bare(environment: &Environment, counter: u32, libraries: &[&str]) -> Environment {
    let mut result = environment.clone();
    native::remove_inherited(&mut result);
    result.set(COUNTER, counter.to_string().as_bytes());
    result.remove(VARIABLE);
    if let Some(list) = environment.get(LD_PRELOAD) {
        match preloads::without(list, libraries) {
            Some(rest) => result.set(LD_PRELOAD, &rest),
            None => result.remove(LD_PRELOAD),
        }
    }
    result
}

/// What a program gets that has nothing to do with uwt any more: not even the count or another clock, nor the way to our
/// links.
pub(crate) fn outside(environment: &Environment, libraries: &[&str]) -> Environment {
    let mut result = bare(&faketime::without(environment), 0, libraries);
    result.remove(COUNTER);
    if let Some(path) = environment.get(PATH) {
        let folders = path.as_bytes().split(|byte| *byte == b':');
        let rest: Vec<&[u8]> = folders.filter(|folder| !is_of_services(Path::new(OsStr::from_bytes(folder)))).collect();
        result.set(PATH, &rest.join(&b':'));
    }
    result
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::environment::tests::environment;

    #[test]
    fn what_is_added_and_what_stays() {
        let before =
            environment(&["PATH=/bin", "LD_PRELOAD=a.so", "odd", "ALL_PROXY=socks5h://uwt-1:0@127.0.0.1:9050"]);
        let after = wrapped(&before, 3, "/l/libuwt_preload.so", None, "version=1 …");
        let expected = environment(&[
            "PATH=/bin",
            "LD_PRELOAD=/l/libuwt_preload.so:a.so",
            "odd",
            "uwtwrapper_counter=3",
            "UWT_SESSION=version=1 …",
        ]);
        assert_eq!(after, expected);
        let nested = wrapped(&after, 4, "/l/libuwt_preload.so", Some("/l/libuwt_preload.so"), "version=2 …");
        assert_eq!(nested.get("LD_PRELOAD"), after.get("LD_PRELOAD"));
        assert_eq!(nested.get("UWT_SESSION"), Some("version=2 …".as_ref()));
        assert_eq!(
            bare(&nested, 5, &[]),
            environment(&["PATH=/bin", "LD_PRELOAD=a.so", "odd", "uwtwrapper_counter=5"])
        );
        let alone = environment(&["LD_PRELOAD=/dev/uwt.so"]);
        assert_eq!(bare(&alone, 1, &["/dev/uwt.so"]), environment(&["uwtwrapper_counter=1"]));
    }

    #[test]
    fn outside_nothing_is_ours() {
        let before = environment(&["PATH=/usr/sbin:/bin", "LD_PRELOAD=a.so", "odd", "E="]);
        let timed = faketime::set(&before, "/f/libfaketime.so.1", Duration::from_secs(5));
        let mut inside = wrapped(&timed, 3, "/l/libuwt_preload.so", None, "version=1 …");
        inside.set("PATH", b"/usr/libexec/uwt/services:/usr/sbin:/x/uwt/services/:/bin");
        assert_eq!(outside(&inside, &[]), before);
        let nothing = environment(&["A=1"]);
        assert_eq!(outside(&nothing, &[]), nothing);
    }
}
