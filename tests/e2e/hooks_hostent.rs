//! gethostbyname(3) and its relatives: results, errors, buffers of every size.

use crate::site::Site;

const WWW: &[&str] = &["\"www.example.test\":0"];

#[test]
fn results_and_errors() {
    let site = Site::with(|behaviour| {
        behaviour.refuse_hosts.insert("later.example.test".to_owned(), 1);
    });
    for function in ["gethostbyname", "gethostbyname_r", "gethostbyname2", "gethostbyname2_r"] {
        let again = if function.ends_with("_r") { "EAGAIN TRY_AGAIN" } else { "TRY_AGAIN" };
        let names: Vec<(String, &str)> = [
            ("www.example.test", "www.example.test ~"),
            ("WWW.example.test.", "WWW.example.test. ~"),
            ("abc.onion", "abc.onion ~"),
            ("localhost", "localhost 127.0.0.1"),
            ("203.0.113.9", "203.0.113.9 203.0.113.9"),
            ("127.1", "127.1 127.0.0.1"),
            ("0x7f000001", "0x7f000001 127.0.0.1"),
            ("printer.local", "HOST_NOT_FOUND"),
            ("''", "HOST_NOT_FOUND"),
            ("a..b", "HOST_NOT_FOUND"),
            ("%ff", "HOST_NOT_FOUND"),
            ("203.0.113.256", "HOST_NOT_FOUND"),
            ("2001:db8::9", "NO_DATA"),
            ("x:y", "HOST_NOT_FOUND"),
        ]
        .into_iter()
        .map(|(name, output)| (format!("host {function} {name}"), output))
        .collect();
        let cases: Vec<_> = names.iter().map(|(script, output)| (script.as_str(), *output, &[][..])).collect();
        site.check_all(&[], &cases);
        let long = format!("host {function} {}", "a".repeat(300));
        site.check_all(
            &["--dns", "resolve"],
            &[
                (&format!("host {function} www.example.test"), "www.example.test 203.0.113.7", WWW),
                (&format!("host {function} six.example.test"), "NO_DATA", &["\"six.example.test\":0"]),
                (&format!("host {function} nothing.example.test"), "HOST_NOT_FOUND", &["\"nothing.example.test\":0"]),
                (&format!("host {function} later.example.test"), again, &["\"later.example.test\":0"]),
                (
                    &format!("host {function} abc.onion; socket inet stream; connect ~:80"),
                    "abc.onion ~; ok; ok",
                    &["\"abc.onion\":80"],
                ),
                (&long, "HOST_NOT_FOUND", &[]),
            ],
        );
    }
    for function in ["gethostbyname2", "gethostbyname2_r"] {
        let unknown = if function.ends_with("_r") {
            "EAFNOSUPPORT NETDB_INTERNAL EAFNOSUPPORT"
        } else {
            "NETDB_INTERNAL EAFNOSUPPORT"
        };
        let cases = [
            (format!("host {function} www.example.test f=inet6"), "www.example.test ~6"),
            (format!("host {function} localhost f=inet6"), "localhost ::1"),
            (format!("host {function} 2001:db8::9 f=inet6"), "2001:db8::9 2001:db8::9"),
            (format!("host {function} 203.0.113.9 f=inet6"), "NO_DATA"),
            (format!("host {function} www.example.test f=99"), unknown),
            (format!("host {function} printer.local f=inet6"), "HOST_NOT_FOUND"),
        ];
        let cases: Vec<_> = cases.iter().map(|(script, output)| (script.as_str(), *output, &[][..])).collect();
        site.check_all(&[], &cases);
        let six = format!("host {function} six.example.test f=inet6");
        site.check_all(&["--dns", "resolve"], &[(&six, "six.example.test 2001:db8::7", &["\"six.example.test\":0"])]);
    }
}

#[test]
fn by_address() {
    let site = Site::with(|behaviour| {
        behaviour.refuse_hosts.insert("203.0.113.66".to_owned(), 1);
    });
    for function in ["gethostbyaddr", "gethostbyaddr_r"] {
        let again = if function.ends_with("_r") { "EAGAIN TRY_AGAIN" } else { "TRY_AGAIN" };
        for dns in ["names", "resolve"] {
            let cases: [(&str, &str, &[&str]); 13] = [
                ("203.0.113.7", "www.example.test 203.0.113.7", &["203.0.113.7:0"]),
                ("2001:db8::7", "six.example.test 2001:db8::7", &["2001:db8::7:0"]),
                ("::ffff:203.0.113.7", "www.example.test ::ffff:203.0.113.7", &["203.0.113.7:0"]),
                ("203.0.113.99", "HOST_NOT_FOUND", &["203.0.113.99:0"]),
                ("203.0.113.66", again, &["203.0.113.66:0"]),
                ("127.0.0.1", "localhost 127.0.0.1", &[]),
                ("127.5.5.5", "localhost 127.5.5.5", &[]),
                ("::1", "localhost ::1", &[]),
                ("0.0.0.0", "HOST_NOT_FOUND", &[]),
                ("224.0.0.1", "HOST_NOT_FOUND", &[]),
                ("255.255.255.255", "HOST_NOT_FOUND", &[]),
                ("127.200.3.4", "HOST_NOT_FOUND", &[]),
                ("127.0.0.1 len=3", "HOST_NOT_FOUND", &[]),
            ];
            let cases: Vec<_> = cases
                .iter()
                .map(|(address, output, targets)| (format!("hostaddr {function} {address}"), *output, *targets))
                .collect();
            let cases: Vec<_> =
                cases.iter().map(|(script, output, targets)| (script.as_str(), *output, *targets)).collect();
            site.check_all(&["--dns", dns], &cases);
        }
        site.check(&format!("hostaddr {function} 127.0.0.1 f=99"), "HOST_NOT_FOUND", &[]);
        site.check(
            &format!("gai www.example.test -  t=stream; hostaddr {function} ~"),
            "~ tcp; www.example.test ~",
            &[],
        );
        site.check(
            &format!("gai www.example.test -  t=stream f=inet6; hostaddr {function} ~"),
            "~6 tcp; www.example.test ~6",
            &[],
        );
    }
}

/// Whatever the buffer is, nothing is written beyond it (the probe looks), and it either fits or is ERANGE.
#[test]
fn buffers_of_every_size() {
    let site = Site::new();
    for (function, subject) in [
        ("host gethostbyname_r", "localhost"),
        ("host gethostbyname2_r", "localhost f=inet6"),
        ("hostaddr gethostbyaddr_r", "127.0.0.1"),
    ] {
        for skew in [0, 1, 3, 4, 7] {
            let steps: Vec<String> =
                (0..=96).map(|size| format!("{function} {subject} buffer={size} skew={skew}")).collect();
            let seen = site.run(&steps.join("; "));
            assert!(seen.status.success() && seen.notes.is_empty(), "{seen:?}");
            let answers: Vec<&str> = seen.output.split("; ").collect();
            assert_eq!(answers.len(), 97, "{seen:?}");
            let first = answers.iter().position(|answer| !answer.starts_with("ERANGE")).expect("96 bytes are enough");
            assert!(first > 20, "too good to be true: {first}");
            assert!(answers[..first].iter().all(|answer| *answer == "ERANGE NETDB_INTERNAL ERANGE"), "{answers:?}");
            assert!(answers[first..].iter().all(|answer| answer.starts_with("localhost ")), "{answers:?}");
        }
    }
}

/// Between calls the unreentrant functions keep their result, as C programs expect.
#[test]
fn the_longest_name() {
    let site = Site::new();
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", &label[..61]);
    site.check(
        &format!("host gethostbyname {longest}; socket inet stream; connect ~:80"),
        &format!("{longest} ~; ok; ok"),
        &[&format!("\"{longest}\":80")],
    );
    site.check(&format!("host gethostbyname {longest}a"), "HOST_NOT_FOUND", &[]);
}
