//! A forked child whose panic becomes the test's.

use std::io::{self, PipeReader, Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use crate::sys::check;

/// In seconds: a child's work takes milliseconds, on a busy machine as well.
const LIMIT: u32 = 60;

pub(super) struct Child {
    pub(super) pid: libc::pid_t,
    said: PipeReader,
    reaped: bool,
}

impl Child {
    pub(super) fn start(body: impl FnOnce()) -> Self {
        let (said, mut say) = io::pipe().unwrap();
        // SAFETY: the child works on its copy of this thread; of the locks other threads may have held it needs the
        // allocator's alone, which libc keeps usable. It ends below, without running anything of the parent's.
        let pid = check(unsafe { libc::fork() }).unwrap();
        if pid == 0 {
            // One that waits forever, for an answer or for a lock of a thread that isn't here, fails by SIGALRM.
            // SAFETY: always sound.
            unsafe { libc::alarm(LIMIT) };
            let result = catch_unwind(AssertUnwindSafe(body));
            if let Err(panic) = &result {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words");
                drop(say.write_all(text.as_bytes()));
            }
            // SAFETY: always sound.
            unsafe { libc::_exit(i32::from(result.is_err())) }
        }
        Self { pid, said, reaped: false }
    }

    /// Waits for its end, which must be a good one.
    pub(super) fn finish(mut self) {
        let status = self.reap();
        let mut text = String::new();
        self.said.read_to_string(&mut text).unwrap();
        assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0 && text.is_empty(), "{status:#x}: {text}");
    }

    pub(super) fn signal(&self, signal: i32) {
        // SAFETY: plain numbers; the child isn't reaped, so that its number is still its own.
        check(unsafe { libc::kill(self.pid, signal) }).unwrap();
    }

    /// Its status as of waitpid(2).
    pub(super) fn reap(&mut self) -> i32 {
        let mut status = 0;
        // SAFETY: one integer is written.
        while unsafe { libc::waitpid(self.pid, ptr::from_mut(&mut status), 0) } != self.pid {}
        self.reaped = true;
        status
    }
}

impl Drop for Child {
    /// A test that failed leaves no child that waits for an answer.
    fn drop(&mut self) {
        if !self.reaped {
            self.signal(libc::SIGKILL);
            self.reap();
        }
    }
}
