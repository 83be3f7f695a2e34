//! What passes and what is refused without a question, and who may install it.

use std::io::{Read as _, Write as _};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process;

use libc::{EACCES, EBADF, EFAULT, ENOSYS, EOPNOTSUPP, EPERM};

use super::calls::{address, call_i386};
use super::*;

const UNIX: u64 = 1;
const INET: u64 = 2;
const STREAM: u64 = 1;
const DATAGRAM: u64 = 2;
const FAST_OPEN: u64 = 0x2000_0000;
const MINUS_ONE: u64 = u64::MAX;

/// Calls with what the filter says to them, and what the kernel does, as proof that it was the filter.
const REFUSED: &[(i64, [u64; 6], i32, Outcome)] = &[
    (libc::SYS_socketpair, [INET, STREAM, 0, NOWHERE, 0, 0], EACCES, Err(EFAULT)),
    (libc::SYS_connect, [MINUS_ONE, 0, 28, 0, 0, 0], EACCES, Err(EBADF)),
    (libc::SYS_connect, [MINUS_ONE, 0, 16, 0, COOKIE + 1, 0], EACCES, Err(EBADF)),
    (libc::SYS_listen, [MINUS_ONE, 1, 0, 0, 0, 0], EACCES, Err(EBADF)),
    (libc::SYS_listen, [MINUS_ONE, 1, 0, 0, COOKIE ^ (1 << 32), 0], EACCES, Err(EBADF)),
    (libc::SYS_sendto, [MINUS_ONE, NOWHERE, 0, 0, NOWHERE, 16], EACCES, Err(EBADF)),
    (libc::SYS_sendto, [MINUS_ONE, NOWHERE, 0, FAST_OPEN, NOWHERE, 16], EOPNOTSUPP, Err(EBADF)),
    (libc::SYS_sendmsg, [MINUS_ONE, NOWHERE, 0, 0, 0, 0], EACCES, Err(EBADF)),
    (libc::SYS_sendmsg, [MINUS_ONE, NOWHERE, FAST_OPEN, 0, 0, 0], EOPNOTSUPP, Err(EBADF)),
    (libc::SYS_sendmmsg, [MINUS_ONE, NOWHERE, 0, 0, 0, 0], EACCES, Err(EBADF)),
    (libc::SYS_sendmmsg, [MINUS_ONE, NOWHERE, 0, FAST_OPEN, 0, 0], EOPNOTSUPP, Err(EBADF)),
    (libc::SYS_pidfd_getfd, [MINUS_ONE, 0, 0, 0, 0, 0], EPERM, Err(EBADF)),
];

#[test]
fn refusals_are_the_filters() {
    Child::start(|| {
        for (number, arguments, _, without) in REFUSED {
            assert_eq!(call(*number, *arguments), *without, "{number} {arguments:x?}");
        }
        assert!(socket(INET, STREAM).is_ok(), "no internet sockets here at all");
    })
    .finish();
    refused(|| {
        for (number, arguments, errno, _) in REFUSED {
            assert_eq!(call(*number, *arguments), Err(*errno), "{number} {arguments:x?}");
        }
        for (domain, kind) in [(INET, STREAM), (10, DATAGRAM), (INET, STREAM | 0x8_0800), (INET, 3), (17, 3), (40, 1)] {
            assert_eq!(socket(domain, kind), Err(EACCES), "{domain} {kind}");
        }
        for number in 425..=427 {
            assert_eq!(call(number, [0, NOWHERE, 0, 0, 0, 0]), Err(ENOSYS), "{number}");
        }
        // Most kernels would say so themselves: none may do what these numbers mean.
        for number in [0x4000_0000 | libc::SYS_socket, 0x4000_0206, 518] {
            assert_eq!(call(number, [INET, STREAM, 0, 0, COOKIE, 0]), Err(ENOSYS), "{number}");
        }
    });
}

#[test]
fn the_cookie_opens() {
    refused(|| {
        for domain in [INET, 10] {
            for kind in [STREAM, DATAGRAM] {
                let with = |cookie| call(libc::SYS_socket, [domain, kind, 0, 0, cookie, 0]);
                assert!(with(COOKIE).is_ok(), "{domain} {kind}");
                for wrong in [COOKIE ^ 1, COOKIE ^ (1 << 63), COOKIE & 0xffff_ffff, COOKIE << 32, 0] {
                    assert_eq!(with(wrong), Err(EACCES), "{wrong:x}");
                }
            }
        }
        assert_eq!(call(libc::SYS_socket, [INET, 3, 1, 0, COOKIE, 0]), Err(EACCES));
        for (number, arguments) in [
            (libc::SYS_connect, [MINUS_ONE, 0, 16, 0, COOKIE, 0]),
            (libc::SYS_listen, [MINUS_ONE, 1, 0, 0, COOKIE, 0]),
            (libc::SYS_sendmsg, [MINUS_ONE, NOWHERE, FAST_OPEN, 0, COOKIE, 0]),
            (libc::SYS_sendmmsg, [MINUS_ONE, NOWHERE, 0, FAST_OPEN, COOKIE, 0]),
        ] {
            assert_eq!(call(number, arguments), Err(EBADF), "{number}");
        }
    });
}

#[test]
fn what_stays_on_this_machine_goes_on() {
    refused(|| {
        let (mut one, mut other) = UnixStream::pair().unwrap();
        one.write_all(b"written").unwrap();
        assert_eq!(call(libc::SYS_sendto, [fd(&one), address(b"sent"), 4, 0, 0, 0]), Ok(4));
        drop(one);
        let mut text = String::new();
        other.read_to_string(&mut text).unwrap();
        assert_eq!(text, "writtensent");

        // However many digits the number has, the address is shorter than one of the internet: 13 bytes.
        let name = format!("{:010}", process::id());
        let here = SocketAddr::from_abstract_name(&name).unwrap();
        let receiver = UnixDatagram::bind_addr(&here).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        sender.send_to_addr(b"a", &here).unwrap();
        sender.connect_addr(&here).unwrap();
        sender.send(b"b").unwrap();
        assert_eq!(receiver.recv(&mut [0; 2]).unwrap(), 1);
        assert_eq!(receiver.recv(&mut [0; 2]).unwrap(), 1);

        let netlink = socket(16, 3).unwrap().cast_unsigned();
        let kernel = [16_u8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(call(libc::SYS_connect, [netlink, address(&kernel), 12, 0, 0, 0]), Ok(0));
        assert!(socket(UNIX, 5).is_ok());
        assert!(call(libc::SYS_getppid, [0; 6]).is_ok());
        assert_eq!(call(libc::SYS_pipe2, [NOWHERE, 0, 0, 0, 0, 0]), Err(EFAULT));
    });
}

#[test]
fn calls_of_i386() {
    let mut bare = Child::start(|| assert!(call_i386(20, [0; 5]).is_ok()));
    if libc::WIFSIGNALED(bare.reap()) {
        // No 32-bit emulation: nothing to get past.
        return;
    }
    Child::start(|| {
        assert!(call_i386(359, [2, 1, 0, 0, 0]).is_ok(), "no internet sockets here at all");
        // socketcall(2) with an operation that doesn't exist.
        assert_eq!(call_i386(102, [0, 0, 0, 0, 0]), Err(libc::EINVAL));
    })
    .finish();
    refused(|| {
        assert_eq!(call_i386(20, [0; 5]), Ok(i64::from(process::id())));
        assert!(call_i386(359, [1, 1, 0, 0, 0]).is_ok());
        for (number, arguments, errno) in [
            (359, [2, 1, 0, 0, 0x5566_7788], EACCES),
            (359, [17, 3, 0, 0, 0], EACCES),
            (102, [0, 0, 0, 0, 0], EACCES),
            (102, [1, 8, 0, 0, 0], EACCES),
            (362, [u32::MAX, 0, 16, 0, 0], EACCES),
            (363, [u32::MAX, 1, 0, 0, 0], EACCES),
            (370, [u32::MAX, 8, 0, 0, 0], EACCES),
            (345, [u32::MAX, 8, 0, 0x2000_0000, 0], EOPNOTSUPP),
            (425, [1, 8, 0, 0, 0], ENOSYS),
            (438, [u32::MAX, 0, 0, 0, 0], EPERM),
        ] {
            assert_eq!(call_i386(number, arguments), Err(errno), "{number}");
        }
    });
}

fn fd(of: &UnixStream) -> u64 {
    u64::try_from(std::os::fd::AsRawFd::as_raw_fd(of)).unwrap()
}
