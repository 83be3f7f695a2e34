//! Socket addresses in scripts.
//!
//! `203.0.113.1:80`, `[2001:db8::1]:80`, `unix:/path`, `unix:@abstract`, `unspec`, `null`; `~:80` is the last looked-up
//! address; `@NAME` the address that socket NAME is bound to. `FAMILY=` in front replaces the family's number, `/LENGTH`
//! behind the length.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use crate::libc_calls::call;
use crate::script::State;

/// A socket address as a program gives it.
pub(crate) struct Address {
    bytes: Vec<u8>,
    /// The length that is claimed.
    pub(crate) len: u32,
    null: bool,
}

impl Address {
    /// What the kernel gets; null when the script says so.
    pub(crate) fn pointer(&self) -> *const libc::sockaddr {
        if self.null { std::ptr::null() } else { self.bytes.as_ptr().cast() }
    }

    /// Reads an address of a script.
    pub(crate) fn parse(state: &State, word: &str) -> Self {
        let (word, len) = match word.rsplit_once('/') {
            Some((word, len)) if !word.starts_with("unix:") => (word, Some(len.parse().expect("a length"))),
            _ => (word, None),
        };
        let (family, word) = match word.split_once('=') {
            Some((family, word)) => (Some(family.parse::<u16>().expect("a family")), word),
            None => (None, word),
        };
        let mut bytes = match word {
            "unspec" | "null" => vec![0; 16],
            word => match word.strip_prefix("unix:") {
                Some(path) => unix(path),
                None => internet(resolve(state, word)),
            },
        };
        if let Some(family) = family {
            bytes[..2].copy_from_slice(&family.to_ne_bytes());
        }
        let len = len.unwrap_or(u32::try_from(bytes.len()).expect("short"));
        // A claimed length beyond the structure is backed by zeros.
        bytes.resize(bytes.len().max(len as usize), 0);
        Self { bytes, len, null: word == "null" }
    }
}

fn resolve(state: &State, word: &str) -> SocketAddr {
    if let Some(port) = word.strip_prefix("~:") {
        let address = state.address.expect("a lookup came before");
        return SocketAddr::new(address, port.parse().expect("a port"));
    }
    if let Some(name) = word.strip_prefix('@') {
        let bound = name_of(libc::getsockname, state.named[name]).expect("a bound socket");
        let mut bound: SocketAddr = bound.parse().expect("an internet address");
        match bound.ip() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => bound.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => bound.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        return bound;
    }
    word.parse().unwrap_or_else(|_| panic!("{word} is no address"))
}

fn internet(address: SocketAddr) -> Vec<u8> {
    let port = address.port().to_be_bytes();
    match address {
        SocketAddr::V4(v4) => {
            let family = u16::try_from(libc::AF_INET).expect("small").to_ne_bytes();
            [&family[..], &port, &v4.ip().octets(), &[0; 8]].concat()
        }
        SocketAddr::V6(v6) => {
            let family = u16::try_from(libc::AF_INET6).expect("small").to_ne_bytes();
            [&family[..], &port, &[0; 4], &v6.ip().octets(), &v6.scope_id().to_ne_bytes()].concat()
        }
    }
}

fn unix(path: &str) -> Vec<u8> {
    let family = u16::try_from(libc::AF_UNIX).expect("small").to_ne_bytes();
    let name = path.replacen('@', "\0", 1);
    let end: &[u8] = if name.starts_with('\0') { b"" } else { b"\0" };
    [&family[..], name.as_bytes(), end].concat()
}

/// getpeername(2) or getsockname(2).
type NameCall = unsafe extern "C" fn(i32, *mut libc::sockaddr, *mut u32) -> i32;

/// The address such a call gives, or `None` and errno.
pub(crate) fn name_of(call: NameCall, fd: i32) -> Option<String> {
    let mut bytes = [0; 128];
    let mut len = 128;
    let done = call!(call(fd, bytes.as_mut_ptr().cast(), &raw mut len));
    (done == 0).then(|| show(&bytes[..len as usize]))
}

/// A socket address as text.
pub(crate) fn show(bytes: &[u8]) -> String {
    let Some(family) = bytes.first_chunk().copied().map(u16::from_ne_bytes) else { return "nothing".to_owned() };
    let port = || u16::from_be_bytes([bytes[2], bytes[3]]);
    match i32::from(family) {
        libc::AF_INET if bytes.len() == 16 => {
            let ip: [u8; 4] = *bytes[4..].first_chunk().expect("4 bytes");
            SocketAddr::new(ip.into(), port()).to_string()
        }
        libc::AF_INET6 if bytes.len() == 28 => {
            let ip: [u8; 16] = *bytes[8..].first_chunk().expect("16 bytes");
            let scope = u32::from_ne_bytes(*bytes[24..].first_chunk().expect("4 bytes"));
            SocketAddrV6::new(ip.into(), port(), 0, scope).to_string()
        }
        libc::AF_UNIX => "unix".to_owned(),
        family => format!("family {family}, {} bytes", bytes.len()),
    }
}

/// An IP address as text, `~` for one of the range that stands for names.
pub(crate) fn show_ip(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(v4) if v4.octets()[0] == 127 && v4.octets()[1] >= 192 => {
            if ip.is_ipv6() {
                "~6".to_owned()
            } else {
                "~".to_owned()
            }
        }
        _ => ip.to_string(),
    }
}
