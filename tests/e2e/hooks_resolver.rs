//! The resolver's own functions, answered without a name server.

use crate::site::Site;

const WWW: &[&str] = &["\"www.example.test\":0"];

/// The functions that take a name; `true` for those that take it in two parts.
const QUERIES: [(&str, bool); 12] = [
    ("res_query", false),
    ("res_nquery", false),
    ("res_search", false),
    ("res_nsearch", false),
    ("res_querydomain", true),
    ("res_nquerydomain", true),
    ("__res_query", false),
    ("__res_nquery", false),
    ("__res_search", false),
    ("__res_nsearch", false),
    ("__res_querydomain", true),
    ("__res_nquerydomain", true),
];

/// A step that asks for `name`.
fn step(function: &str, parted: bool, name: &str, kind: &str, options: &str) -> String {
    let (host, domain) = if parted { name.split_once('.').unwrap_or((name, "")) } else { (name, "") };
    let host = if host.is_empty() { "''" } else { host };
    format!("res {function} {host} {kind} domain={domain} {options}")
}

#[test]
fn questions_by_name() {
    let site = Site::new();
    for (function, parted) in QUERIES {
        let name = |name: &'static str| move |kind: &str, options: &str| step(function, parted, name, kind, options);
        let www = name("www.example.test");
        let rows: Vec<(String, &str)> = vec![
            (www("A", ""), "A ~"),
            (www("AAAA", ""), "NO_DATA"),
            (www("MX", ""), "NO_DATA"),
            (www("TXT", ""), "NO_DATA"),
            (www("SRV", ""), "NO_DATA"),
            (www("ANY", ""), "A ~"),
            (www("65535", ""), "NO_DATA"),
            (www("A", "class=3"), "HOST_NOT_FOUND"),
            (www("A", "class=255"), "HOST_NOT_FOUND"),
            (www("A", "class=-1"), "HOST_NOT_FOUND"),
            (www("70000", ""), "HOST_NOT_FOUND"),
            (www("-1", ""), "HOST_NOT_FOUND"),
            (name("abc.onion")("A", ""), "A ~"),
            (name("_srv._tcp.example.test")("SRV", ""), "HOST_NOT_FOUND"),
            (name("_srv.example.test")("A", ""), "A ~"),
            (name("localhost")("A", ""), "A 127.0.0.1"),
            (name("printer.local")("A", ""), "HOST_NOT_FOUND"),
            (name("a..b")("A", ""), "HOST_NOT_FOUND"),
            (name("%ff.example")("A", ""), "HOST_NOT_FOUND"),
            (name("1.0.0.127.in-addr.arpa")("PTR", ""), "PTR localhost"),
            (name("1.2.in-addr.arpa")("PTR", ""), "HOST_NOT_FOUND"),
            (name("203.0.113.7")("A", ""), "HOST_NOT_FOUND"),
        ];
        let cases: Vec<_> = rows.iter().map(|(script, output)| (script.as_str(), *output, &[][..])).collect();
        site.check_all(&[], &cases);
        site.check(&name("7.113.0.203.in-addr.arpa")("PTR", ""), "PTR www.example.test", &["203.0.113.7:0"]);
        let six: String = "2001:0db8:0000:0000:0000:0000:0000:0007"
            .chars()
            .filter(|c| *c != ':')
            .rev()
            .flat_map(|c| [c, '.'])
            .collect();
        site.check(
            &step(function, parted, &format!("{six}ip6.arpa"), "PTR", ""),
            "PTR six.example.test",
            &["2001:db8::7:0"],
        );
        let gone: &[&str] = &["\"nothing.example.test\":0"];
        let six: &[&str] = &["\"six.example.test\":0"];
        let rows: Vec<(String, &str, &[&str])> = vec![
            (www("A", ""), "A 203.0.113.7", WWW),
            (www("AAAA", ""), "NO_DATA", WWW),
            (www("MX", ""), "NO_DATA", &[]),
            (www("TXT", ""), "NO_DATA", &[]),
            (www("SRV", ""), "NO_DATA", &[]),
            (name("six.example.test")("AAAA", ""), "AAAA 2001:db8::7", six),
            (name("six.example.test")("A", ""), "NO_DATA", six),
            (name("nothing.example.test")("A", ""), "HOST_NOT_FOUND", gone),
            (name("loop.example.test")("A", ""), "HOST_NOT_FOUND", &["\"loop.example.test\":0"]),
        ];
        let cases: Vec<_> = rows.iter().map(|(script, output, targets)| (script.as_str(), *output, *targets)).collect();
        site.check_all(&["--dns", "resolve"], &cases);
    }
}

#[test]
fn names_that_are_none() {
    let site = Site::new();
    let label = "a".repeat(63);
    let long = format!("{label}.{label}.{label}.{label}");
    for (function, _) in QUERIES {
        for name in [&long, &"a".repeat(64), &"a.".repeat(140), &"x".repeat(600), "''", ".", "a..b.c"] {
            let seen = site.run(&format!("res {function} {name} A domain="));
            assert!(["HOST_NOT_FOUND", "NO_RECOVERY"].contains(&seen.output.as_str()), "{function} {name}: {seen:?}");
            assert!(seen.log.is_empty() && seen.status.success(), "{seen:?}");
        }
    }
}

#[test]
fn small_rooms() {
    let site = Site::new();
    // The whole length is told, and only what fits is written: the probe looks behind it.
    site.check_all(
        &[],
        &[
            ("res res_query www.example.test A room=0", "0 of 50 bytes", &[]),
            ("res res_query www.example.test A room=11", "11 of 50 bytes", &[]),
            ("res res_nsearch www.example.test A room=49", "49 of 50 bytes", &[]),
            ("res res_query www.example.test A room=50", "A ~", &[]),
            ("resmessage res_send A:www.example.test room=20", "20 of 50 bytes", &[]),
            ("resmessage res_nsend A:www.example.test room=0", "0 of 50 bytes", &[]),
        ],
    );
}

#[test]
fn whole_messages() {
    let site = Site::with(|behaviour| {
        behaviour.refuse_hosts.insert("later.example.test".to_owned(), 1);
    });
    let header = "%12%34%01%00%00%01%00%00%00%00%00%00";
    for function in ["res_send", "res_nsend", "__res_send", "__res_nsend"] {
        let rows: Vec<(String, &str)> = vec![
            ("A:www.example.test".to_owned(), "A ~"),
            ("AAAA:www.example.test".to_owned(), "NOERROR"),
            ("MX:www.example.test".to_owned(), "NOERROR"),
            ("A:printer.local".to_owned(), "NXDOMAIN"),
            ("A:abc.onion".to_owned(), "A ~"),
            ("PTR:1.0.0.127.in-addr.arpa".to_owned(), "PTR localhost"),
            // Nothing, too short, a response, two questions, a broken name, a name that points at itself, bytes behind the end.
            ("''".to_owned(), "EINVAL"),
            ("%12".to_owned(), "EINVAL"),
            ("%12%34%81%00%00%01".to_owned(), "EINVAL"),
            ("%12%34%01".to_owned(), "FORMERR"),
            (header.to_owned(), "FORMERR"),
            (format!("{}%01a%00%00%01%00%01", header.replacen("%00%01", "%00%02", 1)), "FORMERR"),
            (format!("{header}%40aaaa%00%00%01%00%01"), "FORMERR"),
            (format!("{header}%c0%0c%00%01%00%01"), "FORMERR"),
            (format!("{header}%01a%00%00%01%00%01more"), "FORMERR"),
            // A NUL, a dot or an upper-case letter in a label; the class of Chaosnet; a notify instead of a query.
            (format!("{header}%03a%00b%07example%00%00%01%00%01"), "FORMERR"),
            (format!("{header}%03a.b%07example%00%00%01%00%01"), "FORMERR"),
            (format!("{header}%01A%07eXample%00%00%01%00%01"), "A ~"),
            (format!("{header}%01a%07example%00%00%01%00%03"), "NXDOMAIN"),
            (format!("{}%01a%07example%00%00%01%00%01", header.replacen("%01%00", "%21%00", 1)), "NOTIMP"),
        ];
        let rows: Vec<(String, &str)> =
            rows.into_iter().map(|(message, output)| (format!("resmessage {function} {message}"), output)).collect();
        let cases: Vec<_> = rows.iter().map(|(script, output)| (script.as_str(), *output, &[][..])).collect();
        site.check_all(&[], &cases);
        let later = format!("resmessage {function} A:later.example.test");
        site.check_all(
            &["--dns", "resolve"],
            &[
                (&format!("resmessage {function} A:www.example.test"), "A 203.0.113.7", WWW),
                (&later, "SERVFAIL", &["\"later.example.test\":0"]),
            ],
        );
        let query = format!("res {} later.example.test A", function.replace("send", "query"));
        site.check_all(&["--dns", "resolve"], &[(&query, "TRY_AGAIN", &["\"later.example.test\":0"])]);
    }
}
