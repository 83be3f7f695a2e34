//! Where the SocksPort is.

use std::net::Ipv4Addr;

use uwt_config::{GatewayChoice, Origin, Setting};

use super::Request;
use crate::message::Failure;
use crate::plan::machine::Machine;

/// The SocksPort's address and why that one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Gateway {
    /// The host.
    pub(crate) address: Setting<Ipv4Addr>,
    /// How the host was detected.
    pub(crate) detected: Option<String>,
    /// The port.
    pub(crate) port: Setting<u16>,
}

/// Command line, else what an outer command line fixed, else the configuration, else what is detected. A setting that was
/// made for this call alone is as good as an option.
///
/// # Errors
/// It has to be detected and cannot be.
pub(crate) fn settle(request: &Request<'_>, machine: &impl Machine) -> Result<Gateway, Failure> {
    let (options, settings) = (request.options, request.settings);
    let pinned = request.session.filter(|session| session.pinned.gateway).map(|session| session.gateway);
    let pinned_for = |origin: &Origin| pinned.filter(|_| !origin.is_of_the_call());
    let choice = match (options.ip, pinned_for(&settings.gateway.origin)) {
        (Some(choice), _) => Setting::new(choice, Origin::CommandLine("--ip")),
        (None, Some(gateway)) => Setting::new(GatewayChoice::Address(*gateway.ip()), Origin::Session),
        (None, None) => settings.gateway.clone(),
    };
    let port = match (options.port, pinned_for(&settings.port.origin)) {
        (Some(port), _) => Setting::new(port, Origin::CommandLine("--port")),
        (None, Some(gateway)) => Setting::new(gateway.port(), Origin::Session),
        (None, None) => settings.port.clone(),
    };
    let (address, detected) = match choice.value {
        GatewayChoice::Address(address) => (address, None),
        GatewayChoice::Auto => {
            let found = machine.surroundings()?;
            (found.gateway, Some(found.reason))
        }
    };
    Ok(Gateway { address: Setting::new(address, choice.origin), detected, port })
}
