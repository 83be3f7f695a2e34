//! ^C and SIGTERM end the programs we started, and us only after we have cleaned up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Remembers that we were asked to stop. There is one, made before the task starts and kept to the end: a program that
/// a task runs in the foreground gets ^C from the terminal itself, ends, and so ends the task.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    seen: Arc<AtomicBool>,
}

impl Interrupt {
    /// Starts to listen.
    pub(crate) fn watch() -> Result<Self> {
        let seen = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            flag::register(signal, Arc::clone(&seen)).context("cannot handle signals")?;
        }
        Ok(Self { seen })
    }

    /// An error once a signal has come.
    pub(crate) fn check(&self) -> Result<()> {
        ensure!(!self.seen.load(Ordering::Relaxed), "interrupted");
        Ok(())
    }

    /// One that no signal reaches.
    #[cfg(test)]
    pub(crate) fn never() -> Self {
        Self { seen: Arc::new(AtomicBool::new(false)) }
    }
}
