//! The hole: an address of the loopback device to which a connect neither comes about nor fails.
//!
//! A socket listens there that has as many connections waiting as it may have (listen(2)), so that the kernel neither
//! answers nor resets another first segment: a socket that connects there stays in SYN_SENT. It gets out when a socket that
//! is bound to the hole connects to it, for two sockets that connect to each other are connected (RFC 9293 §3.5,
//! "simultaneous open"). And when that socket hears nothing of the answer, and another one in its place begins anew, the one
//! in the hole is told that there is no such connection (RFC 9293 §3.5.1, "half-open"), and has failed without ever being
//! connected. All other segments that come to the hole are reset: what a program sends on a connection that we have lost.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream as StdStream};
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::{SockFilter, SockRef};
use tokio::net::{TcpSocket, TcpStream};
use uwt_policy::canonical;

use super::socket::local_address;
use crate::diag::{Diag, Pair};
use crate::outside::Outside;
use crate::sys::net::set_option;
use crate::tcp::{State, state};

/// How long connections over the loopback device may take to come about when they are tried out, in milliseconds. They
/// mostly come about within the call.
const TRIAL: u16 = 10;

/// Of classic BPF, whose codes have 16 bits: "this many bytes of it" (linux/bpf_common.h).
const BPF_RET_K: u16 = 0x06;

/// A filter that lets no segment through.
const NOTHING: SockFilter = SockFilter::new(BPF_RET_K, 0, 0, 0);

/// A hole.
#[derive(Debug)]
struct Hole {
    address: SocketAddr,
    _listener: OwnedFd,
    /// The connection that is waiting.
    _plug: OwnedFd,
}

/// Lets the connect of a held socket come about: `held` is its address and that of its hole.
///
/// # Errors
/// Those of socket(2) and connect(2); ECONNREFUSED where it is not held (any more).
pub(super) async fn join(held: Pair, outside: &Outside) -> io::Result<TcpStream> {
    let socket = other_end(held.to, outside)?;
    TcpSocket::from_std_stream(StdStream::from(socket)).connect(held.from).await
}

/// Lets the connect of a held socket fail: with ECONNRESET, which is the kernel's word for a connection that was there, if
/// only by half. ECONNREFUSED it has only for an answer to a first segment, which nobody but the kernel itself may give.
///
/// # Errors
/// Those of socket(2) and connect(2).
pub(super) fn reset(held: Pair, outside: &Outside) -> io::Result<()> {
    // To the held socket the connection is there by half.
    drop(begin(held, Hearing::Nothing, outside)?);
    begin_anew(held, outside)
}

/// Has a connection reset that is there by half: the held socket asks who this is that begins anew, and the answer to that is
/// a reset. It asks but twice a second (`tcp_invalid_ratelimit`).
fn begin_anew(held: Pair, outside: &Outside) -> io::Result<()> {
    match begin(held, Hearing::All, outside) {
        // Where filters are not for everybody the first one has heard the answer, and has reset the connection itself.
        Err(error) if error.raw_os_error() == Some(Errno::ECONNREFUSED as i32) => Ok(()),
        began => began.map(drop),
    }
}

/// What a socket hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hearing {
    All,
    Nothing,
}

/// Begins a connection to a held socket that shall never come about.
///
/// Were it for one that hears to acknowledge the answer, the program would believe for a moment that it is connected: it
/// puts that off (`TCP_DEFER_ACCEPT`), but not for longer than 200 ms, and a busy machine may need as long to reset it.
fn begin(held: Pair, hearing: Hearing, outside: &Outside) -> io::Result<OwnedFd> {
    let socket = other_end(held.to, outside)?;
    let options = SockRef::from(&socket);
    // Not only a server's socket lets its handshake wait for data then (tcp(7)).
    set_option(&socket, libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, 1)?;
    options.set_linger(Some(Duration::ZERO))?;
    if hearing == Hearing::Nothing {
        match options.attach_filter(&[NOTHING]) {
            // Some kernels leave that to root.
            Err(error) if error.kind() != io::ErrorKind::PermissionDenied => return Err(error),
            _ => {}
        }
    }
    match options.connect(&held.from.into()) {
        Err(error) if !is_in_progress(&error) => Err(error),
        _ => Ok(socket),
    }
}

/// An IPv4 address in its own form.
pub(super) fn plain(address: SocketAddr) -> SocketAddr {
    match canonical(address.ip()) {
        IpAddr::V4(ip) => (ip, address.port()).into(),
        // With its scope.
        IpAddr::V6(_) => address,
    }
}

/// An IPv4 address as sockets of IPv6 need it.
fn mapped(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) => (ip.to_ipv6_mapped(), address.port()).into(),
        IpAddr::V6(_) => address,
    }
}

/// A socket bound to a hole, for the other end of a connection.
fn other_end(hole: SocketAddr, outside: &Outside) -> io::Result<OwnedFd> {
    let socket = outside.stream(hole.is_ipv6())?;
    let options = SockRef::from(&socket);
    // The hole's own socket is bound to this address, and those of earlier connections are.
    options.set_reuse_port(true)?;
    options.set_tcp_nodelay(true)?;
    options.bind(&hole.into())?;
    Ok(socket)
}

impl Hole {
    /// `None` where nothing connects over this address.
    fn new(ip: IpAddr, outside: &Outside) -> io::Result<Option<Self>> {
        let [listener, plug] = [outside.stream(ip.is_ipv6())?, outside.stream(ip.is_ipv6())?];
        let options = SockRef::from(&listener);
        options.set_reuse_port(true)?;
        options.bind(&SocketAddr::new(ip, 0).into())?;
        // A queue that is longer than this is full.
        options.listen(0)?;
        let address = local_address(&listener)?;
        let began = SockRef::from(&plug).connect(&address.into());
        let is_full = came_about(&began) && is_ready(&listener, PollFlags::POLLIN)?;
        Ok(is_full.then_some(Self { address, _listener: listener, _plug: plug }))
    }

    /// Whether it holds sockets, and lets them go either way.
    fn works(&self, outside: &Outside) -> io::Result<bool> {
        let Some(held) = self.held(outside)? else { return Ok(false) };
        let far = other_end(self.address, outside)?;
        let began = SockRef::from(&far).connect(&local_address(&held)?.into());
        if !came_about(&began) || !is_ready(&held, PollFlags::POLLOUT)? || state(&held)? != State::Established {
            return Ok(false);
        }
        let Some(held) = self.held(outside)? else { return Ok(false) };
        let pair = Pair { from: local_address(&held)?, to: self.address };
        let Ok(far) = begin(pair, Hearing::Nothing, outside) else { return Ok(false) };
        // Where that is not so, the programs would believe for a moment that they are connected.
        let silent = state(&held)? == State::SynReceived || state(&far)? == State::SynSent;
        drop(far);
        let failed = begin_anew(pair, outside).is_ok();
        Ok(silent && failed && is_ready(&held, PollFlags::POLLOUT)? && state(&held)? == State::Close)
    }

    /// A socket that it holds, if it does.
    fn held(&self, outside: &Outside) -> io::Result<Option<OwnedFd>> {
        let socket = outside.stream(self.address.is_ipv6())?;
        let began = SockRef::from(&socket).connect(&self.address.into());
        Ok((came_about(&began) && state(&socket)? == State::SynSent).then_some(socket))
    }
}

/// Whether a connection has come about, or will.
fn came_about(began: &io::Result<()>) -> bool {
    began.as_ref().map_or_else(is_in_progress, |()| true)
}

fn is_in_progress(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::EINPROGRESS as i32)
}

fn is_ready(socket: &OwnedFd, what: PollFlags) -> io::Result<bool> {
    let mut set = [PollFd::new(socket.as_fd(), what)];
    Ok(poll(&mut set, PollTimeout::from(TRIAL))? > 0)
}

/// The holes of a helper.
#[derive(Debug)]
pub(super) struct Holes {
    v4: Hole,
    /// Not where the loopback device has no address of IPv6.
    v6: Option<Hole>,
}

impl Holes {
    /// Makes them and tries them out; `None` where they do not work, because the kernel or a packet filter is in the way.
    ///
    /// # Errors
    /// Those of socket(2) and its like: another time they may work.
    pub(super) fn make(outside: &Outside) -> io::Result<Option<Self>> {
        let Some(v4) = Hole::new(Ipv4Addr::LOCALHOST.into(), outside)? else { return Ok(None) };
        if !v4.works(outside)? {
            return Ok(None);
        }
        let v6 = Hole::new(Ipv6Addr::LOCALHOST.into(), outside).ok().flatten();
        Ok(Some(Self { v4, v6: v6.filter(|hole| hole.works(outside).unwrap_or(false)) }))
    }

    /// Whether the kernel tells which sockets they hold.
    pub(super) fn are_known(&self, diag: &Diag, outside: &Outside) -> bool {
        let is_known = |hole: &Hole| {
            let held = hole.held(outside).ok()??;
            let inode = diag.stream(Pair { from: local_address(&held).ok()?, to: hole.address })?;
            Some(nix::sys::stat::fstat(&held).ok()?.st_ino == inode)
        };
        [Some(&self.v4), self.v6.as_ref()].into_iter().flatten().all(|hole| is_known(hole) == Some(true))
    }

    /// The holes for a socket that shall be connected to `peer`, to be tried in this order.
    pub(super) fn addresses(&self, is_v6: bool, only_v6: bool, peer: IpAddr) -> impl Iterator<Item = SocketAddr> {
        let v4 = self.v4.address;
        let v6 = self.v6.as_ref().map(|hole| hole.address);
        let addresses = match (is_v6, peer) {
            (false, _) => [Some(v4), None],
            // Where it can't connect to IPv4 (IPV6_V6ONLY, bound to an address of IPv6) the kernel has the right answer.
            (true, IpAddr::V4(_)) => [Some(mapped(v4)), None],
            (true, IpAddr::V6(_)) => [v6, (!only_v6).then_some(mapped(v4))],
        };
        addresses.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::net::option;

    fn holes() -> Holes {
        Holes::make(&Outside::default()).unwrap().unwrap()
    }

    #[test]
    fn it_is_found_out_whether_a_hole_works() {
        let outside = Outside::default();
        for ip in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
            let mut hole = Hole::new(ip, &outside).unwrap().unwrap();
            assert!(hole.works(&outside).unwrap());
            // A socket that answers is no hole, and nor is an address without one.
            let listener = std::net::TcpListener::bind((ip, 0)).unwrap();
            hole.address = listener.local_addr().unwrap();
            assert!(!hole.works(&outside).unwrap());
            let bound = outside.stream(ip.is_ipv6()).unwrap();
            SockRef::from(&bound).bind(&SocketAddr::new(ip, 0).into()).unwrap();
            hole.address = local_address(&bound).unwrap();
            assert!(!hole.works(&outside).unwrap());
        }
    }

    #[test]
    fn addresses() {
        let holes = holes();
        let (v4, v6) = (holes.v4.address, holes.v6.as_ref().unwrap().address);
        let [to_v4, to_v6] = ["203.0.113.9", "2001:db8::1"].map(|peer| peer.parse().unwrap());
        let addresses = |is_v6, only_v6, peer| holes.addresses(is_v6, only_v6, peer).collect::<Vec<_>>();
        assert_eq!(addresses(false, false, to_v4), [v4]);
        assert_eq!(addresses(true, false, to_v4), [mapped(v4)]);
        assert_eq!(addresses(true, true, to_v4), [mapped(v4)]);
        assert_eq!(addresses(true, false, to_v6), [v6, mapped(v4)]);
        assert_eq!(addresses(true, true, to_v6), [v6]);
        assert!(mapped(v4).to_string().starts_with("[::ffff:127.0.0.1]:"));
        assert_eq!(plain(mapped(v4)), v4);
    }

    /// A connection that came about.
    fn connected(hole: &Hole, outside: &Outside) -> [OwnedFd; 2] {
        let near = hole.held(outside).unwrap().unwrap();
        let far = other_end(hole.address, outside).unwrap();
        assert!(came_about(&SockRef::from(&far).connect(&local_address(&near).unwrap().into())));
        poll(&mut [PollFd::new(near.as_fd(), PollFlags::POLLOUT)], PollTimeout::NONE).unwrap();
        [near, far]
    }

    /// How often in a row a socket has repeated a segment (struct tcp_info's third byte).
    fn retransmits(socket: &OwnedFd) -> u8 {
        let [_, _, retransmits, ..] = option(socket, libc::IPPROTO_TCP, libc::TCP_INFO).unwrap().to_ne_bytes();
        retransmits
    }

    #[test]
    fn what_fails_was_never_connected() {
        let (holes, outside) = (holes(), Outside::default());
        for hole in [&holes.v4, holes.v6.as_ref().unwrap()] {
            let near = hole.held(&outside).unwrap().unwrap();
            let pair = Pair { from: local_address(&near).unwrap(), to: hole.address };
            // However long the other end takes, and however often its answer is repeated.
            let far = begin(pair, Hearing::Nothing, &outside).unwrap();
            while retransmits(&near) == 0 {
                assert!(!is_ready(&near, PollFlags::POLLOUT).unwrap());
            }
            assert_eq!((state(&near).unwrap(), state(&far).unwrap()), (State::SynReceived, State::SynSent));
            drop(far);
            // What `far` has repeated may have used up the one question; then the answer to the next repetition is the reset.
            begin_anew(pair, &outside).unwrap();
            while !is_ready(&near, PollFlags::POLLOUT).unwrap() {
                assert_ne!(state(&near).unwrap(), State::Established);
            }
            assert_eq!(state(&near).unwrap(), State::Close);
            assert_eq!(SockRef::from(&near).take_error().unwrap().unwrap().kind(), io::ErrorKind::ConnectionReset);
        }
    }

    #[test]
    fn what_is_lost_is_reset() {
        let (holes, outside) = (holes(), Outside::default());
        for hole in [&holes.v4, holes.v6.as_ref().unwrap()] {
            let [near, far] = connected(hole, &outside);
            let near = SockRef::from(&near);
            // The other end goes, and its reset is kept from this one.
            SockRef::from(&far).set_linger(Some(Duration::ZERO)).unwrap();
            if near.attach_filter(&[NOTHING]).is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied) {
                // Some kernels leave that to root.
                assert!(!nix::unistd::geteuid().is_root());
                return;
            }
            drop(far);
            near.detach_filter().unwrap();
            assert_eq!(state(&*near).unwrap(), State::Established);
            near.send(b"x").unwrap();
            poll(&mut [PollFd::new(near.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE).unwrap();
            assert_eq!(near.take_error().unwrap().unwrap().kind(), io::ErrorKind::ConnectionReset);
        }
    }
}
