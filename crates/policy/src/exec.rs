//! Whether a program can be carried once it runs.

use core::fmt;

use crate::elf::{Image, Interpreter, is_glibc_loader};

/// What decides whether a program gains privileges when it is executed (execve(2), capabilities(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Privileges {
    /// The file's mode bits.
    pub mode: u32,
    /// The file's owner.
    pub owner: u32,
    /// The file's group.
    pub group: u32,
    /// Whether the file has the attribute `security.capability`.
    pub capabilities: bool,
    /// The caller's real user.
    pub user: u32,
    /// The caller's real group.
    pub user_group: u32,
    /// The file system ignores them (mount(8), `nosuid`).
    pub nosuid: bool,
    /// The process can gain none any more (`PR_SET_NO_NEW_PRIVS`).
    pub no_new_privileges: bool,
}

impl Privileges {
    /// Which ones the program would gain, if any.
    const fn gained(&self) -> Option<Obstacle> {
        let setuid = self.mode & libc::S_ISUID != 0 && self.owner != self.user;
        // Without group execution the bit means mandatory locking.
        let setgid_bits = libc::S_ISGID | libc::S_IXGRP;
        let setgid = self.mode & setgid_bits == setgid_bits && self.group != self.user_group;
        if self.nosuid {
            None
        } else if setuid || setgid {
            Some(Obstacle::SetId)
        } else if self.capabilities && self.user != 0 {
            Some(Obstacle::Capabilities)
        } else {
            None
        }
    }
}

/// A program about to be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program<'a> {
    /// Its path as given.
    pub path: &'a [u8],
    /// What kind of file it is; for a script, what its interpreter is.
    pub image: Image<'a>,
    /// What it would gain.
    pub privileges: Privileges,
}

/// Why a program can't be carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The loader ignores `LD_PRELOAD` for set-user-ID and set-group-ID programs.
    SetId,
    /// The same for programs with file capabilities.
    Capabilities,
    /// A guard that an ordinary user started lets no program gain privileges: it would fail half-way.
    Unprivileged,
    /// There is no loader.
    Static,
    /// The loader is not glibc's.
    Loader,
    /// The preload library is of another architecture.
    Architecture,
    /// What it is can't be found out.
    Unreadable,
}

impl Obstacle {
    /// What it is and what to do instead, as the rest of a sentence that starts with the program's path.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::SetId => {
                "is set-user-ID or set-group-ID and would run unprotected; not run (start it as the other user: `sudo uwt …`)"
            }
            Self::Capabilities => {
                "has file capabilities and would run unprotected; not run (start it as root: `sudo uwt …`)"
            }
            Self::Unprivileged => {
                "is set-user-ID, set-group-ID or has file capabilities, which an ordinary user's guard takes away; not run (start it as root: `sudo uwt …`)"
            }
            Self::Static => "is statically linked and would run unprotected; not run (use a dynamic build of it)",
            Self::Loader => "is not a glibc program and would run unprotected; not run (use a glibc build of it)",
            Self::Unreadable => {
                "can't be read, so nobody knows whether it would run unprotected; not run (make it readable)"
            }
            Self::Architecture => {
                "is of another architecture and would run unprotected; not run (use a native build of it)"
            }
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// The verdict on execve(2).
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecVerdict {
    /// Run it: it will load the preload or is under the guard, or is no program at all and the kernel will say so.
    Run,
    /// Don't: it would run unprotected, or without the privileges it needs.
    Refuse(Obstacle),
}

/// Decides on execve(2) of one file. For a script the caller asks again with the interpreter.
///
/// `guarded` says that the process is under a guard, which the program inherits: then it need not load the preload.
pub fn exec(program: &Program<'_>, guarded: bool) -> ExecVerdict {
    let privileges = &program.privileges;
    let unprotected = match program.image {
        // The kernel ignores the privilege bits of scripts.
        Image::Script(_) | Image::Unknown => return ExecVerdict::Run,
        Image::Unreadable => Some(Obstacle::Unreadable),
        Image::ForeignArchitecture => Some(Obstacle::Architecture),
        Image::Dynamic(Interpreter::Other) => Some(Obstacle::Loader),
        Image::Static if !is_glibc_loader(program.path) => Some(Obstacle::Static),
        // Its loader ignores the preload where it gains privileges.
        Image::Static | Image::Dynamic(Interpreter::Glibc) if privileges.no_new_privileges => None,
        Image::Static | Image::Dynamic(Interpreter::Glibc) => privileges.gained(),
    };
    match unprotected {
        Some(obstacle) if !guarded => ExecVerdict::Refuse(obstacle),
        _ if guarded && privileges.no_new_privileges && privileges.gained().is_some() => {
            ExecVerdict::Refuse(Obstacle::Unprivileged)
        }
        _ => ExecVerdict::Run,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Privileges = Privileges {
        mode: 0o100_755,
        owner: 0,
        group: 0,
        capabilities: false,
        user: 1000,
        user_group: 1000,
        nosuid: false,
        no_new_privileges: false,
    };
    const GLIBC: Image<'static> = Image::Dynamic(Interpreter::Glibc);

    fn verdict(image: Image<'static>, privileges: Privileges) -> ExecVerdict {
        exec(&Program { path: b"/usr/bin/x", image, privileges }, false)
    }

    #[test]
    fn kinds_of_files() {
        assert_eq!(verdict(GLIBC, PLAIN), ExecVerdict::Run);
        assert_eq!(verdict(Image::Script(b"/bin/sh"), PLAIN), ExecVerdict::Run);
        assert_eq!(verdict(Image::Unknown, PLAIN), ExecVerdict::Run);
        assert_eq!(verdict(Image::Unreadable, PLAIN), ExecVerdict::Refuse(Obstacle::Unreadable));
        assert_eq!(verdict(Image::Static, PLAIN), ExecVerdict::Refuse(Obstacle::Static));
        assert_eq!(verdict(Image::ForeignArchitecture, PLAIN), ExecVerdict::Refuse(Obstacle::Architecture));
        assert_eq!(verdict(Image::Dynamic(Interpreter::Other), PLAIN), ExecVerdict::Refuse(Obstacle::Loader));
        let loader = Program { path: b"/lib64/ld-linux-x86-64.so.2", image: Image::Static, privileges: PLAIN };
        assert_eq!(exec(&loader, false), ExecVerdict::Run);
    }

    #[test]
    fn gained_privileges() {
        let refused = ExecVerdict::Refuse(Obstacle::SetId);
        let setuid = Privileges { mode: 0o104_755, ..PLAIN };
        assert_eq!(verdict(GLIBC, setuid), refused);
        assert_eq!(verdict(GLIBC, Privileges { user: 0, ..setuid }), ExecVerdict::Run);
        assert_eq!(verdict(GLIBC, Privileges { nosuid: true, ..setuid }), ExecVerdict::Run);
        assert_eq!(verdict(GLIBC, Privileges { no_new_privileges: true, ..setuid }), ExecVerdict::Run);
        assert_eq!(verdict(GLIBC, Privileges { mode: 0o102_755, ..PLAIN }), refused);
        assert_eq!(verdict(GLIBC, Privileges { mode: 0o102_745, ..PLAIN }), ExecVerdict::Run);
        let capable = Privileges { capabilities: true, ..PLAIN };
        assert_eq!(verdict(GLIBC, capable), ExecVerdict::Refuse(Obstacle::Capabilities));
        assert_eq!(verdict(GLIBC, Privileges { user: 0, ..capable }), ExecVerdict::Run);
    }

    #[test]
    fn under_a_guard() {
        let verdict = |image, privileges| exec(&Program { path: b"/usr/bin/x", image, privileges }, true);
        let images = [
            GLIBC,
            Image::Script(b"/bin/sh"),
            Image::Unknown,
            Image::Unreadable,
            Image::Static,
            Image::ForeignArchitecture,
            Image::Dynamic(Interpreter::Other),
        ];
        let setuid = Privileges { mode: 0o104_755, ..PLAIN };
        let capable = Privileges { capabilities: true, ..PLAIN };
        for image in images {
            for privileges in [PLAIN, setuid, capable] {
                // Root's guard leaves the privileges, and is inherited all the same.
                assert_eq!(verdict(image, privileges), ExecVerdict::Run, "{image:?} {privileges:?}");
                let bound = Privileges { no_new_privileges: true, ..privileges };
                let gains = privileges != PLAIN && !matches!(image, Image::Script(_) | Image::Unknown);
                let lost = if gains { ExecVerdict::Refuse(Obstacle::Unprivileged) } else { ExecVerdict::Run };
                assert_eq!(verdict(image, bound), lost, "{image:?} {bound:?}");
                assert_eq!(verdict(image, Privileges { nosuid: true, ..bound }), ExecVerdict::Run);
            }
        }
    }
}
