//! Where the program's servers are bound.

use std::fmt;
use std::net::Ipv4Addr;

use uwt_config::{BindChoice, Setting};

use super::Request;
use crate::message::Failure;
use crate::plan::machine::Machine;

/// Where servers are bound that ask for loopback or every address.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bind {
    /// The address; `None`: where they ask to be.
    pub(crate) address: Option<Ipv4Addr>,
    /// What was asked for, and by whom.
    asked: Setting<BindChoice>,
}

impl Bind {
    /// Who decided, in the words of `--explain`.
    pub(crate) fn why(&self) -> Why<'_> {
        Why(self)
    }
}

/// See [`Bind::why`].
pub(crate) struct Why<'a>(&'a Bind);

impl fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bind { address, asked } = self.0;
        match &asked.value {
            BindChoice::None | BindChoice::Address(_) => write!(f, "{}", asked.origin),
            BindChoice::Workstation if address.is_none() => {
                write!(f, "{}, {}: this is no Whonix-Workstation", asked.value, asked.origin)
            }
            choice => write!(f, "{choice}, {}", asked.origin),
        }
    }
}

/// What the configuration says, as it is on this machine now.
///
/// # Errors
/// The interface has no address, or the machine has not this one: a server would be where nobody expects it.
pub(crate) fn settle(request: &Request<'_>, machine: &impl Machine) -> Result<Bind, Failure> {
    let asked = request.settings.bind.clone();
    let failed = |problem: String, advice: &str| {
        Failure::ours(format!("bind = \"{}\" ({}): {problem}; nothing was run ({advice})", asked.value, asked.origin))
    };
    let address = match &asked.value {
        BindChoice::None => None,
        BindChoice::Address(address) => {
            let addresses = machine.addresses()?;
            if !addresses.iter().any(|(_, own)| own == address) {
                let problem = "no network interface of this machine has this address".to_owned();
                return Err(failed(problem, "`ip -4 address` lists those that there are"));
            }
            Some(*address)
        }
        BindChoice::Interface(name) => {
            let addresses = machine.addresses()?;
            let Some((_, address)) = addresses.iter().find(|(interface, _)| interface == name) else {
                let problem = format!("there is no interface {name} with an IPv4 address");
                return Err(failed(problem, "`ip -4 address` lists those that there are"));
            };
            Some(*address)
        }
        BindChoice::Workstation => {
            let advice = "or set another `bind` for this command in /etc/uwt.d/50_user.toml";
            let found = machine.surroundings().map_err(|error| failed(error.message, advice))?;
            if found.is_workstation() {
                let towards = machine.address_towards(found.gateway);
                Some(towards.map_err(|error| {
                    failed(format!("no way to the gateway {}: {error}", found.gateway), "is the network up?")
                })?)
            } else {
                None
            }
        }
    };
    Ok(Bind { address, asked })
}

#[cfg(test)]
mod tests;
