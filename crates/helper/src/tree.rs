//! Who is who in the guarded tree: processes, and the sessions that hold for them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::os::fd::{AsFd as _, OwnedFd};
use std::rc::Rc;
use std::{fs, io};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use uwt_policy::Scope;
use uwt_session::{Credential, Session, Subject};

use crate::outside::Outside;
use crate::sys;

/// How many processes are remembered: each holds a descriptor.
const REMEMBERED: usize = 256;
/// How far up a process's ancestors are followed.
const DEEPEST: usize = 64;

/// A process of the tree, as [`Tree::process`] found it.
#[derive(Debug)]
pub(crate) struct Process {
    /// Its id (thread group) in the helper's pid namespace.
    pub(crate) pid: u32,
    /// Its start time in clock ticks since boot (proc_pid_stat(5), field 22).
    pub(crate) start: u64,
    /// What its `uwt` was told.
    pub(crate) session: &'static Session<'static>,
}

impl Process {
    /// The credential of a connection to `destination`, the same as the preload would use in this process; `Ok(None)` in
    /// the scope that sends none.
    ///
    /// # Errors
    /// In the scope `command`: the program can't be found out.
    pub(crate) fn credential(&self, destination: &str, outside: &Outside) -> io::Result<Option<Credential>> {
        let program = if self.session.scope == Scope::Command { outside.program(self.pid)? } else { Vec::new() };
        let subject = Subject { pid: self.pid, start: self.start, program: &program, destination };
        Ok(Credential::of(self.session, &subject))
    }
}

/// The tree's sessions, and the processes seen lately.
#[derive(Debug)]
pub(crate) struct Tree {
    outermost: &'static Session<'static>,
    joined: RefCell<HashMap<Identity, &'static Session<'static>>>,
    known: RefCell<HashMap<u32, Known>>,
}

/// A process id and its start time, which no other process of this boot has.
type Identity = (u32, u64);

#[derive(Debug)]
struct Known {
    process: Rc<Process>,
    /// Readable once the process has ended, and its id may be another's.
    pidfd: OwnedFd,
}

impl Tree {
    /// A tree in which everything belongs to one session.
    pub(crate) fn new(outermost: &'static Session<'static>) -> Self {
        Self { outermost, joined: RefCell::default(), known: RefCell::default() }
    }

    /// The session of the outermost `uwt`.
    pub(crate) fn outermost(&self) -> &'static Session<'static> {
        self.outermost
    }

    /// The process that a thread belongs to.
    ///
    /// # Errors
    /// It has ended, or /proc does not tell.
    pub(crate) fn process(&self, thread: u32) -> io::Result<Rc<Process>> {
        if let Some(known) = self.known.borrow().get(&thread)
            && !has_ended(&known.pidfd)
        {
            return Ok(Rc::clone(&known.process));
        }
        let pid = group_of(thread)?;
        let pidfd = sys::pidfd(pid)?;
        let start = Stat::of(pid)?.start;
        let process = Rc::new(Process { pid, start, session: self.session_of(pid, start)? });
        // Only a group's first thread keeps its number as long as the process lives.
        if pid == thread {
            let mut known = self.known.borrow_mut();
            if known.len() >= REMEMBERED {
                known.retain(|_, known| !has_ended(&known.pidfd));
            }
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(pid, Known { process: Rc::clone(&process), pidfd });
        }
        Ok(process)
    }

    /// Gives a process, and what it starts, a session of its own.
    ///
    /// # Errors
    /// It has ended, or /proc does not tell.
    pub(crate) fn join(&self, pid: u32, session: &'static Session<'static>) -> io::Result<()> {
        let start = Stat::of(pid)?.start;
        let mut joined = self.joined.borrow_mut();
        joined.retain(|(pid, start), _| Stat::of(*pid).is_ok_and(|stat| stat.start == *start));
        joined.insert((pid, start), session);
        self.known.borrow_mut().remove(&pid);
        Ok(())
    }

    /// The session of the nearest ancestor that has one of its own.
    fn session_of(&self, pid: u32, start: u64) -> io::Result<&'static Session<'static>> {
        let joined = self.joined.borrow();
        let mut next = Identity::from((pid, start));
        for _ in 0..DEEPEST {
            if joined.is_empty() {
                break;
            }
            if let Some(session) = joined.get(&next) {
                return Ok(session);
            }
            let parent = Stat::of(next.0)?.parent;
            if parent <= 1 {
                break;
            }
            let Ok(above) = Stat::of(parent) else { break };
            next = (parent, above.start);
        }
        Ok(self.outermost)
    }
}

fn has_ended(pidfd: &OwnedFd) -> bool {
    let mut set = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
    poll(&mut set, PollTimeout::ZERO) != Ok(0)
}

/// Two fields of proc_pid_stat(5).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stat {
    /// The parent's id.
    pub(crate) parent: u32,
    /// In clock ticks since boot.
    pub(crate) start: u64,
}

impl Stat {
    /// # Errors
    /// There is no such process (any more).
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let text = fs::read(format!("/proc/{pid}/stat"))?;
        Self::parse(&text).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
    }

    fn parse(text: &[u8]) -> Option<Self> {
        // The second field, the name in parentheses, may hold anything.
        let end = text.iter().rposition(|byte| *byte == b')')?;
        let mut fields = std::str::from_utf8(text.get(end.checked_add(1)?..)?).ok()?.split_ascii_whitespace();
        let parent = fields.nth(4 - 3)?.parse().ok()?;
        Some(Self { parent, start: fields.nth(22 - 5)?.parse().ok()? })
    }
}

/// The process a thread belongs to (proc_pid_status(5), `Tgid`).
fn group_of(thread: u32) -> io::Result<u32> {
    let text = fs::read(format!("/proc/{thread}/status"))?;
    let line = text.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"Tgid:"));
    line.and_then(|value| std::str::from_utf8(value).ok()?.trim().parse().ok())
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_stat() {
        let line = b"42 (a) b) S 7 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 2 18446744073709551615";
        let stat = Stat::parse(line).unwrap();
        assert_eq!((stat.parent, stat.start), (7, 987_654));
        assert!(Stat::parse(b"42 (a) S 7").is_none());
    }

    #[test]
    fn threads_belong_to_their_process() {
        let session = crate::tests::session();
        let tree = Tree::new(session);
        let pid = std::process::id();
        let thread = std::thread::spawn(move || {
            let tree = Tree::new(session);
            let process = tree.process(nix::unistd::gettid().as_raw().unsigned_abs()).unwrap();
            (process.pid, process.start)
        });
        let process = tree.process(pid).unwrap();
        assert_eq!(thread.join().unwrap(), (pid, process.start));
        assert!(Rc::ptr_eq(&process, &tree.process(pid).unwrap()), "remembered");
    }

    #[test]
    fn a_session_holds_for_what_is_started_later() {
        let (outer, inner) = (crate::tests::session(), crate::tests::session());
        let tree = Tree::new(outer);
        let mut child = std::process::Command::new("/bin/cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        assert!(std::ptr::eq(tree.process(child.id()).unwrap().session, outer));
        tree.join(std::process::id(), inner).unwrap();
        // Remembered as it was when it first asked; its parent's session came later.
        assert!(std::ptr::eq(tree.process(child.id()).unwrap().session, outer));
        assert!(std::ptr::eq(Tree::process(&tree, std::process::id()).unwrap().session, inner));
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(tree.process(child.id()).is_err(), "it has ended");
    }
}
