//! The lab: everything the end-to-end tests run against.
//!
//! ```text
//!  workstation namespaces            gateway namespace
//!  10.152.152.11 (by hand)   veth    10.152.152.10  SocksPort 9050, TransPort, DNSPort of a private Tor
//!  10.152.152.20–249  ───────────────  (tests)      mock gateways, each on a port of its own
//!    nft counters, packet socket     203.0.113.1–20, 2001:db8::1–14  "the internet": web, git, ssh, apt, keys, echo
//! ```
//!
//! # In an end-to-end test
//!
//! ```no_run
//! use support::gateway::GatewayOptions;
//! use support::lab::Lab;
//!
//! let lab = Lab::attach(); // what UWT_LAB names; panics with advice when there is none
//!
//! // Against real Tor:
//! let workstation = lab.private_workstation(); // own address, own counters; gone when dropped
//! let output = workstation.command(lab.uwt()).args(["-i", "10.152.152.10", "curl", "-sS", "http://www.lab.test/"]).output().unwrap();
//! assert!(output.status.success(), "{output:?}");
//! workstation.assert_no_leaks();
//! let circuits = lab.control().circuits().unwrap(); // id, path, username, password, …
//!
//! // Against a deterministic gateway that logs:
//! let (workstation, gateway) = lab.mock(GatewayOptions::new().hosts(lab.hosts()));
//! let port = gateway.address().port().to_string();
//! workstation.command(lab.uwt()).args(["-i", "10.152.152.10", "-p", &port, "curl", "http://www.lab.test/"]).status().unwrap();
//! assert_eq!(gateway.log()[0].target(), "www.lab.test:80"); // username, password, methods, command, outcome, …
//! # let _ = circuits;
//! ```
//!
//! - [`lab::Lab`]: the shared lab. Names: [`lab::NAMES`], `v4only.lab.test`, `v6only.lab.test`, `*.any.lab.test`, and
//!   `Lab::onion`. Everything else does not exist. What each server serves: [`internet`].
//! - [`netns::Workstation`]: `command`, `command_as`, `leaks`, `counters`, `assert_no_leaks`, `reset`,
//!   `allow_gateway_port`, `transparent`. **Nothing** is exempt from the count but TCP to the allowed ports of
//!   10.152.152.10; see [`netns`] for why the kernel itself is silent.
//! - [`gateway::Gateway`]: the mock gateway. `behave` changes delay, refusals and faults while it runs.
//! - [`peer::Peer`]: a server that does what its client says; the mock gateway can be one, too.
//! - [`control::Control`]: circuits, streams and events of the real Tor.
//! - [`tor::TorNetwork`]: the network alone, in the namespace of the caller, for the demo; needs no root.
//! - [`debian::Debian`]: a fresh Debian 12, in a workstation or alone, to install packages in and type commands.
//! - [`wait::wait_until`]: wait for a condition; never sleep for a fixed time.
//!
//! A leak *succeeds* here: the gateway namespace owns the internet's addresses and answers DNS on 10.152.152.10:53, so a
//! program that goes past the `SocksPort` works and is caught by the counters, not hidden by a failure.
//!
//! # By hand
//!
//! `cargo xtask lab` keeps one up and prints how to use it.

pub mod control;
pub mod debian;
pub mod dns;
pub mod gateway;
pub mod hosts;
pub mod internet;
pub mod lab;
pub mod netns;
pub mod peer;
pub mod process;
pub mod programs;
pub mod tor;
pub mod wait;
