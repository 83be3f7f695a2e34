//! What a SocksPort turned out to be.

use std::io::{self, ErrorKind};

use serde::Serialize;

use crate::answer::Status;

/// What listens at an address, as far as one question tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "answer")]
pub(crate) enum Answer {
    /// Tor: it takes credentials and knows RESOLVE.
    Tor,
    /// It speaks SOCKS5 and takes credentials, and is no Tor, as far as can be seen.
    NotTor {
        /// How that is known.
        what: String,
    },
    /// It speaks SOCKS5 and does not take credentials.
    NoCredentials {
        /// What it said to them.
        what: String,
    },
    /// It speaks HTTP.
    Http,
    /// It speaks something else.
    NotSocks,
    /// It takes connections and says nothing.
    Silent,
    /// It takes connections and closes them.
    Closed,
    /// It broke off.
    Broken {
        /// When, or how.
        what: String,
    },
    /// Nothing listens there.
    Refused,
    /// Nothing came back.
    Timeout,
    /// There is no way there.
    Unreachable {
        /// Says connect(2).
        what: String,
    },
    /// It was not asked.
    NotAsked {
        /// Why not.
        what: String,
    },
}

impl Answer {
    /// What it means that connect(2) failed.
    pub(super) fn of_connecting(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Self::Timeout,
            _ => Self::Unreachable { what: error.to_string() },
        }
    }

    /// Whether that is as it should be.
    pub(crate) const fn status(&self) -> Status {
        match self {
            Self::Tor => Status::Good,
            Self::NotTor { .. } | Self::NotAsked { .. } => Status::Unknown,
            _ => Status::Bad,
        }
    }

    /// For people, in a few words.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Tor => "Tor answers: it takes credentials and looks up names".to_owned(),
            Self::NotTor { what } => format!("a SOCKS5 server that takes credentials, but no Tor: {what}"),
            Self::NoCredentials { what } => format!("a SOCKS5 server that does not take credentials: {what}"),
            Self::Http => "an HTTP server or proxy answers, no SocksPort".to_owned(),
            Self::NotSocks => "what answers there does not speak SOCKS5".to_owned(),
            Self::Silent => "it takes connections and does not answer".to_owned(),
            Self::Closed => "it closes connections without an answer".to_owned(),
            Self::Broken { what } => format!("it breaks off: {what}"),
            Self::Refused => "connection refused: nothing listens there".to_owned(),
            Self::Timeout => "nothing came back".to_owned(),
            Self::Unreachable { what } => format!("it cannot be reached: {what}"),
            Self::NotAsked { what } => format!("not asked: {what}"),
        }
    }

    /// What to do about it; `None` where it is as it should be. `here` is whether it is on this machine.
    pub(crate) const fn advice(&self, here: bool) -> Option<&'static str> {
        Some(match self {
            // Why it was not asked is known.
            Self::Tor | Self::NotAsked { .. } => return None,
            Self::NotTor { .. } => {
                "whether other credentials mean other circuits there cannot be known; set gateway and port to those of a \
                 Tor's SocksPort"
            }
            Self::NoCredentials { .. } => {
                "nothing can be isolated by it; set gateway and port to those of a Tor's SocksPort"
            }
            Self::Http => "set port to that of a SocksPort; an HTTPTunnelPort is none",
            Self::NotSocks => "set gateway and port to those of a Tor's SocksPort",
            Self::Silent | Self::Closed | Self::Broken { .. } => {
                "look whether it is a SocksPort, and whether its SocksPolicy has this machine (tor(1))"
            }
            Self::Refused if here => "start Tor (package tor), or set gateway and port in /etc/uwt.d/50_user.toml",
            Self::Refused => "look whether Tor runs on the gateway, and has a SocksPort of this number",
            Self::Timeout | Self::Unreachable { .. } => {
                "look whether the gateway runs, whether this is its address, and whether its firewall lets this port in"
            }
        })
    }
}
