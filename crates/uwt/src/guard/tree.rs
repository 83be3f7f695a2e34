//! Whether we run inside a tree that is guarded already: a filter is inherited and cannot be taken off (seccomp(2)).

use nix::errno::Errno;
use uwt_session::{Guard, Session};

use crate::sys::socket;

/// The tree we are in.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    /// Not guarded, whatever a session copied from elsewhere says.
    Free,
    /// Guarded, and this is the guard.
    Known(Guard),
    /// Guarded; the session that goes with it did not reach us, so that nothing can be said to its helper.
    Lost,
}

impl Tree {
    /// Asks the kernel: only the tree's own filter knows its cookie, so what a variable says is never believed. Most calls
    /// are not inside a tree, which costs one system call.
    pub(crate) fn find(session: Option<&Session<'_>>) -> Self {
        let turned_away = |cookie| socket::knock(cookie) == Errno::EOPNOTSUPP;
        if !turned_away(0) {
            return Self::Free;
        }
        match session.and_then(|session| session.guard) {
            Some(guard) if !turned_away(guard.cookie()) => Self::Known(guard),
            _ if is_held() => Self::Lost,
            _ => Self::Free,
        }
    }
}

/// Whether it is a guard of ours that turned us away, which is asked about calls that it does not trouble its helper with.
/// Something else that dislikes fast opens is none, and then there will be one.
fn is_held() -> bool {
    socket::refusals() == [Errno::EACCES, Errno::EACCES, Errno::EPERM]
}

#[cfg(test)]
mod tests {
    use uwt_guard::{Foreign, Rules};
    use uwt_policy::Level;
    use uwt_session::{FileId, Secret};

    use super::*;
    use crate::hand_down::session;
    use crate::plan::carried::tests::carried;

    /// A filter is a thread's own.
    #[test]
    fn only_the_filter_is_believed() {
        let guard = |byte| Guard { level: Level::Deny, secret: Secret::new([byte; 32]) };
        let find = |guard| {
            let carried = carried();
            let here = FileId { device: 0, inode: 0 };
            let session = Session { guard, ..session::session(&carried, "", Secret::new([1; 32]), here) };
            Tree::find(Some(&session))
        };
        assert_eq!(find(Some(guard(2))), Tree::Free, "copied from elsewhere");
        let inside = std::thread::spawn(move || {
            let rules = Rules { cookie: guard(2).cookie(), foreign: Foreign::Refuse };
            uwt_guard::install(&uwt_guard::compile(&rules).expect("compiled")).expect("installed");
            [find(Some(guard(2))), find(Some(guard(3))), find(None), Tree::find(None)]
        });
        let found = inside.join().expect("ends");
        assert_eq!(found, [Tree::Known(guard(2)), Tree::Lost, Tree::Lost, Tree::Lost]);
    }

    #[test]
    fn this_test_is_not_guarded() {
        assert!(!is_held());
        assert_eq!(Tree::find(None), Tree::Free);
    }
}
