//! Name servers: whichever a program asks, it is the session's stub that answers, as if from there.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsRawFd as _;
use std::rc::Rc;
use std::sync::Arc;

use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt, sockopt,
};
use socket2::{Domain, Socket, Type};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::spawn_local;

use super::packets::Pair;
use super::{Cage, DNS, Mark};
use crate::shared::Shared;
use crate::stub;
use crate::sys::watch;
use crate::tree::Process;

/// The longest query over UDP: nobody sends one that is larger than Ethernet's packets.
const LONGEST: usize = 1500;
/// How many queries are answered at the same time; others wait in their socket.
const AT_ONCE: usize = 256;

type Listening = Rc<AsyncFd<Socket>>;

/// Begins to answer over UDP.
///
/// # Errors
/// Those of socket(2), bind(2) and setsockopt(2).
pub(super) fn start(cage: &Rc<Cage>, v6: bool) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let v4 = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    for address in [Some(v4), v6.then_some(IpAddr::V6(Ipv6Addr::UNSPECIFIED))].into_iter().flatten() {
        let socket = watch(listen(SocketAddr::new(address, DNS))?)?;
        spawn_local(answer(Rc::new(socket), Rc::clone(cage), Arc::clone(&places)));
    }
    Ok(())
}

fn listen(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM.nonblocking(), None)?;
    socket.set_mark(Mark::Helper as u32)?;
    if address.is_ipv4() {
        socket.set_ip_transparent_v4(true)?;
        setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
    } else {
        socket.set_only_v6(true)?;
        socket.set_ip_transparent_v6(true)?;
        setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

async fn answer(socket: Listening, cage: Rc<Cage>, places: Arc<Semaphore>) {
    while let Ok(place) = Arc::clone(&places).acquire_owned().await
        && let Ok((query, pair)) = receive(&socket).await
    {
        let (socket, cage) = (Rc::clone(&socket), Rc::clone(&cage));
        spawn_local(async move {
            let inode = cage.diag.datagram(pair);
            let process = inode.and_then(|inode| cage.owners.borrow().owner(inode));
            if let Some(response) = stub::answer(&query, process.as_deref(), &cage.shared).await {
                // A response that is lost is asked for again.
                let _ = respond(socket.get_ref(), pair, &response);
            }
            drop(place);
        });
    }
}

/// The next query, and who asked whom.
async fn receive(socket: &Listening) -> io::Result<(Vec<u8>, Pair)> {
    loop {
        let mut ready = socket.readable().await?;
        // Anything else is an error of a response sent before (ip(7)).
        if let Ok(Ok(Some(query))) = ready.try_io(|socket| receive_now(socket.get_ref())) {
            return Ok(query);
        }
    }
}

fn receive_now(socket: &Socket) -> io::Result<Option<(Vec<u8>, Pair)>> {
    let mut bytes = vec![0; LONGEST];
    let mut control = nix::cmsg_space!(libc::in6_pktinfo);
    let mut parts = [IoSliceMut::new(&mut bytes)];
    let message =
        recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::MSG_DONTWAIT)?;
    let asked = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::Ipv4PacketInfo(info) => Some(IpAddr::V4(address_v4(info.ipi_addr))),
        ControlMessageOwned::Ipv6PacketInfo(info) => Some(IpAddr::V6(Ipv6Addr::from(info.ipi6_addr.s6_addr))),
        _ => None,
    });
    let (from, len) = (message.address.as_ref().and_then(socket_address), message.bytes);
    let (Some(asked), Some(from)) = (asked, from) else { return Ok(None) };
    bytes.truncate(len);
    Ok(Some((bytes, Pair { from, to: SocketAddr::new(asked, DNS) })))
}

fn respond(socket: &Socket, pair: Pair, response: &[u8]) -> io::Result<()> {
    let parts = [IoSlice::new(response)];
    let to = SockaddrStorage::from(pair.from);
    let send = |control| sendmsg(socket.as_raw_fd(), &parts, &[control], MsgFlags::MSG_DONTWAIT, Some(&to));
    match pair.to.ip() {
        IpAddr::V4(source) => {
            let source = libc::in_addr { s_addr: u32::from_ne_bytes(source.octets()) };
            let info = libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: source, ipi_addr: source };
            send(ControlMessage::Ipv4PacketInfo(&info))
        }
        IpAddr::V6(source) => {
            let source = libc::in6_addr { s6_addr: source.octets() };
            let info = libc::in6_pktinfo { ipi6_addr: source, ipi6_ifindex: 0 };
            send(ControlMessage::Ipv6PacketInfo(&info))
        }
    }?;
    Ok(())
}

fn address_v4(address: libc::in_addr) -> Ipv4Addr {
    Ipv4Addr::from(address.s_addr.to_ne_bytes())
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::V4(SocketAddrV4::from(*v4)));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::V6(SocketAddrV6::from(*v6))))
}

/// Answers over TCP (RFC 7766) until the program has asked everything.
pub(super) async fn serve(mut stream: TcpStream, process: &Process, shared: &Shared) {
    while let Ok(len) = stream.read_u16().await {
        let mut query = vec![0; usize::from(len)];
        if stream.read_exact(&mut query).await.is_err() {
            return;
        }
        let Some(response) = stub::answer(&query, Some(process), shared).await else { return };
        let Ok(len) = u16::try_from(response.len()) else { return };
        let message = [&len.to_be_bytes()[..], &response].concat();
        if stream.write_all(&message).await.is_err() {
            return;
        }
    }
}
