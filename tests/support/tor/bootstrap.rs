//! Watching a network come up.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::{AUTHORITIES, RELAYS, TorNetwork, consensus, launch};
use crate::control::Control;
use crate::process::{Process, log_tail};
use crate::wait::wait_until;

/// How far the network is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// 0 to 100. The client's own percentage; 99 until the onion service is published, too.
    pub percent: u8,
    /// What is going on, in Tor's words.
    pub stage: String,
}

/// Waits for the client, then for the onion service.
pub(crate) fn wait(network: &mut TorNetwork, limit: Duration, mut progress: impl FnMut(&Progress)) -> Result<()> {
    let end = Instant::now() + limit;
    let left = || end.saturating_duration_since(Instant::now());
    let mut last = Progress { percent: 0, stage: "starting".to_owned() };
    progress(&last);
    let agreed = wait_until(left(), || {
        if let Err(error) = check(network) {
            return Some(Err(error));
        }
        let (running, exits) = consensus::relays(network.directory).unwrap_or_default();
        let stage = format!("waiting for a consensus: {running} of {} relays", AUTHORITIES + RELAYS);
        let seen = Progress { percent: 5, stage };
        if seen != last {
            progress(&seen);
            last = seen;
        }
        (running == AUTHORITIES + RELAYS && exits >= RELAYS).then_some(Ok(()))
    });
    match agreed {
        Some(result) => result?,
        None => return too_late(network, &last, "auth0"),
    }
    for node in std::mem::take(&mut network.later) {
        network.processes.push(launch(&node.data, node.name, &node.text)?);
    }

    // Listening from the beginning: the descriptor's upload is announced only once.
    let mut publisher = None;
    let onion = network.onion_dir.is_some().then(|| network.dir.join("onion").join("control"));
    let path = network.control_path();
    let mut control: Option<Control> = None;
    let client = wait_until(left(), || {
        if let Err(error) = check(network) {
            return Some(Err(error));
        }
        if let Some(onion) = onion.as_ref().filter(|_| publisher.is_none()) {
            publisher = Some(Control::watch_descriptors(onion).ok()?);
        }
        if control.is_none() {
            control = Control::connect(&path).ok();
        }
        let seen = phase(&control.as_mut()?.get_info("status/bootstrap-phase").ok()?)?;
        let done = seen.percent == 100;
        let seen = Progress { percent: seen.percent.clamp(10, 99), ..seen };
        if seen != last {
            progress(&seen);
            last = seen;
        }
        done.then_some(Ok(()))
    });
    match client {
        Some(result) => result?,
        None => return too_late(network, &last, "client"),
    }
    if let Some(mut publisher) = publisher {
        progress(&Progress { percent: 99, stage: "publishing the onion service".to_owned() });
        if let Err(error) = publisher.wait_published(left(), &network.stop) {
            return too_late(network, &last, "onion").map_err(|late| late.context(error));
        }
    }
    progress(&Progress { percent: 100, stage: "ready".to_owned() });
    Ok(())
}

/// Fails when there is no point in waiting any longer.
fn check(network: &mut TorNetwork) -> Result<()> {
    if network.stop.load(Ordering::Acquire) {
        bail!("interrupted while the private Tor network was coming up");
    }
    network.processes.iter_mut().try_for_each(Process::check)
}

/// Reads `NOTICE BOOTSTRAP PROGRESS=50 TAG=loading_descriptors SUMMARY="Loading relay descriptors"`.
fn phase(text: &str) -> Option<Progress> {
    let percent = text.split_once("PROGRESS=")?.1.split_whitespace().next()?.parse().ok()?;
    let stage = text.split_once("SUMMARY=\"")?.1.split('"').next()?.to_owned();
    Some(Progress { percent, stage })
}

/// The error when time ran out.
fn too_late(network: &TorNetwork, last: &Progress, node: &str) -> Result<()> {
    let log = network.dir.join(node).join("log");
    bail!(
        "the private Tor network is not ready: {} % ({}); the log of its {node} ends with:\n{}",
        last.percent,
        last.stage,
        log_tail(&log, 20)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_phase() {
        let text = r#"NOTICE BOOTSTRAP PROGRESS=50 TAG=loading_descriptors SUMMARY="Loading relay descriptors""#;
        let want = Progress { percent: 50, stage: "Loading relay descriptors".to_owned() };
        assert_eq!(phase(text), Some(want));
        assert_eq!(phase("nothing"), None);
    }
}
