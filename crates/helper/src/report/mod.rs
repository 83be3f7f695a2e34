//! The report (`uwt --report`): what the tree does with the network, each thing an event (uwt-report).
//!
//! | module | does |
//! |---|---|
//! | `programs` | which program a process runs: told before anything else about it |
//! | `told` | what the preload tells of what it does itself |
//! | `out` | writing, without ever waiting |

mod out;
mod programs;
#[cfg(test)]
mod tests;
mod told;
mod words;

use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::spawn_local;
use tokio::time::sleep;
use uwt_policy::Level;
use uwt_report::{Event, GuardLevel, Happening};
use uwt_session::Voice;

use crate::destination::shown;
use crate::shared::Shared;
use crate::tree::{Process, Stat};
use out::Out;
use programs::{Before, Programs, Seen};

pub(crate) use told::told;
pub(crate) use words::{errno_name, transport_of};

/// How long it is first waited until it is looked what a process has become that executes a program. Each time it takes
/// twice as long.
const FIRST_LOOK: Duration = Duration::from_millis(1);
/// How often it is looked: a second in all.
const LOOKS: u32 = 10;

/// Who says that a process does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Witness {
    /// The preload in it, first of all: a program has begun.
    Beginning,
    /// The preload in it.
    Preload,
    /// The guard.
    Guard,
}

/// The report of a tree, if there shall be one.
#[derive(Debug, Default)]
pub(crate) struct Report(Option<Open>);

#[derive(Debug)]
struct Open {
    began: Instant,
    /// The tree's first process: its id and its start time.
    first: (u32, u64),
    out: Out,
    programs: Programs,
}

impl Report {
    /// One that goes to `file`, of the tree whose first process is `first`. To be called in the event loop.
    ///
    /// # Errors
    /// Those of fcntl(2).
    pub(crate) fn into(file: OwnedFd, first: u32) -> io::Result<Self> {
        // If it has ended already, the report is about nothing.
        let start = Stat::of(first).map_or(0, |stat| stat.start);
        let (began, out, programs) = (Instant::now(), Out::new(file)?, Programs::default());
        Ok(Self(Some(Open { began, first: (first, start), out, programs })))
    }

    /// Whether there is one.
    pub(crate) fn is_open(&self) -> bool {
        self.0.is_some()
    }
}

impl Open {
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn write(&self, time: u64, process: &Process, happening: Happening) {
        self.out.write(&Event { time, pid: process.pid, start: process.start, happening });
    }

    fn write_of_tree(&self, happening: Happening) {
        let (pid, start) = self.first;
        self.out.write(&Event { time: self.now(), pid, start, happening });
    }

    /// Writes what a process runs, if that is not known yet; `false` for the launcher, which does nothing by itself.
    fn introduce(&self, process: &Process, witness: Witness, shared: &Shared) -> bool {
        let seen = self.programs.settle(process, witness, &shared.outside);
        self.tell_of(process, seen)
    }

    fn tell_of(&self, process: &Process, seen: Seen) -> bool {
        match seen {
            Seen::Known => true,
            Seen::Launcher => false,
            Seen::New { since, happening } => {
                self.write(since.unwrap_or_else(|| self.now()), process, happening);
                true
            }
        }
    }
}

impl Shared {
    /// Says what holds for the tree: before everything else.
    pub(crate) fn begin(&self) {
        let Some(open) = &self.report.0 else { return };
        let session = self.tree.outermost();
        open.write_of_tree(Happening::Begin {
            guard: if self.guard.level == Level::Tunnel { GuardLevel::Tunnel } else { GuardLevel::Deny },
            scope: session.scope.to_string(),
            gateway: shown(session.gateway.into()),
        });
        self.complain(None);
    }

    /// A process did something: the guard's word for it.
    pub(crate) fn happened(&self, process: &Process, happening: impl FnOnce() -> Happening) {
        self.happened_by(process, Witness::Guard, happening);
    }

    /// A process did something, as `witness` says.
    pub(crate) fn happened_by(&self, process: &Process, witness: Witness, happening: impl FnOnce() -> Happening) {
        let Some(open) = &self.report.0 else { return };
        if open.introduce(process, witness, self) {
            open.write(open.now(), process, happening());
        }
        self.complain(Some(process.pid));
    }

    /// The guard has seen a process do something that is no event by itself. What comes of it may be seen when the process
    /// has ended, and nobody can say any more what it was.
    pub(crate) fn appeared(&self, process: &Process) {
        let Some(open) = &self.report.0 else { return };
        open.introduce(process, Witness::Guard, self);
        self.complain(Some(process.pid));
    }

    /// Something was done by a process that is not known: it has ended since, or is in another pid namespace.
    pub(crate) fn happened_somewhere(&self, happening: impl FnOnce() -> Happening) {
        let Some(open) = &self.report.0 else { return };
        open.out.write(&Event { time: open.now(), pid: 0, start: 0, happening: happening() });
        self.complain(None);
    }

    /// The preload of a process says that it is what it was: what it wanted to execute could not be.
    pub(crate) fn stayed(&self, process: &Process) {
        let Some(open) = &self.report.0 else { return };
        open.programs.stays(process);
    }

    /// The preload has begun in a process.
    pub(crate) fn began(&self, process: &Process) {
        let Some(open) = &self.report.0 else { return };
        open.introduce(process, Witness::Beginning, self);
        self.complain(Some(process.pid));
    }

    /// A process is about to execute a program; when, for [`executes`].
    pub(crate) fn will_execute(&self, process: &Rc<Process>) -> u64 {
        let Some(open) = &self.report.0 else { return 0 };
        let since = open.now();
        let seen = open.programs.will_execute(process, since, &self.outside);
        open.tell_of(process, seen);
        self.complain(Some(process.pid));
        since
    }

    /// The user is told once that there is no report any more.
    fn complain(&self, pid: Option<u32>) {
        let Some(open) = &self.report.0 else { return };
        let Some(pid) = pid.or_else(|| open.out.last_pid()) else { return };
        if let Some(error) = open.out.take_failure()
            && self.tree.outermost().voice != Voice::Silent
        {
            let line =
                format!("uwt: --report: it can't be written any further: {error}; the program goes on without\n");
            self.outside.say(pid, &line);
        }
    }
}

/// Writes what had to wait, until the helper ends.
pub(crate) async fn serve(shared: Rc<Shared>) {
    let Some(open) = &shared.report.0 else { return };
    loop {
        open.out.drain().await;
        shared.complain(None);
    }
}

/// Sees what becomes of a process that executes a program since then.
pub(crate) fn executes(shared: &Rc<Shared>, process: &Rc<Process>, since: u64) {
    if shared.report.is_open() {
        spawn_local(watch(Rc::clone(shared), Rc::clone(process), since));
    }
}

async fn watch(shared: Rc<Shared>, process: Rc<Process>, since: u64) {
    let Some(open) = &shared.report.0 else { return };
    let mut pause = FIRST_LOOK;
    for _ in 0..LOOKS {
        sleep(pause).await;
        pause = pause.saturating_mul(2);
        match open.programs.look(&process, since, &shared.outside) {
            Before::Waiting => {}
            Before::Settled => return,
            Before::Gone => break,
        }
    }
    // Whoever has the preload has said so by now.
    let seen = open.programs.give_up(&process, since, &shared.outside);
    open.tell_of(&process, seen);
    shared.complain(Some(process.pid));
}

/// Writes all that is still to be written, when no process is left, and that it is all. It waits as long as nobody reads.
pub(crate) async fn finish(shared: &Shared) {
    let Some(open) = &shared.report.0 else { return };
    for (process, since) in open.programs.unsettled() {
        let seen = open.programs.give_up(&process, since, &shared.outside);
        open.tell_of(&process, seen);
    }
    open.write_of_tree(Happening::End);
    open.out.written().await;
}
