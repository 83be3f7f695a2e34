//! What a plan asks about this machine.

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use uwt_config::{Probe, Setting, Surroundings, detect};
use uwt_session::Session;

use crate::environment::Environment;
use crate::guard::abilities::{self, Abilities};
use crate::guard::tree::Tree;
use crate::hand_down::library::{self, Library};
use crate::message::Failure;

/// Answers that need files of this machine; a plan asks only for those it needs.
pub(crate) trait Machine {
    /// Which gateway is there.
    ///
    /// # Errors
    /// It cannot be told.
    fn surroundings(&self) -> Result<Surroundings, Failure>;

    /// The IPv4 addresses of this machine, each with its network interface; an interface's first one first.
    ///
    /// # Errors
    /// The kernel does not say.
    fn addresses(&self) -> Result<Vec<(String, Ipv4Addr)>, Failure>;

    /// The address that this machine has towards another one.
    ///
    /// # Errors
    /// There is no way to it.
    fn address_towards(&self, other: Ipv4Addr) -> io::Result<Ipv4Addr>;

    /// The preload library, checked.
    ///
    /// # Errors
    /// It is missing or of no use.
    fn library(&self, configured: &Setting<Option<PathBuf>>) -> Result<Library, Failure>;

    /// libfaketime, checked.
    ///
    /// # Errors
    /// It is missing or of no use.
    fn faketime(&self) -> Result<String, Failure>;

    /// Whether this process is inside a guarded tree.
    fn tree(&self, session: Option<&Session<'_>>) -> Tree;

    /// What a guard can be made of.
    fn abilities(&self, environment: &Environment) -> Abilities;
}

/// The machine we run on.
#[derive(Debug)]
pub(crate) struct ThisMachine;

impl Machine for ThisMachine {
    fn surroundings(&self) -> Result<Surroundings, Failure> {
        detect(&Probe::default()).map_err(|error| Failure::ours(error.to_string()))
    }

    fn addresses(&self) -> Result<Vec<(String, Ipv4Addr)>, Failure> {
        let interfaces = getifaddrs().map_err(|errno| {
            Failure::ours(format!("the addresses of this machine are not to be had: {}; nothing was run", errno.desc()))
        })?;
        let address = |interface: InterfaceAddress| {
            let address = interface.address?.as_sockaddr_in()?.ip();
            Some((interface.interface_name, address))
        };
        Ok(interfaces.filter_map(address).collect())
    }

    fn address_towards(&self, other: Ipv4Addr) -> io::Result<Ipv4Addr> {
        uwt_helper::source_address(other)
    }

    fn library(&self, configured: &Setting<Option<PathBuf>>) -> Result<Library, Failure> {
        library::find(configured)
    }

    fn faketime(&self) -> Result<String, Failure> {
        library::faketime()
    }

    fn tree(&self, session: Option<&Session<'_>>) -> Tree {
        Tree::find(session)
    }

    fn abilities(&self, environment: &Environment) -> Abilities {
        abilities::find(environment)
    }
}

#[cfg(test)]
pub(crate) mod pretended;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_everywhere() {
        let own = ThisMachine.addresses().expect("known");
        assert!(own.contains(&("lo".to_owned(), Ipv4Addr::LOCALHOST)), "{own:?}");
        let towards = ThisMachine.address_towards(Ipv4Addr::LOCALHOST).expect("a way");
        assert_eq!(towards, Ipv4Addr::LOCALHOST);
    }
}
