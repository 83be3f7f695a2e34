//! What a guard can be made of here. Trying it out takes longer than everything else a start needs, so the answer is kept
//! until the next boot, or until something that it depends on is different.

mod cache;
mod limits;

use std::path::Path;

use nix::unistd::geteuid;

use self::limits::Limits;
use crate::environment::Environment;

/// One thing that a guard needs: it is there, or why it is not and what to do, in one line.
pub(crate) type Ability = Result<(), String>;

/// What this machine allows to this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// System calls can be put before the helper (seccomp_unotify(2)).
    pub(crate) notifications: Ability,
    /// A cage can be made: user and network namespaces, and what is needed in them.
    pub(crate) cage: Ability,
}

/// Tries it out, or knows it from an earlier call.
pub(crate) fn find(environment: &Environment) -> Abilities {
    let owner = geteuid();
    let limits = Limits::read(Path::new("/"), owner.is_root());
    // In somebody's sandbox other things are possible than outside, and nothing tells one sandbox from another.
    let key = if uwt_guard::probe::is_filtered() { None } else { cache::key(&limits) };
    let kept = key.as_deref().and_then(|key| cache::read(environment, owner.as_raw(), key));
    kept.unwrap_or_else(|| {
        let abilities = try_out(&limits);
        if let Some(key) = key {
            cache::write(environment, owner.as_raw(), &key, &abilities);
        }
        abilities
    })
}

fn try_out(limits: &Limits) -> Abilities {
    let notifications = uwt_guard::probe::notifications().map_err(|error| error.to_string());
    // A setting that forbids it says more than the system call's error.
    let cage = match limits.obstacle() {
        Some(obstacle) => Err(obstacle),
        None => uwt_helper::probe(),
    };
    Abilities { notifications, cage }
}
