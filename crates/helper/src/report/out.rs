//! Writing events without ever waiting: the tree must not stand still because nobody reads its report.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;
use uwt_report::{Event, Happening};

use crate::sys;

/// How many bytes may wait for a reader. What comes then is lost, and counted.
const WAITING: usize = 4 << 20;

/// A file or pipe that events go to.
#[derive(Debug)]
pub(super) struct Out {
    file: File,
    /// The same where it can be waited for: a pipe, a terminal. Files can always be written.
    ready: Option<AsyncFd<OwnedFd>>,
    waiting: RefCell<VecDeque<u8>>,
    /// When the first event was lost that was not told yet, and how many were.
    lost: Cell<Option<(u64, u64)>>,
    /// When something waits, and when nothing does any more.
    changed: Notify,
    written: Notify,
    failure: RefCell<Option<io::Error>>,
    has_failed: Cell<bool>,
    last_pid: Cell<u32>,
}

impl Out {
    /// # Errors
    /// Those of fcntl(2).
    pub(super) fn new(file: OwnedFd) -> io::Result<Self> {
        let flags = OFlag::from_bits_retain(fcntl(&file, FcntlArg::F_GETFL)?);
        fcntl(&file, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        Ok(Self {
            ready: sys::watch_for_writing(file.try_clone()?).ok(),
            file: File::from(file),
            waiting: RefCell::default(),
            lost: Cell::new(None),
            changed: Notify::new(),
            written: Notify::new(),
            failure: RefCell::default(),
            has_failed: Cell::new(false),
            last_pid: Cell::new(0),
        })
    }

    /// The process of the last event.
    pub(super) fn last_pid(&self) -> Option<u32> {
        Some(self.last_pid.get()).filter(|pid| *pid > 0)
    }

    /// Why nothing is written any more, once.
    pub(super) fn take_failure(&self) -> Option<io::Error> {
        self.failure.take()
    }

    /// Writes an event, now or when there is room.
    pub(super) fn write(&self, event: &Event) {
        if event.pid > 0 {
            self.last_pid.set(event.pid);
        }
        if self.has_failed.get() {
            return;
        }
        let mut line = Vec::new();
        if let Err(error) = uwt_report::write(&mut line, event) {
            return self.fail(error);
        }
        let waiting = self.waiting.borrow().len();
        // The order stays: behind what waits everything waits, and behind what was lost everything is, until that was told.
        let lost = self.lost.get();
        if waiting + line.len() > WAITING || lost.is_some() {
            let (time, count) = lost.unwrap_or((event.time, 0));
            return self.lost.set(Some((time, count + 1)));
        }
        let written = if waiting == 0 { self.write_now(&line) } else { 0 };
        if let Some(rest) = line.get(written..).filter(|rest| !rest.is_empty() && !self.has_failed.get()) {
            self.waiting.borrow_mut().extend(rest);
            self.changed.notify_one();
        }
    }

    /// How much of it there is room for. One write(2) where all of it is.
    fn write_now(&self, bytes: &[u8]) -> usize {
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match (&self.file).write(rest) {
                Ok(0) => {
                    self.fail(io::ErrorKind::WriteZero.into());
                    break;
                }
                Ok(more) => written += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && self.ready.is_some() => break,
                Err(error) => {
                    self.fail(error);
                    break;
                }
            }
        }
        written
    }

    fn fail(&self, error: io::Error) {
        self.has_failed.set(true);
        self.failure.replace(Some(error));
        self.waiting.borrow_mut().clear();
        self.lost.set(None);
        self.changed.notify_one();
        self.written.notify_waiters();
    }

    /// Writes what waits, or tells how many events were lost meanwhile.
    fn go_on(&self) {
        // Nothing is added meanwhile: this does not wait.
        let mut bytes = self.waiting.take();
        let written = self.write_now(bytes.make_contiguous());
        if self.has_failed.get() {
            return;
        }
        bytes.drain(..written);
        self.waiting.replace(bytes);
        if let Some((time, count)) = self.lost.get().filter(|_| self.waiting.borrow().is_empty()) {
            self.lost.set(None);
            self.write(&Event { time, pid: 0, start: 0, happening: Happening::Lost { count } });
        }
    }

    /// Waits until something waits to be written, and until it is written, or nothing can be written any more.
    pub(super) async fn drain(&self) {
        self.changed.notified().await;
        let Some(ready) = &self.ready else { return };
        while !self.is_written() {
            let Ok(mut guard) = ready.writable().await else { return };
            self.go_on();
            if !self.is_written() {
                guard.clear_ready();
            }
        }
        self.written.notify_waiters();
    }

    fn is_written(&self) -> bool {
        self.waiting.borrow().is_empty() && self.lost.get().is_none()
    }

    /// Waits until nothing waits to be written.
    pub(super) async fn written(&self) {
        loop {
            let written = self.written.notified();
            if self.is_written() {
                return;
            }
            written.await;
        }
    }
}
