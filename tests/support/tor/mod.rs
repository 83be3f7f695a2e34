//! A private Tor network from the installed `tor`: authorities, relays, an onion service and a client, all on loopback.

mod bandwidth;
mod bootstrap;
mod consensus;
mod keys;
mod ports;
mod torrc;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

pub use bootstrap::Progress;
use ports::Ports;

use crate::control::Control;
use crate::dns::DnsStub;
use crate::hosts::Hosts;
use crate::process::{Process, find};

/// Directory authorities; three is the least that gives a majority when one is slow.
const AUTHORITIES: usize = 3;
/// Relays, all of them exits: enough for three-hop circuits that differ.
const RELAYS: usize = 4;
/// How long the network may take until the client and the onion service are ready.
const BOOTSTRAP_LIMIT: Duration = Duration::from_secs(110);

/// What the network shall offer.
#[derive(Clone, Debug, Default)]
pub struct TorOptions {
    /// Addresses of the client's `SocksPort`s; port 0 picks a free one; empty: one on 127.0.0.1.
    pub socks: Vec<SocketAddr>,
    /// A `SocksPort` of the client that does not isolate by credentials (`NoIsolateSOCKSAuth`), if any.
    pub unisolated: Option<SocketAddr>,
    /// `TransPort` of the client, if any.
    pub transparent: Option<SocketAddr>,
    /// `DNSPort` of the client, if any.
    pub dns_port: Option<SocketAddr>,
    /// The names the exits can resolve. Entries added later count too.
    pub hosts: Hosts,
    /// An onion service: its virtual port and the address it forwards to.
    pub onion: Option<(u16, SocketAddr)>,
    /// Set it from another thread to make [`TorNetwork::bootstrap`] give up at once.
    pub stop: Arc<AtomicBool>,
    /// Directory to work in; it must exist and is not removed. Without one: a temporary directory.
    pub dir: Option<PathBuf>,
}

/// A running private Tor network; every process of it ends when this is dropped.
#[derive(Debug)]
pub struct TorNetwork {
    // Dropped in this order: first the processes, then what they use.
    processes: Vec<Process>,
    later: Vec<Later>,
    /// The `DirPort` of an authority.
    directory: SocketAddr,
    _dns: DnsStub,
    dir: PathBuf,
    socks: Vec<SocketAddr>,
    onion_dir: Option<PathBuf>,
    stop: Arc<AtomicBool>,
    _temporary: Option<TempDir>,
}

/// A node that is started by [`TorNetwork::bootstrap`].
#[derive(Debug)]
struct Later {
    name: &'static str,
    data: PathBuf,
    text: String,
}

impl TorNetwork {
    /// Starts authorities and relays in the network namespace of the calling thread; [`bootstrap`](Self::bootstrap) starts
    /// the client and waits until it carries streams.
    ///
    /// Works as root and as an ordinary user. The calling thread must outlive the network: the processes die with it.
    ///
    /// # Errors
    /// When `tor` or `tor-gencert` is missing, keys cannot be made or a port cannot be had.
    pub fn start(options: &TorOptions) -> Result<Self> {
        let (dir, temporary) = if let Some(dir) = &options.dir {
            (dir.clone(), None)
        } else {
            let made = tempfile::Builder::new().prefix("uwt-tor-").tempdir()?;
            (made.path().to_owned(), Some(made))
        };
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let dns = DnsStub::start(SocketAddr::new(loopback, 0), options.hosts.clone())?;
        let resolv = dir.join("exit-resolv.conf");
        std::fs::write(&resolv, format!("nameserver {}\n", dns.address()))?;

        let mut ports = Ports::new();
        let mut authorities = Vec::new();
        for index in 0..AUTHORITIES {
            let name = format!("auth{index}");
            let data = node_dir(&dir, &name)?;
            authorities.push(keys::Authority { name, data, or_port: ports.free()?, dir_port: ports.free()? });
        }
        let lines = keys::make(&authorities)?;

        let mut processes = Vec::new();
        for authority in &authorities {
            processes.push(launch(
                &authority.data,
                &authority.name,
                &torrc::authority(authority, &bandwidth::file(&dir), &lines),
            )?);
        }
        for index in 0..RELAYS {
            let name = format!("relay{index}");
            let data = node_dir(&dir, &name)?;
            let text = torrc::relay(&name, &data, ports.free()?, &resolv, &lines);
            processes.push(launch(&data, &name, &text)?);
        }
        bandwidth::write(&dir)?;
        // These start when there is a consensus: earlier they would find none and wait long before they ask again.
        let socks = ports.fill(&options.socks)?;
        let data = node_dir(&dir, "client")?;
        let text = torrc::client(&data, &socks, options, &lines);
        let mut later = vec![Later { name: "client", data, text }];
        let mut onion_dir = None;
        if let Some((port, target)) = options.onion {
            let data = node_dir(&dir, "onion")?;
            let service = data.join("service");
            let text = torrc::onion(&data, &service, port, target, &lines);
            later.push(Later { name: "onion", data, text });
            onion_dir = Some(service);
        }
        let directory = SocketAddr::new(loopback, authorities[0].dir_port);
        let stop = Arc::clone(&options.stop);
        Ok(Self { processes, later, directory, _dns: dns, dir, socks, onion_dir, stop, _temporary: temporary })
    }

    /// Waits for a consensus that lists all relays, starts the client and the onion service, and waits until the client
    /// has built circuits and the service is published. Call it once, on the thread that called [`start`](Self::start).
    ///
    /// `progress` is called whenever something changed, for a progress bar.
    ///
    /// # Errors
    /// When a process ends or time runs out; the message carries the client's stage and the end of its log.
    pub fn bootstrap(&mut self, progress: impl FnMut(&Progress)) -> Result<()> {
        bootstrap::wait(self, BOOTSTRAP_LIMIT, progress)
    }

    /// The first `SocksPort` of the client.
    #[must_use]
    pub fn socks(&self) -> SocketAddr {
        self.socks[0]
    }

    /// All `SocksPort`s, in the order they were asked for.
    #[must_use]
    pub fn all_socks(&self) -> &[SocketAddr] {
        &self.socks
    }

    /// The client's control port, a unix socket (so it can be reached from any network namespace).
    #[must_use]
    pub fn control_path(&self) -> PathBuf {
        self.dir.join("client").join("control")
    }

    /// A new authenticated connection to the client's control port.
    ///
    /// # Errors
    /// When it does not accept or the cookie is refused.
    pub fn control(&self) -> Result<Control> {
        Control::connect(&self.control_path())
    }

    /// The onion service's address, `….onion`, once [`bootstrap`](Self::bootstrap) has returned.
    #[must_use]
    pub fn onion(&self) -> Option<String> {
        let name = std::fs::read_to_string(self.onion_dir.as_ref()?.join("hostname")).ok()?;
        Some(name.trim().to_owned())
    }
}

impl Drop for TorNetwork {
    fn drop(&mut self) {
        self.processes.iter_mut().for_each(Process::terminate);
    }
}

/// The data directory of one node. Tor insists on 0700.
fn node_dir(dir: &Path, name: &str) -> Result<PathBuf> {
    let data = dir.join(name);
    let made = std::fs::DirBuilder::new().mode(0o700).create(&data);
    made.with_context(|| format!("make {}", data.display()))?;
    Ok(data)
}

/// Writes the torrc of a node and starts it.
fn launch(data: &Path, name: &str, text: &str) -> Result<Process> {
    let torrc = data.join("torrc");
    std::fs::write(&torrc, text)?;
    let mut command = Command::new(find("tor"));
    command.arg("--defaults-torrc").arg("/dev/null").arg("-f").arg(&torrc);
    Process::spawn(name, &mut command, &data.join("log"))
        .context("the lab needs Debian's tor (>= 0.4.9): apt-get install tor")
}
