//! Every word that torsocks knows: its names, and how its value is read.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use uwt_policy::Inbound;

use super::{Loopback, Torsocks};
use crate::choice::GatewayChoice;
use crate::error::{Invalid, quoted};
use crate::origin::{Origin, Setting};

/// The longest username or password in bytes (RFC 1929).
const LONGEST: usize = 255;

/// One thing that can be said.
pub(super) struct Word {
    /// Its name in torsocks.conf.
    pub(super) directive: Option<&'static str>,
    /// Its name in the environment.
    pub(super) variable: Option<&'static str>,
    /// Reads the value and keeps it.
    pub(super) read: fn(&mut Torsocks, &str, Origin) -> Result<(), Invalid>,
}

macro_rules! words {
    ($($directive:expr, $variable:expr, $field:ident: $read:expr;)*) => {
        /// All of them.
        pub(super) const WORDS: &[Word] = &[$(Word {
            directive: $directive,
            variable: $variable,
            read: |all, text, origin| {
                all.$field = Some(Setting::new($read(text)?, origin));
                Ok(())
            },
        }),*];

        impl Torsocks {
            /// Puts a stronger source on top: what it says wins, word by word.
            pub fn overlay(&mut self, stronger: Self) {
                $(if stronger.$field.is_some() { self.$field = stronger.$field; })*
            }
        }
    };
}

words! {
    Some("TorAddress"), Some("TORSOCKS_TOR_ADDRESS"), address: address;
    Some("TorPort"), Some("TORSOCKS_TOR_PORT"), port: port;
    Some("OnionAddrRange"), None, onion_range: range;
    Some("SOCKS5Username"), Some("TORSOCKS_USERNAME"), username: credential;
    Some("SOCKS5Password"), Some("TORSOCKS_PASSWORD"), password: credential;
    Some("AllowInbound"), Some("TORSOCKS_ALLOW_INBOUND"), inbound: inbound;
    Some("AllowOutboundLocalhost"), None, loopback: loopback;
    Some("IsolatePID"), Some("TORSOCKS_ISOLATE_PID"), isolate: switch;
    Some("EnableIPv6"), Some("TORSOCKS_ENABLE_IPV6"), ipv6: switch;
    None, Some("TORSOCKS_LOG_LEVEL"), log_level: level;
    None, Some("TORSOCKS_LOG_FILE_PATH"), log_file: path;
    None, Some("TORSOCKS_LOG_TIME"), log_time: switch;
}

fn address(text: &str) -> Result<Ipv4Addr, Invalid> {
    match text.parse() {
        Ok(GatewayChoice::Address(address)) => Ok(address),
        Ok(GatewayChoice::Auto) => Err(Invalid::new(format!("{} is no address", quoted(text)), ADDRESS)),
        Err(invalid) => Err(invalid.expecting(ADDRESS)),
    }
}

const ADDRESS: &str = "the IPv4 address of the SocksPort";

fn port(text: &str) -> Result<u16, Invalid> {
    number(text)
        .filter(|port| *port != 0)
        .ok_or_else(|| Invalid::new(format!("{} is no port", quoted(text)), "a number from 1 to 65535"))
}

/// Digits only: FromStr takes a sign too.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn range(text: &str) -> Result<String, Invalid> {
    let parts = text.split_once('/');
    let valid = parts.is_some_and(|(address, bits)| {
        address.parse::<Ipv4Addr>().is_ok() && number::<u8>(bits).is_some_and(|bits| (1..=32).contains(&bits))
    });
    let range = valid.then(|| text.to_owned());
    range.ok_or_else(|| Invalid::new(format!("{} is no range", quoted(text)), "an IPv4 range as 127.42.42.0/24"))
}

/// A username or a password. It is never shown: it may be the one that shall stay secret.
fn credential(text: &str) -> Result<String, Invalid> {
    let expected = format!("1 to {LONGEST} bytes (RFC 1929)");
    match text.len() {
        0 => Err(Invalid::new("is empty", expected)),
        1..=LONGEST => Ok(text.to_owned()),
        length => Err(Invalid::new(format!("has {length} bytes"), expected)),
    }
}

fn switch(text: &str) -> Result<bool, Invalid> {
    match text {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(unknown(text, "0 or 1")),
    }
}

fn inbound(text: &str) -> Result<Inbound, Invalid> {
    Ok(if switch(text)? { Inbound::Allow } else { Inbound::Loopback })
}

fn loopback(text: &str) -> Result<Loopback, Invalid> {
    match text {
        "0" => Ok(Loopback::Refused),
        "1" => Ok(Loopback::Tcp),
        "2" => Ok(Loopback::TcpAndUdp),
        _ => Err(unknown(text, "0, 1 or 2")),
    }
}

fn level(text: &str) -> Result<u8, Invalid> {
    number(text).filter(|level| (1..=5).contains(level)).ok_or_else(|| unknown(text, "a number from 1 to 5"))
}

#[expect(clippy::unnecessary_wraps, reason = "as the other readers")]
fn path(text: &str) -> Result<PathBuf, Invalid> {
    Ok(PathBuf::from(text))
}

fn unknown(text: &str, expected: &str) -> Invalid {
    Invalid::new(format!("{} is unknown", quoted(text)), expected)
}
