//! What a running lab tells those who attach to it: one JSON file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// The state of a running lab.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// The lab's process.
    pub pid: u32,
    /// Its directory, readable by everybody.
    pub dir: PathBuf,
    /// What the names of its namespaces begin with; the gateway is `PREFIX-gw`, the first workstation `PREFIX-w11`.
    pub prefix: String,
    /// Tor's `SocksPort` as workstations see it.
    pub socks: SocketAddr,
    /// Tor's control port, a unix socket.
    pub control: PathBuf,
    /// Tor's `SocksPort` that does not isolate by credentials, on the gateway's address.
    pub unisolated_port: u16,
    /// Tor's `TransPort`, on the gateway's address.
    pub trans_port: u16,
    /// Tor's `DNSPort`, on the gateway's address.
    pub dns_port: u16,
    /// The onion service, `….onion`; its port 80 is the web server.
    pub onion: String,
    /// Fingerprint of the key on the keyserver.
    pub key_fingerprint: String,
}

impl State {
    /// Writes it so that whoever sees the file sees all of it.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let temporary = path.with_extension("new");
        std::fs::write(&temporary, serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("write {}", temporary.display()))?;
        std::fs::rename(&temporary, path).with_context(|| format!("write {}", path.display()))
    }

    /// Reads it.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let json = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
        serde_json::from_slice(&json).with_context(|| format!("understand {}", path.display()))
    }
}
