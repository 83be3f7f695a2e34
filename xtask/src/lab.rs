//! The lab as a program beside us: up before the end-to-end tests, down after them whatever happens.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};

use crate::artifacts;
use crate::interrupt::Interrupt;
use crate::prereq::{self, Group};
use crate::workspace::Workspace;

/// A Tor network bootstraps in about 25 s; more than this means that it never will.
const UP_WITHIN: Duration = Duration::from_mins(2);
/// Ending the daemons and deleting the namespaces takes a second or two.
const DOWN_WITHIN: Duration = Duration::from_secs(30);
/// How often we look.
const LOOK: Duration = Duration::from_millis(50);

/// `cargo xtask lab`: builds, then becomes the lab with the terminal as it is.
pub(crate) fn interactive(workspace: &Workspace) -> Result<()> {
    need_root("lab")?;
    prereq::ensure(&[Group::Build, Group::Test])?;
    artifacts::build(workspace)?;
    let program = workspace.dev_program("uwt-tests", "lab")?;
    let error = Command::new(&program)
        .args(["up", "--interactive", "--state"])
        .arg(workspace.target.join("lab.json"))
        .current_dir(&workspace.root)
        .env("UWT_BIN_DIR", workspace.bin_dir())
        .exec();
    Err(error).with_context(|| format!("{}", program.display()))
}

/// Namespaces and nftables are root's.
pub(crate) fn need_root(task: &str) -> Result<()> {
    ensure!(
        geteuid().is_root(),
        "`cargo xtask {task}` makes network namespaces and so needs root: sudo env \"PATH=$PATH\" cargo xtask {task}"
    );
    Ok(())
}

/// A running lab. [`Lab::down`] ends it; so does dropping it, and even our being killed: the lab stays only as long as
/// its standard input is open.
#[derive(Debug)]
pub(crate) struct Lab {
    child: Child,
    /// What the lab wrote when it was ready, for `UWT_LAB`.
    pub(crate) state: PathBuf,
    log: PathBuf,
    ended: Option<ExitStatus>,
}

impl Lab {
    /// Starts the program and waits until it has written its state.
    pub(crate) fn up(mut program: Command, bin_dir: &Path, directory: &Path, interrupt: &Interrupt) -> Result<Self> {
        fs::create_dir_all(directory).with_context(|| format!("{}", directory.display()))?;
        let state = directory.join("lab.json");
        let log = directory.join("lab.log");
        if state.exists() {
            // Of an earlier run: it would look ready at once.
            fs::remove_file(&state).with_context(|| format!("{}", state.display()))?;
        }
        let output = File::create(&log).with_context(|| format!("{}", log.display()))?;
        let child = program
            .args(["up", "--state"])
            .arg(&state)
            .env("UWT_BIN_DIR", bin_dir)
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            // ^C is for us: the lab goes down in order when we close its standard input.
            .process_group(0)
            .spawn()
            .context("cannot start the lab")?;
        let mut lab = Self { child, state, log, ended: None };
        match lab.wait_ready(interrupt) {
            Ok(()) => Ok(lab),
            Err(error) => {
                let tail = tail(&lab.log);
                // The first error says more than one of taking down what isn't up.
                let _ = lab.end();
                bail!("{error:#}\nlast lines of {}:\n{tail}", lab.log.display())
            }
        }
    }

    fn wait_ready(&mut self, interrupt: &Interrupt) -> Result<()> {
        let start = Instant::now();
        let bar = ProgressBar::new_spinner()
            .with_style(ProgressStyle::with_template("{spinner} lab: {elapsed}  {wide_msg}")?);
        while !ready(&self.state) {
            if let Some(status) = self.child.try_wait()? {
                self.ended = Some(status);
                bail!("the lab ended before it was up: {status}");
            }
            interrupt.check()?;
            ensure!(start.elapsed() < UP_WITHIN, "the lab was not up within {} s", UP_WITHIN.as_secs());
            bar.set_message(tail(&self.log).lines().last().unwrap_or("starting").to_owned());
            bar.tick();
            thread::sleep(LOOK);
        }
        bar.finish_and_clear();
        eprintln!("lab: up after {:.1} s", start.elapsed().as_secs_f64());
        Ok(())
    }

    /// Takes the lab down; an error when it does not go, or goes with one.
    pub(crate) fn down(mut self) -> Result<()> {
        let status = self.end()?;
        ensure!(status.success(), "the lab ended with {status}; last lines of its log:\n{}", tail(&self.log));
        Ok(())
    }

    fn end(&mut self) -> Result<ExitStatus> {
        if let Some(status) = self.ended {
            return Ok(status);
        }
        drop(self.child.stdin.take());
        let mut forced = false;
        for signal in [Some(Signal::SIGTERM), Some(Signal::SIGKILL), None] {
            if let Some(status) = self.wait_ended(DOWN_WITHIN)? {
                ensure!(!forced, "the lab did not end by itself: {status}");
                return Ok(status);
            }
            if let Some(signal) = signal {
                forced = true;
                kill(Pid::from_raw(self.child.id().try_into()?), signal)?;
            }
        }
        bail!("the lab, process {}, cannot be ended", self.child.id())
    }

    fn wait_ended(&mut self, within: Duration) -> Result<Option<ExitStatus>> {
        let start = Instant::now();
        while start.elapsed() < within {
            if let Some(status) = self.child.try_wait()? {
                self.ended = Some(status);
                return Ok(Some(status));
            }
            thread::sleep(LOOK);
        }
        Ok(None)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("xtask: {error:#}");
        }
    }
}

/// Whether the whole state is there.
fn ready(state: &Path) -> bool {
    fs::read(state).is_ok_and(|content| serde_json::from_slice::<serde_json::Value>(&content).is_ok())
}

fn tail(log: &Path) -> String {
    let content = fs::read(log).unwrap_or_default();
    let content = String::from_utf8_lossy(&content);
    let lines: Vec<&str> = content.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Brings up a lab in one line of shell; its arguments are `up --state FILE`.
    fn up(body: &str) -> (tempfile::TempDir, Result<Lab>) {
        let directory = tempfile::tempdir().expect("a directory");
        let mut program = Command::new("sh");
        program.args(["-c", body, "lab"]);
        let out = directory.path().join("out");
        let lab = Lab::up(program, Path::new("/bin"), &out, &Interrupt::never());
        (directory, lab)
    }

    #[test]
    fn it_is_up_with_its_state_and_ends_with_its_input() {
        let (_directory, lab) = up("printf '{\"bin\":\"%s\"}' \"$UWT_BIN_DIR\" >\"$3\"; cat >/dev/null; rm \"$3\"");
        let lab = lab.expect("up");
        assert_eq!(fs::read_to_string(&lab.state).expect("state"), "{\"bin\":\"/bin\"}");
        let state = lab.state.clone();
        lab.down().expect("down");
        assert!(!state.exists());
    }

    #[test]
    fn a_lab_that_fails_shows_why() {
        let (_directory, lab) = up("echo no tor >&2; exit 3");
        let error = lab.expect_err("it ended").to_string();
        assert!(error.contains("exit status: 3") && error.contains("no tor"), "{error}");
    }

    #[test]
    fn an_error_on_the_way_down_is_one() {
        let (_directory, lab) = up("echo '{}' >\"$3\"; cat >/dev/null; echo namespace busy; exit 1");
        let error = lab.expect("up").down().expect_err("it failed").to_string();
        assert!(error.contains("namespace busy"), "{error}");
    }
}
