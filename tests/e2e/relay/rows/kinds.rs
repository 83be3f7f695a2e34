//! Kinds of sockets and their options, and how connections end.

use super::{Row, differs, row};

pub(crate) const ROWS: &[Row] = &[
    // Kinds of sockets.
    row(
        "IPv6",
        "socket inet6 stream+nonblock; connect {ok6}; peer; own; poll out 30000; getopt error; peer; own; TALK",
        "ok; EINPROGRESS; ENOTCONN; inet6 with a port; out; ok; {ok6}; inet6 with a port; ok; 5; hi",
    ),
    row(
        "IPv6 only",
        "socket inet6 stream+nonblock; setopt v6only 1; connect {ok6}; poll out 30000; getopt error; peer; getopt v6only; TALK",
        "ok; ok; EINPROGRESS; out; ok; {ok6}; 1; ok; 5; hi",
    ),
    row(
        "IPv4 on an IPv6 socket",
        "socket inet6 stream+nonblock; connect {mapped}; poll out 30000; getopt error; peer; own; TALK",
        "ok; EINPROGRESS; out; ok; {mapped}; inet6 with a port; ok; 5; hi",
    ),
    row(
        "IPv4 on an IPv6-only socket",
        "socket inet6 stream+nonblock; setopt v6only 1; connect {mapped}",
        "ok; ok; ENETUNREACH",
    ),
    row(
        "bound",
        "socket inet stream+nonblock; bind 0.0.0.0:0; connect {ok}; poll out 30000; getopt error; own; peer; TALK",
        "ok; ok; EINPROGRESS; out; ok; inet with a port; {ok}; ok; 5; hi",
    ),
    row(
        "bound, IPv6",
        "socket inet6 stream+nonblock; bind [::]:0; connect {ok6}; poll out 30000; getopt error; own; peer; TALK",
        "ok; ok; EINPROGRESS; out; ok; inet6 with a port; {ok6}; ok; 5; hi",
    ),
    // The relay is on loopback.
    differs(
        "bound to loopback",
        "socket inet stream+nonblock; bind 127.0.0.1:0; connect {ok}",
        "ok; ok; EINVAL",
        "ok; ok; EINPROGRESS",
    ),
    row(
        "O_NONBLOCK by fcntl",
        "socket inet stream; nonblock; connect {ok}; poll out 30000; getopt error; TALK",
        "ok; ok; EINPROGRESS; out; ok; ok; 5; hi",
    ),
    row("after listen", "socket inet stream+nonblock; listen; connect {ok}", "ok; ok; EISCONN"),
    row(
        "through syscall(2)",
        "via syscall; socket inet stream+nonblock; connect {ok}; connect {ok}; poll out 30000; getopt error; peer; TALK",
        "ok; EINPROGRESS; EALREADY; out; ok; {ok}; ok; 5; hi",
    ),
    // Options.
    // TCP_SYNCNT stays what it has to be while the socket waits for the gateway.
    differs(
        "options of the program",
        "socket inet stream+nonblock; setopt 6.7 3; setopt nodelay 1; setopt 1.9 1; setopt sndtimeo ms=9000; setopt 6.4 77; setopt 1.13 parts=1+5; connect {ok}; poll out 30000; getopt 6.7; getopt nodelay; getopt 1.9; getopt sndtimeo; getopt 6.4; getopt 1.13",
        "ok; ok; ok; ok; ok; ok; ok; EINPROGRESS; out; 3; 1; 1; 9; 77; 1",
        "ok; ok; ok; ok; ok; ok; ok; EINPROGRESS; out; 127; 1; 1; 9; 77; 1",
    ),
    differs(
        "options nobody set",
        "socket inet stream+nonblock; connect {ok}; poll out 30000; getopt 6.7; getopt nodelay; getopt 1.9; getopt sndtimeo; getopt 6.18; getopt 1.2; getopt 1.15; getopt 0.24; getopt 1.13",
        "ok; EINPROGRESS; out; 6; 0; 0; 0; 0; 0; 0; 0; 0",
        "ok; EINPROGRESS; out; 127; 0; 0; 0; 0; 0; 0; 0; 0",
    ),
    differs(
        "options after a failure",
        "socket inet stream+nonblock; setopt 6.7 3; connect {refused}; poll out 30000; getopt error; getopt 6.7; getopt 1.2; getopt 1.15",
        "ok; ok; EINPROGRESS; out+err+hup; ECONNREFUSED; 3; 0; 0",
        "ok; ok; EINPROGRESS; out+err+hup; ECONNREFUSED; 127; 0; 0",
    ),
    row(
        "MSG_FASTOPEN",
        "socket inet stream+nonblock; sendto {ok} echo%0ahi fastopen; peer; poll out 30000; getopt error; peer; TALK",
        "ok; EINPROGRESS; ENOTCONN; out; ok; {ok}; ok; 5; hi",
    ),
    row(
        "MSG_FASTOPEN, sendmsg",
        "socket inet stream+nonblock; sendmsg {ok} echo%0ahi fastopen; poll out 30000; getopt error; peer; TALK",
        "ok; EINPROGRESS; out; ok; {ok}; ok; 5; hi",
    ),
    row(
        "MSG_FASTOPEN, refused",
        "socket inet stream+nonblock; sendto {refused} hi fastopen; poll out 30000; getopt error",
        "ok; EINPROGRESS; out+err+hup; ECONNREFUSED",
    ),
    row(
        "TCP_FASTOPEN_CONNECT",
        "socket inet stream+nonblock; setopt fastopen_connect 1; connect {ok}; poll out 30000; getopt error; peer; TALK",
        "ok; ok; EINPROGRESS; out; ok; {ok}; ok; 5; hi",
    ),
    // The ends of a connection.
    row(
        "it shuts down, the other side still sends",
        "START; poll out 30000; block; send echo%0ahi; shutdown; recv 2; recv 2",
        "ok; EINPROGRESS; out; ok; 7; ok; hi; end",
    ),
    row(
        "the other side shuts down first",
        "START; poll out 30000; block; send bye%0a; recv 3; recv 1; send more; poll in+rdhup 0; shutdown; poll out+hup 0",
        "ok; EINPROGRESS; out; ok; 4; bye; end; 4; in+rdhup; ok; out+hup",
    ),
    row(
        "reset by the other side",
        "START; poll out 30000; send reset%0a; poll in 30000; getopt error; getopt error; recv 2; send hi",
        "ok; EINPROGRESS; out; 6; in+err+hup; ECONNRESET; ok; end; EPIPE",
    ),
    row(
        "reset by the other side, recv",
        "START; poll out 30000; block; send reset%0a; recv 2; recv 2",
        "ok; EINPROGRESS; out; ok; 6; ECONNRESET; end",
    ),
    row(
        "urgent data comes",
        "START; poll out 30000; send urgent%0a; poll pri 30000; recvurgent; block; recv 2; recv 1",
        "ok; EINPROGRESS; out; 7; pri; c; ok; ab; d",
    ),
];
