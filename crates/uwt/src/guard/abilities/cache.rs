//! The file that keeps what was tried out: what it depends on, then one line for each ability. Whatever is wrong with it,
//! it is tried out again. It decides nothing that matters alone: where it promises a cage that cannot be made, the calls
//! that need one are refused.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use super::limits::Limits;
use super::{Abilities, Ability};
use crate::environment::Environment;
use crate::runtime::{self, file};
use crate::sys;

const NAME: &str = "guard";
const THERE: &str = "yes";

/// What the answer depends on; `None` where that cannot be told. The file itself is the user's own.
pub(super) fn key(limits: &Limits) -> Option<String> {
    let boot = runtime::boot().ok()?;
    let capabilities = sys::effective_capabilities().ok()?;
    let namespace = fs::metadata("/proc/self/ns/user").ok()?.ino();
    // Within chroot(2) there are no user namespaces.
    let root = fs::metadata("/").ok()?;
    // Another version tries out other things.
    let own = fs::metadata("/proc/self/exe").ok()?;
    let (root, own) = [&root, &own].map(|file| (file.dev(), file.ino(), file.ctime())).into();
    Some(format!("{boot} {capabilities:x} {namespace} {root:?} {own:?} {limits:?}"))
}

/// What an earlier call found out.
pub(super) fn read(environment: &Environment, owner: u32, key: &str) -> Option<Abilities> {
    let folder = runtime::folder(environment, owner).ok()?;
    parse(&file::read(&folder.join(NAME), owner).ok()??, key)
}

/// Keeps it for later ones. Where that fails they try it out again.
pub(super) fn write(environment: &Environment, owner: u32, key: &str, abilities: &Abilities) {
    let Ok(folder) = runtime::folder(environment, owner) else { return };
    let Ok(lock) = file::lock(&folder) else { return };
    if let Err(error) = file::replace(&folder, NAME, &text(key, abilities)) {
        tracing::warn!("{}: {error}; the guard's probe is repeated by every call", folder.display());
    }
    drop(lock);
}

fn text(key: &str, abilities: &Abilities) -> String {
    let line = |ability: &Ability| match ability {
        Ok(()) => THERE.to_owned(),
        Err(reason) => reason.replace('\n', " "),
    };
    format!("{key}\n{}\n{}\n", line(&abilities.notifications), line(&abilities.cage))
}

fn parse(text: &str, key: &str) -> Option<Abilities> {
    let mut lines = text.strip_suffix('\n')?.split('\n');
    if lines.next()? != key {
        return None;
    }
    let mut ability = || {
        let line = lines.next()?;
        Some(if line == THERE { Ok(()) } else { Err(line.to_owned()) })
    };
    let abilities = Abilities { notifications: ability()?, cage: ability()? };
    lines.next().is_none().then_some(abilities)
}

#[cfg(test)]
mod tests {
    use nix::unistd::geteuid;

    use super::*;
    use crate::environment::tests::environment;

    fn abilities() -> Abilities {
        Abilities { notifications: Ok(()), cage: Err("forbidden (by a test)".to_owned()) }
    }

    #[test]
    fn what_is_kept_is_found_again() {
        let runtime = tempfile::tempdir().expect("folder");
        let environment = environment(&[&format!("XDG_RUNTIME_DIR={}", runtime.path().display())]);
        let own = geteuid().as_raw();
        let key = key(&Limits::default()).expect("there is /proc");
        assert_eq!(read(&environment, own, &key), None);
        for abilities in [abilities(), Abilities { notifications: Err("none".to_owned()), cage: Ok(()) }] {
            write(&environment, own, &key, &abilities);
            assert_eq!(read(&environment, own, &key), Some(abilities));
        }
        assert_eq!(read(&environment, own, &format!("{key} more")), None, "something else holds now");
    }

    #[test]
    fn anything_else_is_tried_out_again() {
        let good = text("key", &abilities());
        assert_eq!(parse(&good, "key"), Some(abilities()));
        for bad in ["", "key", "key\n", "key\nyes\n", "key\nyes\nyes", "key\nyes\nyes\nyes\n", "other\nyes\nyes\n"] {
            assert_eq!(parse(bad, "key"), None, "{bad:?}");
        }
        let long = Abilities { cage: Err("two\nlines".to_owned()), ..abilities() };
        assert_eq!(parse(&text("key", &long), "key").map(|read| read.cage), Some(Err("two lines".to_owned())));
    }
}
