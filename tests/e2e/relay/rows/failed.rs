//! Connects that fail, are begun again, or are given up.

use super::{Row, differs, row};

pub(crate) const ROWS: &[Row] = &[
    // Failures.
    row(
        "refused",
        "socket inet stream+nonblock; connect {refused}; poll out 30000; getopt error; getopt error; peer; poll out 0",
        "ok; EINPROGRESS; out+err+hup; ECONNREFUSED; ok; ENOTCONN; out+hup",
    ),
    row(
        "host unreachable",
        "socket inet stream+nonblock; connect {host}; poll out 30000; getopt error; getopt error; peer",
        "ok; EINPROGRESS; out+err+hup; EHOSTUNREACH; ok; ENOTCONN",
    ),
    row(
        "net unreachable",
        "socket inet stream+nonblock; connect {net}; poll out 30000; getopt error; getopt error; peer",
        "ok; EINPROGRESS; out+err+hup; ENETUNREACH; ok; ENOTCONN",
    ),
    // TCP_SYNCNT stays what it has to be while the socket waits for the gateway.
    differs(
        "timed out",
        "socket inet stream+nonblock; setopt 6.7 1; connect {timeout}; poll out 30000; getopt error; getopt error; getopt 6.7",
        "ok; ok; EINPROGRESS; out+err+hup; ETIMEDOUT; ok; 1",
        "ok; ok; EINPROGRESS; out+err+hup; ETIMEDOUT; ok; 127",
    ),
    row(
        "refused, epoll",
        "socket inet stream+nonblock; connect {refused}; epoll a in+out+rdhup+et; wait a 30000; wait a 0; getopt error",
        "ok; EINPROGRESS; ok; in+out+err+hup+rdhup; nothing; ECONNREFUSED",
    ),
    row(
        "refused, epoll, registered before",
        "socket inet stream+nonblock; epoll a in+out+et; connect {refused}; wait a 30000; getopt error",
        "ok; ok; EINPROGRESS; in+out+err+hup; ECONNREFUSED",
    ),
    row(
        "refused, select",
        "socket inet stream+nonblock; connect {refused}; select in 30000; select out 0; getopt error",
        "ok; EINPROGRESS; in; out; ECONNREFUSED",
    ),
    // The kernel's own word, for who does not ask for SO_ERROR: it ends a connection that has begun to come about.
    differs(
        "refused, recv",
        "socket inet stream+nonblock; connect {refused}; poll out 30000; recv 2; recv 2; send hi",
        "ok; EINPROGRESS; out+err+hup; ECONNREFUSED; end; EPIPE",
        "ok; EINPROGRESS; out+err+hup; ECONNRESET; end; EPIPE",
    ),
    differs(
        "refused, send",
        "socket inet stream+nonblock; connect {refused}; poll out 30000; send hi; send hi; recv 2",
        "ok; EINPROGRESS; out+err+hup; ECONNREFUSED; EPIPE; end",
        "ok; EINPROGRESS; out+err+hup; ECONNRESET; EPIPE; end",
    ),
    row(
        "refused, then elsewhere",
        "socket inet stream+nonblock; connect {refused}; poll out 30000; getopt error; connect {ok}; connect {ok}; poll out 30000; getopt error; peer",
        "ok; EINPROGRESS; out+err+hup; ECONNREFUSED; ECONNABORTED; EINPROGRESS; out; ok; {ok}",
    ),
    row(
        "refused, IPv6",
        "socket inet6 stream+nonblock; connect {refused6}; poll out 30000; getopt error; peer",
        "ok; EINPROGRESS; out+err+hup; ECONNREFUSED; ENOTCONN",
    ),
    // connect again.
    row(
        "again while it waits",
        "START; connect {ok}; connect {ok2}; poll out 30000; connect {ok}; connect {ok}; peer; TALK",
        "ok; EINPROGRESS; EALREADY; EALREADY; out; ok; EISCONN; {ok}; ok; 5; hi",
    ),
    row(
        "again after it failed",
        "socket inet stream+nonblock; connect {refused}; poll out 30000; connect {refused}; getopt error; connect {ok}; poll out 30000; getopt error; peer; TALK",
        "ok; EINPROGRESS; out+err+hup; ECONNREFUSED; ok; EINPROGRESS; out; ok; {ok}; ok; 5; hi",
    ),
    row(
        "again after it was unreachable",
        "socket inet stream+nonblock; connect {host}; poll out 30000; connect {host}; getopt error",
        "ok; EINPROGRESS; out+err+hup; EHOSTUNREACH; ok",
    ),
    row(
        "again after it timed out",
        "socket inet stream+nonblock; setopt 6.7 1; connect {timeout}; poll out 30000; connect {timeout}; getopt error",
        "ok; ok; EINPROGRESS; out+err+hup; ETIMEDOUT; ok",
    ),
    row(
        "again, waiting",
        "START; block; connect {ok}; connect {ok}; peer; TALK",
        "ok; EINPROGRESS; ok; ok; EISCONN; {ok}; ok; 5; hi",
    ),
    row(
        "again, waiting, refused",
        "socket inet stream+nonblock; connect {refused}; block; connect {refused}; getopt error",
        "ok; EINPROGRESS; ok; ECONNREFUSED; ok",
    ),
    row(
        "again, waiting, unreachable",
        "socket inet stream+nonblock; connect {net}; block; connect {net}; getopt error",
        "ok; EINPROGRESS; ok; ENETUNREACH; ok",
    ),
    row(
        "given up while it waits",
        "START; connect unspec; getopt error; getopt error; peer; connect {ok2}; poll out 30000; getopt error; peer; TALK",
        "ok; EINPROGRESS; ok; ECONNRESET; ok; ENOTCONN; EINPROGRESS; out; ok; {ok2}; ok; 5; hi",
    ),
    row(
        "given up after it came about",
        "START; poll out 30000; connect unspec; peer; connect {ok2}; poll out 30000; getopt error; peer; TALK",
        "ok; EINPROGRESS; out; ok; ENOTCONN; EINPROGRESS; out; ok; {ok2}; ok; 5; hi",
    ),
    row(
        "given up after it failed",
        "socket inet stream+nonblock; connect {refused}; poll out 30000; connect unspec; getopt error; connect {ok}; poll out 30000; getopt error; peer",
        "ok; EINPROGRESS; out+err+hup; ok; ECONNREFUSED; EINPROGRESS; out; ok; {ok}",
    ),
    row(
        "shut down while it waits",
        "START; shutdown both; getopt error; peer; connect {ok2}; poll out 30000; getopt error; peer; TALK",
        "ok; EINPROGRESS; ok; ECONNRESET; ENOTCONN; EINPROGRESS; out; ok; {ok2}; ok; 5; hi",
    ),
];
