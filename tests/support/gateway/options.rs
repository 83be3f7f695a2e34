//! What a mock gateway shall do.

use std::collections::HashMap;
use std::fmt;
use std::io::Stdout;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Error, anyhow};

use crate::hosts::Hosts;

/// What happens to a connection whose CONNECT succeeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Service {
    /// It is connected to the target (see [`GatewayOptions::routes`] and [`GatewayOptions::hosts`]).
    #[default]
    Relay,
    /// Every CONNECT succeeds and everything sent comes back.
    Echo,
    /// Every CONNECT succeeds and everything sent is thrown away.
    Discard,
    /// Every CONNECT succeeds and zero bytes come until the client closes.
    Source,
    /// Every CONNECT succeeds and the client's first line says what happens ([`peer`](crate::peer)); not at the end of a line
    /// ([`Behaviour::round_trip`]).
    Obey,
}

/// The form of the answers (design.md, "Wire facts about Tor").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// As in RFC 1928 and 1929: each message has its reply.
    #[default]
    Rfc,
    /// As Tor does: the method reply is left out when the authentication came in the same segment as the greeting.
    Tor,
}

/// How to misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Close right after accepting.
    CloseAtOnce,
    /// Accept and never say anything.
    Silent,
    /// Answer the greeting with an HTTP error.
    Garbage,
    /// Choose "no authentication" although it was not offered.
    NoAuth,
    /// Answer the greeting with "no acceptable methods" (0xFF) and close.
    RejectMethods,
    /// Refuse the username and password and close.
    RejectAuth,
    /// Do the handshake, answer the authentication, close instead of answering the request.
    CloseBeforeReply,
    /// Close after half of the reply.
    CloseMidReply,
    /// Do the handshake and never answer the request.
    Never,
    /// Send each byte of every answer in a segment of its own.
    Split,
}

/// The names of the faults, for the command line.
const FAULTS: [(&str, Fault); 10] = [
    ("close-at-once", Fault::CloseAtOnce),
    ("silent", Fault::Silent),
    ("garbage", Fault::Garbage),
    ("no-auth", Fault::NoAuth),
    ("reject-methods", Fault::RejectMethods),
    ("reject-auth", Fault::RejectAuth),
    ("close-before-reply", Fault::CloseBeforeReply),
    ("close-mid-reply", Fault::CloseMidReply),
    ("never", Fault::Never),
    ("split", Fault::Split),
];

impl FromStr for Fault {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = FAULTS.iter().find(|(name, _)| *name == text);
        found.map(|(_, fault)| *fault).ok_or_else(|| {
            let names: Vec<_> = FAULTS.iter().map(|(name, _)| *name).collect();
            anyhow!("no fault {text:?}; there are: {}", names.join(", "))
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = FAULTS.iter().find(|(_, fault)| fault == self);
        out.write_str(found.map_or("", |(name, _)| name))
    }
}

/// The part that can change while the gateway runs.
#[derive(Clone, Debug, Default)]
pub struct Behaviour {
    /// Waited before the answer to each CONNECT and RESOLVE.
    pub delay: Duration,
    /// How long the way to the far end and back takes: the reply comes so much later, and so does the answer to whatever
    /// the client sends, counted from its own arrival, before the reply or behind it.
    pub round_trip: Duration,
    /// Reply code given to every request.
    pub refuse: Option<u8>,
    /// Reply codes given to requests for these hosts (lower case).
    pub refuse_hosts: HashMap<String, u8>,
    /// How to misbehave.
    pub fault: Option<Fault>,
    /// Form of the answers.
    pub form: Form,
    /// Misbehave and answer CONNECT only after the client has sent something behind its request, as optimistic ones do:
    /// then it is sure to believe in its connection.
    pub await_data: bool,
}

/// Everything a gateway needs to know; build it with [`new`](Self::new) and the methods, or set the fields.
#[derive(Clone, Debug)]
pub struct GatewayOptions {
    /// Address to listen on; port 0 picks a free one.
    pub listen: SocketAddr,
    /// What happens after a successful CONNECT.
    pub service: Service,
    /// How many bytes a second [`Service::Source`] and [`Service::Discard`] let through, on each connection.
    pub rate: Option<NonZeroU32>,
    /// Where to connect for a host (name in lower case, or address) and port; port 0 stands for every port.
    pub routes: HashMap<(String, u16), SocketAddr>,
    /// Names for RESOLVE and `RESOLVE_PTR`, and for CONNECT where there is no route.
    pub hosts: Hosts,
    /// Behaviour at the start.
    pub behaviour: Behaviour,
    /// Whether the log is kept for [`Gateway::log`](super::Gateway::log).
    pub keep_log: bool,
    /// Write each log entry as a line of JSON to standard output, too.
    pub json: Option<Arc<Mutex<Stdout>>>,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            service: Service::Relay,
            rate: None,
            routes: HashMap::new(),
            hosts: Hosts::new(),
            behaviour: Behaviour::default(),
            keep_log: true,
            json: None,
        }
    }
}

impl GatewayOptions {
    /// A well-behaved gateway on a free port of 127.0.0.1.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Listens on another address.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// What happens after a successful CONNECT.
    #[must_use]
    pub fn service(mut self, service: Service) -> Self {
        self.service = service;
        self
    }

    /// Lets no more than this through, see [`Self::rate`].
    #[must_use]
    pub fn rate(mut self, bytes_per_second: NonZeroU32) -> Self {
        self.rate = Some(bytes_per_second);
        self
    }

    /// Sends CONNECTs for `host:port` (port 0: any) to `to`.
    #[must_use]
    pub fn route(mut self, host: &str, port: u16, to: SocketAddr) -> Self {
        self.routes.insert((host.to_ascii_lowercase(), port), to);
        self
    }

    /// Names for RESOLVE, `RESOLVE_PTR` and CONNECT without a route.
    #[must_use]
    pub fn hosts(mut self, hosts: Hosts) -> Self {
        self.hosts = hosts;
        self
    }

    /// Waits before each answer to CONNECT and RESOLVE.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.behaviour.delay = delay;
        self
    }

    /// Puts a way of this length between the client and what it is connected to, see [`Behaviour::round_trip`].
    #[must_use]
    pub fn round_trip(mut self, round_trip: Duration) -> Self {
        self.behaviour.round_trip = round_trip;
        self
    }

    /// Refuses every request with a reply code.
    #[must_use]
    pub fn refuse(mut self, code: u8) -> Self {
        self.behaviour.refuse = Some(code);
        self
    }

    /// Refuses requests for one host with a reply code.
    #[must_use]
    pub fn refuse_host(mut self, host: &str, code: u8) -> Self {
        self.behaviour.refuse_hosts.insert(host.to_ascii_lowercase(), code);
        self
    }

    /// Misbehaves.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.behaviour.fault = Some(fault);
        self
    }

    /// Form of the answers.
    #[must_use]
    pub fn form(mut self, form: Form) -> Self {
        self.behaviour.form = form;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_one_name() {
        for (name, fault) in FAULTS {
            assert_eq!(name.parse::<Fault>().expect("known"), fault);
            assert_eq!(fault.to_string(), name);
        }
        assert!("closed".parse::<Fault>().is_err());
    }
}
