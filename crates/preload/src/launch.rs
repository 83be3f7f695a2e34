//! Executing programs: is it one that will load this library, and does its environment say so?

use core::ffi::{CStr, c_int};

use uwt_policy::{Errno, ExecVerdict, Image, Obstacle, Privileges, Program, classify, exec};
use uwt_session::{FileId, Session};

use crate::carry::session;
use crate::notice::say;
use crate::{abi, sys};

/// Scripts name interpreters, which can be scripts again; the kernel stops after four.
const DEEPEST: u8 = 5;
const LONGEST_PATH: usize = 4096;

/// Checks the program that execveat(2) would execute.
///
/// What does not exist or is no program passes: the kernel says what is wrong with it.
///
/// # Errors
/// EACCES after a line to the user when it would run unprotected, or without the privileges it is meant to have.
pub(crate) fn check(directory: c_int, path: &CStr) -> Result<(), Errno> {
    let session = session()?;
    if session.guard.is_none() && !preload_is_there(session) {
        return Err(Errno::EACCES);
    }
    check_file(session, directory, path, DEEPEST)
}

/// In a chroot or after a change of user the loader would not find the library, say so, and run the program without.
fn preload_is_there(session: &Session<'_>) -> bool {
    let mut path = [0; LONGEST_PATH];
    let readable = terminated(session.preload.as_bytes(), &mut path).is_some_and(sys::is_readable);
    if !readable {
        say(|line| {
            line.text(session.preload);
            line.text(" can't be read here, so programs would run unprotected; none is started");
        });
    }
    readable
}

fn check_file(session: &Session<'_>, directory: c_int, path: &CStr, depth: u8) -> Result<(), Errno> {
    if session.is_trusted(path.to_bytes()) {
        return Ok(());
    }
    if path.is_empty() {
        return check_descriptor(session, directory, depth);
    }
    let fd = match sys::open(directory, path) {
        Ok(fd) => fd,
        Err(Errno::EACCES) => {
            // Not readable, or not reachable at all; only the first could be executed.
            let Ok(fd) = sys::open_path(directory, path) else { return Ok(()) };
            fd
        }
        // The kernel won't execute it either. Any other error is one of looking, and says nothing about the program.
        Err(Errno(libc::ENOENT | libc::ENOTDIR | libc::ELOOP | libc::ENAMETOOLONG | libc::ENXIO | libc::EBADF)) => {
            return Ok(());
        }
        Err(errno) => return Err(errno),
    };
    let verdict = examine(session, fd, path, depth);
    sys::close(fd);
    verdict
}

/// The program is the file behind a descriptor (fexecve(3)), which need not be open for reading: it is opened again.
fn check_descriptor(session: &Session<'_>, fd: c_int, depth: u8) -> Result<(), Errno> {
    let link = Link::to(fd)?;
    let link = link.as_c_str();
    let mut name = [0; LONGEST_PATH];
    let _ = sys::read_link(link, name.split_last_mut().map_or(&mut [], |(_, room)| room));
    let name = CStr::from_bytes_until_nul(&name).map_err(|_| Errno::EBADF)?;
    if session.is_trusted(name.to_bytes()) {
        return Ok(());
    }
    // Without /proc, or not readable: as far as the descriptor itself goes.
    let Ok(again) = sys::open(libc::AT_FDCWD, link) else { return examine(session, fd, name, depth) };
    let verdict = examine(session, again, name, depth);
    sys::close(again);
    verdict
}

/// The path by which /proc shows a descriptor's file (proc_pid_fd(5)).
struct Link([u8; 25]);

impl Link {
    fn to(fd: c_int) -> Result<Self, Errno> {
        let mut link = *b"/proc/self/fd/          \0";
        let mut rest = u32::try_from(fd).map_err(|_| Errno::EBADF)?;
        for (index, place) in link.iter_mut().skip(14).take(10).rev().enumerate() {
            // In front of the digits: more slashes mean the same as one.
            *place = if index == 0 || rest > 0 { b'0' + u8::try_from(rest % 10).unwrap_or(0) } else { b'/' };
            rest /= 10;
        }
        Ok(Self(link))
    }

    fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or_default()
    }
}

fn examine(session: &Session<'_>, fd: c_int, path: &CStr, depth: u8) -> Result<(), Errno> {
    let status = sys::stat(fd, c"", libc::AT_EMPTY_PATH)?;
    if status.st_mode & libc::S_IFMT != libc::S_IFREG {
        return Ok(());
    }
    if session.launcher == (FileId { device: status.st_dev, inode: status.st_ino }) {
        return Ok(());
    }
    let mut head = [0; 2048];
    let image = match sys::read_head(fd, &mut head) {
        Ok(read) => classify(head.get(..read).unwrap_or_default()),
        Err(_) => Image::Unreadable,
    };
    if let Image::Script(interpreter) = image {
        return match depth.checked_sub(1) {
            None => Ok(()),
            Some(depth) => {
                let mut text = [0; 512];
                let interpreter = terminated(interpreter, &mut text).ok_or(Errno::ENOEXEC)?;
                check_file(session, libc::AT_FDCWD, interpreter, depth)
            }
        };
    }
    let (user, user_group) = sys::ids();
    let set_id = status.st_mode & (libc::S_ISUID | libc::S_ISGID) != 0;
    let capabilities = sys::has_attribute(fd, Link::to(fd)?.as_c_str(), c"security.capability");
    let privileges = Privileges {
        mode: status.st_mode,
        owner: status.st_uid,
        group: status.st_gid,
        capabilities,
        user,
        user_group,
        nosuid: (set_id || capabilities) && sys::is_nosuid(fd),
        no_new_privileges: sys::no_new_privileges(),
    };
    match exec(&Program { path: path.to_bytes(), image, privileges }, session.guard.is_some()) {
        ExecVerdict::Run => Ok(()),
        ExecVerdict::Refuse(obstacle) => refuse(path, obstacle),
    }
}

#[cold]
#[inline(never)]
fn refuse(path: &CStr, obstacle: Obstacle) -> Result<(), Errno> {
    say(|line| {
        line.lossy(path.to_bytes()).text(" ").text(obstacle.text());
    });
    Err(Errno::EACCES)
}

fn terminated<'a>(text: &[u8], buffer: &'a mut [u8]) -> Option<&'a CStr> {
    joined(&[text], buffer)
}

/// What execvp(3) does with a name: the first file of that name in PATH that can be executed.
///
/// `act` gets each path in turn and says whether to go on.
#[inline(never)]
#[expect(clippy::manual_contains, reason = "contains brings a search by whole words along")]
pub(crate) fn search(file: &CStr, path: &[u8], act: &mut dyn FnMut(&CStr) -> Result<(), Errno>) -> Result<(), Errno> {
    if file.is_empty() {
        return Err(Errno::ENOENT);
    }
    if file.to_bytes().iter().any(|byte| *byte == b'/') {
        return act(file);
    }
    let mut buffer = [0; LONGEST_PATH];
    let mut denied = false;
    for folder in path.split(|byte| *byte == b':') {
        let slash: &[u8] = if folder.is_empty() { b"" } else { b"/" };
        let Some(candidate) = joined(&[folder, slash, file.to_bytes()], &mut buffer) else { continue };
        match act(candidate) {
            Err(Errno::EACCES) => denied = true,
            Err(Errno::ENOENT | ENOTDIR | ESTALE | ENODEV | Errno::ETIMEDOUT) => {}
            other => return other,
        }
    }
    Err(if denied { Errno::EACCES } else { Errno::ENOENT })
}

const ENOTDIR: Errno = Errno(libc::ENOTDIR);
const ESTALE: Errno = Errno(libc::ESTALE);
const ENODEV: Errno = Errno(libc::ENODEV);

#[inline(never)]
fn joined<'a>(parts: &[&[u8]], buffer: &'a mut [u8]) -> Option<&'a CStr> {
    let mut len = 0;
    for byte in parts.iter().copied().flatten() {
        *buffer.get_mut(len)? = *byte;
        len += 1;
    }
    *buffer.get_mut(len)? = 0;
    abi::terminated(buffer)
}
