//! How a program waits, and what it may do too early.

use super::{Row, row};

pub(crate) const ROWS: &[Row] = &[
    // Readiness.
    row(
        "poll",
        "START; poll out 0; poll out 30000; getopt error; peer; TALK",
        "ok; EINPROGRESS; nothing; out; ok; {ok}; ok; 5; hi",
    ),
    row(
        "poll for everything",
        "START; poll in+pri+out+rdhup 0; poll in+pri+out+rdhup 30000",
        "ok; EINPROGRESS; nothing; out",
    ),
    row(
        "select",
        "START; select in 0; select out 30000; getopt error; TALK",
        "ok; EINPROGRESS; nothing; out; ok; ok; 5; hi",
    ),
    row(
        "epoll",
        "START; epoll a in+out; wait a 0; wait a 30000; wait a 0; getopt error; TALK; poll in 0",
        "ok; EINPROGRESS; ok; nothing; out; out; ok; ok; 5; hi; nothing",
    ),
    row(
        "epoll, edge-triggered",
        "START; epoll a in+out+rdhup+et; wait a 0; wait a 30000; wait a 0; TALK",
        "ok; EINPROGRESS; ok; nothing; out; nothing; ok; 5; hi",
    ),
    row(
        "epoll, registered before",
        "socket inet stream+nonblock; epoll a in+out; connect {ok}; wait a 0; wait a 30000; TALK",
        "ok; ok; EINPROGRESS; nothing; out; ok; 5; hi",
    ),
    row(
        "epoll, edge-triggered, registered before",
        "socket inet stream+nonblock; epoll a in+out+et; wait a 0; connect {ok}; wait a 0; wait a 30000; wait a 0; TALK",
        "ok; ok; out+hup; EINPROGRESS; nothing; out; nothing; ok; 5; hi",
    ),
    row(
        "epoll, once",
        "START; epoll a out+oneshot; wait a 30000; wait a 0; rearm a out+oneshot; wait a 0; TALK",
        "ok; EINPROGRESS; ok; out; nothing; ok; out; ok; 5; hi",
    ),
    row(
        "epoll, once, registered before",
        "socket inet stream+nonblock; epoll a out+oneshot; wait a 0; rearm a out+oneshot; connect {ok}",
        "ok; ok; out+hup; ok; EINPROGRESS",
    ),
    row(
        "two epoll sets",
        "socket inet stream+nonblock; epoll a out; connect {ok}; epoll b in+out+et; wait b 30000; wait a 0; wait b 0; TALK",
        "ok; ok; EINPROGRESS; ok; out; out; nothing; ok; 5; hi",
    ),
    row(
        "an answer on the way",
        "START; epoll a in+et; poll out 30000; send echo%0ahi; wait a 30000; recv 2; recv 2",
        "ok; EINPROGRESS; ok; out; 7; in; hi; EAGAIN",
    ),
    // Too early.
    row(
        "send and recv while it waits",
        "START; send hi; recv 2; peer; own; getopt error; poll out 30000; TALK",
        "ok; EINPROGRESS; EAGAIN; EAGAIN; ENOTCONN; inet with a port; ok; out; ok; 5; hi",
    ),
    row(
        "urgent data while it waits",
        "START; urgent x; recvurgent; poll out 30000; TALK",
        "ok; EINPROGRESS; EAGAIN; EINVAL; out; ok; 5; hi",
    ),
    row("never waited for", "START; block; send echo%0ahi; recv 2; peer", "ok; EINPROGRESS; ok; 7; hi; {ok}"),
];
