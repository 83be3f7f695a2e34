//! Which program a process runs. A report tells it before anything else about the process, and again when it has executed
//! another one.
//!
//! What is executed nobody can read in another process's memory: the kernel shows it when it runs. Whether the preload runs
//! in it is certain when the preload says so, or when the guard sees the program first; the preload speaks before
//! everything else.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::rc::Rc;

use uwt_report::Happening;
use uwt_session::FileId;

use super::Witness;
use crate::outside::Outside;
use crate::tree::{Process, Stat};

/// How many processes are remembered before it is looked which of them have ended.
const REMEMBERED: usize = 1024;
/// As much of a process's arguments as is told, in bytes.
const ARGUMENTS: u64 = 64 << 10;

/// What is known of processes.
#[derive(Debug, Default)]
pub(super) struct Programs(RefCell<HashMap<(u32, u64), Known>>);

#[derive(Debug, Default)]
struct Known {
    /// What was told, if anything was.
    told: Option<Image>,
    /// Whether the preload runs in it.
    preload: bool,
    /// It is about to execute a program, or does already.
    executing: Option<Executing>,
}

#[derive(Debug)]
struct Executing {
    process: Rc<Process>,
    /// Whose child it is: when it has ended nobody can say.
    parent: Option<u32>,
    /// When it began, in the report's time.
    since: u64,
    /// What it was before.
    before: Image,
    /// What it became.
    after: Option<Image>,
}

/// What /proc shows of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Image {
    program: Option<Vec<u8>>,
    arguments: Vec<u8>,
}

impl Image {
    /// # Errors
    /// The process has ended.
    fn of(process: &Process, outside: &Outside) -> io::Result<Self> {
        let mut arguments = Vec::new();
        let pid = process.pid;
        File::open(format!("/proc/{pid}/cmdline"))?.take(ARGUMENTS).read_to_end(&mut arguments)?;
        let image = Self { program: outside.program(pid).ok(), arguments };
        // Only now is it certain that it was this one. One that waits to be reaped shows nothing.
        let gone = image == Self::default() || Stat::of(pid)?.start != process.start;
        if gone { Err(io::ErrorKind::NotFound.into()) } else { Ok(image) }
    }

    fn is(&self, file: FileId) -> bool {
        let metadata = self.program.as_deref().map(|path| fs::metadata(Path::new(OsStr::from_bytes(path))));
        matches!(metadata, Some(Ok(found)) if (found.dev(), found.ino()) == (file.device, file.inode))
    }

    fn happening(&self, parent: Option<u32>, preload: bool) -> Happening {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let arguments = self.arguments.strip_suffix(&[0]).unwrap_or(&self.arguments);
        Happening::Process {
            parent,
            program: self.program.as_deref().map(text),
            arguments: if arguments.is_empty() && self.arguments.is_empty() {
                Vec::new()
            } else {
                arguments.split(|byte| *byte == 0).map(text).collect()
            },
            preload,
        }
    }
}

/// Whether there is something to tell.
#[must_use]
#[derive(Debug)]
pub(super) enum Seen {
    /// No.
    Known,
    /// It is the launcher, on its way to a program.
    Launcher,
    /// Yes.
    New {
        /// When it became what it is, where that was earlier.
        since: Option<u64>,
        happening: Happening,
    },
}

/// Where a process is that executes a program.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// Nobody knows yet.
    Waiting,
    /// It was told what it became.
    Settled,
    /// It has ended.
    Gone,
}

impl Programs {
    /// A process does something: what it runs is certain now.
    pub(super) fn settle(&self, process: &Process, witness: Witness, outside: &Outside) -> Seen {
        let mut known = self.0.borrow_mut();
        let by_preload = witness != Witness::Guard;
        if witness != Witness::Beginning
            && let Some(known) = known.get(&key(process))
            && known.told.is_some()
            && known.executing.is_none()
            && (known.preload || !by_preload)
        {
            return Seen::Known;
        }
        let image = Image::of(process, outside).unwrap_or_default();
        if image.is(process.session.launcher) {
            return Seen::Launcher;
        }
        let preload = by_preload || !known.contains_key(&key(process)) && is_inherited(&known, process, &image);
        forget_ended(&mut known);
        let entry = known.entry(key(process)).or_default();
        let executing = entry.executing.take();
        // An execve(2) that has failed leaves it what it was.
        let became = executing.as_ref().is_some_and(|executing| executing.before != image);
        if witness != Witness::Beginning && !became && entry.told.is_some() && (entry.preload || !preload) {
            return Seen::Known;
        }
        entry.tell(image, preload, parent_of(process), executing.map(|executing| executing.since))
    }

    /// A process is about to execute a program, at this time of the report's.
    pub(super) fn will_execute(&self, process: &Rc<Process>, since: u64, outside: &Outside) -> Seen {
        let now = Image::of(process, outside).unwrap_or_default();
        let mut known = self.0.borrow_mut();
        forget_ended(&mut known);
        let entry = known.entry(key(process)).or_default();
        let (process_of, parent) = (Rc::clone(process), parent_of(process));
        let executing = Executing { process: process_of, parent, since, before: now.clone(), after: None };
        let earlier = entry.executing.replace(executing);
        // One that nobody has seen do anything, and that executes another already.
        match earlier.filter(|earlier| earlier.before != now) {
            Some(earlier) if !now.is(process.session.launcher) => {
                entry.tell(now, false, earlier.parent, Some(earlier.since))
            }
            _ => Seen::Known,
        }
    }

    /// What a process wanted to execute could not be.
    pub(super) fn stays(&self, process: &Process) {
        if let Some(known) = self.0.borrow_mut().get_mut(&key(process)) {
            known.executing = None;
        }
    }

    /// Looks what a process has become since then.
    pub(super) fn look(&self, process: &Process, since: u64, outside: &Outside) -> Before {
        let mut known = self.0.borrow_mut();
        let executing = known.get_mut(&key(process)).and_then(|known| known.executing.as_mut());
        let Some(executing) = executing.filter(|executing| executing.since == since) else { return Before::Settled };
        match Image::of(process, outside) {
            // Its arguments come last.
            Ok(image) if image != executing.before && !image.arguments.is_empty() => executing.after = Some(image),
            Ok(_) => {}
            Err(_) => return Before::Gone,
        }
        Before::Waiting
    }

    /// Nobody will say any more what a process has become since then: what was seen has to do.
    pub(super) fn give_up(&self, process: &Process, since: u64, outside: &Outside) -> Seen {
        let before = self.look(process, since, outside);
        let mut known = self.0.borrow_mut();
        let Some(entry) = known.get_mut(&key(process)).filter(|_| before != Before::Settled) else {
            return Seen::Known;
        };
        let Some(executing) = entry.executing.take() else { return Seen::Known };
        match executing.after {
            Some(image) if image.is(process.session.launcher) => Seen::Launcher,
            Some(image) => entry.tell(image, false, executing.parent, Some(since)),
            None if before == Before::Gone => entry.tell(Image::default(), false, executing.parent, Some(since)),
            // It has failed.
            None => Seen::Known,
        }
    }

    /// Who executes something, since when.
    pub(super) fn unsettled(&self) -> Vec<(Rc<Process>, u64)> {
        let known = self.0.borrow();
        let executing = known.values().filter_map(|known| known.executing.as_ref());
        executing.map(|executing| (Rc::clone(&executing.process), executing.since)).collect()
    }
}

impl Known {
    fn tell(&mut self, image: Image, preload: bool, parent: Option<u32>, since: Option<u64>) -> Seen {
        let happening = image.happening(parent, preload);
        self.told = Some(image);
        self.preload = preload;
        Seen::New { since, happening }
    }
}

fn parent_of(process: &Process) -> Option<u32> {
    Stat::of(process.pid).ok().map(|stat| stat.parent).filter(|parent| *parent > 0)
}

fn key(process: &Process) -> (u32, u64) {
    (process.pid, process.start)
}

/// Whether a forked process runs what its parent runs, with the preload in it.
fn is_inherited(known: &HashMap<(u32, u64), Known>, process: &Process, image: &Image) -> bool {
    let parent = Stat::of(process.pid).and_then(|stat| Ok((stat.parent, Stat::of(stat.parent)?.start)));
    let parent = parent.ok().and_then(|parent| known.get(&parent)).filter(|parent| parent.preload);
    parent.and_then(|parent| parent.told.as_ref()).is_some_and(|told| told.program == image.program)
}

fn forget_ended(known: &mut HashMap<(u32, u64), Known>) {
    if known.len() >= REMEMBERED && known.len().is_power_of_two() {
        known.retain(|(pid, start), known| {
            known.executing.is_some() || Stat::of(*pid).is_ok_and(|stat| stat.start == *start)
        });
    }
}
