//! The settings of the kernel that allow or forbid namespaces.

use std::path::Path;

use crate::runtime::file;

/// The settings, as they are in /proc/sys (namespaces(7), user_namespaces(7)); `None` where the kernel has no such thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    max_user_namespaces: Option<u64>,
    max_net_namespaces: Option<u64>,
    /// Debian's: whether users may have them at all.
    unprivileged_userns_clone: Option<u64>,
    /// Ubuntu's: whether only programs with a profile may.
    apparmor_restrict_unprivileged_userns: Option<u64>,
    /// The profile that we run under, read only where it matters.
    profile: Option<String>,
}

/// What a process without a profile has instead of its name.
const UNCONFINED: &str = "unconfined";

impl Limits {
    /// Reads them below `root`, which is `/` on a real machine; for root's own cage just the one that concerns it.
    pub(crate) fn read(root: &Path, is_root: bool) -> Self {
        let text = |path: &str| file::read_small(&root.join(path)).ok();
        let number = |path: &str| text(path)?.trim_end().parse().ok();
        let max_net_namespaces = number("proc/sys/user/max_net_namespaces");
        // It needs no namespace of users.
        if is_root {
            return Self { max_net_namespaces, ..Self::default() };
        }
        let restricted = number("proc/sys/kernel/apparmor_restrict_unprivileged_userns");
        let profile = || {
            let label = text("proc/self/attr/apparmor/current").or_else(|| text("proc/self/attr/current"))?;
            Some(label.trim_end_matches(['\n', '\0']).to_owned())
        };
        Self {
            max_user_namespaces: number("proc/sys/user/max_user_namespaces"),
            max_net_namespaces,
            unprivileged_userns_clone: number("proc/sys/kernel/unprivileged_userns_clone"),
            apparmor_restrict_unprivileged_userns: restricted,
            profile: restricted.filter(|value| *value != 0).and_then(|_| profile()),
        }
    }

    /// Why there can be no cage, and what to do; `None` if these settings do not stand in its way.
    pub(crate) fn obstacle(&self) -> Option<String> {
        let zero = |name: &str, most: &str| format!("{name} is 0 (`sysctl -w {name}={most}` allows it)");
        if self.max_net_namespaces == Some(0) {
            return Some(zero("user.max_net_namespaces", "10000"));
        }
        if self.max_user_namespaces == Some(0) {
            return Some(zero("user.max_user_namespaces", "10000"));
        }
        if self.unprivileged_userns_clone == Some(0) {
            return Some(zero("kernel.unprivileged_userns_clone", "1"));
        }
        let restricted = self.apparmor_restrict_unprivileged_userns.is_some_and(|value| value != 0);
        (restricted && self.profile.as_deref() == Some(UNCONFINED)).then(|| {
            "AppArmor forbids user namespaces to programs without a profile \
             (/usr/share/doc/uwt/examples/apparmor.d/uwt is uwt's, and says how to load it)"
                .to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn machine(files: &[(&str, &str)], is_root: bool) -> Limits {
        let root = tempfile::tempdir().expect("folder");
        for (path, content) in files {
            let path = root.path().join("proc").join(path);
            fs::create_dir_all(path.parent().expect("parent")).expect("made");
            fs::write(path, content).expect("written");
        }
        Limits::read(root.path(), is_root)
    }

    #[test]
    fn what_forbids_a_cage() {
        const RESTRICTED: (&str, &str) = ("sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
        let plenty = [("sys/user/max_user_namespaces", "96365\n"), ("sys/user/max_net_namespaces", "96365\n")];
        for (files, to_user, to_root) in [
            (&[][..], None, None),
            (&plenty, None, None),
            (&[("sys/user/max_user_namespaces", "0\n")], Some("user.max_user_namespaces is 0 (`sysctl -w "), None),
            (
                &[("sys/user/max_net_namespaces", "0\n")],
                Some("user.max_net_namespaces is 0"),
                Some("user.max_net_namespaces is 0"),
            ),
            (
                &[("sys/kernel/unprivileged_userns_clone", "0\n")],
                Some("`sysctl -w kernel.unprivileged_userns_clone=1` allows it"),
                None,
            ),
            (&[("sys/kernel/unprivileged_userns_clone", "1\n")], None, None),
            (
                &[RESTRICTED, ("self/attr/current", "unconfined\n")],
                Some("apparmor.d/uwt is uwt's, and says how to load it"),
                None,
            ),
            (&[RESTRICTED, ("self/attr/apparmor/current", "unconfined\n")], Some("AppArmor forbids"), None),
            (&[RESTRICTED, ("self/attr/current", "uwt (unconfined)\n")], None, None),
            (&[RESTRICTED], None, None),
            (
                &[("sys/kernel/apparmor_restrict_unprivileged_userns", "0\n"), ("self/attr/current", "unconfined\n")],
                None,
                None,
            ),
        ] {
            for (is_root, expected) in [(false, to_user), (true, to_root)] {
                let obstacle = machine(files, is_root).obstacle();
                let as_expected = match (&obstacle, expected) {
                    (Some(obstacle), Some(expected)) => obstacle.contains(expected) && obstacle.lines().count() == 1,
                    (None, None) => true,
                    _ => false,
                };
                assert!(as_expected, "{files:?}, root {is_root}: {obstacle:?}");
            }
        }
    }

    #[test]
    fn two_machines_differ() {
        let one = machine(&[("sys/user/max_user_namespaces", "0\n")], false);
        assert_ne!(one, machine(&[("sys/user/max_user_namespaces", "1\n")], false));
        assert_ne!(one, machine(&[], false));
    }
}
