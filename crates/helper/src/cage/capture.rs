//! Sees the first segment of each connection in the cage, for a report each datagram too, and puts packets on its loopback
//! device (packet(7)).

use std::io::{self, Read as _, Write as _};

use socket2::{Domain, SockFilter, Socket, Type};
use tokio::io::unix::AsyncFd;

use super::packets::Caught;
use super::{LOOPBACK, Mark};
use crate::sys::net::bind_to_link;
use crate::sys::watch;

/// Longer than any SYN segment without data.
const LONGEST: usize = 2048;

// Of linux/bpf_common.h, the few that are used.
const LOAD_WORD: u16 = 0x20;
const LOAD_HALF: u16 = 0x28;
const LOAD_BYTE: u16 = 0x30;
/// With the index register added.
const LOAD_BYTE_BEHIND: u16 = 0x50;
/// The index register: four times the low half of a byte, which is the length of an IPv4 header.
const LOAD_HEADER_LENGTH: u16 = 0xb1;
const AND: u16 = 0x54;
const JUMP: u16 = 0x05;
const IF_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

// Of linux/filter.h: what the kernel knows about a packet.
const PACKET_TYPE: u32 = 0xffff_f004;
const PACKET_MARK: u32 = 0xffff_f014;

const PASS: u32 = 0x4_0000;
const DROP: u32 = 0;
const TCP: u32 = 6;
const UDP: u32 = 17;
/// Where a TCP header has its flags, and the two that matter.
const FLAGS: u32 = 13;
const SYN: u32 = 0x02;
const SYN_AND_ACK: u32 = 0x12;

const fn step(code: u16, k: u32) -> SockFilter {
    SockFilter::new(code, 0, 0, k)
}

/// Jumps over `otherwise` instructions when it is not equal.
const fn only(k: u32, otherwise: u8) -> SockFilter {
    SockFilter::new(IF_EQUAL, 0, otherwise, k)
}

/// Outgoing, of a program's socket, TCP, SYN without ACK: one packet per connection.
const FIRST_SEGMENTS: [SockFilter; 19] = [
    step(LOAD_WORD, PACKET_TYPE),
    only(4, 16), // PACKET_OUTGOING: lo shows each packet twice
    step(LOAD_WORD, PACKET_MARK),
    only(Mark::Program as u32, 14),
    step(LOAD_HALF, 12), // EtherType
    only(0x0800, 5),
    step(LOAD_BYTE, 23), // IPv4: protocol
    only(TCP, 10),
    step(LOAD_HEADER_LENGTH, 14),
    step(LOAD_BYTE_BEHIND, 14 + FLAGS),
    step(JUMP, 4),
    only(0x86dd, 6),
    step(LOAD_BYTE, 20), // IPv6: next header
    only(TCP, 4),
    step(LOAD_BYTE, 14 + 40 + FLAGS),
    step(AND, SYN_AND_ACK),
    only(SYN, 1),
    step(RETURN, PASS),
    step(RETURN, DROP),
];

/// The same, and UDP: for a report.
const FIRST_SEGMENTS_AND_DATAGRAMS: [SockFilter; 21] = [
    step(LOAD_WORD, PACKET_TYPE),
    only(4, 18), // PACKET_OUTGOING
    step(LOAD_WORD, PACKET_MARK),
    only(Mark::Program as u32, 16),
    step(LOAD_HALF, 12), // EtherType
    only(0x0800, 6),
    step(LOAD_BYTE, 23), // IPv4: protocol
    SockFilter::new(IF_EQUAL, 11, 0, UDP),
    only(TCP, 11),
    step(LOAD_HEADER_LENGTH, 14),
    step(LOAD_BYTE_BEHIND, 14 + FLAGS),
    step(JUMP, 5),
    only(0x86dd, 7),
    step(LOAD_BYTE, 20), // IPv6: next header
    SockFilter::new(IF_EQUAL, 4, 0, UDP),
    only(TCP, 4),
    step(LOAD_BYTE, 14 + 40 + FLAGS),
    step(AND, SYN_AND_ACK),
    only(SYN, 1),
    step(RETURN, PASS),
    step(RETURN, DROP),
];

/// For the listening sockets of the cage: of all SYN segments only those that the helper put there. The first byte is
/// that of the TCP header.
pub(super) const REPEATED_SEGMENTS: [SockFilter; 7] = [
    step(LOAD_BYTE, FLAGS),
    step(AND, SYN_AND_ACK),
    only(SYN, 3),
    step(LOAD_WORD, PACKET_MARK),
    SockFilter::new(IF_EQUAL, 1, 0, Mark::Injected as u32),
    step(RETURN, DROP),
    step(RETURN, PASS),
];

/// The packet socket on the cage's loopback device.
#[derive(Debug)]
pub(super) struct Capture(AsyncFd<Socket>);

impl Capture {
    /// Of the current network namespace; with `datagrams` those are seen too.
    ///
    /// # Errors
    /// Those of socket(2) and setsockopt(2).
    pub(super) fn new(datagrams: bool) -> io::Result<Self> {
        // Of no protocol at first: nothing is received before the filter is in place.
        let socket = Socket::new(Domain::PACKET, Type::RAW.nonblocking(), None)?;
        socket.set_mark(Mark::Injected as u32)?;
        if datagrams {
            socket.attach_filter(&FIRST_SEGMENTS_AND_DATAGRAMS)?;
        } else {
            socket.attach_filter(&FIRST_SEGMENTS)?;
        }
        // As many as one may have: a segment that finds no room is sent again a second later.
        socket.set_recv_buffer_size(1 << 23)?;
        bind_to_link(&socket, LOOPBACK)?;
        Ok(Self(watch(socket)?))
    }

    /// The next first segment, or datagram.
    ///
    /// # Errors
    /// The event loop has ended.
    pub(super) async fn next(&self) -> io::Result<Caught> {
        let mut frame = [0; LONGEST];
        loop {
            let mut ready = self.0.readable().await?;
            while let Ok(len) = ready.try_io(|socket| socket.get_ref().read(&mut frame)) {
                // An error is a message of the device's, told once: what comes later is still seen.
                let Ok(len) = len else { continue };
                if let Some(caught) = Caught::parse(frame.get(..len).unwrap_or_default()) {
                    return Ok(caught);
                }
            }
        }
    }

    /// One that is there already, if any is. An error is the device's: there is nothing more to come then.
    pub(super) fn waiting(&self) -> Option<Caught> {
        let mut frame = [0; LONGEST];
        while let Ok(len) = self.0.get_ref().read(&mut frame) {
            if let Some(caught) = Caught::parse(frame.get(..len).unwrap_or_default()) {
                return Some(caught);
            }
        }
        None
    }

    /// Puts a frame on the device.
    ///
    /// # Errors
    /// Those of send(2).
    pub(super) fn inject(&self, frame: &[u8]) -> io::Result<()> {
        self.0.get_ref().write(frame).map(drop)
    }
}
