//! Streams.

use crate::row::Expect::{Carried, Differs, Leaks, Says};
use crate::row::{CARRIED, CARRIED6, DENIED, FROM_BEFORE, NOT_RUN, Row, row};

pub(crate) const ROWS: &[Row] = &[
    // By libc.
    row("connect", "@dynamic connect 203.0.113.6 7", [Leaks, CARRIED, CARRIED, CARRIED]),
    row("connect, IPv6", "@dynamic connect 2001:db8::6 7", [Leaks, CARRIED6, CARRIED6, CARRIED6]),
    row("connect, v4-mapped", "@dynamic connect ::ffff:203.0.113.6 7", [Leaks, CARRIED, CARRIED, CARRIED]),
    row("connect, MPTCP", "@dynamic mptcp connect 203.0.113.6 7", [Leaks, CARRIED, CARRIED, CARRIED]),
    row("connect in a thread", "@dynamic thread connect 203.0.113.6 7", [Leaks, CARRIED, CARRIED, CARRIED]),
    row("connect in a forked child", "@dynamic fork connect 203.0.113.6 7", [Leaks, CARRIED, CARRIED, CARRIED]),
    row(
        "connect in a non-dumpable process",
        "@dynamic nodump connect 203.0.113.6 7",
        [Leaks, CARRIED, CARRIED, CARRIED],
    ),
    row("sendto with MSG_FASTOPEN", "@dynamic fast-sendto 203.0.113.6 7", [Leaks, CARRIED, CARRIED, CARRIED]),
    row("sendmsg with MSG_FASTOPEN", "@dynamic fast-sendmsg 203.0.113.6 7", [Leaks, CARRIED, CARRIED, CARRIED]),
    row("sendmmsg with MSG_FASTOPEN", "@dynamic fast-sendmmsg 203.0.113.6 7", [Leaks, CARRIED, CARRIED, CARRIED]),
    row("TCP_FASTOPEN_CONNECT", "@dynamic fast-option 203.0.113.6 7", [Leaks, CARRIED, CARRIED, CARRIED]),
    row(
        "SO_BINDTODEVICE",
        "@dynamic device eth0 connect 203.0.113.6 7",
        [Leaks, Says("setsockopt: EACCES"), Says("setsockopt: EACCES"), Says("setsockopt: EACCES")],
    ),
    row(
        "SO_MARK",
        "@dynamic mark 1 connect 203.0.113.6 7",
        [
            Differs(&Leaks, &Says("setsockopt: EPERM")),
            Differs(&CARRIED, &Says("setsockopt: EPERM")),
            Differs(&CARRIED, &Says("setsockopt: EPERM")),
            Differs(&CARRIED, &Says("setsockopt: EPERM")),
        ],
    ),
    row("connect by syscall(2)", "@dynamic number connect 203.0.113.6 7", [Leaks, CARRIED, CARRIED, CARRIED]),
    row("MSG_FASTOPEN by syscall(2)", "@dynamic number fast-sendmsg 203.0.113.6 7", [Leaks, CARRIED, CARRIED, CARRIED]),
    // Past libc.
    row("raw connect", "@dynamic raw connect 203.0.113.6 7", [Leaks, Leaks, DENIED, CARRIED]),
    row("raw connect, IPv6", "@dynamic raw connect 2001:db8::6 7", [Leaks, Leaks, DENIED, CARRIED6]),
    row("raw connect, MPTCP", "@dynamic mptcp raw connect 203.0.113.6 7", [Leaks, Leaks, DENIED, CARRIED]),
    row("raw connect in a thread", "@dynamic thread raw connect 203.0.113.6 7", [Leaks, Leaks, DENIED, CARRIED]),
    row("raw connect in a forked child", "@dynamic fork raw connect 203.0.113.6 7", [Leaks, Leaks, DENIED, CARRIED]),
    row("raw connect after clone3", "@dynamic clone3 raw connect 203.0.113.6 7", [Leaks, Leaks, DENIED, CARRIED]),
    row(
        "raw connect in a non-dumpable process",
        "@dynamic nodump raw connect 203.0.113.6 7",
        [Leaks, Leaks, DENIED, CARRIED],
    ),
    row("int80 socket and connect", "@dynamic int80 connect 203.0.113.6 7", [Leaks, Leaks, DENIED, CARRIED]),
    row("socketcall", "@dynamic socketcall connect 203.0.113.6 7", [Leaks, Leaks, DENIED, DENIED]),
    row("a second libc by dlmopen", "@dynamic dlmopen 203.0.113.6 7", [Leaks, Leaks, DENIED, CARRIED]),
    row(
        "raw sendto with MSG_FASTOPEN",
        "@dynamic raw fast-sendto 203.0.113.6 7",
        [Leaks, Leaks, DENIED, Says("sendto: EOPNOTSUPP")],
    ),
    row(
        "raw sendmsg with MSG_FASTOPEN",
        "@dynamic raw fast-sendmsg 203.0.113.6 7",
        [Leaks, Leaks, DENIED, Says("sendmsg: EOPNOTSUPP")],
    ),
    row(
        "raw sendmmsg with MSG_FASTOPEN",
        "@dynamic raw fast-sendmmsg 203.0.113.6 7",
        [Leaks, Leaks, DENIED, Says("sendmmsg: EOPNOTSUPP")],
    ),
    row("raw TCP_FASTOPEN_CONNECT", "@dynamic raw fast-option 203.0.113.6 7", [Leaks, Leaks, DENIED, CARRIED]),
    row(
        "io_uring",
        "@dynamic uring-connect 203.0.113.6 7",
        [Leaks, Leaks, Says("io_uring_setup: ENOSYS"), Says("io_uring_setup: ENOSYS")],
    ),
    row(
        "raw connect of libc's socket",
        "@dynamic then-raw connect 203.0.113.6 7",
        [Leaks, Leaks, Says("connect: EACCES"), Says("connect: EACCES")],
    ),
    row(
        "int80 connect of libc's socket",
        "@dynamic then-int80 connect 203.0.113.6 7",
        [Leaks, Leaks, Says("connect: EACCES"), Says("connect: EACCES")],
    ),
    row(
        "socketcall connect of libc's socket",
        "@dynamic then-socketcall connect 203.0.113.6 7",
        [Leaks, Leaks, Says("connect: EACCES"), Says("connect: EACCES")],
    ),
    row(
        "MSG_FASTOPEN on libc's socket, raw sendto",
        "@dynamic then-raw fast-sendto 203.0.113.6 7",
        [Leaks, Leaks, Says("sendto: EOPNOTSUPP"), Says("sendto: EOPNOTSUPP")],
    ),
    row(
        "MSG_FASTOPEN on libc's socket, int80 sendto",
        "@dynamic then-int80 fast-sendto 203.0.113.6 7",
        [Leaks, Leaks, Says("sendto: EOPNOTSUPP"), Says("sendto: EOPNOTSUPP")],
    ),
    row(
        "MSG_FASTOPEN on libc's socket, raw sendmsg",
        "@dynamic then-raw fast-sendmsg 203.0.113.6 7",
        [Leaks, Leaks, Says("sendmsg: EOPNOTSUPP"), Says("sendmsg: EOPNOTSUPP")],
    ),
    row(
        "a carried socket, disconnected and connected again by raw calls",
        "@dynamic then-raw reconnect 203.0.113.6 7 203.0.113.1 7",
        [
            Leaks,
            Leaks,
            Carried(&["203.0.113.6:7"], "disconnect: EACCES"),
            Carried(&["203.0.113.6:7"], "disconnect: EACCES"),
        ],
    ),
    // Without libc, or with another one.
    row("static glibc", "@static connect 203.0.113.6 7", [Leaks, NOT_RUN, DENIED, CARRIED]),
    row("static glibc, raw", "@static raw connect 203.0.113.6 7", [Leaks, NOT_RUN, DENIED, CARRIED]),
    row("static glibc, IPv6", "@static connect 2001:db8::6 7", [Leaks, NOT_RUN, DENIED, CARRIED6]),
    row("static glibc, v4-mapped", "@static connect ::ffff:203.0.113.6 7", [Leaks, NOT_RUN, DENIED, CARRIED]),
    row("static glibc, MPTCP", "@static mptcp connect 203.0.113.6 7", [Leaks, NOT_RUN, DENIED, CARRIED]),
    row("static glibc, threads", "@static thread connect 203.0.113.6 7", [Leaks, NOT_RUN, DENIED, CARRIED]),
    row("static glibc, a forked child", "@static fork connect 203.0.113.6 7", [Leaks, NOT_RUN, DENIED, CARRIED]),
    row("static glibc, clone3", "@static clone3 connect 203.0.113.6 7", [Leaks, NOT_RUN, DENIED, CARRIED]),
    row("static glibc, non-dumpable", "@static nodump connect 203.0.113.6 7", [Leaks, NOT_RUN, DENIED, CARRIED]),
    row("static glibc, int80", "@static int80 connect 203.0.113.6 7", [Leaks, NOT_RUN, DENIED, CARRIED]),
    row("static glibc, socketcall", "@static socketcall connect 203.0.113.6 7", [Leaks, NOT_RUN, DENIED, DENIED]),
    row(
        "static glibc, io_uring",
        "@static uring-connect 203.0.113.6 7",
        [Leaks, NOT_RUN, Says("io_uring_setup: ENOSYS"), Says("io_uring_setup: ENOSYS")],
    ),
    row(
        "static glibc, sendto with MSG_FASTOPEN",
        "@static fast-sendto 203.0.113.6 7",
        [Leaks, NOT_RUN, DENIED, Says("sendto: EOPNOTSUPP")],
    ),
    row(
        "static glibc, sendmsg with MSG_FASTOPEN",
        "@static fast-sendmsg 203.0.113.6 7",
        [Leaks, NOT_RUN, DENIED, Says("sendmsg: EOPNOTSUPP")],
    ),
    row("static glibc, TCP_FASTOPEN_CONNECT", "@static fast-option 203.0.113.6 7", [Leaks, NOT_RUN, DENIED, CARRIED]),
    row(
        "static glibc, SO_BINDTODEVICE",
        "@static device eth0 connect 203.0.113.6 7",
        [Leaks, NOT_RUN, DENIED, Says("setsockopt: ENODEV")],
    ),
    row(
        "static glibc, two connects of a socket",
        "@static reconnect 203.0.113.6 7 203.0.113.1 7",
        [Leaks, NOT_RUN, DENIED, Carried(&["203.0.113.6:7", "203.0.113.1:7"], "answer hi")],
    ),
    row("static musl", "@musl connect 203.0.113.6 7", [Leaks, NOT_RUN, DENIED, CARRIED]),
    row("static, 32-bit glibc (socketcall)", "@static32 connect 203.0.113.6 7", [Leaks, NOT_RUN, DENIED, DENIED]),
    row("static, 32-bit, raw", "@static32 raw connect 203.0.113.6 7", [Leaks, NOT_RUN, DENIED, CARRIED]),
    row("static Go", "@go-static dial 203.0.113.6:7", [Leaks, NOT_RUN, Says("errno 13"), CARRIED]),
    row("Go with cgo", "@go-cgo dial 203.0.113.6:7", [Leaks, Leaks, Says("errno 13"), CARRIED]),
    // Environment scrubbed on the way.
    row("env -i", "/usr/bin/env -i @dynamic connect 203.0.113.6 7", [Leaks, CARRIED, CARRIED, CARRIED]),
    row(
        "execve with an empty environment",
        "@dynamic execve @dynamic connect 203.0.113.6 7",
        [Leaks, CARRIED, CARRIED, CARRIED],
    ),
    row(
        "posix_spawn with an empty environment",
        "@dynamic posix_spawn @dynamic connect 203.0.113.6 7",
        [Leaks, CARRIED, CARRIED, CARRIED],
    ),
    row(
        "setpriv --reset-env",
        "/usr/bin/setpriv --reset-env @dynamic connect 203.0.113.6 7",
        [Leaks, CARRIED, CARRIED, CARRIED],
    ),
    row(
        "raw execve with an empty environment",
        "@dynamic raw-execve @dynamic connect 203.0.113.6 7",
        [Leaks, Leaks, DENIED, CARRIED],
    ),
    row("vfork and raw execve", "@dynamic vfork-exec connect 203.0.113.6 7", [Leaks, Leaks, DENIED, CARRIED]),
    row(
        "a static launcher that executes a dynamic program",
        "@static execve @dynamic connect 203.0.113.6 7",
        [Leaks, NOT_RUN, DENIED, CARRIED],
    ),
    row(
        "a static launcher that spawns a static program",
        "@static posix_spawn @static connect 203.0.113.6 7",
        [Leaks, NOT_RUN, DENIED, CARRIED],
    ),
    row(
        "a dynamic launcher that executes a static program",
        "@dynamic execve @static connect 203.0.113.6 7",
        [Leaks, NOT_RUN, DENIED, CARRIED],
    ),
    // Sockets from elsewhere.
    row(
        "inherited socket",
        "@dynamic given {inherited-tcp} connect 203.0.113.6 7",
        [Leaks, CARRIED, FROM_BEFORE, FROM_BEFORE],
    ),
    row(
        "inherited socket, raw",
        "@dynamic given {inherited-tcp} raw connect 203.0.113.6 7",
        [Leaks, Leaks, FROM_BEFORE, FROM_BEFORE],
    ),
    row(
        "inherited socket, static",
        "@static given {inherited-tcp} connect 203.0.113.6 7",
        [Leaks, NOT_RUN, FROM_BEFORE, FROM_BEFORE],
    ),
    row(
        "inherited socket, static and non-dumpable",
        "@static nodump given {inherited-tcp} connect 203.0.113.6 7",
        [Leaks, NOT_RUN, FROM_BEFORE, FROM_BEFORE],
    ),
    row(
        "inherited socket, io_uring",
        "@dynamic given {inherited-tcp} uring-connect 203.0.113.6 7",
        [Leaks, Leaks, FROM_BEFORE, FROM_BEFORE],
    ),
    row("passed socket", "@dynamic passed-tcp {passes} connect 203.0.113.6 7", [Leaks, CARRIED, CARRIED, CARRIED]),
    row(
        "passed socket, raw",
        "@dynamic passed-tcp {passes} raw connect 203.0.113.6 7",
        [Leaks, Leaks, Says("connect: EACCES"), Says("connect: EACCES")],
    ),
    row(
        "passed socket, static",
        "@static passed-tcp {passes} connect 203.0.113.6 7",
        [Leaks, NOT_RUN, Says("connect: EACCES"), Says("connect: EACCES")],
    ),
    row(
        "passed socket, static and non-dumpable",
        "@static passed-tcp {passes} nodump connect 203.0.113.6 7",
        [Leaks, NOT_RUN, Says("connect: EACCES"), Says("connect: EACCES")],
    ),
    row(
        "passed socket, static, MSG_FASTOPEN",
        "@static passed-tcp {passes} fast-sendto 203.0.113.6 7",
        [Leaks, NOT_RUN, Says("EOPNOTSUPP"), Says("EOPNOTSUPP")],
    ),
    row(
        "passed socket, static, TCP_FASTOPEN_CONNECT",
        "@static passed-tcp {passes} fast-option 203.0.113.6 7",
        [Leaks, NOT_RUN, Says("connect: EACCES"), Says("connect: EACCES")],
    ),
    row(
        "passed socket, 32-bit",
        "@static32 passed-tcp {passes} raw connect 203.0.113.6 7",
        [Leaks, NOT_RUN, Says("EACCES"), Says("EACCES")],
    ),
    row(
        "another process's socket by pidfd_getfd",
        "@dynamic stolen {pid} {fd} raw connect 203.0.113.6 7",
        [
            Differs(&Leaks, &Says("EPERM")),
            Differs(&Leaks, &Says("EPERM")),
            Says("pidfd_getfd: EPERM"),
            Says("pidfd_getfd: EPERM"),
        ],
    ),
    row(
        "another process's socket by pidfd_getfd, static",
        "@static stolen {pid} {fd} connect 203.0.113.6 7",
        [Differs(&Leaks, &Says("EPERM")), NOT_RUN, Says("pidfd_getfd: EPERM"), Says("pidfd_getfd: EPERM")],
    ),
    // Privileges.
    row(
        "set-user-ID, static",
        "@setuid connect 203.0.113.6 7",
        [Leaks, NOT_RUN, Differs(&DENIED, &NOT_RUN), Differs(&CARRIED, &NOT_RUN)],
    ),
    row(
        "set-user-ID, dynamic",
        "@setuid-dynamic connect 203.0.113.6 7",
        [Leaks, Differs(&CARRIED, &NOT_RUN), Differs(&CARRIED, &NOT_RUN), Differs(&CARRIED, &NOT_RUN)],
    ),
    row(
        "file capabilities",
        "@capable connect 203.0.113.6 7",
        [Leaks, NOT_RUN, Differs(&DENIED, &NOT_RUN), Differs(&CARRIED, &NOT_RUN)],
    ),
];
