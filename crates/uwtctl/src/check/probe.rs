//! Processes under uwt that each make one connection and hold it: `uwtctl` itself, started by `uwt`.

use std::env;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use uwt_session::VARIABLE;

use crate::processes::Process;

/// Says to a process that it is one of ours, and where to connect to.
const PROBE: &str = "UWTCTL_PROBE";
/// What it says when it is connected.
const CONNECTED: &str = "connected";

/// Where processes connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
}

/// A process, ended when dropped.
#[derive(Debug)]
pub(super) struct Probe {
    child: Child,
    said: Receiver<String>,
}

/// Connects if this process was started to, holds the connection until nobody wants it any more, and gives whether it was.
pub(super) fn serve() -> bool {
    let Ok(target) = env::var(PROBE) else { return false };
    let mut held = None;
    let said = match (env::var_os(VARIABLE), target.rsplit_once(' ')) {
        (None, _) => "uwt does not wrap: see `uwt --explain uwtctl`".to_owned(),
        (_, Some((host, port))) => match connect(host, port) {
            Ok(stream) => {
                held = Some(stream);
                CONNECTED.to_owned()
            }
            Err(error) => error.to_string(),
        },
        (_, None) => "nothing to connect to".to_owned(),
    };
    // Without a reader there is nobody to tell, and the end of its input comes at once.
    let _ = writeln!(io::stdout(), "{said}");
    let _ = io::stdin().read_to_end(&mut Vec::new());
    drop(held);
    true
}

fn connect(host: &str, port: &str) -> io::Result<TcpStream> {
    let port = port.parse::<u16>().map_err(io::Error::other)?;
    TcpStream::connect((host, port))
}

impl Probe {
    /// Starts one, with options of `uwt`.
    ///
    /// # Errors
    /// `uwt` cannot be run.
    pub(super) fn start(uwt: &Path, options: &[String], target: &Target) -> anyhow::Result<Self> {
        let own = env::current_exe().context("the path of uwtctl")?;
        let mut command = Command::new(uwt);
        command.args(options).arg("--").arg(own).args(["check", "isolation"]);
        command.env(PROBE, format!("{} {}", target.host, target.port));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("{}", uwt.display()))?;
        let (say, said) = channel();
        let (output, errors) = (child.stdout.take(), child.stderr.take());
        thread::spawn(move || {
            let mut line = String::new();
            if let Some(output) = output {
                // What cannot be read was not said.
                let _ = BufReader::new(output).read_line(&mut line);
            }
            if line.is_empty() {
                let mut text = String::new();
                let _ = errors.map(|mut errors| errors.read_to_string(&mut text));
                text.lines().last().unwrap_or("it ended without a word").clone_into(&mut line);
            }
            // Whoever does not listen any more has given up.
            let _ = say.send(line.trim_end().to_owned());
        });
        Ok(Self { child, said })
    }

    /// Its process id: uwt executes it in its own place.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it is connected.
    ///
    /// # Errors
    /// It is not; says why, in a clause.
    pub(super) fn connected(&self, patience: Duration) -> Result<(), String> {
        match self.said.recv_timeout(patience) {
            Ok(said) if said == CONNECTED => Ok(()),
            Ok(said) => Err(said),
            Err(RecvTimeoutError::Timeout) => Err("it did not connect in time".to_owned()),
            Err(RecvTimeoutError::Disconnected) => Err("it ended without a word".to_owned()),
        }
    }

    /// The label of its credential for a host, `None` in the scope that sends none.
    ///
    /// # Errors
    /// It cannot be looked at.
    pub(super) fn credential(&self, host: &str) -> Result<Option<String>, String> {
        match Process::of(self.pid()) {
            Ok(Some(process)) => Ok(process.label(host)),
            Ok(None) => Err("it is not wrapped".to_owned()),
            Err(error) => Err(format!("/proc/{} cannot be read: {error}", self.pid())),
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It may have ended by itself, and then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
