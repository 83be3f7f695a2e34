//! What the user is told: one line per run, or with `-v` one for each call that was refused.

use std::cell::Cell;
use std::fs;

use uwt_session::Voice;

use crate::outside::Outside;
use crate::tree::Process;

/// The tree's messages, written to the stderr of the program they are about.
#[derive(Debug)]
pub(crate) struct Say {
    verbose: bool,
    said: Cell<bool>,
    complained: Cell<bool>,
}

impl Say {
    /// Where the tree is verbose every refusal is told, else the first one.
    pub(crate) fn new(voice: Voice) -> Self {
        Self { verbose: voice == Voice::Verbose, said: Cell::new(false), complained: Cell::new(false) }
    }

    /// Whether every refusal is told.
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Tells that something was refused to a process, unless its session wants to hear nothing: `what` is the rest of a
    /// sentence behind its name.
    pub(crate) fn refused(&self, process: &Process, what: &str, outside: &Outside) {
        let pid = process.pid;
        if is_silent(process) || !self.verbose && self.said.replace(true) {
            return;
        }
        outside.say(pid, &format!("uwt: {} (pid {pid}) {what}\n", name_of(pid)));
    }

    /// Tells once per run why the gateway is of no use, to a process that wants to hear it.
    pub(crate) fn gateway(&self, process: &Process, complaint: &str, outside: &Outside) {
        if !is_silent(process) && !self.complained.replace(true) {
            outside.say(process.pid, &format!("uwt: {complaint}\n"));
        }
    }

    /// Tells what was done for a process whose session wants to know everything.
    pub(crate) fn line(pid: u32, what: &str, outside: &Outside) {
        outside.say(pid, &format!("uwt: [{pid}] {what}\n"));
    }
}

fn is_silent(process: &Process) -> bool {
    process.session.voice == Voice::Silent
}

/// The name of a process's program (proc_pid_comm(5)), made printable.
fn name_of(pid: u32) -> String {
    let name = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    let name: String = String::from_utf8_lossy(&name).trim_end().chars().flat_map(char::escape_debug).collect();
    if name.is_empty() { "a program".to_owned() } else { name }
}
