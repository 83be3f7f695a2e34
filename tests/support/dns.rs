//! The DNS stub the lab's exits ask: A, AAAA and PTR from a [`Hosts`] table over UDP, NXDOMAIN for the rest (RFC 1035).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result};

use crate::hosts::Hosts;

const TYPE_A: u16 = 1;
const TYPE_PTR: u16 = 12;
const TYPE_AAAA: u16 = 28;
const CLASS_IN: [u8; 2] = [0, 1];
/// Seconds an answer may be kept. Tor's exits clip it to their own range anyway.
const TTL: [u8; 4] = [0, 0, 0, 60];
const NXDOMAIN: u8 = 3;

/// A running stub; it ends when dropped.
#[derive(Debug)]
pub struct DnsStub {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl DnsStub {
    /// Answers on `address` (port 0: a free one) in the network namespace of the calling thread.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn start(address: SocketAddr, hosts: Hosts) -> Result<Self> {
        let socket = UdpSocket::bind(address).with_context(|| format!("bind the DNS stub to {address}"))?;
        let address = socket.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut packet = [0; 1500];
            while let Ok((length, peer)) = socket.recv_from(&mut packet) {
                if seen.load(Ordering::Acquire) {
                    return;
                }
                if let Some(reply) = answer(&packet[..length], &hosts) {
                    // A lost answer is asked for again: that is DNS.
                    let _ = socket.send_to(&reply, peer);
                }
            }
        });
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Where it answers.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for DnsStub {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let Some(thread) = self.thread.take() else { return };
        let Ok(me) = UdpSocket::bind((self.address.ip(), 0)) else { return };
        // recv_from has no other way to be woken: one empty datagram.
        if me.send_to(&[], self.address).is_ok() {
            let _ = thread.join();
        }
    }
}

/// The answer to one query; `None` for what is not a query with one question.
fn answer(query: &[u8], hosts: &Hosts) -> Option<Vec<u8>> {
    let header = query.get(..12)?;
    let is_query = header[2] & 0x80 == 0 && header[4..6] == [0, 1];
    if !is_query {
        return None;
    }
    let (name, end) = read_name(query, 12)?;
    let question = query.get(12..end + 4)?;
    let kind = u16::from_be_bytes([query[end], query[end + 1]]);
    let (records, known) = records(&name, kind, hosts);

    let mut reply = header[..2].to_vec();
    let recursion_desired = header[2] & 1;
    reply.push(0x84 | recursion_desired);
    reply.push(0x80 | if known { 0 } else { NXDOMAIN });
    reply.extend([0, 1]);
    reply.extend(u16::try_from(records.len()).ok()?.to_be_bytes());
    reply.extend([0; 4]);
    // The question goes back byte for byte: Tor's exits check the case of its letters.
    reply.extend(question);
    for data in records {
        reply.extend([0xc0, 12]);
        reply.extend(kind.to_be_bytes());
        reply.extend(CLASS_IN);
        reply.extend(TTL);
        reply.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
        reply.extend(data);
    }
    Some(reply)
}

/// The record data for a name and whether the name exists at all (NODATA against NXDOMAIN).
fn records(name: &str, kind: u16, hosts: &Hosts) -> (Vec<Vec<u8>>, bool) {
    if let Some(address) = reverse_name(name) {
        let Some(target) = hosts.reverse(address) else { return (Vec::new(), false) };
        let data = if kind == TYPE_PTR { vec![write_name(&target)] } else { Vec::new() };
        return (data, true);
    }
    let Some(addresses) = hosts.lookup(name) else { return (Vec::new(), false) };
    let data = addresses.iter().filter_map(|address| match address {
        IpAddr::V4(v4) if kind == TYPE_A => Some(v4.octets().to_vec()),
        IpAddr::V6(v6) if kind == TYPE_AAAA => Some(v6.octets().to_vec()),
        _ => None,
    });
    (data.collect(), true)
}

/// Reads an uncompressed name; gives it and the offset behind it.
fn read_name(packet: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*packet.get(at)?);
        at += 1;
        if length == 0 {
            return Some((labels.join("."), at));
        }
        if length > 63 {
            return None;
        }
        labels.push(String::from_utf8_lossy(packet.get(at..at + length)?).into_owned());
        at += length;
    }
}

/// A name in wire form.
fn write_name(name: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        wire.push(u8::try_from(label.len().min(63)).unwrap_or(63));
        wire.extend(label.bytes().take(63));
    }
    wire.push(0);
    wire
}

/// The address a name in in-addr.arpa or ip6.arpa stands for.
fn reverse_name(name: &str) -> Option<IpAddr> {
    let name = name.to_ascii_lowercase();
    if let Some(rest) = name.strip_suffix(".in-addr.arpa") {
        let mut octets: Vec<u8> = rest.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
        octets.reverse();
        return Some(Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?).into());
    }
    let rest = name.strip_suffix(".ip6.arpa")?;
    let mut nibbles: Vec<&str> = rest.split('.').collect();
    nibbles.reverse();
    if nibbles.len() != 32 || nibbles.iter().any(|nibble| nibble.len() != 1) {
        return None;
    }
    Some(Ipv6Addr::from(u128::from_str_radix(&nibbles.concat(), 16).ok()?).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(name: &str, kind: u16) -> Vec<u8> {
        let mut packet = vec![0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        packet.extend(write_name(name));
        packet.extend(kind.to_be_bytes());
        packet.extend(CLASS_IN);
        packet
    }

    fn hosts() -> Hosts {
        let hosts = Hosts::new();
        hosts.add("www.lab.test", Ipv4Addr::new(203, 0, 113, 1).into());
        hosts.add("www.lab.test", "2001:db8::1".parse().expect("address"));
        hosts
    }

    #[test]
    fn forward_answers_keep_the_case_of_the_question() {
        let asked = query("wWw.lAb.tEst", TYPE_A);
        let reply = answer(&asked, &hosts()).expect("reply");
        assert_eq!(reply[..8], [0xab, 0xcd, 0x85, 0x80, 0, 1, 0, 1]);
        assert_eq!(reply[12..asked.len()], asked[12..]);
        assert!(reply.ends_with(&[0, 4, 203, 0, 113, 1]));
    }

    #[test]
    fn missing_names_and_missing_types_differ() {
        let nothing = answer(&query("no.lab.test", TYPE_A), &hosts()).expect("reply");
        assert_eq!(nothing[3] & 0xf, NXDOMAIN);
        let no_data = answer(&query("www.lab.test", 16), &hosts()).expect("reply");
        assert_eq!((no_data[3] & 0xf, no_data[7]), (0, 0));
    }

    #[test]
    fn reverse_answers_for_both_families() {
        for name in ["1.113.0.203.in-addr.arpa".to_owned(), format!("1.{}8.b.d.0.1.0.0.2.ip6.arpa", "0.".repeat(23))] {
            let reply = answer(&query(&name, TYPE_PTR), &hosts()).expect("reply");
            assert!(reply.ends_with(&write_name("www.lab.test")), "{name}");
        }
    }

    #[test]
    fn garbage_gets_no_answer() {
        for garbage in [&b""[..], &[0; 11], &[0xff; 40], &[0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 200]] {
            assert_eq!(answer(garbage, &hosts()), None);
        }
    }
}
