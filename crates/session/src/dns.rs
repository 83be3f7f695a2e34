//! DNS messages (RFC 1035): what a hooked `res_query(3)` and the DNS stub answer with.
//!
//! Both sides know one question and one answer record, which is all that names on Tor have. [`Query::parse`] and
//! [`respond`] are the server, [`write_query`] and [`parse_response`] the client, by which the server is tested too;
//! [`parse_reverse`] reads the names of addresses. Nothing allocates, nothing panics: it runs inside foreign processes, on
//! bytes from strangers.
//!
//! Names are text without a dot at the end, in lower case ("." is the root). Labels are printable ASCII without space,
//! dot and backslash: other labels exist on the wire, but have no meaning as the name of a host and no unescaped text.
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

mod client;
mod name;
mod query;
mod respond;
mod reverse;
#[cfg(test)]
mod tests;
mod wire;

pub use client::{BadResponse, MAX_QUERY, Record, Response, parse_response, write_query};
pub use name::{BadName, Name};
pub use query::{Edns, Malformed, Query};
pub use respond::{Answer, MAX_RESPONSE, TooSmall, formerr, respond};
pub use reverse::parse_reverse;

/// Record type A: an IPv4 address (RFC 1035 §3.2.2).
pub const TYPE_A: u16 = 1;
/// Record type CNAME: the name has another name (RFC 1035 §3.2.2).
pub const TYPE_CNAME: u16 = 5;
/// Record type PTR: the name of an address (RFC 1035 §3.2.2).
pub const TYPE_PTR: u16 = 12;
/// Record type AAAA: an IPv6 address (RFC 3596 §2.1).
pub const TYPE_AAAA: u16 = 28;
/// Pseudo record type OPT: EDNS (RFC 6891 §6.1).
pub const TYPE_OPT: u16 = 41;
/// Query type ANY: all records (RFC 1035 §3.2.3).
pub const TYPE_ANY: u16 = 255;
/// Class IN: the internet (RFC 1035 §3.2.4).
pub const CLASS_IN: u16 = 1;
/// The standard query, the only opcode with an answer other than NOTIMP (RFC 1035 §4.1.1).
pub const OPCODE_QUERY: u8 = 0;

/// Bytes of the header (RFC 1035 §4.1.1); the question starts behind it.
const HEADER: usize = 12;
/// The longest name in bytes on the wire, lengths and root included (RFC 1035 §2.3.4).
const MAX_WIRE_NAME: usize = 255;
/// The longest label (RFC 1035 §2.3.4).
const MAX_LABEL: usize = 63;
