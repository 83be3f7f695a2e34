//! Starting programs inside a namespace.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::{Gid, Uid, User, setgid, setgroups, setuid};

use super::Netns;

/// The user a program shall run as; it gets no supplementary groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    uid: u32,
    gid: u32,
}

impl Identity {
    /// By numbers.
    #[must_use]
    pub fn new(uid: u32, gid: u32) -> Self {
        Self { uid, gid }
    }

    /// Debian's `nobody`.
    #[must_use]
    pub fn nobody() -> Self {
        Self::new(65534, 65534)
    }

    /// By name, with the user's own group; `None` when there is no such user.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let user = User::from_name(name).ok()??;
        Some(Self::new(user.uid.as_raw(), user.gid.as_raw()))
    }
}

/// What the child does before exec. Everything that allocates happens before the fork.
struct Entry {
    netns: Option<File>,
    binds: Vec<(CString, CString)>,
    user: Option<Identity>,
}

/// A command that enters the namespace, sees its files in /etc and changes the user, in this order.
pub(super) fn build(netns: &Netns, program: &OsStr, user: Option<Identity>) -> Command {
    let mut binds = Vec::new();
    for file in std::fs::read_dir(netns.etc()).into_iter().flatten().flatten() {
        let target = std::path::Path::new("/etc").join(file.file_name());
        let pair = (CString::new(file.path().as_os_str().as_bytes()), CString::new(target.as_os_str().as_bytes()));
        if let (Ok(from), Ok(to)) = pair {
            binds.push((from, to));
        }
    }
    // A namespace that is gone must fail the start, never run the program outside: an absent file is an error below.
    let entry = Entry { netns: File::open(netns.path()).ok(), binds, user };
    let mut command = Command::new(program);
    #[expect(unsafe_code, reason = "pre_exec is the only way to enter a namespace in the child")]
    // SAFETY: the closure only makes system calls on values built before the fork (nix converts CStr arguments without
    // allocating); it takes no lock.
    unsafe {
        command.pre_exec(move || enter(&entry));
    }
    command
}

/// Runs in the child, between fork and exec.
fn enter(entry: &Entry) -> io::Result<()> {
    let Some(netns) = &entry.netns else { return Err(io::ErrorKind::NotFound.into()) };
    setns(netns, CloneFlags::CLONE_NEWNET)?;
    if !entry.binds.is_empty() {
        unshare(CloneFlags::CLONE_NEWNS)?;
        let none = None::<&std::ffi::CStr>;
        mount(none, c"/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none)?;
        for (from, to) in &entry.binds {
            mount(Some(from.as_c_str()), to.as_c_str(), none, MsFlags::MS_BIND, none)?;
        }
    }
    if let Some(user) = entry.user {
        setgroups(&[])?;
        setgid(Gid::from_raw(user.gid))?;
        setuid(Uid::from_raw(user.uid))?;
    }
    Ok(())
}
