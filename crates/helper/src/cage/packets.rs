//! The packets that the cage's helper reads and writes: SYN segments, and the answers that end a connect(2).
//!
//! Frames are those of the loopback device: an Ethernet header of zeros, then IP.

use std::net::{IpAddr, SocketAddr};

use etherparse::icmpv4::DestUnreachableHeader;
use etherparse::icmpv6::DestUnreachableCode;
use etherparse::{
    Icmpv4Type, Icmpv6Type, LaxNetSlice, LaxSlicedPacket, NetSlice, PacketBuilder, SlicedPacket, TcpSlice,
    TransportSlice,
};
use uwt_policy::Errno;

pub(super) use crate::diag::Pair;

/// The hop limit of what is sent on lo.
const HOPS: u8 = 64;
/// Where a TCP header has its checksum (RFC 9293 §3.1).
const CHECKSUM: usize = 16;

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

/// What a program has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Caught {
    /// The first segment of a connection.
    First(Syn),
    /// A datagram.
    Datagram(Pair),
}

impl Caught {
    /// Reads a frame, of a datagram the beginning alone; `None` for everything else.
    pub(super) fn parse(frame: &[u8]) -> Option<Self> {
        Syn::parse(frame).map(Self::First).or_else(|| datagram(frame).map(Self::Datagram))
    }
}

fn datagram(frame: &[u8]) -> Option<Pair> {
    let packet = LaxSlicedPacket::from_ethernet(frame).ok()?;
    let Some(TransportSlice::Udp(udp)) = packet.transport else { return None };
    let (from, to): (IpAddr, IpAddr) = match packet.net? {
        LaxNetSlice::Ipv4(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        LaxNetSlice::Ipv6(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        LaxNetSlice::Arp(_) => return None,
    };
    Some(Pair { from: SocketAddr::new(from, udp.source_port()), to: SocketAddr::new(to, udp.destination_port()) })
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The SYN segment of a connection, as the kernel would send it: with options.
    fn syn(from: SocketAddr, to: SocketAddr, sequence: u32) -> Vec<u8> {
        let link = PacketBuilder::ethernet2([0; 6], [0; 6]);
        let ip = match (from.ip(), to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => link.ipv4(from.octets(), to.octets(), HOPS),
            (IpAddr::V6(from), IpAddr::V6(to)) => link.ipv6(from.octets(), to.octets(), HOPS),
            _ => unreachable!(),
        };
        let segment = ip.tcp(from.port(), to.port(), sequence, 65_495).syn();
        let segment = segment.options_raw(&[2, 4, 0xff, 0xd7, 1, 3, 3, 7]).unwrap();
        let mut frame = Vec::new();
        segment.write(&mut frame, &[]).unwrap();
        frame
    }

    fn pair() -> impl Strategy<Value = Pair> {
        let v4 = any::<([u8; 4], u16, [u8; 4], u16)>().prop_map(|(from, from_port, to, to_port)| Pair {
            from: (from, from_port).into(),
            to: (to, to_port).into(),
        });
        let v6 = any::<([u8; 16], u16, [u8; 16], u16)>().prop_map(|(from, from_port, to, to_port)| Pair {
            from: (from, from_port).into(),
            to: (to, to_port).into(),
        });
        prop_oneof![v4, v6]
    }

    /// RFC 1071: over everything a checksum covers, itself included, the sum is all ones.
    fn sum(parts: &[&[u8]]) -> u16 {
        let words = parts.iter().flat_map(|part| part.chunks(2)).map(|word| match word {
            [high, low] => u32::from(u16::from_be_bytes([*high, *low])),
            [high] => u32::from(*high) << 8,
            _ => 0,
        });
        let mut sum: u32 = words.sum();
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        u16::try_from(sum).unwrap()
    }

    /// The protocol and the payload of a frame whose addresses and checksums are right.
    fn checked(frame: &[u8], from: IpAddr, to: IpAddr) -> (u8, Vec<u8>) {
        let packet = &frame[14..];
        let (protocol, payload, pseudo) = match (from, to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                assert_eq!((&frame[12..14], packet[0]), (&[8, 0][..], 0x45));
                assert_eq!((&packet[12..16], &packet[16..20]), (&from.octets()[..], &to.octets()[..]));
                assert_eq!(usize::from(u16::from_be_bytes([packet[2], packet[3]])), packet.len());
                assert_eq!(sum(&[&packet[..20]]), 0xffff);
                let len = u16::try_from(packet.len() - 20).unwrap().to_be_bytes();
                let pseudo = [&packet[12..20], &[0, packet[9]], &len].concat();
                (packet[9], &packet[20..], if packet[9] == 1 { Vec::new() } else { pseudo })
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                assert_eq!((&frame[12..14], packet[0] >> 4), (&[0x86, 0xdd][..], 6));
                assert_eq!((&packet[8..24], &packet[24..40]), (&from.octets()[..], &to.octets()[..]));
                assert_eq!(usize::from(u16::from_be_bytes([packet[4], packet[5]])), packet.len() - 40);
                let len = u32::try_from(packet.len() - 40).unwrap().to_be_bytes();
                (packet[6], &packet[40..], [&packet[8..40], &len, &[0, 0, 0, packet[6]]].concat())
            }
            _ => unreachable!(),
        };
        assert_eq!(sum(&[&pseudo, payload]), 0xffff);
        (protocol, payload.to_vec())
    }

    proptest! {
        #[test]
        fn segments_are_read_and_their_checksum_made_right(pair in pair(), sequence: u32, wrong: u16) {
            let frame = syn(pair.from, pair.to, sequence);
            let mut unfinished = frame.clone();
            let at = frame.len() - 28 + CHECKSUM;
            unfinished[at..at + 2].copy_from_slice(&wrong.to_be_bytes());
            let read = Syn::parse(&unfinished).unwrap();
            prop_assert_eq!((read.pair, read.sequence), (pair, sequence));
            prop_assert_eq!(&read.frame, &frame);
            checked(&read.frame, pair.from.ip(), pair.to.ip());
        }

        #[test]
        fn datagrams_are_read_whole_or_cut(pair in pair(), payload in proptest::collection::vec(any::<u8>(), 0..3000)) {
            let link = PacketBuilder::ethernet2([0; 6], [0; 6]);
            let ip = match (pair.from.ip(), pair.to.ip()) {
                (IpAddr::V4(from), IpAddr::V4(to)) => link.ipv4(from.octets(), to.octets(), HOPS),
                (IpAddr::V6(from), IpAddr::V6(to)) => link.ipv6(from.octets(), to.octets(), HOPS),
                _ => unreachable!(),
            };
            let mut frame = Vec::new();
            ip.udp(pair.from.port(), pair.to.port()).write(&mut frame, &payload).unwrap();
            frame.truncate(2048);
            prop_assert_eq!(Caught::parse(&frame), Some(Caught::Datagram(pair)));
        }

        #[test]
        fn resets_fit_their_segment(pair in pair(), sequence: u32) {
            let syn = Syn::parse(&syn(pair.from, pair.to, sequence)).unwrap();
            let (protocol, reset) = checked(&syn.refuse(Refusal::Reset).unwrap(), pair.to.ip(), pair.from.ip());
            prop_assert_eq!(protocol, 6);
            prop_assert_eq!(&reset[..4], &[pair.to.port().to_be_bytes(), pair.from.port().to_be_bytes()].concat()[..]);
            // RFC 9293 §3.10.7.1: sequence number 0, what the SYN took acknowledged, RST and ACK.
            prop_assert_eq!(&reset[4..8], [0; 4]);
            prop_assert_eq!(&reset[8..12], sequence.wrapping_add(1).to_be_bytes());
            prop_assert_eq!(reset[13], 0x14);
        }

        #[test]
        fn messages_quote_their_segment(pair in pair(), sequence: u32) {
            let syn = Syn::parse(&syn(pair.from, pair.to, sequence)).unwrap();
            // Types and codes of RFC 792, RFC 1812 and RFC 4443.
            let cases = [(Refusal::Network, 0, 0), (Refusal::Host, 1, 3), (Refusal::Prohibited, 13, 1)];
            for (refusal, v4_code, v6_code) in cases {
                let (protocol, message) = checked(&syn.refuse(refusal).unwrap(), pair.to.ip(), pair.from.ip());
                let expected = if pair.to.is_ipv4() { (1, 3, v4_code) } else { (58, 1, v6_code) };
                prop_assert_eq!((protocol, message[0], message[1]), expected);
                prop_assert_eq!(&message[8..], &syn.frame[14..]);
            }
        }

        #[test]
        fn no_frame_is_too_strange(frame in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(syn) = Syn::parse(&frame) {
                prop_assert_eq!(syn.frame.len(), frame.len());
            }
        }
    }

    #[test]
    fn only_first_segments_count() {
        let (from, to) = ("192.0.2.1:61000".parse().unwrap(), "203.0.113.7:80".parse().unwrap());
        let whole = syn(from, to, 1);
        let flags = whole.len() - 28 + 13;
        for wrong in [0x10, 0x12, 0x04, 0x11, 0x00] {
            let mut frame = whole.clone();
            frame[flags] = wrong;
            assert_eq!(Syn::parse(&frame), None, "{wrong:#x}");
        }
        assert_eq!(Syn::parse(&[&whole[..], &[0]].concat()), None, "something behind it");
        assert_eq!(Syn::parse(&whole[..whole.len() - 1]), None, "cut off");
    }

    #[test]
    fn the_nearest_answer() {
        for (errno, refusal) in [
            (Errno::ECONNREFUSED, Refusal::Reset),
            (Errno::ECONNABORTED, Refusal::Reset),
            (Errno::ENETUNREACH, Refusal::Network),
            (Errno::EHOSTUNREACH, Refusal::Host),
            (Errno::ETIMEDOUT, Refusal::Host),
            (Errno::EACCES, Refusal::Prohibited),
        ] {
            assert_eq!(Refusal::from_errno(errno), refusal, "{errno:?}");
        }
    }
}
