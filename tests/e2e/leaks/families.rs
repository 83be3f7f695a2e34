//! Other kinds of sockets.

use crate::row::Expect::{Differs, Leaks, Quiet, Says};
use crate::row::{DENIED, Expect, NOT_RUN, Row, row};

/// AF_UNIX works as ever.
const SERVED: Expect = Says("answer from this machine");
/// Nobody but root can look at its descriptors, and an address may be any: that is refused.
const UNREADABLE: Expect = Differs(&SERVED, &Says("connect: EACCES"));

pub(crate) const ROWS: &[Row] = &[
    // Packets by hand.
    row(
        "ICMP, raw socket",
        "@dynamic icmp 203.0.113.6",
        [Differs(&Leaks, &Says("socket: EPERM")), DENIED, DENIED, DENIED],
    ),
    row(
        "ICMP, raw socket, static",
        "@static icmp 203.0.113.6",
        [Differs(&Leaks, &Says("socket: EPERM")), NOT_RUN, DENIED, DENIED],
    ),
    row(
        "ICMP, raw socket, raw call",
        "@dynamic raw icmp 203.0.113.6",
        [Differs(&Leaks, &Says("socket: EPERM")), Differs(&Leaks, &Says("socket: EPERM")), DENIED, DENIED],
    ),
    row(
        "ICMPv6, raw socket, static",
        "@static icmp6 2001:db8::6",
        [Differs(&Leaks, &Says("socket: EPERM")), NOT_RUN, DENIED, DENIED],
    ),
    row("ICMP, datagram socket", "@dynamic ping 203.0.113.6", [Leaks, DENIED, DENIED, DENIED]),
    row("ICMP, datagram socket, static", "@static ping 203.0.113.6", [Leaks, NOT_RUN, DENIED, DENIED]),
    row("ICMPv6, datagram socket, static", "@static ping6 2001:db8::6", [Leaks, NOT_RUN, DENIED, DENIED]),
    row("ICMP, datagram socket, raw call", "@dynamic raw ping 203.0.113.6", [Leaks, Leaks, DENIED, DENIED]),
    row(
        "file capabilities, ICMP",
        "@capable icmp 203.0.113.6",
        [Leaks, NOT_RUN, Differs(&DENIED, &NOT_RUN), Differs(&DENIED, &NOT_RUN)],
    ),
    row(
        "a TCP segment by hand",
        "@dynamic raw-ip 203.0.113.6",
        [Differs(&Leaks, &Says("socket: EPERM")), DENIED, DENIED, DENIED],
    ),
    row(
        "a TCP segment by hand, static",
        "@static raw-ip 203.0.113.6",
        [Differs(&Leaks, &Says("socket: EPERM")), NOT_RUN, DENIED, DENIED],
    ),
    row("AF_PACKET", "@dynamic frame eth0", [Differs(&Leaks, &Says("socket: EPERM")), DENIED, DENIED, DENIED]),
    row("AF_PACKET, static", "@static frame eth0", [Differs(&Leaks, &Says("socket: EPERM")), NOT_RUN, DENIED, DENIED]),
    row(
        "AF_PACKET, int80",
        "@dynamic int80 frame eth0",
        [Differs(&Leaks, &Says("socket: EPERM")), Differs(&Leaks, &Says("socket: EPERM")), DENIED, DENIED],
    ),
    // Other families and protocols: what the kernel lacks cannot leak, but the answer is the guard's.
    row("SCTP, one to one", "@static socket 2 1 132", [Quiet, NOT_RUN, DENIED, DENIED]),
    row("SCTP, one to many", "@static socket 2 5 132", [Quiet, NOT_RUN, DENIED, DENIED]),
    row("DCCP", "@static socket 2 6 33", [Quiet, NOT_RUN, DENIED, DENIED]),
    row("SMC", "@static socket 43 1 0", [Quiet, NOT_RUN, DENIED, DENIED]),
    row("AF_VSOCK", "@static socket 40 1 0", [Quiet, NOT_RUN, DENIED, DENIED]),
    row("TIPC", "@static socket 30 5 0", [Quiet, NOT_RUN, DENIED, DENIED]),
    row("AF_XDP", "@static socket 44 3 0", [Quiet, NOT_RUN, DENIED, DENIED]),
    row("RDS", "@static socket 21 5 0", [Quiet, NOT_RUN, DENIED, DENIED]),
    row("Bluetooth", "@static socket 31 1 3", [Quiet, NOT_RUN, DENIED, DENIED]),
    row("CAN", "@static socket 29 3 1", [Quiet, NOT_RUN, DENIED, DENIED]),
    row("L2TP", "@static socket 24 1 0", [Quiet, NOT_RUN, DENIED, DENIED]),
    row("Phonet", "@static socket 35 2 1", [Quiet, NOT_RUN, DENIED, DENIED]),
    row("MCTP", "@static socket 45 2 0", [Quiet, NOT_RUN, DENIED, DENIED]),
    row("KCM", "@static socket 41 2 0", [Quiet, NOT_RUN, DENIED, DENIED]),
    row("AF_KEY", "@static socket 15 3 2", [Quiet, NOT_RUN, DENIED, DENIED]),
    row("a family of the future", "@static socket 46 1 0", [Quiet, NOT_RUN, DENIED, DENIED]),
    row(
        "pairs of internet sockets",
        "@static socketpair 2 1",
        [Quiet, NOT_RUN, Says("socketpair: E"), Says("socketpair: E")],
    ),
    row("x32 call numbers", "@dynamic x32", [Quiet, Quiet, Says("socket: ENOSYS"), Says("socket: ENOSYS")]),
    row("a service of this machine", "@dynamic unix {answers}", [SERVED, SERVED, SERVED, SERVED]),
    row("a service of this machine, static", "@static unix {answers}", [SERVED, NOT_RUN, SERVED, SERVED]),
    row("sendmsg to a service of this machine", "@dynamic unix-sendmsg {answers}", [SERVED, SERVED, SERVED, SERVED]),
    row(
        "sendmsg to a service of this machine, raw",
        "@dynamic raw unix-sendmsg {answers}",
        [SERVED, SERVED, SERVED, SERVED],
    ),
    row(
        "sendmsg to a service of this machine, static",
        "@static unix-sendmsg {answers}",
        [SERVED, NOT_RUN, SERVED, SERVED],
    ),
    row(
        "sendmsg to a service of this machine, static and non-dumpable",
        "@static nodump unix-sendmsg {answers}",
        [SERVED, NOT_RUN, UNREADABLE, UNREADABLE],
    ),
];
