//! The matrix of the socket functions.

use crate::matrix::{Row, check};
use crate::site::Site;

#[test]
fn sockets() {
    check(&Site::unguarded(), ROWS);
}

pub(crate) const ROWS: &[Row] = &[
    Row {
        hook: "socket",
        carries: &[
            ("socket inet stream; connect 203.0.113.7:80; echo hi", "ok; ok; hi", &["203.0.113.7:80"]),
            ("socket inet6 stream 6; connect [2001:db8::7]:80; echo hi", "ok; ok; hi", &["2001:db8::7:80"]),
        ],
        passes: &[
            ("socket unix stream; getopt type", "ok; 1"),
            ("socket unix dgram+cloexec; getopt type", "ok; 2"),
            ("socket netlink raw; getopt type", "ok; 3"),
            ("socket inet dgram; getopt device", "ok; lo"),
            ("socket inet6 dgram+nonblock 17; getopt device", "ok; lo"),
            ("socket inet stream; getopt device", "ok; "),
        ],
        refuses: &[
            ("socket inet raw 1", "EACCES"),
            ("socket inet raw 255", "EACCES"),
            ("socket inet6 raw 58", "EACCES"),
            ("socket inet dgram 1", "EACCES"),
            ("socket packet raw 768", "EACCES"),
            ("socket packet dgram", "EACCES"),
            ("socket inet stream 17", "EPROTONOSUPPORT"),
            ("socket inet 9", "ESOCKTNOSUPPORT"),
            ("socket 250 stream", "EAFNOSUPPORT"),
        ],
    },
    Row {
        hook: "socketpair",
        carries: &[],
        passes: &[
            ("socketpair unix stream; send hello; use other; recv 5", "ok; 5; hello"),
            // The kernel has no pairs of internet sockets and says so itself.
            ("socketpair inet stream", "EOPNOTSUPP"),
            ("socketpair inet dgram", "EOPNOTSUPP"),
        ],
        refuses: &[("socketpair packet raw", "EACCES"), ("socketpair inet raw", "EACCES")],
    },
    Row {
        hook: "connect",
        carries: &[
            (
                "socket inet stream; connect 203.0.113.7:80; echo hi; peer",
                "ok; ok; hi; 203.0.113.7:80",
                &["203.0.113.7:80"],
            ),
            (
                "gai www.example.test - t=stream; socket inet stream; connect ~:80; echo hi",
                "~ tcp; ok; ok; hi",
                &["\"www.example.test\":80"],
            ),
        ],
        passes: &[
            ("socket inet stream; connect 127.0.0.1:{echo}; echo hi", "ok; ok; hi"),
            ("socket inet6 stream; connect [::1]:{echo}; echo hi", "ok; ok; hi"),
            ("socket inet dgram; connect 127.0.0.1:{udp}; echo hi", "ok; ok; hi"),
            ("socket unix stream; connect unix:@nobody", "ok; ECONNREFUSED"),
            ("socket netlink raw; connect 16=null/12", "ok; EFAULT"),
        ],
        refuses: &[
            ("socket inet stream; connect 127.0.0.1:53", "ok; EACCES"),
            ("socket inet dgram; connect 203.0.113.7:80", "ok; EACCES"),
            ("socket inet stream; connect 224.0.0.1:80", "ok; ENETUNREACH"),
        ],
    },
    Row {
        hook: "__connect",
        carries: &[("socket inet stream; __connect 203.0.113.7:80; echo hi", "ok; ok; hi", &["203.0.113.7:80"])],
        passes: &[("socket inet stream; __connect 127.0.0.1:{echo}; echo hi", "ok; ok; hi")],
        refuses: &[("socket inet stream; __connect 127.0.0.1:53", "ok; EACCES")],
    },
    Row {
        hook: "bind",
        carries: &[(
            "socket inet stream; bind 0.0.0.0:0; connect 203.0.113.7:80; echo hi",
            "ok; ok; ok; hi",
            &["203.0.113.7:80"],
        )],
        passes: &[
            ("socket inet dgram; bind 127.0.0.1:0; getopt device", "ok; ok; lo"),
            ("socket unix stream; bind unix:@{port}-bound", "ok; ok"),
        ],
        refuses: &[("socket inet stream; bind 203.0.113.99:0", "ok; EADDRNOTAVAIL")],
    },
    Row {
        hook: "listen",
        carries: &[],
        passes: &[
            ("socket inet stream; bind 127.0.0.1:0; listen; getopt device", "ok; ok; ok; "),
            ("socket inet stream; listen; getopt device", "ok; ok; lo"),
            ("socket unix stream; bind unix:@{port}-listen; listen", "ok; ok; ok"),
        ],
        refuses: &[("socket inet stream; bind {own}:0; listen", "ok; ok; EACCES")],
    },
    Row {
        hook: "accept",
        carries: &[],
        passes: &[(
            "socket inet stream; bind 127.0.0.1:0; listen; as server; socket inet stream; connect @server; send hello; \
             use server; accept; recv 5",
            "ok; ok; ok; ok; ok; 5; ok; hello",
        )],
        refuses: &[("socket inet stream; accept", "ok; EINVAL")],
    },
    Row {
        hook: "accept4",
        carries: &[],
        passes: &[
            (
                "socket inet6 stream; listen; as server; socket inet6 stream; connect @server; send hello; use server; \
                 accept4; recv 5",
                "ok; ok; ok; ok; 5; [; hello",
            ),
            (
                "socket unix stream; bind unix:@{port}-accept; listen; as server; socket unix stream; \
                 connect unix:@{port}-accept; use server; accept4",
                "ok; ok; ok; ok; ok; unix",
            ),
        ],
        refuses: &[("socket unix stream; accept4", "ok; EINVAL")],
    },
    Row {
        hook: "sendto",
        carries: &[(
            "socket inet stream; sendto 203.0.113.7:80 hello fastopen; recv 5; peer",
            "ok; 5; hello; 203.0.113.7:80",
            &["203.0.113.7:80"],
        )],
        passes: &[
            ("socket inet dgram; sendto 127.0.0.1:{udp} hello; recv 5", "ok; 5; hello"),
            ("socketpair unix dgram; sendto null/0 hello; use other; recv 5", "ok; 5; hello"),
        ],
        refuses: &[
            ("socket inet dgram; sendto 203.0.113.7:9 hello", "ok; EACCES"),
            ("socket inet stream; sendto 127.0.0.1:53 hello fastopen", "ok; EACCES"),
        ],
    },
    Row {
        hook: "sendmsg",
        carries: &[(
            "socket inet stream; sendmsg 203.0.113.7:80 hello fastopen; recv 5; peer",
            "ok; 5; hello; 203.0.113.7:80",
            &["203.0.113.7:80"],
        )],
        passes: &[
            ("socket inet dgram; sendmsg 127.0.0.1:{udp} hello; recv 5", "ok; 5; hello"),
            ("socketpair unix dgram; sendmsg null hello; use other; recv 5", "ok; 5; hello"),
        ],
        refuses: &[
            ("socket inet dgram; sendmsg 203.0.113.7:9 hello", "ok; EACCES"),
            ("socket inet stream; sendmsg 127.0.0.1:53 hello fastopen", "ok; EACCES"),
        ],
    },
    Row {
        hook: "sendmmsg",
        carries: &[(
            "socket inet stream; sendmmsg 203.0.113.7:80+null hello fastopen; recv 5; peer",
            "ok; 1 of 2: 5; hello; 203.0.113.7:80",
            &["203.0.113.7:80"],
        )],
        passes: &[(
            "socket inet dgram; sendmmsg 127.0.0.1:{udp}+127.0.0.1:{udp} hello; recv 5; recv 5",
            "ok; 2 of 2: 5 5; hello; hello",
        )],
        refuses: &[
            ("socket inet dgram; sendmmsg 203.0.113.7:9+127.0.0.1:{udp} hello", "ok; EACCES"),
            ("socket inet dgram; sendmmsg 127.0.0.1:{udp}+203.0.113.7:9 hello; recv 5", "ok; 1 of 2: 5; hello"),
        ],
    },
    Row {
        hook: "getpeername",
        carries: &[(
            "gai www.example.test - t=stream; socket inet stream; connect ~:80; peer 4; peer 0",
            "~ tcp; ok; ok; 16 bytes, cut; 16 bytes, cut",
            &["\"www.example.test\":80"],
        )],
        passes: &[("socket inet stream; connect 127.0.0.1:{echo}; peer", "ok; ok; 127.0.0.1:{echo}")],
        refuses: &[("socket inet stream; peer", "ok; ENOTCONN"), ("fd 99; peer", "EBADF")],
    },
    Row {
        hook: "getsockopt",
        carries: &[],
        passes: &[
            ("socket inet stream; getopt type; getopt error", "ok; 1; ok"),
            ("socketpair unix stream; getopt error", "ok; ok"),
        ],
        refuses: &[("fd 99; getopt error", "EBADF"), ("socket inet stream; getopt 6.9999", "ok; ENOPROTOOPT")],
    },
    Row {
        hook: "setsockopt",
        carries: &[],
        passes: &[
            ("socket inet stream; setopt nodelay 1; getopt nodelay", "ok; ok; 1"),
            ("socket inet stream; setopt device text=lo; getopt device", "ok; ok; lo"),
            ("socket inet dgram; setopt join parts=239.1.1.1+127.0.0.1", "ok; ok"),
        ],
        refuses: &[
            ("socket inet stream; setopt device text=eth0", "ok; EACCES"),
            ("socket inet dgram; setopt device text=eth0; getopt device", "ok; EACCES; lo"),
            ("socket inet stream; setopt ifindex 2", "ok; EACCES"),
            ("socket inet stream; setopt unicast_if #2", "ok; EACCES"),
            ("socket inet dgram; setopt join parts=239.1.1.1+0.0.0.0", "ok; EACCES"),
        ],
    },
    Row {
        hook: "syscall",
        carries: &[(
            "via syscall; socket inet stream; connect 203.0.113.7:80; echo hi; peer",
            "ok; ok; hi; 203.0.113.7:80",
            &["203.0.113.7:80"],
        )],
        passes: &[
            ("via syscall; socket inet stream; connect 127.0.0.1:{echo}; echo hi", "ok; ok; hi"),
            ("pid", "true"),
            ("number 100000", "ENOSYS"),
        ],
        refuses: &[
            ("via syscall; socket inet raw 1", "EACCES"),
            ("via syscall; socket inet stream; connect 127.0.0.1:53", "ok; EACCES"),
            ("uring", "ENOSYS"),
        ],
    },
];
