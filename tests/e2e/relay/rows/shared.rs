//! Sockets on several descriptors, in several processes and threads.

use super::{Row, row};

pub(crate) const ROWS: &[Row] = &[
    row(
        "dup'ed while it waits",
        "START; as one; dup; as two; use one; close; use two; poll out 0; poll out 30000; getopt error; peer; TALK",
        "ok; EINPROGRESS; ok; ok; nothing; out; ok; {ok}; ok; 5; hi",
    ),
    row(
        "dup'ed before",
        "socket inet stream+nonblock; as one; dup; as two; use one; connect {ok}; use two; poll out 30000; use one; close; use two; TALK",
        "ok; ok; EINPROGRESS; out; ok; ok; 5; hi",
    ),
    row(
        "dup'ed, the other one waits in an epoll set",
        "START; epoll a out; as one; dup2 90; as two; use one; close; wait a 30000; fd 90; TALK",
        "ok; EINPROGRESS; ok; ok; ok; out; ok; 5; hi",
    ),
    row(
        "closed and opened again",
        "START; close; START; poll out 30000; getopt error; TALK",
        "ok; EINPROGRESS; ok; ok; EINPROGRESS; out; ok; ok; 5; hi",
    ),
    row(
        "a child waits",
        "START; fork; poll out 30000; getopt error; peer; end; poll out 0; TALK",
        "ok; EINPROGRESS; out; ok; {ok}; out; ok; 5; hi",
    ),
    row(
        "a child began",
        "socket inet stream+nonblock; fork; connect {ok}; end; poll out 0; poll out 30000; getopt error; TALK",
        "ok; EINPROGRESS; nothing; out; ok; ok; 5; hi",
    ),
    row("a child closes", "START; fork; close; end; poll out 30000; TALK", "ok; EINPROGRESS; ok; out; ok; 5; hi"),
    row(
        "a child goes on alone",
        "gate; START; as it; child; await; poll out 30000; getopt error; TALK; end; use it; close; go; join",
        "ok; ok; EINPROGRESS; ok; 1; 1; out; ok; ok; 5; hi; joined",
    ),
    row(
        "a child connects again",
        "START; fork; connect {ok}; end; poll out 30000; fork; connect {ok}; end; connect {ok}; TALK",
        "ok; EINPROGRESS; EALREADY; out; ok; EISCONN; ok; 5; hi",
    ),
    row(
        "a child is told of a failure",
        "socket inet stream+nonblock; connect {host}; fork; poll out 30000; getopt error; end; getopt error; peer",
        "ok; EINPROGRESS; out+err+hup; EHOSTUNREACH; ok; ENOTCONN",
    ),
    row(
        "twenty threads",
        "threads 20; socket inet stream+nonblock; connect {ok}; poll out 30000; getopt error; peer; end",
        "20 × ok EINPROGRESS out ok {ok}",
    ),
    row(
        "twenty threads, refused",
        "threads 20; socket inet stream+nonblock; connect {refused}; poll out 30000; getopt error; end",
        "20 × ok EINPROGRESS out+err+hup ECONNREFUSED",
    ),
    row(
        "in a signal handler",
        "socket inet stream+nonblock; handler; connect {ok}; end; poll out 30000; TALK",
        "ok; EINPROGRESS; out; ok; 5; hi",
    ),
    row(
        "signals all along",
        "timer 1; socket inet stream+nonblock; connect {ok}; timer 0; poll out 30000; TALK",
        "ok; ok; EINPROGRESS; ok; out; ok; 5; hi",
    ),
    row(
        "beyond what select can",
        "files 4096; socket inet stream+nonblock; dup2 3000; fd 3000; connect {ok}; poll out 30000; TALK",
        "ok; ok; ok; EINPROGRESS; out; ok; 5; hi",
    ),
];
