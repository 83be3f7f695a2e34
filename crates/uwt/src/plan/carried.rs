//! Everything that holds for a program that is carried.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use uwt_config::{Native, Origin, Setting};
use uwt_policy::{CredentialForm, DnsMode, Inbound};
use uwt_session::{Pinned, Voice};

use super::bind::Bind;
use super::guard::Guarding;
use super::isolation::Isolation;
use super::passthrough::Reason;
use super::report::Reporting;
use super::{Request, bind, gateway, guard, isolation, report};
use crate::guard::tree::Tree;
use crate::hand_down::library::Library;
use crate::message::Failure;
use crate::plan::machine::Machine;

/// What holds for a program that is carried, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Carried {
    /// The SocksPort's host.
    pub(crate) gateway: Setting<Ipv4Addr>,
    /// How the host was detected.
    pub(crate) detected: Option<String>,
    /// The SocksPort.
    pub(crate) port: Setting<u16>,
    /// What shares a circuit.
    pub(crate) isolation: Isolation,
    /// How credentials are written.
    pub(crate) credentials: Setting<CredentialForm>,
    /// How well it is guarded.
    pub(crate) guard: Guarding,
    /// Why it would run without uwt, if a tree could be left.
    pub(crate) instead_of: Option<Reason>,
    /// How names are looked up.
    pub(crate) dns: Setting<DnsMode>,
    /// Who may connect to the program.
    pub(crate) inbound: Setting<Inbound>,
    /// Where its servers are bound.
    pub(crate) bind: Bind,
    /// Whether services of this machine may be reached.
    pub(crate) allow_loopback: Setting<bool>,
    /// Whether a Tor on this machine may be reached directly.
    pub(crate) local_tor: Setting<bool>,
    /// Seconds until a connect fails.
    pub(crate) timeout: Setting<u16>,
    /// Whether a connect succeeds before the gateway has answered.
    pub(crate) optimistic: Setting<bool>,
    /// Programs that may run unprotected.
    pub(crate) trusted: Setting<Vec<PathBuf>>,
    /// The program's own proxy support.
    pub(crate) native: Setting<Native>,
    /// The preload library.
    pub(crate) library: Library,
    /// What nested calls keep.
    pub(crate) pinned: Pinned,
    /// Where what it does is written down.
    pub(crate) report: Setting<Reporting>,
    /// How much is said while it runs.
    pub(crate) voice: Voice,
}

/// Settles it all.
///
/// # Errors
/// The gateway or the address of servers cannot be told, the library is missing, or the guard that is asked for cannot be had.
pub(crate) fn settle(
    request: &Request<'_>,
    tree: Tree,
    instead_of: Option<Reason>,
    machine: &impl Machine,
) -> Result<Carried, Failure> {
    let (options, settings, session, fixed) = (request.options, request.settings, request.session, request.fixed);
    let outer = session.map(|session| session.pinned).unwrap_or_default();
    let dns = match (options.dns, session.filter(|_| outer.dns)) {
        (Some(mode), _) => Setting::new(mode, Origin::CommandLine("--dns")),
        (None, Some(session)) => Setting::new(session.dns, Origin::Session),
        (None, None) => settings.dns.clone(),
    };
    let gateway = gateway::settle(request, machine)?;
    let guard = guard::settle(request, tree, machine)?;
    Ok(Carried {
        gateway: gateway.address,
        detected: gateway.detected,
        port: gateway.port,
        isolation: isolation::settle(request),
        credentials: settings.credentials.clone(),
        report: report::settle(request, &guard)?,
        guard,
        instead_of,
        dns,
        inbound: settings.inbound.clone(),
        bind: bind::settle(request, machine)?,
        allow_loopback: settings.allow_loopback.clone(),
        local_tor: settings.local_tor.clone(),
        timeout: settings.connect_timeout.clone(),
        optimistic: settings.optimistic.clone(),
        trusted: settings.trusted.clone(),
        native: settings.native.clone(),
        library: machine.library(&settings.preload)?,
        pinned: Pinned {
            gateway: outer.gateway || fixed.gateway || options.ip.is_some() || options.port.is_some(),
            scope: outer.scope || fixed.scope || options.isolate.is_some() || options.identity.is_some(),
            dns: outer.dns || fixed.dns || options.dns.is_some(),
        },
        voice: request.voice,
    })
}

#[cfg(test)]
pub(crate) mod tests;
