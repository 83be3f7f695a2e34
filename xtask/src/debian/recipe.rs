//! What the root is made of, and by which program.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::process::Command;

/// The release.
const SUITE: &str = "bookworm";

/// Beside the packages that every Debian has: the commands that uwt wraps, as far as the tests type them, and what they
/// are typed with.
const PACKAGES: &[&str] = &[
    "apt-file",
    "apt-utils",
    "aptitude",
    "ca-certificates",
    "curl",
    "dirmngr",
    "dnf",
    "git",
    "gnupg",
    "libfaketime",
    "netbase",
    "openssh-client",
    "sudo",
    "wget",
];

/// What is done in the finished root, `$1`: an ordinary user, who may become root as people's first user may, but without a
/// password. Nobody is there to answer questions of packages.
const FINISH: &[&str] = &[
    "chroot \"$1\" useradd --create-home --shell /bin/bash --groups sudo user",
    "echo 'user ALL=(ALL:ALL) NOPASSWD: ALL' >\"$1/etc/sudoers.d/user\"",
    "echo 'debconf debconf/frontend select Noninteractive' | chroot \"$1\" debconf-set-selections",
];

/// What tells roots that are made differently apart.
pub(super) fn key() -> String {
    let mut hasher = DefaultHasher::new();
    (SUITE, PACKAGES, FINISH, std::env::consts::ARCH).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The command that makes the root.
///
/// mmdebstrap and not debootstrap: apt unpacks everything in one go and resolves what the packages need, in a third of the
/// time. A process namespace around it ends all its parts with it.
pub(super) fn command(root: &Path, mirror: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "mmdebstrap"]);
    command.args(["--mode=root", "--format=directory", "--variant=minbase"]);
    command.arg(format!("--include={}", PACKAGES.join(",")));
    // Nobody reads translations there; a mirror that is a snapshot of a certain day will do.
    command.args(["--aptopt=Acquire::Languages \"none\"", "--aptopt=Acquire::Check-Valid-Until \"false\""]);
    command.args(FINISH.iter().map(|hook| format!("--customize-hook={hook}")));
    command.arg(SUITE).arg(root).arg(format!("deb {mirror} {SUITE} main"));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_and_the_packages_are_named() {
        let command = command(Path::new("/t/root"), "http://d.example/debian/");
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        assert!(
            words.iter().any(|word| word.starts_with("--include=") && word.contains(",openssh-client,")),
            "{words:?}"
        );
        assert!(words.ends_with(&[
            "bookworm".into(),
            "/t/root".into(),
            "deb http://d.example/debian/ bookworm main".into()
        ]));
    }
}
