//! Programs that must not be wrapped, and why.

use std::path::Path;

/// What nearly everything that runs is started by.
const STARTS: &str = "it starts what has nothing to do with the network, and all that would run by uwt";
/// What uwt and its maintainer scripts are made of.
const NEEDED: &str = "wrappers are made and undone with it";
/// What starts and stops the machine.
const SYSTEM: &str = "the start of the system goes through it";
/// What gives or takes rights.
const RIGHTS: &str = "it gives programs other rights or another place, which a confined program cannot";

/// Names and why not. What ends in `*` is the beginning of names.
const TABLE: &[(&str, &str)] = &[
    ("sh", STARTS),
    ("bash", STARTS),
    ("rbash", STARTS),
    ("dash", STARTS),
    ("zsh*", STARTS),
    ("fish", STARTS),
    ("ksh*", STARTS),
    ("mksh*", STARTS),
    ("csh", STARTS),
    ("tcsh", STARTS),
    ("busybox", STARTS),
    ("env", STARTS),
    ("nice", STARTS),
    ("nohup", STARTS),
    ("timeout", STARTS),
    ("xargs", STARTS),
    ("run-parts", STARTS),
    ("tmux", STARTS),
    ("screen", STARTS),
    ("perl*", "Debian's own tools are written in it"),
    ("ld.so", "it loads every program"),
    ("ld-linux*", "it loads every program"),
    ("ldconfig", "it makes the list by which every program is loaded"),
    ("dpkg*", NEEDED),
    ("update-alternatives", NEEDED),
    ("ln", NEEDED),
    ("mv", NEEDED),
    ("rm", NEEDED),
    ("cp", NEEDED),
    ("cat", NEEDED),
    ("grep", NEEDED),
    ("sed", NEEDED),
    ("uwt", "it would run itself"),
    ("uwtctl", "it asks the gateway what uwt would carry"),
    ("torsocks", "the package uwt-torsocks makes it uwt's"),
    ("tor", "it is where everything is carried to"),
    ("obfs4proxy", "Tor itself connects by it"),
    ("lyrebird", "Tor itself connects by it"),
    ("snowflake-client", "Tor itself connects by it"),
    ("init", SYSTEM),
    ("telinit", SYSTEM),
    ("systemd*", SYSTEM),
    ("systemctl", SYSTEM),
    ("udevadm", SYSTEM),
    ("mount", SYSTEM),
    ("kmod", SYSTEM),
    ("modprobe", SYSTEM),
    ("agetty", SYSTEM),
    ("login", SYSTEM),
    ("sshd", "it waits for connections and starts the shells of those who log in"),
    ("sudo*", RIGHTS),
    ("su", RIGHTS),
    ("doas", RIGHTS),
    ("pkexec", RIGHTS),
    ("runuser", RIGHTS),
    ("setpriv", RIGHTS),
    ("chroot", RIGHTS),
    ("unshare", RIGHTS),
    ("nsenter", RIGHTS),
    ("bwrap", RIGHTS),
    ("firejail", RIGHTS),
];

/// Why a program of this path must not be wrapped.
pub(super) fn reason(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    let is_it =
        |pattern: &str| pattern.strip_suffix('*').map_or(name == pattern, |beginning| name.starts_with(beginning));
    TABLE.iter().find(|(pattern, _)| is_it(pattern)).map(|(_, why)| *why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_name_and_by_its_beginning() {
        for name in ["sh", "ld-linux-x86-64.so.2", "dpkg-divert", "sudoedit", "perl5.36.0", "init", "env", "uwt"] {
            assert!(reason(&Path::new("/usr/bin").join(name)).is_some(), "{name}");
        }
        for name in ["ssh", "curl", "git", "tortoise", "environment", "uwt-other", "sumo", "initial"] {
            assert_eq!(reason(&Path::new("/usr/bin").join(name)), None, "{name}");
        }
    }
}
