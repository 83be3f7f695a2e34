//! Every decision of uwt, as pure functions over plain data.
//!
//! The preload and the helper gather facts (what kind of socket, which peer, what the configuration says), ask this
//! crate, and act. Verdicts are `#[must_use]` enums without a default: only an explicit `Pass` lets a call reach the
//! kernel as the program made it, everything that is not understood is refused with an errno.
//!
//! No IO, no heap, no unsafe code; constants are those of Linux.
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

#[cfg(test)]
extern crate std;

mod connect;
mod elf;
mod errno;
mod exec;
mod host;
mod inbound;
mod keyword;
mod names;
mod peer;
mod peers;
mod reverse;
mod scope;
mod socket;
mod sockopt;

pub use connect::{ConnectVerdict, DatagramVerdict, Route, asks_name_server, connect, datagram};
pub use elf::{Image, Interpreter, classify};
pub use errno::Errno;
pub use exec::{ExecVerdict, Obstacle, Privileges, Program, exec};
pub use host::{HostName, HostVerdict, Numeric, host};
pub use inbound::{AcceptVerdict, Inbound, ListenVerdict, accept, found_at, is_bound, listen, moved};
pub use names::{MAX_NAME, NameTable, RESERVED_BITS, is_reserved, reserved_address};
pub use peer::{Peer, canonical};
pub use peers::{PeerRecord, PeerTable, Standing};
pub use reverse::{OWN_ADDRESS, ReverseVerdict, resolved, reverse};
pub use scope::{CredentialForm, DnsMode, Level, Scope};
pub use socket::{CAGED_MARK, SocketKind, SocketSpec, SocketVerdict, socket};
pub use sockopt::{LOOPBACK_INDEX, OptionScope, OptionVerdict, SO_BINDTOIFINDEX, set_option};
