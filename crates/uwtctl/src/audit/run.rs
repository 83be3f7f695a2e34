//! Runs a command as `uwt --report` does, and hears what it does.

use std::ffi::OsString;
use std::io::{self, BufReader, PipeReader};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};
use std::{fs, process, thread};

use anyhow::Context as _;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use uwt_report::{Event, Happening, Reader};

use super::alive::is_running;
use super::collect::Collected;
use super::model::Ended;
use crate::launcher;
use crate::page::{printable, wrapped};

/// How long after a command's end the rest of its processes may take to end before the user is told that they are waited
/// for.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is known of a run besides its events.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Run {
    /// The words behind `uwtctl audit`.
    pub(crate) command: Option<Vec<String>>,
    /// How it ended.
    pub(crate) ended: Option<Ended>,
    /// Whether processes that it started still run.
    pub(crate) running: bool,
    /// How many lines of the report were none.
    pub(crate) unreadable: u64,
}

impl Run {
    /// Whether that was not the command's exit status but that of uwt, which did not run it: of a command whose start was
    /// not told either.
    pub(crate) fn ran_nothing(&self) -> bool {
        matches!(self.ended, Some(Ended::Status(2 | 125..=127 | 255)))
    }
}

/// Runs `uwt` with a report and these words, with our standard input, output and error, to the end of all processes.
///
/// A signal of the terminal (^C) is the command's to deal with; when it has ended, the next one ends the waiting for the
/// processes that it left behind.
///
/// # Errors
/// `uwt` cannot be started.
pub(crate) fn run(words: &[OsString]) -> anyhow::Result<(Vec<Event>, Run)> {
    let uwt = launcher::uwt()?;
    let (reader, writer) = io::pipe()?;
    let (tell, told) = channel();
    hear(tell.clone())?;
    // By our own number, through /proc: a descriptor that uwt inherits the command would inherit, too.
    let report = format!("/proc/{}/fd/{}", process::id(), writer.as_raw_fd());
    let child = Command::new(&uwt).arg("--report").arg(report).args(words).spawn();
    let mut child = child.with_context(|| format!("{}: it cannot be started", uwt.display()))?;
    read(reader, tell.clone());
    wait(&child, tell);
    let mut watch = Watch { told, events: Vec::new(), run: Run::default(), closed: false };
    watch.run.command = Some(words.iter().map(|word| word.to_string_lossy().into_owned()).collect());
    watch.until_the_command_ends(&mut child)?;
    // From now on only the helper keeps it open.
    drop(writer);
    watch.until_the_report_ends();
    Ok((watch.events, watch.run))
}

/// Something to deal with.
enum Told {
    /// A line of the report.
    Line(io::Result<Event>),
    /// Nobody is left who could write to the report.
    Closed,
    /// The command has ended, and waits to be waited for.
    Ended,
    /// A signal for this process.
    Signal(i32),
}

/// A run that is watched.
struct Watch {
    told: Receiver<Told>,
    events: Vec<Event>,
    run: Run,
    closed: bool,
}

impl Watch {
    /// Listens until the command ends, which is not told of the terminal's signals: it gets them by itself.
    fn until_the_command_ends(&mut self, child: &mut Child) -> anyhow::Result<()> {
        loop {
            match self.told.recv()? {
                Told::Ended => break,
                // Until it is waited for, below, no other process can have its id.
                Told::Signal(signal @ (SIGTERM | SIGHUP)) => {
                    kill(Pid::from_raw(child.id().cast_signed()), Signal::try_from(signal)?)?;
                }
                told => self.note(told),
            }
        }
        self.run.ended = ended(child.wait()?);
        Ok(())
    }

    /// Listens until all processes have ended, or a signal says that it has been long enough.
    ///
    /// One that comes before the user is told that there is something to wait for was meant for the command: it ended by it,
    /// and was the faster one.
    fn until_the_report_ends(&mut self) {
        let patient_until = Instant::now() + PATIENCE;
        let (mut waits, mut enough) = (false, false);
        while !self.closed {
            let left = patient_until.saturating_duration_since(Instant::now());
            let told = if waits { self.told.recv().ok() } else { self.told.recv_timeout(left).ok() };
            match told {
                Some(Told::Signal(_)) if waits => break,
                // Whoever ends us all from elsewhere will not do so twice.
                Some(Told::Signal(SIGTERM | SIGHUP)) => enough = true,
                Some(told) => self.note(told),
                None if enough => break,
                None => {
                    eprintln!("{}", waiting(&self.left_behind()));
                    waits = true;
                }
            }
        }
        self.run.running = !self.closed;
    }

    fn note(&mut self, told: Told) {
        match told {
            Told::Line(Ok(event)) => {
                self.closed |= matches!(event.happening, Happening::End);
                self.events.push(event);
            }
            Told::Line(Err(_)) => self.run.unreadable += 1,
            Told::Closed => self.closed = true,
            Told::Ended | Told::Signal(_) => {}
        }
    }

    /// The known processes that still run.
    fn left_behind(&self) -> Vec<String> {
        let processes = Collected::of(self.events.iter().cloned()).processes;
        let left = processes.iter().filter(|process| is_running(process.pid, process.start));
        left.map(|process| printable(&process.name())).collect()
    }
}

/// What the user is told while processes are waited for.
fn waiting(left: &[String]) -> String {
    let who = if left.is_empty() { "processes that it started".to_owned() } else { left.join(", ") };
    let text =
        format!("uwtctl: the command has ended; still running: {who}. The report comes when all have ended, or at ^C.");
    wrapped(&text, "  ").join("\n")
}

fn ended(status: ExitStatus) -> Option<Ended> {
    status.code().map(Ended::Status).or_else(|| status.signal().map(Ended::Signal))
}

/// Reads the report, in a thread of its own: whoever writes it must not wait.
fn read(reader: PipeReader, tell: Sender<Told>) {
    thread::spawn(move || {
        for line in Reader::new(BufReader::new(reader)) {
            if tell.send(Told::Line(line)).is_err() {
                return;
            }
        }
        // Nobody listens where nobody waits any more.
        let _ = tell.send(Told::Closed);
    });
}

/// Tells of the command's end, but leaves it to be waited for.
fn wait(child: &Child, tell: Sender<Told>) {
    let pid = Pid::from_raw(child.id().cast_signed());
    thread::spawn(move || {
        while waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) == Err(Errno::EINTR) {}
        let _ = tell.send(Told::Ended);
    });
}

/// Tells of the signals that would end this process. Those that it was started to ignore (nohup(1)) stay ignored, by the
/// command as well.
fn hear(tell: Sender<Told>) -> anyhow::Result<()> {
    let status = fs::read_to_string("/proc/self/status").context("/proc/self/status: it cannot be read")?;
    let ignored = ignored(&status);
    let heard = [SIGHUP, SIGINT, SIGQUIT, SIGTERM].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    let mut signals = Signals::new(heard)?;
    thread::spawn(move || signals.forever().all(|signal| tell.send(Told::Signal(signal)).is_ok()));
    Ok(())
}

/// The signals that a process ignores, from its proc_pid_status(5): number n is bit n-1.
fn ignored(status: &str) -> u64 {
    let field = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    field.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_known() {
        assert_eq!(ignored("Name:\tuwtctl\nSigIgn:\t0000000000001003\nSigCgt:\t0\n"), 0x1003);
        assert_eq!(ignored(""), 0);
    }

    /// A run whose command has ended, and what is told then.
    fn left(told: impl IntoIterator<Item = Told>) -> Watch {
        let (tell, receiver) = channel();
        for told in told {
            tell.send(told).unwrap();
        }
        let mut watch = Watch { told: receiver, events: Vec::new(), run: Run::default(), closed: false };
        watch.until_the_report_ends();
        watch
    }

    #[test]
    fn a_signal_that_ended_the_command_is_not_for_us() {
        for signal in [SIGINT, SIGQUIT, SIGTERM, SIGHUP] {
            let watch = left([Told::Signal(signal), Told::Line(Err(io::ErrorKind::InvalidData.into())), Told::Closed]);
            assert_eq!((watch.closed, watch.run.running, watch.run.unreadable), (true, false, 1));
        }
    }

    #[test]
    fn whoever_ends_all_is_not_asked_again() {
        let watch = left([Told::Signal(SIGTERM)]);
        assert!(watch.run.running && !watch.closed);
    }

    #[test]
    fn those_who_are_waited_for_are_named() {
        assert!(waiting(&["sleep (pid 7)".to_owned()]).contains("still running: sleep (pid 7)."));
        let many = waiting(&["something-longer (pid 7)".to_owned(), "nothing (pid 8)".to_owned()]);
        assert!(many.lines().all(|line| line.len() <= 80), "{many}");
        assert!(waiting(&[]).contains("processes that it started"));
    }
}
