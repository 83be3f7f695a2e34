//! What the gateway is asked for when a program connects to an address.

use std::net::{IpAddr, SocketAddr};

use uwt_policy::{Errno, HostName, canonical};
use uwt_report::{self as report, Happening, Layer, Transport};
use uwt_socks5::Target;

use crate::report::errno_name;
use crate::shared::Shared;
use crate::tree::Process;

/// Where a connection leads.
#[derive(Clone, Debug)]
pub(crate) enum Destination {
    /// To an address.
    Address(SocketAddr),
    /// To a host by its name, and a port.
    Name(Box<HostName>, u16),
}

impl Destination {
    /// The destination that a reserved address stands for, for a connection that `layer` would carry. If there is none the
    /// user is told.
    ///
    /// # Errors
    /// EHOSTUNREACH: nobody has looked up the name here, or it is forgotten.
    pub(crate) fn behind(
        address: IpAddr,
        port: u16,
        process: &Process,
        layer: Layer,
        shared: &Shared,
    ) -> Result<Self, Errno> {
        let name = match address {
            IpAddr::V4(address) => shared.names.name(address),
            IpAddr::V6(_) => None,
        };
        name.map(|name| Self::Name(Box::new(name), port)).ok_or_else(|| {
            let what = format!("connects to {address}, which stands for a name that was not looked up here");
            shared.say.refused(process, &what, &shared.outside);
            shared.happened(process, || Happening::Refused {
                layer,
                what,
                transport: Some(Transport::Tcp),
                destination: Some(shown(SocketAddr::new(address, port))),
                errno: errno_name(Errno::EHOSTUNREACH),
            });
            Errno::EHOSTUNREACH
        })
    }

    /// As SOCKS says it.
    pub(crate) fn target(&self) -> Target<'_> {
        match self {
            Self::Address(SocketAddr::V4(address)) => Target::V4(*address),
            Self::Address(SocketAddr::V6(address)) => Target::V6(*address),
            Self::Name(name, port) => Target::Name { host: name.as_str().as_bytes(), port: *port },
        }
    }
}

/// An address as a report shows it: an IPv4 one in its own form, whatever the socket's family.
pub(crate) fn shown(address: SocketAddr) -> report::Destination {
    report::Destination { host: canonical(address.ip()).to_string(), port: address.port() }
}
