//! Equal weights for all relays: otherwise one that happened to carry traffic first is chosen ever after, and circuits
//! look alike (bandwidth-file-spec, version 1.0.0).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};

use super::{AUTHORITIES, RELAYS};
use crate::wait::wait_until;

/// Kilobytes per second; any number does, as all have the same.
const WEIGHT: u32 = 10_000;
/// A starting relay writes its fingerprint within a moment.
const LIMIT: Duration = Duration::from_secs(30);

/// Where the authorities look (`V3BandwidthsFile`).
pub(crate) fn file(dir: &Path) -> PathBuf {
    dir.join("bandwidths")
}

/// Writes the file when all relays know who they are.
pub(crate) fn write(dir: &Path) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let mut text = format!("{now}\n");
    let authorities = (0..AUTHORITIES).map(|index| format!("auth{index}"));
    for name in authorities.chain((0..RELAYS).map(|index| format!("relay{index}"))) {
        let path = dir.join(&name).join("fingerprint");
        let fingerprint = wait_until(LIMIT, || {
            let text = std::fs::read_to_string(&path).ok()?;
            text.split_whitespace().nth(1).map(str::to_owned)
        });
        let fingerprint = fingerprint.with_context(|| format!("{name} does not start: no {}", path.display()))?;
        writeln!(text, "node_id=${fingerprint} bw={WEIGHT} nick={name}")?;
    }
    // By rename: an authority may read it at any time.
    let part = file(dir).with_extension("new");
    std::fs::write(&part, text)?;
    std::fs::rename(part, file(dir)).context("write the bandwidths")
}
