//! What every part of the helper works with.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::Notify;
use uwt_session::{Guard, Session};

use crate::names::Names;
use crate::outside::Outside;
use crate::relay::Relay;
use crate::report::Report;
use crate::say::Say;
use crate::tree::Tree;

/// One per helper, shared by its tasks, which run on one thread.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Level and secret of the tree.
    pub(crate) guard: Guard,
    /// Who is who.
    pub(crate) tree: Tree,
    /// What reserved addresses stand for.
    pub(crate) names: Names,
    /// The sockets that wait for their connections.
    pub(crate) relay: Relay,
    /// The way to the host's namespaces.
    pub(crate) outside: Outside,
    /// The user's messages.
    pub(crate) say: Say,
    /// What is written down.
    pub(crate) report: Report,
    /// The connections that keep the helper alive when the tree has ended.
    pub(crate) activity: Activity,
}

impl Shared {
    /// For the tree of the outermost session, without a report.
    pub(crate) fn new(guard: Guard, session: &'static Session<'static>) -> Self {
        Self {
            guard,
            tree: Tree::new(session),
            names: Names::new(guard.secret),
            relay: Relay::default(),
            outside: Outside::default(),
            say: Say::new(session.voice),
            report: Report::default(),
            activity: Activity::default(),
        }
    }
}

/// Counts what is under way.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    count: Cell<usize>,
    idle: Notify,
    tree_ended: Cell<bool>,
    end: Notify,
}

impl Activity {
    /// One more, until the result is dropped.
    pub(crate) fn enter(shared: &Rc<Shared>) -> Active {
        let count = &shared.activity.count;
        count.set(count.get() + 1);
        Active(Rc::clone(shared))
    }

    /// Tells everybody that no program of the tree is left: nobody will read what arrives from now on.
    pub(crate) fn tree_ended(&self) {
        self.tree_ended.set(true);
        self.end.notify_waiters();
    }

    /// Waits for [`Self::tree_ended`].
    pub(crate) async fn end_of_tree(&self) {
        let end = self.end.notified();
        if !self.tree_ended.get() {
            end.await;
        }
    }

    /// Whether nothing is under way.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        self.count.get() == 0
    }

    /// Waits until nothing is under way.
    pub(crate) async fn idle(&self) {
        while self.count.get() > 0 {
            self.idle.notified().await;
        }
    }
}

/// Something that is under way.
#[derive(Debug)]
#[must_use]
pub(crate) struct Active(Rc<Shared>);

impl Drop for Active {
    fn drop(&mut self) {
        let activity = &self.0.activity;
        activity.count.set(activity.count.get() - 1);
        if activity.count.get() == 0 {
            activity.idle.notify_one();
        }
    }
}
