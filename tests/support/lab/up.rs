//! Bringing a lab up and keeping it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use super::{State, hosts};
use crate::dns::DnsStub;
use crate::internet::{apt, http, keys, repository, rpm, server::Server, ssh};
use crate::netns::{GATEWAY_V4, Namespaces, SOCKS_PORT, internet_v4, internet_v6};
use crate::process::{Process, is_running};
use crate::tor::{Progress, TorNetwork, TorOptions};

/// Tor's `TransPort` on the gateway, as in Whonix.
const TRANS_PORT: u16 = 9040;
/// Tor's `DNSPort` on the gateway, as in Whonix.
const DNS_PORT: u16 = 5300;
/// Tor's `SocksPort` that does not isolate by credentials.
const UNISOLATED_PORT: u16 = 9059;
/// The keyserver's port (HKP).
const HKP_PORT: u16 = 11371;

/// A lab kept up by this process; everything goes when it is dropped.
#[derive(Debug)]
pub struct Running {
    // Dropped in this order: servers, then namespaces, then files.
    state: State,
    _tor: TorNetwork,
    _ssh: Process,
    _servers: Vec<Server>,
    _dns: DnsStub,
    _namespaces: Namespaces,
    _dir: TempDir,
}

impl Running {
    /// Builds everything; takes about half a minute, most of it Tor's. Must be root.
    ///
    /// Setting `stop` from another thread makes it give up.
    ///
    /// The calling thread moves into the gateway's namespace for good, and must outlive the lab.
    ///
    /// # Errors
    /// When a program is missing or something does not come up; the message says which and shows its log.
    pub fn up(stop: &Arc<AtomicBool>, mut progress: impl FnMut(&Progress)) -> Result<Self> {
        anyhow::ensure!(nix::unistd::geteuid().is_root(), "the lab makes network namespaces: run it as root");
        remove_old_directories();
        let mut tell = |stage: &str| progress(&Progress { percent: 0, stage: stage.to_owned() });
        tell("namespaces");
        let namespaces = Namespaces::create()?;
        namespaces.gateway().enter()?;

        let dir = tempfile::Builder::new().prefix(&format!("uwt-lab-{}-", std::process::id())).tempdir()?;
        let at = dir.path();
        std::fs::set_permissions(at, std::fs::Permissions::from_mode(0o755))?;
        for name in ["bin", "files", "git", "ssh", "tor"] {
            std::fs::create_dir(at.join(name))?;
        }
        if let Some(from) = std::env::var_os("UWT_BIN_DIR") {
            for name in ["uwt", "libuwt_preload.so"] {
                super::bin::install(&Path::new(&from).join(name), &at.join("bin")).context("UWT_BIN_DIR")?;
            }
        }

        let gateway = |port| SocketAddr::from((GATEWAY_V4, port));
        let web = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 80));
        tell("Tor network");
        let options = TorOptions {
            socks: vec![gateway(SOCKS_PORT), SocketAddr::from((Ipv4Addr::LOCALHOST, SOCKS_PORT))],
            unisolated: Some(gateway(UNISOLATED_PORT)),
            transparent: Some(gateway(TRANS_PORT)),
            dns_port: Some(gateway(DNS_PORT)),
            hosts: hosts(),
            onion: Some((80, SocketAddr::from((Ipv4Addr::LOCALHOST, 80)))),
            stop: Arc::clone(stop),
            dir: Some(at.join("tor")),
        };
        let mut tor = TorNetwork::start(&options)?;

        // While Tor votes there is time for the rest.
        tell("servers");
        let key_fingerprint = keys::make_key(&at.join("key.asc"))?;
        apt::make_mirror(&at.join("files"))?;
        rpm::make_repository(&at.join("files"))?;
        repository::make(&at.join("git"))?;
        let (servers, ssh, dns) = serve(at, web)?;

        tor.bootstrap(&mut progress)?;
        let state = State {
            pid: std::process::id(),
            dir: at.to_owned(),
            prefix: namespaces.prefix().to_owned(),
            socks: tor.socks(),
            control: tor.control_path(),
            unisolated_port: UNISOLATED_PORT,
            trans_port: TRANS_PORT,
            dns_port: DNS_PORT,
            onion: tor.onion().context("the onion service has no name")?,
            key_fingerprint,
        };
        Ok(Self { state, _tor: tor, _ssh: ssh, _servers: servers, _dns: dns, _namespaces: namespaces, _dir: dir })
    }

    /// What those who attach need to know.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }
}

/// Starts the servers of the internet.
fn serve(at: &Path, web: SocketAddr) -> Result<(Vec<Server>, Process, DnsStub)> {
    let site = http::Site { files: at.join("files"), repositories: at.join("git"), key: at.join("key.asc") };
    let any = |port| SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port);
    let servers = vec![http::start(web, site.clone())?, http::start(any(HKP_PORT), site)?, Server::echo(any(7))?];
    // Those of git.lab.test and ssh.lab.test.
    let listen = [2, 3].map(|index| [(internet_v4(index), 22).into(), (internet_v6(index), 22).into()]);
    ssh::prepare(&at.join("ssh"), listen.as_flattened(), &["ssh.lab.test", "git.lab.test"])?;
    let ssh = ssh::start(&at.join("ssh"))?;
    // A resolver that leaks gets its answer: a leak shall succeed where everybody can see it.
    let dns = DnsStub::start(SocketAddr::from((GATEWAY_V4, 53)), hosts())?;
    Ok((servers, ssh, dns))
}

/// Removes the directories of labs that were killed.
fn remove_old_directories() {
    let entries = std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        if owner(&path).is_some_and(|pid| !is_running(pid)) {
            // Best effort: what stays is only files.
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

/// The process in the name `uwt-lab-<pid>-…`.
fn owner(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.strip_prefix("uwt-lab-")?.split('-').next()?.parse().ok()
}
