//! The packets that the cage's helper reads and writes: SYN segments, and the answers that end a connect(2).
//!
//! Frames are those of the loopback device: an Ethernet header of zeros, then IP.

use std::net::{IpAddr, SocketAddr};

use etherparse::icmpv4::DestUnreachableHeader;
use etherparse::icmpv6::DestUnreachableCode;
use etherparse::{Icmpv4Type, Icmpv6Type, NetSlice, PacketBuilder, SlicedPacket, TcpSlice, TransportSlice};
use uwt_policy::Errno;

/// The hop limit of what is sent on lo.
const HOPS: u8 = 64;
/// Where a TCP header has its checksum (RFC 9293 §3.1).
const CHECKSUM: usize = 16;

/// The addresses of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pair {
    /// The program's end.
    pub(super) from: SocketAddr,
    /// Where it wants to go.
    pub(super) to: SocketAddr,
}

/// The first segment of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Syn {
    /// Who to whom.
    pub(super) pair: Pair,
    /// Tells a retransmission from a new connection with the same addresses.
    pub(super) sequence: u32,
    /// The whole frame, its TCP checksum in place.
    pub(super) frame: Vec<u8>,
}

/// How a connect(2) is ended, by the answer that makes the kernel give its errno.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// ECONNREFUSED.
    Reset,
    /// ENETUNREACH.
    Network,
    /// EHOSTUNREACH.
    Host,
    /// EACCES over IPv6; over IPv4, which has no answer that means it, EHOSTUNREACH.
    Prohibited,
}

impl Refusal {
    /// The nearest to an errno: the kernel gives ETIMEDOUT to nobody who was answered.
    pub(super) fn from_errno(errno: Errno) -> Self {
        match errno {
            Errno::ENETUNREACH | Errno::EAFNOSUPPORT | Errno::ENETDOWN => Self::Network,
            Errno::EACCES | Errno::EPERM => Self::Prohibited,
            Errno::EHOSTUNREACH | Errno::ETIMEDOUT => Self::Host,
            _ => Self::Reset,
        }
    }
}

impl Syn {
    /// Reads a frame; `None` for everything that is no TCP segment, or has extension headers that hide it.
    ///
    /// Packet sockets see a segment before its checksum is calculated: the device would do that, and lo never does.
    pub(super) fn parse(frame: &[u8]) -> Option<Self> {
        let packet = SlicedPacket::from_ethernet(frame).ok()?;
        let Some(TransportSlice::Tcp(tcp)) = packet.transport else { return None };
        if !tcp.syn() || tcp.ack() || tcp.slice().as_ptr_range().end != frame.as_ptr_range().end {
            return None;
        }
        let (from, to, checksum): (IpAddr, IpAddr, _) = match packet.net? {
            NetSlice::Ipv4(ip) => {
                let ip = ip.header();
                let checksum = tcp.calc_checksum_ipv4(ip.source(), ip.destination()).ok()?;
                (ip.source_addr().into(), ip.destination_addr().into(), checksum)
            }
            NetSlice::Ipv6(ip) => {
                let ip = ip.header();
                let checksum = tcp.calc_checksum_ipv6(ip.source(), ip.destination()).ok()?;
                (ip.source_addr().into(), ip.destination_addr().into(), checksum)
            }
            NetSlice::Arp(_) => return None,
        };
        let pair =
            Pair { from: SocketAddr::new(from, tcp.source_port()), to: SocketAddr::new(to, tcp.destination_port()) };
        Some(Self { pair, sequence: tcp.sequence_number(), frame: complete(frame, &tcp, checksum)? })
    }

    /// The frame that ends the connect(2).
    pub(super) fn refuse(&self, refusal: Refusal) -> Option<Vec<u8>> {
        let Pair { from, to } = self.pair;
        let link = PacketBuilder::ethernet2([0; 6], [0; 6]);
        let next = self.sequence.wrapping_add(1);
        let mut frame = Vec::new();
        match (from.ip(), to.ip(), refusal) {
            (IpAddr::V4(from_ip), IpAddr::V4(to_ip), Refusal::Reset) => {
                let segment = link.ipv4(to_ip.octets(), from_ip.octets(), HOPS).tcp(to.port(), from.port(), 0, 0);
                segment.rst().ack(next).write(&mut frame, &[]).ok()?;
            }
            (IpAddr::V6(from_ip), IpAddr::V6(to_ip), Refusal::Reset) => {
                let segment = link.ipv6(to_ip.octets(), from_ip.octets(), HOPS).tcp(to.port(), from.port(), 0, 0);
                segment.rst().ack(next).write(&mut frame, &[]).ok()?;
            }
            (IpAddr::V4(from_ip), IpAddr::V4(to_ip), _) => {
                let kind = match refusal {
                    Refusal::Network => DestUnreachableHeader::Network,
                    Refusal::Prohibited => DestUnreachableHeader::FilterProhibited,
                    Refusal::Host | Refusal::Reset => DestUnreachableHeader::Host,
                };
                let answer = link.ipv4(to_ip.octets(), from_ip.octets(), HOPS);
                let answer = answer.icmpv4(Icmpv4Type::DestinationUnreachable(kind));
                answer.write(&mut frame, self.packet()).ok()?;
            }
            (IpAddr::V6(from_ip), IpAddr::V6(to_ip), _) => {
                let kind = match refusal {
                    Refusal::Network => DestUnreachableCode::NoRoute,
                    Refusal::Prohibited => DestUnreachableCode::Prohibited,
                    Refusal::Host | Refusal::Reset => DestUnreachableCode::Address,
                };
                let answer = link.ipv6(to_ip.octets(), from_ip.octets(), HOPS);
                let answer = answer.icmpv6(Icmpv6Type::DestinationUnreachable(kind));
                answer.write(&mut frame, self.packet()).ok()?;
            }
            (IpAddr::V4(_), IpAddr::V6(_), _) | (IpAddr::V6(_), IpAddr::V4(_), _) => return None,
        }
        Some(frame)
    }

    /// The frame without its Ethernet header, as an ICMP message quotes it.
    fn packet(&self) -> &[u8] {
        self.frame.get(etherparse::Ethernet2Header::LEN..).unwrap_or_default()
    }
}

fn complete(frame: &[u8], tcp: &TcpSlice<'_>, checksum: u16) -> Option<Vec<u8>> {
    let mut frame = frame.to_vec();
    let at = frame.len().checked_sub(tcp.slice().len())?.checked_add(CHECKSUM)?;
    frame.get_mut(at..)?.first_chunk_mut().map(|place| *place = checksum.to_be_bytes())?;
    Some(frame)
}
