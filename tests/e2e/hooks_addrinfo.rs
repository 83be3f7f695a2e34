//! getaddrinfo(3) and getaddrinfo_a(3) in every variation.

use crate::site::Site;

const WWW: &[&str] = &["\"www.example.test\":0"];
const BOTH: [&str; 2] = ["names", "resolve"];

/// Numbers, services, errors: what asks nobody is libc's own answer, in both modes.
#[test]
fn without_a_name_it_is_libcs_answer() {
    let site = Site::new();
    for script in [
        "gai - - t=stream",
        "gai - 80",
        "gai - 80 t=stream",
        "gai - 80 t=stream flags=passive",
        "gai - 80 f=inet6 flags=passive",
        "gai - domain t=dgram",
        "gai 203.0.113.9 http",
        "gai 203.0.113.9 http t=stream",
        "gai 203.0.113.9 99999 t=stream",
        "gai 203.0.113.9 no-such-service t=stream",
        "gai 203.0.113.9 http t=stream flags=numericserv",
        "gai 203.0.113.9 -1 t=stream",
        "gai 203.0.113.9 '' t=stream",
        "gai 203.0.113.9 ssh t=dgram",
        "gai 203.0.113.9 - f=inet6",
        "gai 203.0.113.9 - f=inet6 flags=v4mapped",
        "gai 203.0.113.9 - f=inet6 flags=v4mapped+all",
        "gai 2001:db8::9 - f=inet",
        "gai 2001:db8::9 - f=inet6 t=stream",
        "gai 2001:db8::9 80 t=stream",
        "gai ::ffff:203.0.113.9 80 t=stream",
        "gai ::ffff:203.0.113.9 80 t=stream f=inet",
        "gai 127.1 80 t=stream",
        "gai 0x7f000001 80 t=stream",
        "gai 2130706433 80 t=stream",
        "gai 0177.0.0.1 80 t=stream",
        "gai 203.0.113.9 80 f=99",
        "gai 203.0.113.9 80 flags=0x8000",
        "gai 203.0.113.9 80 t=77",
        "gai 203.0.113.9 80 t=stream p=17",
        "gai 203.0.113.9 80 p=6",
        "gai 203.0.113.9 80 t=raw",
        "gai 203.0.113.9 - flags=canon t=stream",
        "gai - 80 flags=canon",
        "gai 203.0.113.9 80 t=stream flags=passive",
        "gai fe80::1%25lo 80 t=stream",
        "gai fe80::1%251 80 t=stream",
        "gai fe80::1%25nothing 80 t=stream",
        "gai ::1%25lo 80 t=stream",
        "gai 203.0.113.9 80 t=stream flags=numerichost",
        "gai www.example.test 80 t=stream flags=numerichost",
        "gai localhost 80 flags=numerichost",
        "gai 203.0.113.9 - t=stream flags=addrconfig",
        "gai - -",
        "gai - - f=inet flags=numerichost",
    ] {
        site.check_same(script);
        let (bare, resolve) = (site.run_bare(script), site.run_with(&["--dns", "resolve"], script));
        assert_eq!(resolve.output, bare.output, "{script}");
        assert!(resolve.log.is_empty(), "{script}: {resolve:?}");
    }
}

#[test]
fn names_of_this_machine() {
    let site = Site::new();
    for dns in BOTH {
        let own = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
        let own = own.trim();
        let (as_typed, loud, dotted) = (
            format!("gai {own} 80 t=stream"),
            format!("gai {} - t=stream", own.to_uppercase()),
            format!("gai {own}. - t=stream"),
        );
        site.check_all(
            &["--dns", dns],
            &[
                ("gai localhost 80 t=stream f=inet", "127.0.0.1 80 tcp", &[]),
                ("gai localhost 80 t=stream f=inet6", "::1 80 tcp", &[]),
                ("gai localhost 80 t=stream", "127.0.0.1 80 tcp", &[]),
                ("gai LocalHost. - t=stream f=inet", "127.0.0.1 tcp", &[]),
                ("gai a.b.localhost - t=stream f=inet", "127.0.0.1 tcp", &[]),
                ("gai localhost.localdomain - t=stream f=inet", "127.0.0.1 tcp", &[]),
                ("gai ip6-localhost - t=stream f=inet6", "::1 tcp", &[]),
                ("gai localhost - t=stream flags=canon f=inet", "127.0.0.1 tcp is localhost", &[]),
                (&as_typed, "127.0.1.1 80 tcp", &[]),
                (&loud, "127.0.1.1 tcp", &[]),
                (&dotted, "127.0.1.1 tcp", &[]),
            ],
        );
    }
}

#[test]
fn names_nobody_has() {
    let site = Site::new();
    let label = "a".repeat(63);
    let long = format!("{label}.{label}.{label}.{}", &label[..62]);
    for dns in BOTH {
        for name in [
            "printer.local",
            "PRINTER.LOCAL.",
            "local",
            "''",
            ".",
            "..",
            ".a",
            "a..b",
            "a.b..",
            "a%20b",
            "a/b",
            "a%00",
            "%c3%a4.example",
            "%ff",
            "a%0ab",
            "a%09b",
            &format!("{label}a.example"),
            &long,
            &"a".repeat(300),
            &"a.".repeat(200),
            "a*b",
            "-",
            "a@b",
            "[::1]",
            "*",
            // Meant as addresses, but none: libc would ask the name server for them.
            "203.0.113.256",
            "1.2.3.4.5",
            "0x7f.example.0x1f",
            "08.0.0.1",
            "x:y",
            ":",
            "fe80::1%25",
            "::1::",
            "0xffffffffff",
            "4294967296",
        ] {
            // `-` alone is a null pointer, and a NUL ends the string.
            if name == "-" || name.contains("%00") {
                continue;
            }
            site.check_all(&["--dns", dns], &[(&format!("gai {name} 80 t=stream"), "EAI_NONAME", &[])]);
        }
    }
}

#[test]
fn names_mode() {
    let www: &[&str] = &["\"www.example.test\":80"];
    Site::new().check_all(
        &[],
        &[
            ("gai www.example.test 80", "~ 80 tcp, ~ 80 udp, ~ 80 raw", &[]),
            ("gai www.example.test http t=stream", "~ 80 tcp", &[]),
            ("gai www.example.test - t=stream", "~ tcp", &[]),
            ("gai www.example.test 80 t=stream f=inet6", "~6 80 tcp", &[]),
            ("gai www.example.test 80 t=stream f=inet6 flags=v4mapped+all", "~6 80 tcp", &[]),
            ("gai www.example.test 80 t=stream flags=addrconfig", "~ 80 tcp", &[]),
            ("gai www.example.test 80 t=stream flags=canon", "~ 80 tcp is www.example.test", &[]),
            ("gai WWW.Example.TEST. 80 t=stream flags=canon", "~ 80 tcp is WWW.Example.TEST.", &[]),
            ("gai www.example.test 80 t=stream flags=passive", "~ 80 tcp", &[]),
            ("gai www.example.test no-such-service t=stream", "EAI_SERVICE", &[]),
            ("gai www.example.test http t=stream flags=numericserv", "EAI_NONAME", &[]),
            ("gai www.example.test 80 f=99", "EAI_FAMILY", &[]),
            ("gai www.example.test 80 t=99", "EAI_SOCKTYPE", &[]),
            ("gai www.example.test 80 t=stream p=17", "EAI_SOCKTYPE", &[]),
            ("gai www.example.test 80 flags=0x4000000", "EAI_BADFLAGS", &[]),
            ("gai no.such.name.test 80 t=stream", "~ 80 tcp", &[]),
            ("gai my_host.example.test 80 t=stream", "~ 80 tcp", &[]),
            ("gai xn--4ca.example 80 t=stream flags=0xc0", "~ 80 tcp", &[]),
            ("gai WWW.Example.TEST. 80 t=stream; socket inet stream; connect ~:80", "~ 80 tcp; ok; ok", www),
            ("gai abc.onion 80 t=stream; socket inet stream; connect ~:80", "~ 80 tcp; ok; ok", &["\"abc.onion\":80"]),
            ("gai ABC.ONION. 80 t=stream; socket inet stream; connect ~:80", "~ 80 tcp; ok; ok", &["\"abc.onion\":80"]),
            (
                "gai a.b.onion 80 t=stream f=inet6; socket inet6 stream; connect ~:80",
                "~6 80 tcp; ok; ok",
                &["\"a.b.onion\":80"],
            ),
        ],
    );
}

#[test]
fn resolve_mode() {
    let site = Site::with(|behaviour| {
        behaviour.refuse_hosts.insert("later.example.test".to_owned(), 1);
        behaviour.refuse_hosts.insert("slow.example.test".to_owned(), 6);
    });
    let six: &[&str] = &["\"six.example.test\":0"];
    site.check_all(
        &["--dns", "resolve"],
        &[
            ("gai www.example.test 80 t=stream", "203.0.113.7 80 tcp", WWW),
            ("gai www.example.test 80", "203.0.113.7 80 tcp, 203.0.113.7 80 udp, 203.0.113.7 80 raw", WWW),
            (
                "gai www.example.test 80 t=stream f=inet flags=canon+addrconfig",
                "203.0.113.7 80 tcp is www.example.test",
                WWW,
            ),
            ("gai www.example.test 80 t=stream f=inet6", "EAI_NONAME", WWW),
            ("gai www.example.test 80 t=stream f=inet6 flags=v4mapped", "::ffff:203.0.113.7 80 tcp", WWW),
            ("gai six.example.test 80 t=stream", "2001:db8::7 80 tcp", six),
            ("gai six.example.test 80 t=stream f=inet6", "2001:db8::7 80 tcp", six),
            ("gai six.example.test 80 t=stream f=inet", "EAI_NONAME", six),
            ("gai nothing.example.test 80", "EAI_NONAME", &["\"nothing.example.test\":0"]),
            ("gai later.example.test 80", "EAI_AGAIN", &["\"later.example.test\":0"]),
            ("gai slow.example.test 80", "EAI_AGAIN", &["\"slow.example.test\":0"]),
            // An exit that points at this machine, or at a name's address, is not believed.
            ("gai loop.example.test 80", "EAI_NONAME", &["\"loop.example.test\":0"]),
            ("gai reserved.example.test 80", "EAI_NONAME", &["\"reserved.example.test\":0"]),
            // Nobody can resolve an onion service: it keeps its name.
            (
                "gai abc.onion 80 t=stream; socket inet stream; connect ~:80; echo hi",
                "~ 80 tcp; ok; ok; hi",
                &["\"abc.onion\":80"],
            ),
            ("gai ABC.Onion. 80 t=stream f=inet6", "~6 80 tcp", &[]),
            (
                "gai www.example.test 80 t=stream; socket inet stream; connect ~:80; peer",
                "203.0.113.7 80 tcp; ok; ok; 203.0.113.7:80",
                &["\"www.example.test\":0", "203.0.113.7:80"],
            ),
        ],
    );
}

#[test]
fn asynchronous() {
    let site = Site::new();
    for mode in ["wait", "1"] {
        for (notify, more) in [("null", ""), ("none", ""), ("signal", ", notified 42"), ("thread", ", notified 42")] {
            // A finished GAI_WAIT notifies nobody.
            let more = if mode == "wait" && !more.is_empty() { continue } else { more };
            site.check_all(
                &[],
                &[
                    (&format!("gaia {mode} {notify} www.example.test"), &format!("~ tcp{more}"), &[]),
                    (
                        &format!("gaia {mode} {notify} www.example.test printer.local 2001:db8::9 -"),
                        &format!("~ tcp, EAI_NONAME, 2001:db8::9 tcp, EAI_NONAME{more}"),
                        &[],
                    ),
                    (
                        &format!("gaia {mode} {notify} abc.onion; socket inet stream; connect ~:80"),
                        &format!("~ tcp{more}; ok; ok"),
                        &["\"abc.onion\":80"],
                    ),
                ],
            );
            site.check_all(
                &["--dns", "resolve"],
                &[(&format!("gaia {mode} {notify} www.example.test"), &format!("203.0.113.7 tcp{more}"), WWW)],
            );
        }
    }
}
