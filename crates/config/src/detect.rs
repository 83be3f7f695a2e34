//! On which kind of machine are we, and where is its SocksPort?

mod qubes;

use std::fmt;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use crate::error::one_line;

/// The gateway of a Whonix-Workstation outside Qubes.
const WHONIX_GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 152, 152, 10);

const WORKSTATION_MARKER: &str = "usr/share/anon-ws-base-files/workstation";
const GATEWAY_MARKER: &str = "usr/share/anon-gw-base-files/gateway";
const QUBES_MARKER: &str = "usr/share/qubes/marker-vm";

/// Where to look; `Default` is this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The root under which the marker files are sought.
    pub root: PathBuf,
    /// The command that reads the Qubes database.
    pub qubesdb_read: PathBuf,
}

impl Default for Probe {
    fn default() -> Self {
        Self { root: "/".into(), qubesdb_read: "/usr/bin/qubesdb-read".into() }
    }
}

/// The kind of machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A virtual machine of Qubes OS, Whonix-Workstation or not; Whonix-Gateway counts as itself.
    Qubes,
    /// A Whonix-Workstation outside Qubes.
    WhonixWorkstation,
    /// A Whonix-Gateway, inside Qubes or not.
    WhonixGateway,
    /// Any other machine.
    Plain,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// The kind of machine.
    pub place: Place,
    /// The host of the SocksPort, for `gateway = "auto"`.
    pub gateway: Ipv4Addr,
    /// Whether unwrapped connections go through Tor too, for `transparent_proxy = "auto"`.
    pub transparent: bool,
    /// How that is known, in one line.
    pub reason: String,
}

impl Surroundings {
    /// Whether this is a Whonix-Workstation, inside Qubes or not: then [`Self::gateway`] is its Whonix-Gateway.
    #[must_use]
    pub fn is_workstation(&self) -> bool {
        // The marker alone makes a Qubes VM one.
        self.place == Place::WhonixWorkstation || (self.place == Place::Qubes && self.transparent)
    }
}

/// Why it cannot be told; says what to do, one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetectError {
    problem: String,
    advice: &'static str,
}

impl DetectError {
    fn new(problem: impl Into<String>, advice: &'static str) -> Self {
        Self { problem: problem.into(), advice }
    }
}

impl fmt::Display for DetectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot find the gateway: {}; {}", self.problem, self.advice)
    }
}

impl std::error::Error for DetectError {}

/// Looks for the markers of Whonix and Qubes.
///
/// - Whonix-Gateway: its own SocksPorts, on 127.0.0.1.
/// - Whonix-Workstation in Qubes: what `qubesdb-read /qubes-gateway` says. It is Qubes when its marker is there, or,
///   without the marker, when the command is there and answers.
/// - Whonix-Workstation elsewhere: 10.152.152.10.
/// - Everything else: a Tor on 127.0.0.1. That includes a Qubes VM without a Whonix marker. Its network VM is some
///   firewall as a rule, and only `gateway = "ADDRESS"` makes it known that a Tor listens there.
///
/// Behind a Whonix-Gateway everything is torified transparently. A plain machine costs three look-ups of a file.
///
/// # Errors
/// In Qubes, the gateway's address cannot be had; the markers contradict each other or cannot be looked up. There is no
/// guess: the caller runs nothing.
pub fn detect(probe: &Probe) -> Result<Surroundings, DetectError> {
    let workstation = exists(&probe.root.join(WORKSTATION_MARKER))?;
    let gateway = exists(&probe.root.join(GATEWAY_MARKER))?;
    let found = |place, gateway, transparent, reason: &str| {
        Ok(Surroundings { place, gateway, transparent, reason: reason.to_owned() })
    };
    match (workstation, gateway) {
        (true, true) => Err(DetectError::new(
            "the markers of Whonix-Workstation and of Whonix-Gateway are both there",
            "set gateway and transparent_proxy in /etc/uwt.d/50_user.toml",
        )),
        (true, false) => in_workstation(probe),
        (false, true) => found(Place::WhonixGateway, Ipv4Addr::LOCALHOST, false, "Whonix-Gateway: its own SocksPort"),
        (false, false) if exists(&probe.root.join(QUBES_MARKER))? => {
            let reason = "Qubes VM without the marker of Whonix-Workstation: a Tor on this machine";
            found(Place::Qubes, Ipv4Addr::LOCALHOST, false, reason)
        }
        (false, false) => {
            found(Place::Plain, Ipv4Addr::LOCALHOST, false, "no marker of Qubes or Whonix: a Tor on this machine")
        }
    }
}

fn in_workstation(probe: &Probe) -> Result<Surroundings, DetectError> {
    let found = |place, gateway, reason: String| Surroundings { place, gateway, transparent: true, reason };
    let plain = found(Place::WhonixWorkstation, WHONIX_GATEWAY, "Whonix-Workstation: its Whonix-Gateway".to_owned());
    let marked = exists(&probe.root.join(QUBES_MARKER))?;
    if !marked && !exists(&probe.qubesdb_read)? {
        return Ok(plain);
    }
    match qubes::gateway(&probe.qubesdb_read) {
        Ok(gateway) => {
            let reason = "Whonix-Workstation in Qubes: qubesdb-read /qubes-gateway".to_owned();
            Ok(found(Place::Qubes, gateway, reason))
        }
        Err(fault) if marked => Err(fault),
        Err(_) => Ok(plain),
    }
}

/// access(2), with what is neither yes nor no as an error.
fn exists(path: &Path) -> Result<bool, DetectError> {
    path.try_exists().map_err(|fault| {
        DetectError::new(
            format!("cannot look up {}: {fault}", one_line(path)),
            "set gateway and transparent_proxy in /etc/uwt.d/50_user.toml",
        )
    })
}
