//! Where secrets come from: drawn for one session, or the user's own, which lasts until the next boot.

mod file;

use nix::unistd::geteuid;
use uwt_session::Secret;

use crate::environment::Environment;
use crate::message::Failure;
use crate::{runtime, sys};

/// A new secret.
///
/// # Errors
/// The kernel gives no random bytes.
pub(crate) fn new() -> Result<Secret, Failure> {
    sys::random().map(Secret::new).map_err(|error| Failure::ours(format!("no random bytes from the kernel: {error}")))
}

/// The user's own secret of this boot: the same in every call, made by the first one that needs it.
///
/// # Errors
/// The folder or the file cannot be made, or others could know or have chosen what is in it.
pub(crate) fn of_user(environment: &Environment) -> Result<Secret, Failure> {
    let boot = runtime::boot().map_err(|error| {
        Failure::ours(format!("{}: {error}; scopes command and identity need it", runtime::BOOT_ID))
    })?;
    let owner = geteuid().as_raw();
    file::shared(&runtime::folder(environment, owner)?, owner, &boot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::tests::environment;

    #[test]
    fn the_user_s_own_stays() {
        let runtime = tempfile::tempdir().expect("folder");
        let environment = environment(&[&format!("XDG_RUNTIME_DIR={}", runtime.path().display())]);
        assert_eq!(of_user(&environment), of_user(&environment));
        assert_ne!(new(), new());
    }
}
