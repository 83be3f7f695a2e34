//! Connecting, as the policy says.

use core::ffi::c_int;
use core::net::{IpAddr, SocketAddr};
use core::sync::atomic::{AtomicBool, Ordering};

use uwt_policy::{
    ConnectVerdict, DatagramVerdict, Errno, HostName, PeerRecord, SocketKind, Standing, canonical, connect,
};
use uwt_session::Session;
use uwt_session::report::Deed;
use uwt_socks5::{Command, Target};

use crate::abi::AddressText;
use crate::dial::{Failure, Patience, dial};
use crate::notice::Once;
use crate::report::{DONE, tell};
use crate::{cage, helper, relay, report, serve, state, sys, wire};

const IPV6_V6ONLY_OFF: [u8; 4] = [0; 4];
const TCP_FASTOPEN_CONNECT_OFF: [u8; 4] = [0; 4];

/// Whether any connect was interrupted: only then does `SO_ERROR` need a look.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The session, or one line to the user.
#[inline(never)]
fn known_session() -> Option<&'static Session<'static>> {
    static ONCE: Once = Once::new();
    let session = state::session();
    if session.is_none() {
        ONCE.say(|line| {
            line.text("the preload library is loaded without a valid UWT_SESSION, nothing is carried; ");
            line.text("start programs with `uwt COMMAND`");
        });
    }
    session
}

/// The session, or EACCES and one line to the user.
pub(crate) fn session() -> Result<&'static Session<'static>, Errno> {
    known_session().ok_or(Errno::EACCES)
}

/// What is to be done with a connect or an addressed send.
#[must_use]
pub(crate) enum Plan {
    /// Make the call as it is.
    Pass,
    /// It was carried, or led to where a server of this process is: the socket is connected.
    Carried,
}

/// Decides on connecting `fd` to `peer`, and carries it where it shall be carried.
pub(crate) fn carry(fd: c_int, peer: SocketAddr) -> Result<Plan, Errno> {
    let spec = wire::spec(fd)?;
    let kind = spec.class();
    if kind == SocketKind::Local {
        return Ok(Plan::Pass);
    }
    if kind == SocketKind::Stream && peer.is_ipv6() != (spec.domain == libc::AF_INET6) {
        // No TCP socket takes the other family's address: the kernel refuses, by its length or its family.
        return Ok(Plan::Pass);
    }
    let session = session()?;
    if cage::carries(session, fd, spec, peer)? {
        return Ok(Plan::Pass);
    }
    if kind == SocketKind::Stream
        && let Some(there) = serve::own_server(session, peer)
    {
        tell(Deed::Direct, spec, Some(&there), DONE);
        return wire::attach(libc::SYS_connect, fd, there).map(|()| Plan::Carried);
    }
    match connect(kind, peer, &session.route()) {
        ConnectVerdict::Pass => {
            if session.report
                && kind == SocketKind::Stream
                && SocketAddr::new(canonical(peer.ip()), peer.port()) == SocketAddr::V4(session.gateway)
                && let Some(result) = relay::connect(session, fd, cookie(fd)?, peer, true)?
            {
                // The helper hears what is said to the SocksPort, and tells.
                return result.map(|()| Plan::Carried);
            }
            tell(Deed::Direct, spec, Some(&peer), DONE);
            if kind == SocketKind::Datagram {
                wire::confine(fd)?;
            }
            Ok(Plan::Pass)
        }
        ConnectVerdict::Refuse(errno) => Err(tell(Deed::NoConnect, spec, Some(&peer), errno)),
        ConnectVerdict::Tunnel(_) | ConnectVerdict::TunnelName(..) => {
            tunnel(session, fd, peer, false).map(|()| Plan::Carried)
        }
    }
}

/// Decides on the destination of a datagram; stream sockets pass, their address is ignored by the kernel.
pub(crate) fn datagram(fd: c_int, peer: SocketAddr) -> Result<(), Errno> {
    let spec = wire::spec(fd)?;
    match spec.class() {
        SocketKind::Local | SocketKind::Stream => return Ok(()),
        SocketKind::Other => return Err(tell(Deed::NoSend, spec, Some(&peer), Errno::EACCES)),
        SocketKind::Datagram => {}
    }
    let session = session()?;
    if cage::carries(session, fd, spec, peer)? {
        return Ok(());
    }
    match uwt_policy::datagram(peer, &session.route()) {
        // Made before us or by another: what it does next shall stay here too.
        DatagramVerdict::Pass => {
            tell(Deed::Direct, spec, Some(&peer), DONE);
            wire::confine(fd)
        }
        DatagramVerdict::Refuse(errno) => Err(tell(Deed::NoSend, spec, Some(&peer), errno)),
    }
}

/// Connects a TCP socket to `peer` through the gateway.
fn tunnel(session: &Session<'_>, fd: c_int, peer: SocketAddr, resumed: bool) -> Result<(), Errno> {
    let cookie = cookie(fd)?;
    if is_at_gateway(session, fd) && record(fd).is_none_or(|record| record.standing != Standing::Connected) {
        // A signal handler jumped out of an earlier call in the middle of its handshake.
        sys::disconnect(fd);
    }
    if !resumed && let Some(result) = relay::connect(session, fd, cookie, peer, false)? {
        return result;
    }
    let gateway = prepare(session, fd, peer)?;
    let patience = Patience::of_socket(session, fd, resumed)?;
    let result = match connect(SocketKind::Stream, peer, &session.route()) {
        ConnectVerdict::Tunnel(address) => {
            let target = match address {
                SocketAddr::V4(v4) => Target::V4(v4),
                SocketAddr::V6(v6) => Target::V6(v6),
            };
            let text = AddressText::of(address.ip());
            dial(session, fd, gateway, Command::Connect, target, text.as_str(), patience)
        }
        ConnectVerdict::TunnelName(address, port) => {
            let name = name_of(session, address)
                .ok_or_else(|| tell(Deed::NoConnect, report::STREAM, Some(&peer), unknown_name(address)))?;
            let target = Target::Name { host: name.as_str().as_bytes(), port };
            dial(session, fd, gateway, Command::Connect, target, name.as_str(), patience)
        }
        ConnectVerdict::Pass | ConnectVerdict::Refuse(_) => return Err(Errno::EACCES),
    };
    let standing = match &result {
        Ok(_) => Standing::Connected,
        Err(Failure::Interrupted(_)) => {
            INTERRUPTED.store(true, Ordering::Relaxed);
            Standing::Interrupted
        }
        // Nothing changed: a connected socket keeps the peer it has.
        Err(Failure::Call(errno)) => return Err(*errno),
        Err(failure) => {
            state::peers(|peers| peers.remove(cookie));
            return Err(failure.errno());
        }
    };
    state::peers(|peers| peers.insert(cookie, PeerRecord { address: peer, standing }));
    result.map(drop).map_err(|failure| failure.errno())
}

/// Makes a socket ready for the gateway and gives the gateway's address in the socket's own family.
fn prepare(session: &Session<'_>, fd: c_int, peer: SocketAddr) -> Result<SocketAddr, Errno> {
    // With this option connect(2) would only pretend, and the handshake with it.
    let _ = sys::set_option(fd, libc::IPPROTO_TCP, libc::TCP_FASTOPEN_CONNECT, &TCP_FASTOPEN_CONNECT_OFF);
    if peer.is_ipv4() {
        return Ok(session.gateway.into());
    }
    let only: c_int = sys::option(fd, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY)?;
    if only != 0 {
        // Fails on a bound socket, which then has no way to an IPv4 gateway.
        sys::set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, &IPV6_V6ONLY_OFF).map_err(|_| Errno::ENETUNREACH)?;
    }
    Ok((session.gateway.ip().to_ipv6_mapped(), session.gateway.port()).into())
}

/// The name a reserved address stands for in this process, or in its tree.
#[inline(never)]
pub(crate) fn name_of(session: &Session<'_>, address: IpAddr) -> Option<HostName> {
    let IpAddr::V4(address) = address else { return None };
    state::names(|names| names.name(address)).or_else(|| helper::name(session.guard.as_ref()?, address))
}

fn unknown_name(address: IpAddr) -> Errno {
    static ONCE: Once = Once::new();
    ONCE.say(|line| {
        line.address(address).text(" stands for a name that was not looked up here; ");
        line.text("give the name itself, or use --dns resolve");
    });
    Errno::EHOSTUNREACH
}

/// What is known of a socket.
#[inline(never)]
fn record(fd: c_int) -> Option<PeerRecord> {
    let cookie = cookie(fd).ok()?;
    state::peers(|peers| peers.get(cookie))
}

/// What tells a socket from every other one of this boot (socket(7), `SO_COOKIE`).
pub(crate) fn cookie(fd: c_int) -> Result<u64, Errno> {
    sys::option(fd, libc::SOL_SOCKET, libc::SO_COOKIE)
}

/// Whether a socket is connected to the SocksPort.
fn is_at_gateway(session: &Session<'_>, fd: c_int) -> bool {
    real_peer(fd) == Some(SocketAddr::V4(session.gateway))
}

/// What a socket is connected to, as far as the kernel knows.
#[inline(never)]
fn real_peer(fd: c_int) -> Option<SocketAddr> {
    let real = wire::name(libc::SYS_getpeername, fd)?;
    Some(SocketAddr::new(canonical(real.ip()), real.port()))
}

/// What getpeername(2) shall say instead of the gateway's address, or the relay's.
pub(crate) fn peer(fd: c_int) -> Option<SocketAddr> {
    let real = real_peer(fd)?;
    let at_gateway = real == SocketAddr::V4(state::session()?.gateway);
    let at_relay = relay::was_used() && real.ip().is_loopback();
    let record = if at_gateway || at_relay { record(fd)? } else { return None };
    let carried = match record.standing {
        Standing::Connected => at_gateway,
        Standing::Relayed(port) => at_relay && real.port() == port,
        Standing::Interrupted => false,
    };
    carried.then_some(record.address)
}

/// How the connect of a socket went, where the kernel alone does not know it (`SO_ERROR`): the relay's refusals all look
/// the same to it; and an interrupted connect is finished now, because Linux would have gone on with it in the background
/// and so programs poll and then ask. `None` for any other socket.
pub(crate) fn finish(fd: c_int) -> Option<Result<(), Errno>> {
    if !INTERRUPTED.load(Ordering::Relaxed) && !relay::was_used() {
        return None;
    }
    let record = record(fd)?;
    match record.standing {
        Standing::Interrupted => Some(session().and_then(|session| tunnel(session, fd, record.address, true))),
        Standing::Relayed(_) => relay::error(fd),
        Standing::Connected => None,
    }
}
