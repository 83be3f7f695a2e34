//! What the kernel's numbers are called in a report.

use uwt_policy::Errno;
use uwt_report::Transport;

/// The name of an errno (errno(3)).
pub(crate) fn errno_name(errno: Errno) -> String {
    format!("{:?}", nix::errno::Errno::from_raw(errno.0))
}

/// The protocol of a socket by its arguments (socket(2)).
pub(crate) fn transport_of(domain: i32, kind: i32, protocol: i32) -> Transport {
    let kind = kind & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC);
    let is_internet = matches!(domain, libc::AF_INET | libc::AF_INET6);
    match (kind, protocol) {
        (_, libc::IPPROTO_ICMP | libc::IPPROTO_ICMPV6) if is_internet => Transport::Icmp,
        _ if domain == libc::AF_PACKET => Transport::Raw,
        (libc::SOCK_RAW, _) if is_internet => Transport::Raw,
        (libc::SOCK_STREAM, 0 | libc::IPPROTO_TCP | libc::IPPROTO_MPTCP) if is_internet => Transport::Tcp,
        (libc::SOCK_DGRAM, 0 | libc::IPPROTO_UDP | libc::IPPROTO_UDPLITE) if is_internet => Transport::Udp,
        _ => Transport::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errnos_have_names() {
        for (errno, name) in [(libc::EACCES, "EACCES"), (libc::ESOCKTNOSUPPORT, "ESOCKTNOSUPPORT")] {
            assert_eq!(errno_name(Errno(errno)), name);
        }
    }

    #[test]
    fn sockets_have_protocols() {
        let (v4, v6) = (libc::AF_INET, libc::AF_INET6);
        for (domain, kind, protocol, expected) in [
            (v4, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0, Transport::Tcp),
            (v6, libc::SOCK_DGRAM | libc::SOCK_NONBLOCK, libc::IPPROTO_UDP, Transport::Udp),
            (v4, libc::SOCK_DGRAM, libc::IPPROTO_ICMP, Transport::Icmp),
            (v6, libc::SOCK_RAW, libc::IPPROTO_ICMPV6, Transport::Icmp),
            (v4, libc::SOCK_RAW, 255, Transport::Raw),
            (libc::AF_PACKET, libc::SOCK_RAW, 0x300, Transport::Raw),
            (v4, libc::SOCK_SEQPACKET, 132, Transport::Other),
            (libc::AF_VSOCK, libc::SOCK_STREAM, 0, Transport::Other),
        ] {
            assert_eq!(transport_of(domain, kind, protocol), expected, "{domain} {kind} {protocol}");
        }
    }
}
