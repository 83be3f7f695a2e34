//! Describing a leaked packet.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One packet that left a workstation and was not for the `SocksPort`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, `ip N` or `not ip`.
    pub protocol: String,
    /// Where it went; `None` when it is not IP.
    pub destination: Option<IpAddr>,
    /// Destination port, for TCP and UDP.
    pub port: Option<u16>,
    /// The beginning of its payload (behind the TCP or UDP header), as text with escapes.
    pub payload: String,
}

impl Leak {
    /// From a packet that begins at the network header.
    pub(super) fn parse(packet: &[u8]) -> Self {
        Self::read(packet).unwrap_or_else(|| Self {
            protocol: "not ip".to_owned(),
            destination: None,
            port: None,
            payload: shown(packet),
        })
    }

    /// `None` for what is not IP or is cut short.
    fn read(packet: &[u8]) -> Option<Self> {
        let (number, destination, rest) = match packet.first()? >> 4 {
            4 => {
                let header = usize::from(packet[0] & 0xf) * 4;
                let octets: [u8; 4] = packet.get(16..20)?.try_into().ok()?;
                (*packet.get(9)?, IpAddr::V4(Ipv4Addr::from(octets)), packet.get(header..)?)
            }
            6 => {
                let octets: [u8; 16] = packet.get(24..40)?.try_into().ok()?;
                (*packet.get(6)?, IpAddr::V6(Ipv6Addr::from(octets)), packet.get(40..)?)
            }
            _ => return None,
        };
        let protocol = match number {
            1 => "icmp".to_owned(),
            6 => "tcp".to_owned(),
            17 => "udp".to_owned(),
            58 => "icmpv6".to_owned(),
            _ => format!("ip {number}"),
        };
        let header = match number {
            6 => usize::from(rest.get(12).copied().unwrap_or(0x50) >> 4) * 4,
            17 => 8,
            _ => 0,
        };
        let port = rest.get(2..4).filter(|_| header > 0).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]));
        let payload = shown(rest.get(header..).unwrap_or_default());
        Some(Self { protocol, destination: Some(destination), port, payload })
    }
}

impl fmt::Display for Leak {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.protocol)?;
        match (self.destination, self.port) {
            (Some(IpAddr::V6(address)), Some(port)) => write!(out, " to [{address}]:{port}")?,
            (Some(address), Some(port)) => write!(out, " to {address}:{port}")?,
            (Some(address), None) => write!(out, " to {address}")?,
            (None, _) => {}
        }
        if self.payload.is_empty() { Ok(()) } else { write!(out, " \"{}\"", self.payload) }
    }
}

/// The first bytes, printable.
fn shown(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(80)].escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dns_query() {
        let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 152, 152, 11, 10, 152, 152, 10];
        packet.extend([0x80, 0, 0, 53, 0, 0, 0, 0]);
        packet.extend(b"\x03www");
        assert_eq!(Leak::parse(&packet).to_string(), r#"udp to 10.152.152.10:53 "\x03www""#);
    }

    #[test]
    fn ipv6_and_garbage() {
        let mut packet = vec![0x60, 0, 0, 0, 0, 20, 6, 64];
        packet.extend([0; 16]);
        packet.extend("2001:db8::1".parse::<Ipv6Addr>().expect("address").octets());
        packet.extend([0, 1, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 2, 0, 0, 0, 0, 0, 0]);
        assert_eq!(Leak::parse(&packet).to_string(), "tcp to [2001:db8::1]:80");
        assert_eq!(Leak::parse(&[0x45, 1]).protocol, "not ip");
        assert_eq!(Leak::parse(&[]).protocol, "not ip");
    }
}
