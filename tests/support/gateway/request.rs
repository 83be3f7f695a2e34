//! One entry of the gateway's log.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tor_socksproto::{SocksAuth, SocksCmd, SocksRequest};

/// What a client asked for (RFC 1928 and Tor's socks-extensions).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// 0x01
    Connect,
    /// 0xF0, Tor's extension: name to address.
    Resolve,
    /// 0xF1, Tor's extension: address to name.
    ResolvePtr,
    /// Anything else, and 0 when the client never got that far.
    Other(u8),
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answered with 0.
    Succeeded,
    /// Answered with this reply code.
    Refused(u8),
    /// The gateway misbehaved, as it was told; the fault's name.
    Fault(String),
    /// What the client sent was no SOCKS5 request.
    Malformed(String),
}

/// One request, as the gateway saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Seconds since 1970 when the request had arrived.
    pub time: f64,
    /// SOCKS username, if the client sent one.
    pub username: Option<String>,
    /// SOCKS password, if the client sent one.
    pub password: Option<String>,
    /// The methods the client offered (0: none, 2: username and password).
    pub methods: Vec<u8>,
    /// Whether greeting and request came in one segment.
    pub pipelined: bool,
    /// Bytes sent behind the request before its answer.
    pub early_data: usize,
    /// What was asked for.
    pub command: Command,
    /// Target: a name as it was sent, or an address.
    pub host: String,
    /// Whether the target was sent as a name.
    pub by_name: bool,
    /// Target port.
    pub port: u16,
    /// What became of it.
    pub outcome: Outcome,
}

impl Request {
    /// An entry without a request yet.
    pub(crate) fn blank() -> Self {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        Self {
            time,
            username: None,
            password: None,
            methods: Vec::new(),
            pipelined: false,
            early_data: 0,
            command: Command::Other(0),
            host: String::new(),
            by_name: false,
            port: 0,
            outcome: Outcome::Succeeded,
        }
    }

    /// Fills in a decoded request.
    pub(crate) fn fill(&mut self, request: &SocksRequest) {
        if let SocksAuth::Username(username, password) = request.auth() {
            self.username = Some(String::from_utf8_lossy(username).into_owned());
            self.password = Some(String::from_utf8_lossy(password).into_owned());
        }
        self.command = match request.command() {
            SocksCmd::CONNECT => Command::Connect,
            SocksCmd::RESOLVE => Command::Resolve,
            SocksCmd::RESOLVE_PTR => Command::ResolvePtr,
            other => Command::Other(other.into()),
        };
        self.host = request.addr().to_string();
        self.by_name = matches!(request.addr(), tor_socksproto::SocksAddr::Hostname(_));
        self.port = request.port();
    }

    /// `host:port`
    #[must_use]
    pub fn target(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}
