//! Processes that nobody waits for but we, and what they use.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

/// What uwt leaves beside a program, by the names of the processes.
pub(crate) const HELPER: &str = "uwt-helper";
pub(crate) const OUTSIDER: &str = "uwt-outsider";

/// The helper only has to start, or to close what it carried.
pub(super) const SOON: Duration = Duration::from_secs(10);

/// Orphans of our children are ours meanwhile: the helper is one, and found among them.
#[derive(Debug)]
pub(super) struct Adoption {
    /// Our process id.
    parent: u32,
}

impl Adoption {
    pub(super) fn begin() -> Result<Self> {
        set_child_subreaper(true).context("PR_SET_CHILD_SUBREAPER")?;
        Ok(Self { parent: std::process::id() })
    }

    /// The helper of a program that is running. It may still be on its way: a program that has not needed it does not
    /// wait for it.
    pub(super) fn helper(&self) -> Result<u32> {
        let start = Instant::now();
        loop {
            match child(self.parent, HELPER) {
                Err(_) if start.elapsed() < SOON => thread::sleep(Duration::from_millis(2)),
                found => return found,
            }
        }
    }

    /// Waits until helpers have ended, and takes note of it, which nobody else does.
    pub(super) fn reap(&self) -> Result<()> {
        let start = Instant::now();
        loop {
            let left = children(self.parent, &[HELPER, OUTSIDER])?;
            if left.is_empty() {
                return Ok(());
            }
            for pid in &left {
                waitpid(Pid::from_raw((*pid).try_into()?), Some(WaitPidFlag::WNOHANG))?;
            }
            ensure!(start.elapsed() < SOON, "still there: {left:?}");
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Adoption {
    fn drop(&mut self) {
        // It cannot fail where setting it did not; later orphans are init's again.
        let _ = set_child_subreaper(false);
    }
}

/// Processor time of all children that have been waited for, and of theirs.
pub(super) fn time_of_children() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let time = |value: TimeVal| -> Result<Duration> {
        Ok(Duration::from_secs(value.tv_sec().try_into()?) + Duration::from_micros(value.tv_usec().try_into()?))
    };
    Ok(time(usage.user_time())? + time(usage.system_time())?)
}

/// The child of a process that has this name.
pub(super) fn child(parent: u32, name: &str) -> Result<u32> {
    let found = children(parent, &[name])?.first().copied();
    found.with_context(|| format!("process {parent} has no child {name}"))
}

/// The children of a process that have one of these names.
fn children(parent: u32, names: &[&str]) -> Result<Vec<u32>> {
    let processes = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    // Other processes may end meanwhile.
    let stats = processes.filter_map(|pid| Some((pid, fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)));
    let found = stats
        .filter(|(_, stat)| name_and_parent(stat).is_some_and(|(name, its)| its == parent && names.contains(&name)));
    Ok(found.map(|(pid, _)| pid).collect())
}

/// The second and the fourth field of `/proc/PID/stat` (proc(5)).
fn name_and_parent(stat: &str) -> Option<(&str, u32)> {
    let (front, behind) = stat.rsplit_once(')')?;
    Some((front.split_once('(')?.1, behind.split_whitespace().nth(1)?.parse().ok()?))
}

/// KiB of the line of this name in a file below `/proc/PID`.
pub(super) fn size(pid: u32, file: &str, name: &str) -> Result<f64> {
    let path = format!("/proc/{pid}/{file}");
    let text = fs::read_to_string(&path).with_context(|| path.clone())?;
    kibibytes(&text, name).with_context(|| format!("{path} has no {name}"))
}

fn kibibytes(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        assert_eq!(name_and_parent("7 (uwt-helper) S 1 7 7"), Some(("uwt-helper", 1)));
        assert_eq!(name_and_parent("7 (a) R 2 (b) S 1 7 7"), Some(("a) R 2 (b", 1)));
        assert_eq!(name_and_parent("7 (a"), None);
    }

    #[test]
    fn sizes_are_read_by_name() {
        let status = "Name:\tx\nVmHWM:\t  9 kB\nVmRSS:\t    2600 kB\n";
        assert_eq!(kibibytes(status, "VmRSS:"), Some(2600.0));
        assert_eq!(kibibytes(status, "Pss:"), None);
    }

    #[test]
    fn a_child_is_found_by_its_name() {
        let mut sleeper = std::process::Command::new("sleep").arg("60").spawn().expect("sleep");
        let found = child(std::process::id(), "sleep");
        let none = child(std::process::id(), HELPER);
        sleeper.kill().expect("killed");
        sleeper.wait().expect("waited for");
        assert_eq!(found.expect("a child"), sleeper.id());
        assert!(none.is_err());
    }

    #[test]
    fn time_counts_what_has_been_waited_for() {
        let before = time_of_children().expect("known");
        let mut busy = std::process::Command::new("sh");
        busy.args(["-c", "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done"]);
        assert!(busy.status().expect("sh").success());
        assert!(time_of_children().expect("known") > before);
    }
}
