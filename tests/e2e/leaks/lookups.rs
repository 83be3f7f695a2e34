//! Names.

use crate::row::Expect::{Carried, Leaks, Says};
use crate::row::{NAMED, NOT_RUN, Row, row};

pub(crate) const ROWS: &[Row] = &[
    // The resolver of libc.
    row("getaddrinfo", "@dynamic getaddrinfo echo.lab.test 7", [Leaks, NAMED, NAMED, NAMED]),
    row("getaddrinfo-null", "@dynamic getaddrinfo-null echo.lab.test 7", [Leaks, NAMED, NAMED, NAMED]),
    row("gethostbyname", "@dynamic gethostbyname echo.lab.test 7", [Leaks, NAMED, NAMED, NAMED]),
    row("getaddrinfo_a", "@dynamic getaddrinfo_a echo.lab.test 7", [Leaks, NAMED, NAMED, NAMED]),
    row(
        "res_query",
        "@dynamic res_query echo.lab.test",
        [Leaks, Says("answers 1"), Says("answers 1"), Says("answers 1")],
    ),
    row(
        "res_query for a type that Tor cannot ask for",
        "@dynamic res_query-txt echo.lab.test",
        [Leaks, Says("res_query: "), Says("res_query: "), Says("res_query: ")],
    ),
    row(
        "getnameinfo",
        "@dynamic getnameinfo 203.0.113.6",
        [
            Leaks,
            Carried(&["203.0.113.6:0"], "name echo.lab.test"),
            Carried(&["203.0.113.6:0"], "name echo.lab.test"),
            Carried(&["203.0.113.6:0"], "name echo.lab.test"),
        ],
    ),
    row(
        "getaddrinfo with an empty environment",
        "/usr/bin/env -i @dynamic getaddrinfo echo.lab.test 7",
        [Leaks, NAMED, NAMED, NAMED],
    ),
    row(
        "getaddrinfo after a raw execve",
        "@dynamic raw-execve @dynamic getaddrinfo echo.lab.test 7",
        [Leaks, Leaks, Says("getaddrinfo: "), NAMED],
    ),
    // Other resolvers.
    row(
        "getaddrinfo, static glibc",
        "@static getaddrinfo echo.lab.test 7",
        [Leaks, NOT_RUN, Says("getaddrinfo: "), NAMED],
    ),
    row(
        "gethostbyname, static glibc",
        "@static gethostbyname echo.lab.test 7",
        [Leaks, NOT_RUN, Says("gethostbyname: "), NAMED],
    ),
    row(
        "getaddrinfo_a, static glibc",
        "@static getaddrinfo_a echo.lab.test 7",
        [Leaks, NOT_RUN, Says("getaddrinfo_a: "), NAMED],
    ),
    row(
        "res_query, static glibc",
        "@static res_query echo.lab.test",
        [Leaks, NOT_RUN, Says("res_query: "), Says("answers 1")],
    ),
    row(
        "getnameinfo, static glibc",
        "@static getnameinfo 203.0.113.6",
        [Leaks, NOT_RUN, Says("getnameinfo: "), Carried(&["203.0.113.6:0"], "name echo.lab.test")],
    ),
    row("getaddrinfo, musl", "@musl getaddrinfo echo.lab.test 7", [Leaks, NOT_RUN, Says("getaddrinfo: "), NAMED]),
    row("gethostbyname, musl", "@musl gethostbyname echo.lab.test 7", [Leaks, NOT_RUN, Says("gethostbyname: "), NAMED]),
    row("res_query, musl", "@musl res_query echo.lab.test", [Leaks, NOT_RUN, Says("res_query: "), Says("answers 1")]),
    row(
        "getnameinfo, musl",
        "@musl getnameinfo 203.0.113.6",
        [Leaks, NOT_RUN, Says("getnameinfo: "), Carried(&["203.0.113.6:0"], "name echo.lab.test")],
    ),
    row(
        "getaddrinfo, 32-bit (socketcall)",
        "@static32 getaddrinfo echo.lab.test 7",
        [Leaks, NOT_RUN, Says("getaddrinfo: "), Says("getaddrinfo: ")],
    ),
    row("static Go, lookup", "@go-static lookup www.lab.test", [Leaks, NOT_RUN, Says("not found"), Says("found true")]),
    // Clients.
    row(
        "musl, a page by name",
        "@musl fetch www.lab.test 80 /",
        [Leaks, NOT_RUN, Says("getaddrinfo: "), Carried(&["www.lab.test:80"], "200 OK")],
    ),
    row(
        "static Go, http.Get by name",
        "@go-static get http://www.lab.test/",
        [Leaks, NOT_RUN, Says("not found"), Carried(&["www.lab.test:80"], "200 OK")],
    ),
    row(
        "static Go, http.Get by address",
        "@go-static get http://203.0.113.1/",
        [Leaks, NOT_RUN, Says("errno 13"), Carried(&["203.0.113.1:80"], "200 OK")],
    ),
    row(
        "Go with cgo, http.Get by name",
        "@go-cgo get http://www.lab.test/",
        [Leaks, Leaks, Says("not found"), Carried(&["www.lab.test:80"], "200 OK")],
    ),
    row(
        "busybox wget, static",
        "/usr/bin/busybox wget -q -O - http://www.lab.test/",
        [Leaks, NOT_RUN, Says("bad address"), Carried(&["www.lab.test:80"], "\"path\":\"/\"")],
    ),
    row(
        "curl",
        "/usr/bin/curl -sS http://www.lab.test/",
        [
            Leaks,
            Carried(&["www.lab.test:80"], "\"path\":\"/\""),
            Carried(&["www.lab.test:80"], "\"path\":\"/\""),
            Carried(&["www.lab.test:80"], "\"path\":\"/\""),
        ],
    ),
    row(
        "env -i curl",
        "/usr/bin/env -i /usr/bin/curl -sS http://www.lab.test/",
        [
            Leaks,
            Carried(&["www.lab.test:80"], "\"path\":\"/\""),
            Carried(&["www.lab.test:80"], "\"path\":\"/\""),
            Carried(&["www.lab.test:80"], "\"path\":\"/\""),
        ],
    ),
    row(
        "curl from a static launcher, empty environment",
        "@static execve /usr/bin/curl -sS http://www.lab.test/",
        [Leaks, NOT_RUN, Says("curl: (6)"), Carried(&["www.lab.test:80"], "\"path\":\"/\"")],
    ),
    row(
        "node",
        "/usr/bin/node -e fetch('http://www.lab.test/').then(r=>console.log('answer',r.status))",
        [
            Leaks,
            Carried(&["www.lab.test:80"], "answer 200"),
            Carried(&["www.lab.test:80"], "answer 200"),
            Carried(&["www.lab.test:80"], "answer 200"),
        ],
    ),
    row(
        "python",
        "/usr/bin/python3 -c print('answer',__import__('urllib.request').request.urlopen('http://www.lab.test/').status)",
        [
            Leaks,
            Carried(&["www.lab.test:80"], "answer 200"),
            Carried(&["www.lab.test:80"], "answer 200"),
            Carried(&["www.lab.test:80"], "answer 200"),
        ],
    ),
    row(
        "dig",
        "/usr/bin/dig +short +time=5 +tries=1 www.lab.test",
        [Leaks, Says("no servers could be reached"), Says("no servers could be reached"), Says("127.")],
    ),
    row(
        "env -i dig after a raw execve",
        "@dynamic raw-execve /usr/bin/dig +short +time=5 +tries=1 www.lab.test",
        [Leaks, Leaks, Says("can't find either v4 or v6"), Says("127.")],
    ),
];
