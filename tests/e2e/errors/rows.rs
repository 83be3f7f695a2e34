//! The rows: what the gateway does.

use support::gateway::Fault;

/// What a gateway does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gateway {
    /// Answers requests for the row's host with this reply code.
    Refuses(u8),
    /// Misbehaves.
    Faulty(Fault),
    /// Nothing listens there.
    Absent,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// As in the table.
    pub(crate) name: &'static str,
    pub(crate) gateway: Gateway,
    /// Options of uwt.
    pub(crate) options: &'static [&'static str],
}

impl Row {
    /// Whether only the time limit ends it.
    pub(crate) fn is_endless(&self) -> bool {
        matches!(self.gateway, Gateway::Faulty(Fault::Silent | Fault::Never))
    }
}

const fn refuses(code: u8, name: &'static str) -> Row {
    Row { name, gateway: Gateway::Refuses(code), options: &[] }
}

/// The name is looked up first, and there the refusal comes.
const fn resolving(code: u8, name: &'static str) -> Row {
    Row { name, gateway: Gateway::Refuses(code), options: &["--dns", "resolve"] }
}

const fn faulty(fault: Fault, name: &'static str) -> Row {
    Row { name, gateway: Gateway::Faulty(fault), options: &[] }
}

/// All of them, in the order of the table.
pub(crate) const ROWS: &[Row] = &[
    // RFC 1928 §6, in Tor's sense (socks-extensions.txt).
    refuses(0x01, "01 general failure"),
    refuses(0x02, "02 not allowed (exit policies, too)"),
    refuses(0x03, "03 network unreachable"),
    refuses(0x04, "04 host unreachable (no such name, too)"),
    refuses(0x05, "05 connection refused"),
    refuses(0x06, "06 TTL expired (timed out)"),
    refuses(0x07, "07 command not supported"),
    refuses(0x08, "08 address type not supported"),
    // Tor's ExtendedErrors (proposal 304).
    refuses(0xf0, "F0 onion: descriptor not found"),
    refuses(0xf1, "F1 onion: descriptor invalid"),
    refuses(0xf2, "F2 onion: introduction failed"),
    refuses(0xf3, "F3 onion: rendezvous failed"),
    refuses(0xf4, "F4 onion: authorization missing"),
    refuses(0xf5, "F5 onion: authorization wrong"),
    refuses(0xf6, "F6 onion: address invalid"),
    refuses(0xf7, "F7 onion: introduction timed out"),
    refuses(0x99, "99 which nobody has assigned"),
    resolving(0x04, "RESOLVE: 04, no such name"),
    resolving(0x06, "RESOLVE: 06, timed out"),
    faulty(Fault::RejectMethods, "accepts no credential at all"),
    faulty(Fault::RejectAuth, "rejects our credential"),
    faulty(Fault::Garbage, "is no SOCKS server"),
    faulty(Fault::CloseBeforeReply, "closes without an answer"),
    faulty(Fault::CloseMidReply, "closes within its answer"),
    faulty(Fault::Silent, "says nothing until connect_timeout"),
    faulty(Fault::Never, "never answers the request"),
    Row { name: "is not there", gateway: Gateway::Absent, options: &[] },
];
