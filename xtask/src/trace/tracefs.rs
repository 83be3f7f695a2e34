//! A trace of our own: an instance of the kernel's (Documentation/trace/ftrace.rst), apart from anybody else's.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use nix::unistd::{getppid, gettid};

const TRACEFS: &str = "/sys/kernel/tracing";
/// What is recorded; page faults have an event on x86 only.
const EVENTS: [&str; 3] = ["raw_syscalls/sys_enter", "raw_syscalls/sys_exit", "exceptions/page_fault_user"];

/// Taken away when dropped.
#[derive(Debug)]
pub(super) struct Instance {
    folder: PathBuf,
}

impl Instance {
    /// Makes one that records nothing yet.
    ///
    /// # Errors
    /// There is no tracefs, or it is not ours to use.
    pub(super) fn make() -> Result<Self> {
        let folder = Path::new(TRACEFS).join("instances").join(format!("uwt-{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| {
            format!("{}: no kernel trace (`mount -t tracefs none {TRACEFS}` where there is none)", folder.display())
        })?;
        let instance = Self { folder };
        instance.set("tracing_on", "0")?;
        instance.set("trace_clock", "mono")?;
        // Children are recorded too.
        instance.set("options/event-fork", "1")?;
        instance.set("set_event_pid", &gettid().to_string())?;
        Ok(instance)
    }

    fn set(&self, file: &str, value: &str) -> Result<()> {
        let path = self.folder.join(file);
        fs::write(&path, value).with_context(|| format!("{}: {value}", path.display()))
    }

    fn enable(&self, value: &str) -> Result<()> {
        for event in EVENTS {
            let file = format!("events/{event}/enable");
            if self.folder.join(&file).exists() {
                self.set(&file, value)?;
            }
        }
        Ok(())
    }

    /// What this thread and its children did in `run`, as text.
    ///
    /// # Errors
    /// Those of `run`, and of the trace's files.
    pub(super) fn record<T>(&mut self, run: impl FnOnce() -> Result<T>) -> Result<String> {
        self.set("trace", "")?;
        self.enable("1")?;
        self.set("tracing_on", "1")?;
        let ran = run();
        self.set("tracing_on", "0")?;
        self.enable("0")?;
        ran?;
        let path = self.folder.join("trace");
        fs::read_to_string(&path).with_context(|| format!("{}", path.display()))
    }

    /// Microseconds that it takes to record an event, found by a system call that does nothing.
    ///
    /// # Errors
    /// Those of the trace's files.
    pub(super) fn cost(&mut self) -> Result<f64> {
        const CALLS: u32 = 20_000;
        let calls = || {
            let before = Instant::now();
            for _ in 0..CALLS {
                let _ = getppid();
            }
            before.elapsed().as_secs_f64() * 1e6
        };
        let plain = calls();
        let mut recorded = plain;
        self.record(|| {
            recorded = calls();
            Ok(())
        })?;
        // Its beginning and its end.
        Ok(((recorded - plain) / f64::from(CALLS) / 2.0).max(0.0))
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // What cannot be taken away records nothing any more.
        let _ = fs::remove_dir(&self.folder);
    }
}
