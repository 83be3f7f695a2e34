//! A packet socket (packet(7)) that sees what leaves a namespace, programs with raw or packet sockets included.

use std::mem::size_of;
use std::os::fd::{AsRawFd as _, OwnedFd};

use anyhow::{Context as _, Result};
use libc::{sock_filter, sock_fprog};
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, setsockopt, socket, sockopt};

use super::gateway::GATEWAY_V4;
use super::packet::Leak;

/// Room for some ten thousand small packets between two looks.
const ROOM: usize = 32 << 20;
/// `lo` has this index in every network namespace.
const LOOPBACK_INDEX: u32 = 1;
/// `ETH_P_IP`
const ETHERTYPE_IPV4: u32 = 0x0800;
/// `SKF_AD_OFF + SKF_AD_…` (linux/filter.h): the packet's metadata.
const ANCILLARY: u32 = 0xffff_f000;
const ANCILLARY_PROTOCOL: u32 = ANCILLARY;
const ANCILLARY_PACKET_TYPE: u32 = ANCILLARY + 4;
const ANCILLARY_INTERFACE: u32 = ANCILLARY + 8;
/// `PACKET_OUTGOING`
const OUTGOING: u32 = 4;

// Instructions of classic BPF.
const LOAD_WORD: u16 = 0x20;
const LOAD_HALF: u16 = 0x28;
const LOAD_BYTE: u16 = 0x30;
const LOAD_HALF_AT_X: u16 = 0x48;
const LOAD_X_IP_HEADER_LENGTH: u16 = 0xb1;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_SET: u16 = 0x45;
const RETURN: u16 = 0x06;
/// Instructions before the comparison of the ports.
const PREFIX: u8 = 14;

/// An open packet socket.
#[derive(Debug)]
pub(super) struct Sniffer {
    socket: OwnedFd,
}

impl Sniffer {
    /// Opens one in the namespace of the calling thread; TCP to these ports of the gateway is not reported.
    pub(super) fn open(ports: &[u16]) -> Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Packet, SockType::Datagram, flags, SockProtocol::EthAll)
            .context("open a packet socket")?;
        setsockopt(&socket, sockopt::RcvBufForce, &ROOM).context("enlarge the packet socket")?;
        let sniffer = Self { socket };
        sniffer.allow(ports)?;
        // What the wire carried before the filter was there is our own set-up.
        sniffer.take()?;
        Ok(sniffer)
    }

    /// Changes the ports.
    pub(super) fn allow(&self, ports: &[u16]) -> Result<()> {
        let mut program = program(ports);
        let length = u16::try_from(program.len()).context("too many ports")?;
        let filter = sock_fprog { len: length, filter: program.as_mut_ptr() };
        let size = libc::socklen_t::try_from(size_of::<sock_fprog>())?;
        #[expect(unsafe_code, reason = "nix has no SO_ATTACH_FILTER")]
        // SAFETY: `filter` points to `len` instructions that live until the call returns; the kernel copies them.
        let result = unsafe {
            libc::setsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_ATTACH_FILTER,
                (&raw const filter).cast(),
                size,
            )
        };
        Errno::result(result).map(drop).context("attach the packet filter")
    }

    /// Takes the packets seen since the last call. Lost ones are an error: silence must mean silence.
    pub(super) fn take(&self) -> Result<Vec<Leak>> {
        let mut leaks = Vec::new();
        let mut packet = vec![0; 65536];
        loop {
            match recv(self.socket.as_raw_fd(), &mut packet, MsgFlags::empty()) {
                Ok(length) => leaks.push(Leak::parse(&packet[..length])),
                Err(Errno::EAGAIN) => break,
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error).context("read the packet socket"),
            }
        }
        let lost = self.lost()?;
        anyhow::ensure!(lost == 0, "{lost} leaked packets were lost, {} were seen", leaks.len());
        Ok(leaks)
    }

    /// `PACKET_STATISTICS`: packets that did not fit since the last call.
    fn lost(&self) -> Result<u32> {
        /// `struct tpacket_stats`
        #[repr(C)]
        #[derive(Default)]
        struct Statistics {
            packets: u32,
            drops: u32,
        }
        const PACKET_STATISTICS: libc::c_int = 6;
        let mut statistics = Statistics::default();
        let mut size = libc::socklen_t::try_from(size_of::<Statistics>())?;
        #[expect(unsafe_code, reason = "nix has no PACKET_STATISTICS")]
        // SAFETY: the pointers are to live locals, and `size` is the size of the structure the kernel writes.
        let result = unsafe {
            libc::getsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_PACKET,
                PACKET_STATISTICS,
                (&raw mut statistics).cast(),
                &raw mut size,
            )
        };
        Errno::result(result).context("read the packet statistics")?;
        Ok(statistics.drops)
    }
}

/// Reports what leaves by any device but `lo` and is not TCP to one of the ports of the gateway.
fn program(ports: &[u16]) -> Vec<sock_filter> {
    let count = u8::try_from(ports.len().min(200)).unwrap_or(200);
    let op = |code, k| sock_filter { code, jt: 0, jf: 0, k };
    // The last two instructions; jumps count from the instruction behind them.
    let report = PREFIX + count;
    let ignore = report + 1;
    let jump = |at: u8, code, k, jt: Option<u8>, jf: Option<u8>| {
        let to = |target: Option<u8>| target.map_or(0, |target| target - at - 1);
        sock_filter { code, jt: to(jt), jf: to(jf), k }
    };
    let mut program = vec![
        op(LOAD_WORD, ANCILLARY_PACKET_TYPE),
        jump(1, JUMP_EQUAL, OUTGOING, None, Some(ignore)),
        op(LOAD_WORD, ANCILLARY_INTERFACE),
        jump(3, JUMP_EQUAL, LOOPBACK_INDEX, Some(ignore), None),
        op(LOAD_WORD, ANCILLARY_PROTOCOL),
        jump(5, JUMP_EQUAL, ETHERTYPE_IPV4, None, Some(report)),
        op(LOAD_BYTE, 9),
        jump(7, JUMP_EQUAL, 6, None, Some(report)),
        op(LOAD_WORD, 16),
        jump(9, JUMP_EQUAL, GATEWAY_V4.to_bits(), None, Some(report)),
        op(LOAD_HALF, 6),
        // A later fragment has no ports.
        jump(11, JUMP_SET, 0x1fff, Some(report), None),
        op(LOAD_X_IP_HEADER_LENGTH, 0),
        op(LOAD_HALF_AT_X, 2),
    ];
    for (at, port) in (PREFIX..report).zip(ports) {
        program.push(jump(at, JUMP_EQUAL, u32::from(*port), Some(ignore), None));
    }
    program.push(op(RETURN, u32::MAX));
    program.push(op(RETURN, 0));
    program
}
