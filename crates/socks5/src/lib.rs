//! Sans-IO SOCKS5 client with Tor's extensions.
//!
//! The caller does the input and output, this crate knows the bytes. It runs inside foreign processes (the preload), so
//! there is no allocation, no panic and no dependency:
//!
//! 1. [`Request::new`] encodes greeting, credentials and request into one fixed buffer. Write it in one go: nothing in
//!    it depends on what the gateway answers, and one segment saves two round trips.
//! 2. [`Request::reply`] gives the [`Reply`] that fits. Read at most [`Reply::needed`] bytes, [`Reply::feed`] them, until
//!    it says [`Progress::Done`]. At the end of file call [`Reply::eof`].
//!
//! ```
//! use uwt_socks5::{Auth, Command, Outcome, Progress, Request, Target};
//!
//! let auth = Auth::UserPass { username: b"uwt-token", password: b"0" };
//! let target = Target::Name { host: b"example.onion", port: 443 };
//! let request = Request::new(auth, Command::Connect, target)?;
//! assert_eq!(request.as_bytes()[..3], [5, 1, 2]);
//!
//! let mut gateway: &[u8] = &[1, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0, b'p', b'r', b'o', b'g'];
//! let mut reply = request.reply();
//! let outcome = loop {
//!     let (chunk, rest) = gateway.split_at(reply.needed().min(gateway.len()));
//!     gateway = rest;
//!     match reply.feed(chunk)? {
//!         Progress::More => {}
//!         Progress::Done(outcome) => break outcome,
//!     }
//! };
//! assert!(matches!(outcome, Outcome::Granted(_)));
//! assert_eq!(gateway, b"prog");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Specifications: RFC 1928 (SOCKS5), RFC 1929 (username and password), Tor's `socks-extensions` (RESOLVE, `RESOLVE_PTR`,
//! the onion-service reply codes of proposal 304).
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::unreachable,
        clippy::string_slice
    )
)]

#[cfg(test)]
extern crate std;

mod answer;
mod code;
mod errno;
mod error;
mod reply;
mod request;

pub use answer::{Answer, Name};
pub use code::ReplyCode;
pub use error::{EncodeError, Error, Stage};
pub use reply::{Outcome, Progress, Reply};
pub use request::{Auth, Command, MAX_REQUEST, Request, Target};

/// SOCKS protocol version 5 (RFC 1928 §3).
pub(crate) const VERSION: u8 = 5;
/// Version of the username/password subnegotiation (RFC 1929 §2).
pub(crate) const AUTH_VERSION: u8 = 1;
/// Method: no authentication required (RFC 1928 §3).
pub(crate) const METHOD_NONE: u8 = 0x00;
/// Method: username/password (RFC 1928 §3).
pub(crate) const METHOD_USER_PASS: u8 = 0x02;
/// The gateway accepts none of the methods offered (RFC 1928 §3).
pub(crate) const METHOD_NOT_ACCEPTABLE: u8 = 0xFF;
/// Address type: IPv4 (RFC 1928 §5).
pub(crate) const ATYP_V4: u8 = 1;
/// Address type: domain name, one length byte in front (RFC 1928 §5).
pub(crate) const ATYP_NAME: u8 = 3;
/// Address type: IPv6 (RFC 1928 §5).
pub(crate) const ATYP_V6: u8 = 4;
