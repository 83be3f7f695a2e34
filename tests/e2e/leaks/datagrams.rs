//! Datagrams.

use crate::row::Expect::{Leaks, Quiet, Says};
use crate::row::{DENIED, FROM_BEFORE, NOT_RUN, Row, row};

pub(crate) const ROWS: &[Row] = &[
    // By libc.
    row("UDP sendto", "@dynamic sendto 203.0.113.6 9", [Leaks, Says("EACCES"), Says("EACCES"), Says("EACCES")]),
    row("UDP connect and send", "@dynamic send 203.0.113.6 9", [Leaks, Says("EACCES"), Says("EACCES"), Says("EACCES")]),
    row("UDP sendmsg", "@dynamic sendmsg 203.0.113.6 9", [Leaks, Says("EACCES"), Says("EACCES"), Says("EACCES")]),
    row("UDP sendmmsg", "@dynamic sendmmsg 203.0.113.6 9", [Leaks, Says("EACCES"), Says("EACCES"), Says("EACCES")]),
    row("UDP-Lite", "@dynamic udp-lite 203.0.113.6 9", [Leaks, Says("EACCES"), Says("EACCES"), Says("EACCES")]),
    row("UDP, IPv6", "@dynamic sendto 2001:db8::6 9", [Leaks, Says("EACCES"), Says("EACCES"), Says("EACCES")]),
    row("broadcast", "@dynamic broadcast 255.255.255.255 9", [Leaks, Says("EACCES"), Says("EACCES"), Says("EACCES")]),
    row("multicast join", "@dynamic join 239.1.2.3 9", [Leaks, Says("EACCES"), Says("EACCES"), Says("EACCES")]),
    row("multicast join, IPv6", "@dynamic join ff05::123 9", [Leaks, Says("EACCES"), Says("EACCES"), Says("EACCES")]),
    row("mDNS query", "@dynamic sendto 224.0.0.251 5353", [Leaks, Says("EACCES"), Says("EACCES"), Says("EACCES")]),
    row("DNS query by hand", "@dynamic send 10.152.152.10 53", [Leaks, Says("EACCES"), Says("EACCES"), Says("sent")]),
    // Past libc.
    row("raw UDP sendto", "@dynamic raw sendto 203.0.113.6 9", [Leaks, Leaks, DENIED, Says("sent")]),
    row("raw UDP connect and send", "@dynamic raw send 203.0.113.6 9", [Leaks, Leaks, DENIED, Says("sent")]),
    row("raw UDP sendmsg", "@dynamic raw sendmsg 203.0.113.6 9", [Leaks, Leaks, DENIED, Says("sent")]),
    row("raw UDP sendmmsg", "@dynamic raw sendmmsg 203.0.113.6 9", [Leaks, Leaks, DENIED, Says("sent")]),
    row("raw UDP-Lite", "@dynamic raw udp-lite 203.0.113.6 9", [Leaks, Leaks, DENIED, Says("sent")]),
    row("int80 UDP sendto", "@dynamic int80 sendto 203.0.113.6 9", [Leaks, Leaks, DENIED, Says("sent")]),
    row(
        "io_uring sendmsg",
        "@dynamic uring-sendmsg 203.0.113.6 9",
        [Leaks, Leaks, Says("io_uring_setup: ENOSYS"), Says("io_uring_setup: ENOSYS")],
    ),
    row(
        "raw sendto of libc's socket",
        "@dynamic then-raw sendto 203.0.113.6 9",
        [Leaks, Says("sent"), Says("EACCES"), Says("EACCES")],
    ),
    row(
        "raw connect of libc's socket",
        "@dynamic then-raw send 203.0.113.6 9",
        [Leaks, Says("sent"), Says("EACCES"), Says("EACCES")],
    ),
    row(
        "raw sendmsg of libc's socket",
        "@dynamic then-raw sendmsg 203.0.113.6 9",
        [Leaks, Says("sent"), Says("EACCES"), Says("EACCES")],
    ),
    row(
        "raw sendmmsg of libc's socket",
        "@dynamic then-raw sendmmsg 203.0.113.6 9",
        [Leaks, Says("sent"), Says("EACCES"), Says("EACCES")],
    ),
    // Without libc, or with another one.
    row("static UDP sendto", "@static sendto 203.0.113.6 9", [Leaks, NOT_RUN, DENIED, Says("sent")]),
    row("static UDP connect and send", "@static send 203.0.113.6 9", [Leaks, NOT_RUN, DENIED, Says("sent")]),
    row("static UDP sendmsg", "@static sendmsg 203.0.113.6 9", [Leaks, NOT_RUN, DENIED, Says("sent")]),
    row("static UDP sendmmsg", "@static sendmmsg 203.0.113.6 9", [Leaks, NOT_RUN, DENIED, Says("sent")]),
    row("static UDP-Lite", "@static udp-lite 203.0.113.6 9", [Leaks, NOT_RUN, DENIED, Says("sent")]),
    row("static UDP, IPv6", "@static sendto 2001:db8::6 9", [Leaks, NOT_RUN, DENIED, Says("sent")]),
    row("static UDP, v4-mapped", "@static sendto ::ffff:203.0.113.6 9", [Leaks, NOT_RUN, DENIED, Says("sent")]),
    row("static broadcast", "@static broadcast 255.255.255.255 9", [Leaks, NOT_RUN, DENIED, Quiet]),
    row("static multicast join", "@static join 239.1.2.3 9", [Leaks, NOT_RUN, DENIED, Quiet]),
    row("static multicast join, IPv6", "@static join ff05::123 9", [Leaks, NOT_RUN, DENIED, Quiet]),
    row("static mDNS query", "@static sendto 224.0.0.251 5353", [Leaks, NOT_RUN, DENIED, Quiet]),
    row("static mDNS query, IPv6", "@static sendto ff02::fb 5353", [Leaks, NOT_RUN, DENIED, Quiet]),
    row(
        "static io_uring sendmsg",
        "@static uring-sendmsg 203.0.113.6 9",
        [Leaks, NOT_RUN, Says("io_uring_setup: ENOSYS"), Says("io_uring_setup: ENOSYS")],
    ),
    row("32-bit UDP sendto, raw", "@static32 raw sendto 203.0.113.6 9", [Leaks, NOT_RUN, DENIED, Says("sent")]),
    row("musl UDP sendto", "@musl sendto 203.0.113.6 9", [Leaks, NOT_RUN, DENIED, Says("sent")]),
    row("static Go UDP", "@go-static udp 203.0.113.6:9", [Leaks, NOT_RUN, Says("errno 13"), Says("sent")]),
    // Sockets from elsewhere.
    row(
        "passed UDP socket, sendto, static",
        "@static passed-udp {passes} sendto 203.0.113.6 9",
        [Leaks, NOT_RUN, Says("sendto: EACCES"), Says("sendto: EACCES")],
    ),
    row(
        "passed UDP socket, sendmsg, static",
        "@static passed-udp {passes} sendmsg 203.0.113.6 9",
        [Leaks, NOT_RUN, Says("sendmsg: EACCES"), Says("sendmsg: EACCES")],
    ),
    row(
        "passed UDP socket, sendmmsg, static",
        "@static passed-udp {passes} sendmmsg 203.0.113.6 9",
        [Leaks, NOT_RUN, Says("sendmmsg: EACCES"), Says("sendmmsg: EACCES")],
    ),
    row(
        "passed UDP socket, connect, static",
        "@static passed-udp {passes} send 203.0.113.6 9",
        [Leaks, NOT_RUN, Says("connect: EACCES"), Says("connect: EACCES")],
    ),
    row(
        "passed UDP socket",
        "@dynamic passed-udp {passes} sendto 203.0.113.6 9",
        [Leaks, Says("EACCES"), Says("EACCES"), Says("EACCES")],
    ),
    row(
        "passed UDP socket, non-dumpable",
        "@static passed-udp {passes} nodump sendmsg 203.0.113.6 9",
        [Leaks, NOT_RUN, Says("sendmsg: EACCES"), Says("sendmsg: EACCES")],
    ),
    row(
        "inherited UDP socket, static",
        "@static given {inherited-udp} sendto 203.0.113.6 9",
        [Leaks, NOT_RUN, FROM_BEFORE, FROM_BEFORE],
    ),
    row(
        "inherited UDP socket, static sendmsg",
        "@static given {inherited-udp} sendmsg 203.0.113.6 9",
        [Leaks, NOT_RUN, FROM_BEFORE, FROM_BEFORE],
    ),
    row(
        "inherited UDP socket, raw",
        "@dynamic given {inherited-udp} raw sendto 203.0.113.6 9",
        [Leaks, Leaks, FROM_BEFORE, FROM_BEFORE],
    ),
];
