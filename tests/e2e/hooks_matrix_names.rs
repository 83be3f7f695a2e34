//! The matrix of the name functions. In names mode a look-up asks nobody; it is the connect that carries the name.

use crate::matrix::{Row, check};
use crate::site::Site;

#[test]
fn names() {
    check(&Site::new(), ROWS);
}

/// A resolver function under both of its names.
macro_rules! query_row {
    ($function:literal, $name:literal, $domain:literal) => {
        Row {
            hook: $function,
            carries: &[
                (
                    concat!("res ", $function, " ", $name, " A domain=", $domain, "; socket inet stream; connect ~:80"),
                    "A ~; ok; ok",
                    &["\"www.example.test\":80"],
                ),
                (
                    concat!("res ", $function, " 9.113.0.203.in-addr.arpa PTR domain="),
                    "HOST_NOT_FOUND",
                    &["203.0.113.9:0"],
                ),
            ],
            passes: &[(concat!("res ", $function, " localhost A domain="), "A 127.0.0.1")],
            refuses: &[(concat!("res ", $function, " printer.local A domain="), "HOST_NOT_FOUND")],
        }
    };
}

macro_rules! send_row {
    ($function:literal) => {
        Row {
            hook: $function,
            carries: &[(
                concat!("resmessage ", $function, " A:www.example.test; socket inet stream; connect ~:80"),
                "A ~; ok; ok",
                &["\"www.example.test\":80"],
            )],
            passes: &[(concat!("resmessage ", $function, " A:localhost"), "A 127.0.0.1")],
            refuses: &[(concat!("resmessage ", $function, " x"), "EINVAL")],
        }
    };
}

macro_rules! refused_row {
    ($function:literal) => {
        Row { hook: $function, carries: &[], passes: &[], refuses: &[(concat!("remote ", $function), "EACCES")] }
    };
}

macro_rules! network_row {
    ($function:literal, $answer:literal) => {
        Row { hook: $function, carries: &[], passes: &[], refuses: &[(concat!("net ", $function), $answer)] }
    };
}

const WWW: &[&str] = &["\"www.example.test\":80"];

pub(crate) const ROWS: &[Row] = &[
    Row {
        hook: "getaddrinfo",
        carries: &[(
            "gai www.example.test 80; socket inet stream; connect ~:80",
            "~ 80 tcp, ~ 80 udp, ~ 80 raw; ok; ok",
            WWW,
        )],
        passes: &[
            ("gai localhost 80 t=stream f=inet", "127.0.0.1 80 tcp"),
            ("gai 203.0.113.9 80 t=stream", "203.0.113.9 80 tcp"),
            ("gai - 80 t=stream f=inet", "127.0.0.1 80 tcp"),
        ],
        refuses: &[("gai printer.local 80", "EAI_NONAME"), ("gai www.example.test 80 f=99", "EAI_FAMILY")],
    },
    Row {
        hook: "getaddrinfo_a",
        carries: &[("gaia wait null www.example.test; socket inet stream; connect ~:80", "~ tcp; ok; ok", WWW)],
        passes: &[("gaia wait null 203.0.113.9 2001:db8::9", "203.0.113.9 tcp, 2001:db8::9 tcp")],
        refuses: &[("gaia wait null printer.local", "EAI_NONAME"), ("gaia 7 null a.example", "EAI_SYSTEM EINVAL")],
    },
    Row {
        hook: "getnameinfo",
        carries: &[("nameinfo 203.0.113.7:80 256 256", "www.example.test http", &["203.0.113.7:0"])],
        passes: &[
            ("nameinfo 203.0.113.7:80 256 256 1", "203.0.113.7 http"),
            ("nameinfo 127.0.0.1:80 256 256", "localhost http"),
        ],
        refuses: &[
            ("nameinfo 127.200.0.1:80 256 256 8", "EAI_NONAME"),
            ("nameinfo 203.0.113.7:80/8 256 256", "EAI_FAMILY"),
        ],
    },
    Row {
        hook: "gethostbyname",
        carries: &[(
            "host gethostbyname www.example.test; socket inet stream; connect ~:80",
            "www.example.test ~; ok; ok",
            WWW,
        )],
        passes: &[
            ("host gethostbyname localhost", "localhost 127.0.0.1"),
            ("host gethostbyname 203.0.113.9", "203.0.113.9 203.0.113.9"),
        ],
        refuses: &[("host gethostbyname printer.local", "HOST_NOT_FOUND")],
    },
    Row {
        hook: "gethostbyname2",
        carries: &[
            (
                "host gethostbyname2 www.example.test; socket inet stream; connect ~:80",
                "www.example.test ~; ok; ok",
                WWW,
            ),
            (
                "host gethostbyname2 www.example.test f=inet6; socket inet6 stream; connect ~:80",
                "www.example.test ~6; ok; ok",
                WWW,
            ),
        ],
        passes: &[("host gethostbyname2 localhost f=inet6", "localhost ::1")],
        refuses: &[("host gethostbyname2 www.example.test f=99", "NETDB_INTERNAL EAFNOSUPPORT")],
    },
    Row {
        hook: "gethostbyname_r",
        carries: &[(
            "host gethostbyname_r www.example.test; socket inet stream; connect ~:80",
            "www.example.test ~; ok; ok",
            WWW,
        )],
        passes: &[("host gethostbyname_r localhost", "localhost 127.0.0.1")],
        refuses: &[
            ("host gethostbyname_r printer.local", "HOST_NOT_FOUND"),
            ("host gethostbyname_r localhost buffer=20", "ERANGE NETDB_INTERNAL ERANGE"),
        ],
    },
    Row {
        hook: "gethostbyname2_r",
        carries: &[(
            "host gethostbyname2_r www.example.test f=inet6; socket inet6 stream; connect ~:80",
            "www.example.test ~6; ok; ok",
            WWW,
        )],
        passes: &[("host gethostbyname2_r localhost f=inet6", "localhost ::1")],
        refuses: &[("host gethostbyname2_r 2001:db8::1 f=inet", "NO_DATA")],
    },
    Row {
        hook: "gethostbyaddr",
        carries: &[("hostaddr gethostbyaddr 203.0.113.7", "www.example.test 203.0.113.7", &["203.0.113.7:0"])],
        passes: &[("hostaddr gethostbyaddr 127.0.0.1", "localhost 127.0.0.1")],
        refuses: &[("hostaddr gethostbyaddr 224.0.0.1", "HOST_NOT_FOUND")],
    },
    Row {
        hook: "gethostbyaddr_r",
        carries: &[("hostaddr gethostbyaddr_r 2001:db8::7", "six.example.test 2001:db8::7", &["2001:db8::7:0"])],
        passes: &[("hostaddr gethostbyaddr_r ::1", "localhost ::1")],
        refuses: &[
            ("hostaddr gethostbyaddr_r 127.0.0.1 len=3", "HOST_NOT_FOUND"),
            ("hostaddr gethostbyaddr_r 127.0.0.1 buffer=8", "ERANGE NETDB_INTERNAL ERANGE"),
        ],
    },
    query_row!("res_query", "www.example.test", ""),
    query_row!("__res_query", "www.example.test", ""),
    query_row!("res_nquery", "www.example.test", ""),
    query_row!("__res_nquery", "www.example.test", ""),
    query_row!("res_search", "www.example.test", ""),
    query_row!("__res_search", "www.example.test", ""),
    query_row!("res_nsearch", "www.example.test", ""),
    query_row!("__res_nsearch", "www.example.test", ""),
    query_row!("res_querydomain", "www", "example.test"),
    query_row!("__res_querydomain", "www", "example.test"),
    query_row!("res_nquerydomain", "www", "example.test"),
    query_row!("__res_nquerydomain", "www", "example.test"),
    send_row!("res_send"),
    send_row!("__res_send"),
    send_row!("res_nsend"),
    send_row!("__res_nsend"),
    Row { hook: "gethostid", carries: &[], passes: &[("hostid", "007f0101")], refuses: &[] },
    network_row!("getnetbyname", "HOST_NOT_FOUND"),
    network_row!("getnetbyaddr", "HOST_NOT_FOUND"),
    network_row!("getnetbyname_r", "ok true HOST_NOT_FOUND"),
    network_row!("getnetbyaddr_r", "ok true HOST_NOT_FOUND"),
    refused_row!("rcmd"),
    refused_row!("rcmd_af"),
    refused_row!("rexec"),
    refused_row!("rexec_af"),
    refused_row!("ruserok"),
    refused_row!("ruserok_af"),
    refused_row!("iruserok"),
    refused_row!("iruserok_af"),
];
