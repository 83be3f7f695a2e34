//! The environment: finding our variables, and putting them back where a program dropped them.
#![expect(unsafe_code, reason = "environ is the program's memory")]

use core::ffi::{CStr, c_char};

use uwt_policy::Errno;
use uwt_session::{Session, VARIABLE};

use crate::abi::{self, Strings};
use crate::state;

unsafe extern "C" {
    /// environ(7).
    static mut environ: *const *const c_char;
}

const PRELOAD: &[u8] = b"LD_PRELOAD";
/// How many variables an environment can have before one of them would have to go.
const MOST: usize = 2048;
const LONGEST_PRELOAD: usize = 4096;

/// The program's current environment.
pub(crate) fn current() -> Strings {
    // SAFETY: read once, as every libc function does.
    Strings(unsafe { environ })
}

/// The value of a variable now.
#[inline(never)]
pub(crate) fn variable(name: &[u8]) -> Option<&'static [u8]> {
    // SAFETY: environ is what libc and the program keep valid.
    unsafe { current().iter() }.find_map(|text| value(text, name))
}

fn value<'a>(assignment: &'a CStr, name: &[u8]) -> Option<&'a [u8]> {
    assignment.to_bytes().strip_prefix(name)?.strip_prefix(b"=")
}

/// What an environment holds of ours.
struct Found {
    session: bool,
    preload: bool,
}

fn look(environment: Strings, preload: &[u8]) -> Found {
    let mut found = Found { session: false, preload: false };
    // SAFETY: the program is about to execute with this environment: it is valid.
    for text in unsafe { environment.iter() } {
        if let Some(session) = value(text, VARIABLE.as_bytes()) {
            found.session = is_session(session);
        } else if let Some(list) = value(text, PRELOAD) {
            found.preload = list.split(|byte| matches!(byte, b' ' | b':')).any(|path| path == preload);
        }
    }
    found
}

/// A session of its own is what a nested `uwt` gives its program: that stays.
fn is_session(value: &[u8]) -> bool {
    core::str::from_utf8(value).is_ok_and(|text| Session::parse(text).is_ok())
}

/// Room for an environment with our variables in it. On the stack: after vfork(2) there is nowhere else.
pub(crate) struct Scratch {
    pointers: [*const c_char; MOST],
    preload: [u8; LONGEST_PRELOAD],
}

impl Scratch {
    pub(crate) const fn new() -> Self {
        Self { pointers: [core::ptr::null(); MOST], preload: [0; LONGEST_PRELOAD] }
    }

    /// `environment` itself where it has our variables, else a copy that has them.
    ///
    /// # Errors
    /// E2BIG when there is no room; EACCES when there is no session to hand down.
    pub(crate) fn complete(&mut self, environment: Strings) -> Result<Strings, Errno> {
        let session = state::session().ok_or(Errno::EACCES)?;
        let assignment = state::assignment().ok_or(Errno::EACCES)?;
        let found = look(environment, session.preload.as_bytes());
        if found.session && found.preload {
            return Ok(environment);
        }
        let mut list = List { pointers: &mut self.pointers, len: 0 };
        let mut others: &[u8] = b"";
        // SAFETY: as in `look`.
        for text in unsafe { environment.iter() } {
            let preload = value(text, PRELOAD).filter(|_| !found.preload);
            let session = value(text, VARIABLE.as_bytes()).filter(|_| !found.session);
            match (preload, session) {
                (Some(list), _) => others = list,
                (None, Some(_)) => {}
                (None, None) => list.push(text.as_ptr())?,
            }
        }
        if !found.session {
            list.push(assignment.as_ptr())?;
        }
        if !found.preload {
            let space: &[u8] = if others.is_empty() { b"" } else { b" " };
            let parts = [PRELOAD, b"=", session.preload.as_bytes(), space, others];
            list.push(join(&mut self.preload, &parts)?.as_ptr())?;
        }
        Ok(Strings(self.pointers.as_ptr()))
    }
}

struct List<'a> {
    pointers: &'a mut [*const c_char; MOST],
    len: usize,
}

impl List<'_> {
    fn push(&mut self, pointer: *const c_char) -> Result<(), Errno> {
        // The last place stays null: the end of the array.
        let room = self.len + 1 < MOST;
        let place = self.pointers.get_mut(self.len).filter(|_| room).ok_or(Errno::E2BIG)?;
        *place = pointer;
        self.len += 1;
        Ok(())
    }
}

fn join<'a>(buffer: &'a mut [u8], parts: &[&[u8]]) -> Result<&'a CStr, Errno> {
    let mut len = 0;
    for byte in parts.iter().copied().flatten() {
        *buffer.get_mut(len).ok_or(Errno::E2BIG)? = *byte;
        len += 1;
    }
    *buffer.get_mut(len).ok_or(Errno::E2BIG)? = 0;
    abi::terminated(buffer).ok_or(Errno::E2BIG)
}

/// Puts our variables back into the program's own environment, for libc functions that start a shell with it.
///
/// # Errors
/// EACCES when there is no session, ENOMEM or E2BIG when there is no room.
pub(crate) fn restore() -> Result<(), Errno> {
    let session = state::session().ok_or(Errno::EACCES)?;
    let assignment = state::assignment().ok_or(Errno::EACCES)?;
    let found = look(current(), session.preload.as_bytes());
    if !found.session {
        // SAFETY: the assignment is static; putenv keeps the pointer.
        let failed = unsafe { libc::putenv(assignment.as_ptr().cast_mut()) } != 0;
        if failed {
            return Err(Errno::ENOMEM);
        }
    }
    if !found.preload {
        let mut buffer = [0; LONGEST_PRELOAD];
        let others = variable(PRELOAD).unwrap_or_default();
        let space: &[u8] = if others.is_empty() { b"" } else { b" " };
        let value = join(&mut buffer, &[session.preload.as_bytes(), space, others])?;
        // SAFETY: setenv copies both strings.
        let failed = unsafe { libc::setenv(c"LD_PRELOAD".as_ptr(), value.as_ptr(), 1) } != 0;
        if failed {
            return Err(Errno::ENOMEM);
        }
    }
    Ok(())
}
