//! Programs that start services, run outside the tree.
//!
//! A daemon that a package's maintainer script starts belongs to the machine: it must not stay under the filter of whoever
//! called apt-get, which nobody can take off. Where the init system is not one that starts it by itself, the script calls
//! invoke-rc.d(8), service(8) or start-stop-daemon(8), and the launcher, in their place, has the helper run the real one:
//! with its arguments, environment, folder, umask, limits and the first three descriptors, as the helper's child and so
//! under no filter, in a session (setsid(2)) and process group of its own.
//!
//! The helper looks these programs up itself, in folders that only root writes to, and does it for root's processes only,
//! whose rights and namespaces are those it has itself. A hostile program of root's can ask for it too, and what
//! start-stop-daemon(8) starts then is not carried. That changes nothing: root's programs can leave the tree by other ways
//! (cron(8), systemd-run(1), ptrace(2) of a process outside), and uwt protects from accidents.
//!
//! One connection of the link carries it:
//!
//! 1. asker: the request, with descriptors: the root folder, the current folder, and those of 0, 1 and 2 that are open
//! 2. asker: the order, in as many messages as it takes ([`Order`])
//! 3. asker, any time later: a byte for each signal that the program shall have
//! 4. helper: the reply, when the program has ended
//!
//! If the asker goes away before, the program gets SIGTERM: it is the one that whoever killed the asker meant. What it has
//! started goes on, as it would have without us. If the helper goes away, the program goes on, and the asker says so.

mod asker;
mod order;
mod process;
mod reply;
mod rights;
mod wait;

pub use asker::start;
pub use order::{Order, Service};
pub use reply::{Ending, Outcome, Refusal};
pub(crate) use wait::attend;

/// How many descriptors come with a request, at most.
pub(crate) const DESCRIPTORS: usize = 2 + 3;
