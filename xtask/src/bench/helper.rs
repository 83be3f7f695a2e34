//! What the helper occupies.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use indicatif::ProgressIterator;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::probe::{Holding, Probe};
use super::series::Series;
use super::table::{Row, Table, number};
use super::variant::{Setup, UWT_TUNNEL};
use super::way::progress;
use crate::interrupt::Interrupt;

/// The table the figures look at, and its rows: the names of the processes.
pub(crate) const KEY: &str = "helper";
pub(crate) const HELPER: &str = "uwt-helper";
const OUTSIDER: &str = "uwt-outsider";

/// Connections that the helper carries meanwhile.
const CONNECTIONS: u16 = 400;
/// It only has to close what it carried.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// Resident memory with connections through the cage.
pub(super) fn measure(setup: &Setup, probe: &Probe, rounds: u32, interrupt: &Interrupt) -> Result<Table> {
    let names = [HELPER, OUTSIDER];
    let mut resident = [Series::default(), Series::default()];
    let mut proportional = resident.clone();
    for _ in (0..rounds).progress_with(progress("helper", rounds)) {
        interrupt.check()?;
        let _adoption = Adoption::begin()?;
        let holding = Holding::start(probe, setup.variant(UWT_TUNNEL)?, CONNECTIONS)?;
        let helper = child(std::process::id(), HELPER)?;
        for (index, pid) in [helper, child(helper, OUTSIDER)?].into_iter().enumerate() {
            resident[index].0.push(size(pid, "status", "VmRSS:")?);
            // The processes of an ordinary user are closed to that user too.
            proportional[index].0.extend(size(pid, "smaps_rollup", "Pss:").ok());
        }
        holding.end()?;
        reap(helper)?;
    }
    let rows = names.iter().zip(resident.into_iter().zip(proportional));
    Ok(Table {
        key: KEY,
        title: format!("Resident memory of the helper while it carries {CONNECTIONS} connections"),
        unit: "KiB",
        base: HELPER,
        extra: vec!["of it its own"],
        rows: rows.map(|(name, (series, own))| Row { name, series, extra: vec![number(own.median())] }).collect(),
        notes: vec![
            "VmRSS of `/proc/PID/status`, and the proportional set size: what both share counts half. The kernel's \
             buffers of the connections are in neither."
                .to_owned(),
        ],
    })
}

/// Orphans of our children are ours meanwhile: the helper is one, and found among them.
struct Adoption;

impl Adoption {
    fn begin() -> Result<Self> {
        set_child_subreaper(true).context("PR_SET_CHILD_SUBREAPER")?;
        Ok(Self)
    }
}

impl Drop for Adoption {
    fn drop(&mut self) {
        // It cannot fail where setting it did not; later orphans are init's again.
        let _ = set_child_subreaper(false);
    }
}

/// Waits for the end of the helper, which nobody else does.
fn reap(helper: u32) -> Result<()> {
    let start = Instant::now();
    while waitpid(Pid::from_raw(helper.try_into()?), Some(WaitPidFlag::WNOHANG))? == WaitStatus::StillAlive {
        ensure!(start.elapsed() < GONE_WITHIN, "the helper {helper} is still there");
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// The child of a process that has this name.
fn child(parent: u32, name: &str) -> Result<u32> {
    let processes = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    // Other processes may end meanwhile.
    let stats = processes.filter_map(|pid| Some((pid, fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)));
    let mut found = stats.filter(|(_, stat)| name_and_parent(stat) == Some((name, parent)));
    found.next().map(|(pid, _)| pid).with_context(|| format!("process {parent} has no child {name}"))
}

/// The second and the fourth field of `/proc/PID/stat` (proc(5)).
fn name_and_parent(stat: &str) -> Option<(&str, u32)> {
    let (front, behind) = stat.rsplit_once(')')?;
    Some((front.split_once('(')?.1, behind.split_whitespace().nth(1)?.parse().ok()?))
}

/// KiB of the line of this name.
fn size(pid: u32, file: &str, name: &str) -> Result<f64> {
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
}
