//! A lock for the two tables, safe in signal handlers and across fork.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::sys;

/// The process that holds the lock, 0 for none.
///
/// Signals are blocked while it is held, so a handler never waits for the thread it interrupted. A process that finds it
/// held by another one was forked while a thread of its parent held it; that thread does not exist here, so the lock is
/// taken over: the tables are built so that half-written entries are invalid.
pub(crate) struct Lock(AtomicU32);

/// Held until dropped.
pub(crate) struct Guard<'a> {
    lock: &'a Lock,
    mask: u64,
}

impl Lock {
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    #[inline(never)]
    pub(crate) fn hold(&self) -> Guard<'_> {
        let mask = sys::signal_mask(libc::SIG_SETMASK, u64::MAX);
        let own = sys::pid();
        loop {
            let holder = self.0.load(Ordering::Relaxed);
            if holder != own && self.0.compare_exchange(holder, own, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                return Guard { lock: self, mask };
            }
            sys::yield_now();
        }
    }
}

impl Drop for Guard<'_> {
    #[inline(never)]
    fn drop(&mut self) {
        self.lock.0.store(0, Ordering::Release);
        sys::signal_mask(libc::SIG_SETMASK, self.mask);
    }
}
