//! What the kernel says about a program's socket.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use socket2::SockRef;
use uwt_policy::{CAGED_MARK, LOOPBACK_INDEX, SO_BINDTOIFINDEX};

use crate::outside::Outside;
use crate::sys::net::{cookie, option};

/// Of asm-generic/socket.h; libc does not have it.
const SO_NETNS_COOKIE: i32 = 71;

/// The address an internet socket is bound to.
///
/// # Errors
/// That of getsockname(2).
pub(super) fn local_address(socket: impl AsFd) -> io::Result<SocketAddr> {
    SockRef::from(&socket).local_addr()?.as_socket().ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

/// The network namespace of the host's sockets (`SO_NETNS_COOKIE`); `None` before Linux 5.14, which does not tell.
///
/// # Errors
/// Those of socket(2).
pub(super) fn host_network(outside: &Outside) -> io::Result<Option<u64>> {
    match cookie(outside.stream(false)?, SO_NETNS_COOKIE) {
        Err(error) if error.raw_os_error() == Some(Errno::ENOPROTOOPT as i32) => Ok(None),
        network => network.map(Some),
    }
}

/// What is known about a socket that can be relayed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// No other socket of this boot has it (`SO_COOKIE`).
    pub(super) cookie: u64,
    /// By this number /proc shows it.
    pub(super) inode: u64,
    pub(super) is_v6: bool,
    pub(super) only_v6: bool,
}

impl Facts {
    /// `None` for a socket that can't be relayed: it is not TCP's, belongs to another network or to the cage, is tied to a
    /// device, or would have us wait in connect(2).
    ///
    /// # Errors
    /// It is no socket of the internet.
    pub(super) fn of(socket: &OwnedFd, network: Option<u64>) -> io::Result<Option<Self>> {
        let of_socket = |name| option(socket, libc::SOL_SOCKET, name);
        let is_v6 = match of_socket(libc::SO_DOMAIN)? {
            libc::AF_INET => false,
            libc::AF_INET6 => true,
            _ => return Ok(None),
        };
        let flags = OFlag::from_bits_truncate(fcntl(socket, FcntlArg::F_GETFL)?);
        let device = of_socket(SO_BINDTOIFINDEX)?.cast_unsigned();
        let suits = of_socket(libc::SO_TYPE)? == libc::SOCK_STREAM
            // Not Multipath TCP, whose first segments carry an option that the other end has to agree to.
            && of_socket(libc::SO_PROTOCOL)? == libc::IPPROTO_TCP
            && flags.contains(OFlag::O_NONBLOCK)
            && (device == 0 || device == LOOPBACK_INDEX)
            && of_socket(libc::SO_MARK)?.cast_unsigned() != CAGED_MARK
            && match network {
                Some(network) => cookie(socket, SO_NETNS_COOKIE)? == network,
                None => true,
            };
        if !suits {
            return Ok(None);
        }
        let options = SockRef::from(socket);
        Ok(Some(Self {
            cookie: options.cookie()?,
            inode: nix::sys::stat::fstat(socket)?.st_ino,
            is_v6,
            only_v6: is_v6 && options.only_v6()?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use nix::sched::{CloneFlags, unshare};
    use nix::unistd::geteuid;
    use socket2::{Domain, Protocol, Socket, Type};

    use super::*;

    fn is_relayed(socket: Socket) -> bool {
        let network = host_network(&Outside::default()).unwrap();
        Facts::of(&socket.into(), network).is_ok_and(|facts| facts.is_some())
    }

    fn socket(domain: Domain) -> Socket {
        Socket::new(domain, Type::STREAM.nonblocking(), None).unwrap()
    }

    #[test]
    fn what_is_relayed() {
        for domain in [Domain::IPV4, Domain::IPV6] {
            assert!(is_relayed(socket(domain)));
            let tied = socket(domain);
            tied.bind_device(Some(b"lo")).unwrap();
            assert!(is_relayed(tied), "to the loopback device");
        }
        let socket = OwnedFd::from(socket(Domain::IPV6));
        SockRef::from(&socket).set_only_v6(true).unwrap();
        let facts = Facts::of(&socket, None).unwrap().unwrap();
        assert!(facts.is_v6 && facts.only_v6);
        let link = std::fs::read_link(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&socket))).unwrap();
        assert_eq!(link.to_str().unwrap(), format!("socket:[{}]", facts.inode));
    }

    #[test]
    fn what_is_not() {
        assert!(!is_relayed(Socket::new(Domain::IPV4, Type::STREAM, None).unwrap()), "it would have us wait");
        assert!(!is_relayed(Socket::new(Domain::IPV4, Type::DGRAM.nonblocking(), None).unwrap()));
        assert!(!is_relayed(socket(Domain::UNIX)));
        let file = OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
        assert!(Facts::of(&file, None).is_err());
        // Where the kernel has it.
        if let Ok(multipath) = Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), Some(Protocol::MPTCP)) {
            assert!(!is_relayed(multipath));
        }
        if geteuid().is_root() {
            let caged = socket(Domain::IPV4);
            caged.set_mark(CAGED_MARK).unwrap();
            assert!(!is_relayed(caged));
            let elsewhere = std::thread::spawn(|| {
                unshare(CloneFlags::CLONE_NEWNET).unwrap();
                (socket(Domain::IPV4), host_network(&Outside::default()).unwrap())
            });
            let (elsewhere, network) = elsewhere.join().unwrap();
            // Before Linux 5.14 it can't be told.
            assert_eq!(is_relayed(elsewhere), network.is_none());
        }
    }
}
