//! The whole lab: a gateway namespace with Tor and "the internet", and workstations in front of it.

mod bin;
pub mod cli;
mod state;
mod up;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Result;

pub use state::State;
pub use up::Running;

use crate::control::Control;
use crate::gateway::{Gateway, GatewayOptions};
use crate::hosts::Hosts;
use crate::netns::{GATEWAY_V4, Namespaces, Netns, Workstation};
use crate::process::is_running;

/// The names behind the exits, and their addresses: `(name, last octet)` of 203.0.113.x and `2001:db8::x`.
pub const NAMES: [(&str, u8); 6] = [
    ("www.lab.test", 1),
    ("git.lab.test", 2),
    ("ssh.lab.test", 3),
    ("mirror.lab.test", 4),
    ("keys.lab.test", 5),
    ("echo.lab.test", 6),
];

/// A lab that another process keeps up. Any number of test programs and threads may use one at the same time.
#[derive(Debug)]
pub struct Lab {
    state: State,
    namespaces: Namespaces,
}

impl Lab {
    /// Attaches to the lab that `UWT_LAB` names.
    ///
    /// # Panics
    /// When there is none: the end-to-end tests are meaningless without.
    #[must_use]
    pub fn attach() -> Self {
        let advice = "run `cargo xtask test`, or start `cargo xtask lab` and export UWT_LAB=… as it says";
        let Some(path) = std::env::var_os("UWT_LAB") else { panic!("UWT_LAB is not set: {advice}") };
        match Self::attach_to(Path::new(&path)) {
            Ok(lab) => lab,
            Err(error) => panic!("the lab of UWT_LAB cannot be used: {error:#}: {advice}"),
        }
    }

    /// Attaches to the lab with this state file.
    ///
    /// # Errors
    /// When the file cannot be read or the lab is gone.
    pub fn attach_to(path: &Path) -> Result<Self> {
        let state = State::read(path)?;
        anyhow::ensure!(is_running(state.pid), "the lab of {} (process {}) has ended", path.display(), state.pid);
        let namespaces = Namespaces::attach(&state.prefix);
        Ok(Self { state, namespaces })
    }

    /// Everything the lab told about itself.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// A workstation of one's own, with counters of its own: take one per test.
    ///
    /// # Panics
    /// When it cannot be made; the test must be root.
    #[must_use]
    pub fn private_workstation(&self) -> Workstation {
        self.namespaces.add_workstation().unwrap_or_else(|error| panic!("make a private workstation: {error:#}"))
    }

    /// The gateway's namespace.
    #[must_use]
    pub fn gateway(&self) -> &Netns {
        self.namespaces.gateway()
    }

    /// Tor's `SocksPort` as workstations see it: 10.152.152.10:9050.
    #[must_use]
    pub fn socks(&self) -> SocketAddr {
        self.state.socks
    }

    /// A new connection to Tor's control port.
    ///
    /// # Panics
    /// When Tor is gone.
    #[must_use]
    pub fn control(&self) -> Control {
        Control::connect(&self.state.control).unwrap_or_else(|error| panic!("control port: {error:#}"))
    }

    /// Starts a mock gateway on 10.152.152.10, a free port; unless the options name another address. Its traffic counts
    /// as leaked until [`Workstation::allow_gateway_port`] is told the port of [`Gateway::address`].
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn mock_gateway(&self, options: GatewayOptions) -> Gateway {
        let elsewhere = options.listen != GatewayOptions::new().listen;
        let options = if elsewhere { options } else { options.listen(SocketAddr::from((GATEWAY_V4, 0))) };
        Gateway::start_in(Some(self.gateway()), options).unwrap_or_else(|error| panic!("mock gateway: {error:#}"))
    }

    /// A workstation and a mock gateway it may talk to.
    ///
    /// # Panics
    /// When one of them cannot be made.
    #[must_use]
    pub fn mock(&self, options: GatewayOptions) -> (Workstation, Gateway) {
        let workstation = self.private_workstation();
        let gateway = self.mock_gateway(options);
        workstation.allow_gateway_port(gateway.address().port()).expect("allow the mock gateway's port");
        (workstation, gateway)
    }

    /// The names behind the exits, e.g. for a mock gateway's options.
    #[must_use]
    pub fn hosts(&self) -> Hosts {
        hosts()
    }

    /// The onion service, `….onion`.
    #[must_use]
    pub fn onion(&self) -> &str {
        &self.state.onion
    }

    /// The `uwt` under test, in a directory everybody may read, with `libuwt_preload.so` beside it. Brought up to date
    /// from `UWT_BIN_DIR` when that is set.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn uwt(&self) -> PathBuf {
        self.binary("uwt")
    }

    /// The preload library under test.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn preload(&self) -> PathBuf {
        self.binary("libuwt_preload.so")
    }

    /// Copies a program (a probe, say) to where every user of the lab may run it.
    ///
    /// # Panics
    /// When it cannot be copied.
    #[must_use]
    pub fn install(&self, program: &Path) -> PathBuf {
        bin::install(program, &self.bin_dir()).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Where the binaries are.
    #[must_use]
    pub fn bin_dir(&self) -> PathBuf {
        self.state.dir.join("bin")
    }

    /// Configuration for `ssh -F`, with key, user (root) and known hosts for `ssh.lab.test` and `git.lab.test`.
    #[must_use]
    pub fn ssh_config(&self) -> PathBuf {
        self.state.dir.join("ssh").join("config")
    }

    /// The repository on `git.lab.test` as the ssh server sees it (over HTTP: `http://git.lab.test/git/hello.git`).
    #[must_use]
    pub fn git_path(&self) -> PathBuf {
        self.state.dir.join("git").join(crate::internet::repository::NAME)
    }

    /// Fingerprint of the key that `hkp://keys.lab.test` (port 11371) and `http://keys.lab.test` hand out.
    #[must_use]
    pub fn key_fingerprint(&self) -> &str {
        &self.state.key_fingerprint
    }

    /// One of the binaries under test.
    fn binary(&self, name: &str) -> PathBuf {
        if let Some(from) = std::env::var_os("UWT_BIN_DIR") {
            let from = Path::new(&from).join(name);
            return bin::install(&from, &self.bin_dir()).unwrap_or_else(|error| panic!("UWT_BIN_DIR: {error:#}"));
        }
        let path = self.bin_dir().join(name);
        assert!(path.is_file(), "the lab has no {name}: set UWT_BIN_DIR to the directory with the built binaries");
        path
    }
}

/// The lab's names: those of [`NAMES`] in both families, `v4only.lab.test`, `v6only.lab.test`, `*.any.lab.test`.
#[must_use]
pub fn hosts() -> Hosts {
    use crate::netns::{internet_v4, internet_v6};
    let hosts = Hosts::new();
    for (name, index) in NAMES {
        hosts.add(name, internet_v4(index).into());
        hosts.add(name, internet_v6(index).into());
    }
    hosts.add("v4only.lab.test", internet_v4(7).into());
    hosts.add("v6only.lab.test", internet_v6(8).into());
    hosts.add("*.any.lab.test", internet_v4(9).into());
    hosts
}
