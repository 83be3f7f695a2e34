//! connect(2) on sockets of every condition.

use support::gateway::{Fault, Form};

use crate::site::Site;

const SEVEN: &[&str] = &["203.0.113.7:80"];

#[test]
fn the_socket_may_be_anything() {
    Site::new().check_all(&[], &[
        ("socket inet stream+nonblock; connect 203.0.113.7:80; poll out 9000; send hi; poll in 9000; recv 2", "ok; EINPROGRESS; out; 2; in; hi", SEVEN),
        ("socket inet stream; nonblock; connect 203.0.113.7:80; getopt error; poll out 9000", "ok; ok; EINPROGRESS; ok; out", SEVEN),
        ("socket inet stream 262; connect 203.0.113.7:80; echo hi; peer", "ok; ok; hi; 203.0.113.7:80", SEVEN),
        ("socket inet stream; setopt fastopen_connect 1; connect 203.0.113.7:80; echo hi", "ok; ok; ok; hi", SEVEN),
        ("socket inet stream; setopt sndtimeo ms=9000; connect 203.0.113.7:80; echo hi", "ok; ok; ok; hi", SEVEN),
        ("socket inet stream; setopt rcvtimeo ms=1; connect 203.0.113.7:80; setopt rcvtimeo ms=0; echo hi", "ok; ok; ok; ok; hi", SEVEN),
        ("socket inet stream; bind {own}:0; connect 203.0.113.7:80; echo hi", "ok; ok; ok; hi", SEVEN),
        ("socket inet stream; dup; connect 203.0.113.7:80; echo hi", "ok; ok; ok; hi", SEVEN),
        ("files 4096; socket inet stream; dup2 2000; connect 203.0.113.7:80; echo hi; peer", "ok; ok; ok; ok; hi; 203.0.113.7:80", SEVEN),
        // The address of a name on another descriptor of the same socket.
        ("socket inet stream; as one; connect 203.0.113.7:80; dup2 77; peer; use one; close; fd 77; peer; echo hi",
         "ok; ok; ok; 203.0.113.7:80; ok; 203.0.113.7:80; hi", SEVEN),
    ]);
}

#[test]
fn a_bound_socket_has_no_way_from_loopback() {
    // Bound to 127.0.0.1 it cannot reach the gateway, and says what the kernel would say about any distant address.
    let site = Site::new();
    let seen = site.run("socket inet stream; bind 127.0.0.1:0; connect 203.0.113.7:80");
    assert_eq!(seen.output, "ok; ok; EINVAL", "{seen:?}");
    assert!(seen.log.is_empty());
}

#[test]
fn again_and_again() {
    Site::new().check_all(&[], &[
        ("socket inet stream; connect 203.0.113.7:80; connect 203.0.113.8:80; echo hi; peer",
         "ok; ok; EISCONN; hi; 203.0.113.7:80", SEVEN),
        ("socket inet stream; connect 203.0.113.7:80; connect 127.0.0.1:{echo}; echo hi", "ok; ok; EISCONN; hi", SEVEN),
        // Who polls a non-blocking connect by connecting again is told that it is done, and nothing is sent twice.
        ("socket inet stream+nonblock; connect 203.0.113.7:80; poll out 9000; connect 203.0.113.7:80; connect 203.0.113.7:80; send hi; poll in 9000; recv 2; peer",
         "ok; EINPROGRESS; out; ok; EISCONN; 2; in; hi; 203.0.113.7:80", SEVEN),
        ("socket inet stream; connect 127.0.0.1:{echo}; connect 203.0.113.7:80; echo hi; peer",
         "ok; ok; EISCONN; hi; 127.0.0.1:{echo}", &[]),
        ("socket inet stream; connect 203.0.113.7:80; connect unspec; peer; connect 203.0.113.8:81; echo hi; peer",
         "ok; ok; ok; ENOTCONN; ok; hi; 203.0.113.8:81", &["203.0.113.7:80", "203.0.113.8:81"]),
        ("socket inet stream; connect 203.0.113.7:80; connect unspec; connect 127.0.0.1:{echo}; peer",
         "ok; ok; ok; ok; 127.0.0.1:{echo}", SEVEN),
        ("socket inet stream; connect 127.0.0.1:{echo}; connect unspec; connect 203.0.113.7:80; peer",
         "ok; ok; ok; ok; 203.0.113.7:80", SEVEN),
        ("socket inet stream; listen; connect 203.0.113.7:80", "ok; ok; EISCONN", &[]),
        ("fd 99; connect 203.0.113.7:80", "EBADF", &[]),
        ("socket inet stream; as one; close; use one; connect 203.0.113.7:80", "ok; ok; EBADF", &[]),
        ("socketpair unix stream; connect 203.0.113.7:80", "ok; EINVAL", &[]),
    ]);
}

#[test]
fn a_refused_connect_leaves_the_socket_usable() {
    let site = Site::with(|behaviour| {
        for (host, code) in [("203.0.113.1", 1), ("203.0.113.2", 2), ("203.0.113.5", 5), ("203.0.113.6", 6)] {
            behaviour.refuse_hosts.insert(host.to_owned(), code);
        }
    });
    let both = |first: &'static str| [first, "203.0.113.7:80"];
    for (address, errno) in [
        ("203.0.113.1:80", "ENETUNREACH"),
        ("203.0.113.2:80", "EACCES"),
        ("203.0.113.5:80", "ECONNREFUSED"),
        ("203.0.113.6:80", "ETIMEDOUT"),
    ] {
        let script =
            format!("socket inet stream; connect {address}; peer; getopt error; connect 203.0.113.7:80; echo hi; peer");
        site.check(&script, &format!("ok; {errno}; ENOTCONN; ok; ok; hi; 203.0.113.7:80"), &both(address));
    }
}

#[test]
fn where_a_connection_may_go() {
    Site::unguarded().check_all(
        &[],
        &[
            // What proxy settings do: the program speaks SOCKS itself, and is not carried.
            (
                "socket inet stream; connect {gateway}; peer; send %05%01%00; recv 2",
                "ok; ok; {gateway}; 3; \u{5}\0",
                &[],
            ),
            (
                "socket inet6 stream; connect [::ffff:10.152.152.10]:{port}; send %05%01%00; recv 2",
                "ok; ok; 3; \u{5}\0",
                &[],
            ),
            ("socket inet stream; connect 10.152.152.10:1", "ok; ok", &["10.152.152.10:1"]),
            ("socket inet stream; connect {own}:{echo}", "ok; ok", &["{own}:{echo}"]),
            ("socket inet stream; connect 0.0.0.0:{echo}; echo hi", "ok; ok; hi", &[]),
            ("socket inet stream; connect 127.9.9.9:{echo}; echo hi", "ok; ok; hi", &[]),
            ("socket inet stream; connect 127.0.0.53:53", "ok; EACCES", &[]),
            ("socket inet stream; connect 127.0.0.1:853", "ok; EACCES", &[]),
            ("socket inet stream; connect 127.0.0.1:5353", "ok; EACCES", &[]),
            ("socket inet stream; connect 127.0.0.1:5355", "ok; EACCES", &[]),
            ("socket inet6 stream; connect [::1]:53", "ok; EACCES", &[]),
            ("socket inet6 stream; connect [::ffff:127.0.0.1]:53", "ok; EACCES", &[]),
            ("socket inet stream; connect 255.255.255.255:80", "ok; ENETUNREACH", &[]),
            ("socket inet6 stream; connect [ff02::1]:80", "ok; ENETUNREACH", &[]),
            ("socket inet6 stream; connect [fe80::1%2]:80", "ok; ENETUNREACH", &[]),
            // Port 53 elsewhere is TCP like any other: the exit decides.
            ("socket inet stream; connect 203.0.113.7:53; echo hi", "ok; ok; hi", &["203.0.113.7:53"]),
        ],
    );
}

#[test]
fn loopback_can_be_closed() {
    let site = Site::new();
    site.configure("allow_loopback = false");
    site.check_all(
        &[],
        &[
            ("socket inet stream; connect 127.0.0.1:{echo}", "ok; EACCES", &[]),
            ("socket inet6 stream; connect [::1]:{echo}", "ok; EACCES", &[]),
            ("socket inet dgram; sendto 127.0.0.1:{udp} hi", "ok; EACCES", &[]),
            ("socket inet stream; connect {gateway}", "ok; ok", &[]),
            ("socket inet stream; connect 203.0.113.7:80", "ok; ok", SEVEN),
        ],
    );
}

#[test]
fn ipv6_sockets() {
    let six: &[&str] = &["2001:db8::7:80"];
    Site::new().check_all(
        &[],
        &[
            ("socket inet6 stream; connect [2001:db8::7]:80; echo hi; peer", "ok; ok; hi; [2001:db8::7]:80", six),
            (
                "socket inet6 stream; setopt v6only 1; connect [2001:db8::7]:80; echo hi; peer",
                "ok; ok; ok; hi; [2001:db8::7]:80",
                six,
            ),
            (
                "socket inet6 stream; connect [::ffff:203.0.113.7]:80; echo hi; peer",
                "ok; ok; hi; [::ffff:203.0.113.7]:80",
                SEVEN,
            ),
            ("socket inet6 stream; bind [::]:0; connect [2001:db8::7]:80; echo hi", "ok; ok; ok; hi", six),
            (
                "socket inet6 stream; setopt v6only 1; bind [::]:0; connect [2001:db8::7]:80",
                "ok; ok; ok; ENETUNREACH",
                &[],
            ),
            (
                "gai www.example.test 80 t=stream f=inet6; socket inet6 stream; connect ~:80; echo hi",
                "~6 80 tcp; ok; ok; hi",
                &["\"www.example.test\":80"],
            ),
            ("socket inet6 stream 262; connect [2001:db8::7]:80; echo hi", "ok; ok; hi", six),
            // A reserved address that this process did not get; the kernel never lets it leave the machine either.
            ("socket inet6 stream; connect [::1]:{echo}; echo hi; peer", "ok; ok; hi; [::1]:{echo}", &[]),
            ("socket inet6 stream; connect [::ffff:127.0.0.1]:{echo}; echo hi", "ok; ok; hi", &[]),
            ("socket inet6 stream; connect [::]:{echo}; echo hi", "ok; ok; hi", &[]),
        ],
    );
}

#[test]
fn every_form_and_split_of_the_answer() {
    for form in [Form::Rfc, Form::Tor] {
        for fault in [None, Some(Fault::Split)] {
            let site = Site::with(|behaviour| (behaviour.form, behaviour.fault) = (form, fault));
            site.check("socket inet stream; connect 203.0.113.7:80; echo hi", "ok; ok; hi", SEVEN);
            site.check(
                "socket inet stream+nonblock; connect 203.0.113.7:80; poll out 9000; send hi; poll in 9000; recv 2",
                "ok; EINPROGRESS; out; 2; in; hi",
                SEVEN,
            );
            let options = ["--dns", "resolve"];
            let asked: &[&str] = &["\"www.example.test\":0"];
            site.check_all(&options, &[("gai www.example.test - t=stream f=inet", "203.0.113.7 tcp", asked)]);
        }
    }
}
