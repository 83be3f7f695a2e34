//! Why connects failed that the kernel could only be made to refuse.

use std::cell::RefCell;
use std::collections::VecDeque;

use uwt_policy::Errno;

/// How many are remembered: programs ask soon.
const REMEMBERED: usize = 1024;

/// By the cookie of a socket (`SO_COOKIE`, which no other socket of this boot has), why its last connect failed. The
/// oldest goes first.
#[derive(Debug, Default)]
pub(super) struct Outcomes(RefCell<VecDeque<(u64, Errno)>>);

impl Outcomes {
    /// A connect has failed.
    pub(super) fn remember(&self, cookie: u64, errno: Errno) {
        self.forget(cookie);
        let mut outcomes = self.0.borrow_mut();
        if outcomes.len() >= REMEMBERED {
            outcomes.pop_front();
        }
        outcomes.push_back((cookie, errno));
    }

    /// Another connect has begun.
    pub(super) fn forget(&self, cookie: u64) {
        self.0.borrow_mut().retain(|(known, _)| *known != cookie);
    }

    /// Why the last one failed; `None` where it did not or it is not known any more.
    pub(super) fn of(&self, cookie: u64) -> Option<Errno> {
        self.0.borrow().iter().rev().find(|(known, _)| *known == cookie).map(|(_, errno)| *errno)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_counts() {
        let outcomes = Outcomes::default();
        outcomes.remember(1, Errno::EHOSTUNREACH);
        outcomes.remember(2, Errno::ETIMEDOUT);
        outcomes.remember(1, Errno::ENETUNREACH);
        assert_eq!(
            [1, 2, 3].map(|cookie| outcomes.of(cookie)),
            [Some(Errno::ENETUNREACH), Some(Errno::ETIMEDOUT), None]
        );
        outcomes.forget(1);
        assert_eq!([1, 2].map(|cookie| outcomes.of(cookie)), [None, Some(Errno::ETIMEDOUT)]);
    }

    #[test]
    fn the_oldest_goes() {
        let outcomes = Outcomes::default();
        for cookie in 0..=REMEMBERED as u64 {
            outcomes.remember(cookie, Errno::EHOSTUNREACH);
        }
        assert_eq!([0, 1].map(|cookie| outcomes.of(cookie)), [None, Some(Errno::EHOSTUNREACH)]);
    }
}
