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
    /// The privileges are ignored: a nosuid mount, or `PR_SET_NO_NEW_PRIVS`.
    pub ignored: bool,
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
    /// Run it: it will load the preload, or is no program at all and the kernel will say so.
    Run,
    /// Don't: it would run unprotected.
    Refuse(Obstacle),
}

/// Decides on execve(2) of one file. For a script the caller asks again with the interpreter.
pub fn exec(program: &Program<'_>) -> ExecVerdict {
    let privileges = &program.privileges;
    match program.image {
        // The kernel ignores the privilege bits of scripts.
        Image::Script(_) | Image::Unknown => return ExecVerdict::Run,
        Image::Unreadable => return ExecVerdict::Refuse(Obstacle::Unreadable),
        Image::ForeignArchitecture => return ExecVerdict::Refuse(Obstacle::Architecture),
        Image::Dynamic(Interpreter::Other) => return ExecVerdict::Refuse(Obstacle::Loader),
        Image::Static if !is_glibc_loader(program.path) => return ExecVerdict::Refuse(Obstacle::Static),
        Image::Static | Image::Dynamic(Interpreter::Glibc) => {}
    }
    if privileges.ignored {
        return ExecVerdict::Run;
    }
    let setuid = privileges.mode & libc::S_ISUID != 0 && privileges.owner != privileges.user;
    let setgid_bits = libc::S_ISGID | libc::S_IXGRP;
    let setgid = privileges.mode & setgid_bits == setgid_bits && privileges.group != privileges.user_group;
    if setuid || setgid {
        ExecVerdict::Refuse(Obstacle::SetId)
    } else if privileges.capabilities && privileges.user != 0 {
        ExecVerdict::Refuse(Obstacle::Capabilities)
    } else {
        ExecVerdict::Run
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
        ignored: false,
    };
    const GLIBC: Image<'static> = Image::Dynamic(Interpreter::Glibc);

    fn verdict(image: Image<'static>, privileges: Privileges) -> ExecVerdict {
        exec(&Program { path: b"/usr/bin/x", image, privileges })
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
        assert_eq!(exec(&loader), ExecVerdict::Run);
    }

    #[test]
    fn gained_privileges() {
        let refused = ExecVerdict::Refuse(Obstacle::SetId);
        let setuid = Privileges { mode: 0o104_755, ..PLAIN };
        assert_eq!(verdict(GLIBC, setuid), refused);
        assert_eq!(verdict(GLIBC, Privileges { user: 0, ..setuid }), ExecVerdict::Run);
        assert_eq!(verdict(GLIBC, Privileges { ignored: true, ..setuid }), ExecVerdict::Run);
        assert_eq!(verdict(GLIBC, Privileges { mode: 0o102_755, ..PLAIN }), refused);
        // Without group execution the bit means mandatory locking.
        assert_eq!(verdict(GLIBC, Privileges { mode: 0o102_745, ..PLAIN }), ExecVerdict::Run);
        let capable = Privileges { capabilities: true, ..PLAIN };
        assert_eq!(verdict(GLIBC, capable), ExecVerdict::Refuse(Obstacle::Capabilities));
        assert_eq!(verdict(GLIBC, Privileges { user: 0, ..capable }), ExecVerdict::Run);
    }
}
