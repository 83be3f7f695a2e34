//! TCP fast open: sends that connect.

use crate::site::Site;

const SEVEN: &[&str] = &["203.0.113.7:80"];

#[test]
fn sends_that_connect_are_carried() {
    let site = Site::new();
    for step in ["sendto", "sendmsg"] {
        for (domain, to, target) in [
            ("inet", "203.0.113.7:80", "203.0.113.7:80"),
            ("inet6", "[2001:db8::7]:80", "2001:db8::7:80"),
            ("inet6", "[::ffff:203.0.113.7]:80", "203.0.113.7:80"),
        ] {
            let script = format!("socket {domain} stream; {step} {to} hello fastopen; recv 5; peer");
            site.check(&script, &format!("ok; 5; hello; {to}"), &[target]);
        }
        let script = format!("gai www.example.test - t=stream; socket inet stream; {step} ~:80 hello fastopen; recv 5");
        site.check(&script, "~ tcp; ok; 5; hello", &["\"www.example.test\":80"]);
        // Not blocking (tcp(7): as long as nothing is known of the peer, the data is to be sent again), no data, several
        // times.
        site.check(
            &format!(
                "socket inet stream+nonblock; {step} 203.0.113.7:80 hello fastopen; poll out 9000; send hello; poll in 9000; \
                 recv 5"
            ),
            "ok; EINPROGRESS; out; 5; in; hello",
            SEVEN,
        );
        site.check(&format!("socket inet stream; {step} 203.0.113.7:80 '' fastopen; echo hi"), "ok; 0; hi", SEVEN);
        site.check(
            &format!("socket inet stream; {step} 203.0.113.7:80 a fastopen; {step} 203.0.113.8:80 b fastopen; recv 1"),
            "ok; 1; EISCONN; a",
            SEVEN,
        );
    }
    site.check_all(
        &[],
        &[
            (
                "socket inet stream; sendmmsg 203.0.113.7:80 hello fastopen; recv 5; peer",
                "ok; 1 of 1: 5; hello; 203.0.113.7:80",
                SEVEN,
            ),
            (
                "socket inet stream; sendmmsg 203.0.113.7:80+null+null hello fastopen; recv 5; peer",
                "ok; 1 of 3: 5; hello; 203.0.113.7:80",
                SEVEN,
            ),
            ("socket inet stream 262; sendto 203.0.113.7:80 hello fastopen; recv 5", "ok; 5; hello", SEVEN),
        ],
    );
}

#[test]
fn to_this_machine_they_pass() {
    let site = Site::new();
    for step in ["sendto", "sendmsg"] {
        site.check(
            &format!("socket inet stream; {step} 127.0.0.1:{{echo}} hello fastopen; recv 5"),
            "ok; 5; hello",
            &[],
        );
        site.check(&format!("socket inet6 stream; {step} [::1]:{{echo}} hello fastopen; recv 5"), "ok; 5; hello", &[]);
    }
    site.check("socket inet stream; sendmmsg 127.0.0.1:{echo} hello fastopen; recv 5", "ok; 1 of 1: 5; hello", &[]);
}

#[test]
fn elsewhere_they_are_refused() {
    let site = Site::with(|behaviour| behaviour.refuse = Some(5));
    let mut cases = Vec::new();
    for step in ["sendto", "sendmsg", "sendmmsg"] {
        for (to, errno) in [
            ("127.0.0.1:853", "EACCES"),
            ("224.0.0.1:80", "ENETUNREACH"),
            ("[2001:db8::7]:80", "EAFNOSUPPORT"),
            ("0=203.0.113.7:80", "EAFNOSUPPORT"),
        ] {
            cases.push((format!("socket inet stream; {step} {to} hello fastopen"), format!("ok; {errno}"), &[][..]));
        }
        cases.push((
            format!("socket inet stream; {step} 203.0.113.7:80 hello fastopen; peer"),
            "ok; ECONNREFUSED; ENOTCONN".to_owned(),
            SEVEN,
        ));
        cases.push((format!("socket inet dgram; {step} 203.0.113.7:80 hello fastopen"), "ok; EACCES".to_owned(), &[]));
        cases.push((
            format!("via syscall; socket inet stream; {step} 127.0.0.1:853 hello fastopen"),
            "ok; EACCES".to_owned(),
            &[],
        ));
    }
    let cases: Vec<_> =
        cases.iter().map(|(script, output, targets)| (script.as_str(), output.as_str(), *targets)).collect();
    site.check_all(&[], &cases);
}

#[test]
fn with_the_socket_option() {
    // With TCP_FASTOPEN_CONNECT the kernel would only pretend to connect; ours is real, and the option is back to off.
    Site::new().check_all(&[], &[
        ("socket inet stream; setopt fastopen_connect 1; connect 203.0.113.7:80; peer; echo hi", "ok; ok; ok; 203.0.113.7:80; hi", SEVEN),
        ("socket inet stream+nonblock; setopt fastopen_connect 1; connect 203.0.113.7:80; poll out 9000; send hi; poll in 9000; recv 2", "ok; ok; EINPROGRESS; out; 2; in; hi", SEVEN),
        ("socket inet stream; setopt fastopen_connect 1; connect 127.0.0.1:{echo}; echo hi", "ok; ok; ok; hi", &[]),
    ]);
}
