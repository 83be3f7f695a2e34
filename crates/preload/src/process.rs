//! Which process this is, for its credential.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use uwt_session::{Credential, Session, Subject};

use crate::sys;

/// The pid whose start time is in `START`: a forked child finds its parent's here and asks again.
static PID: AtomicU32 = AtomicU32::new(0);
static START: AtomicU64 = AtomicU64::new(0);

/// The credential of this process for a destination, by the session's scope.
pub(crate) fn credential(session: &Session<'_>, destination: &str) -> Option<Credential> {
    let (pid, start) = identity();
    let mut path = [0; 4096];
    let program = match session.scope {
        uwt_policy::Scope::Command => sys::read_link(c"/proc/self/exe", &mut path).ok(),
        _ => Some(&[][..]),
    };
    // Without a path the program is as good as any other: it gets a credential of its own.
    let unknown = start.to_le_bytes();
    Credential::of(session, &Subject { pid, start, program: program.unwrap_or(&unknown), destination })
}

fn identity() -> (u32, u64) {
    let pid = sys::pid();
    if PID.load(Ordering::Acquire) == pid {
        return (pid, START.load(Ordering::Relaxed));
    }
    // Without /proc two execs of one process get two credentials: more isolation than asked for, never less.
    let start = start_time().or_else(|| sys::random().ok()).unwrap_or_else(sys::now);
    START.store(start, Ordering::Relaxed);
    PID.store(pid, Ordering::Release);
    (pid, start)
}

/// Field 22 of /proc/self/stat (proc_pid_stat(5)), counted behind the command's name, which may hold anything.
fn start_time() -> Option<u64> {
    let fd = sys::open(libc::AT_FDCWD, c"/proc/self/stat").ok()?;
    let mut bytes = [0; 1024];
    let read = sys::read_head(fd, &mut bytes);
    sys::close(fd);
    let text = bytes.get(..read.ok()?)?;
    let end = text.iter().rposition(|byte| *byte == b')')?;
    let field = text.get(end..)?.split(|byte| *byte == b' ').nth(20)?;
    field.iter().try_fold(0_u64, |value, digit| {
        let digit = digit.is_ascii_digit().then_some(u64::from(digit & 0xf))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}
