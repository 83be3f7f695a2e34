//! Sockets that Tor does not carry: they speak to this machine only, or not at all.

use crate::site::Site;

#[test]
fn udp_stays_on_this_machine() {
    let site = Site::unguarded();
    let mut cases = Vec::new();
    for to in [
        "203.0.113.7:53",
        "203.0.113.7:9",
        "{gateway}",
        "255.255.255.255:67",
        "224.0.0.251:5353",
        "{own}:{udp}",
        "127.0.0.53:53",
        "127.200.1.1:9",
        "10.152.152.255:9",
    ] {
        for step in ["connect TO", "sendto TO hi", "sendmsg TO hi", "sendmmsg TO+TO hi"] {
            cases
                .push((format!("socket inet dgram; setopt broadcast 1; {}", step.replace("TO", to)), "ok; ok; EACCES"));
        }
    }
    for to in ["[2001:db8::7]:53", "[::ffff:203.0.113.7]:9", "[ff02::fb]:5353", "[fe80::1%2]:9"] {
        for step in ["connect TO", "sendto TO hi", "sendmsg TO hi", "sendmmsg TO+TO hi"] {
            cases.push((format!("socket inet6 dgram; {}", step.replace("TO", to)), "ok; EACCES"));
        }
    }
    for step in ["connect TO; send hi; recv 2", "sendto TO hi; recv 2", "sendmsg TO hi; recv 2"] {
        for (domain, to) in
            [("inet", "127.0.0.1:{udp}"), ("inet6", "[::1]:{udp}"), ("inet6", "[::ffff:127.0.0.1]:{udp}")]
        {
            let output = if step.starts_with("connect") { "ok; ok; 2; hi" } else { "ok; 2; hi" };
            cases.push((format!("socket {domain} dgram; {}", step.replace("TO", to)), output));
        }
    }
    let cases: Vec<_> = cases.iter().map(|(script, output)| (script.as_str(), *output, &[][..])).collect();
    site.check_all(&[], &cases);
}

#[test]
fn the_kernel_itself_keeps_it_here() {
    // A socket that is connected to this machine, or not at all, has no way out by any other function.
    Site::new().check_all(
        &[],
        &[
            ("socket inet dgram; setopt device text=''; getopt device", "ok; EACCES; lo", &[]),
            ("socket inet dgram; setopt ifindex 0; getopt device", "ok; EACCES; lo", &[]),
            (
                "socket inet6 dgram; setopt device text=''; sendto [2001:db8::7]:9 hi; getopt device",
                "ok; EACCES; EACCES; lo",
                &[],
            ),
            ("via syscall; socket inet dgram; setopt device text=''; getopt device", "ok; EACCES; lo", &[]),
            (
                "socket inet dgram; setopt device text=lo; sendto 127.0.0.1:{udp} hi; recv 2; getopt device",
                "ok; ok; 2; hi; lo",
                &[],
            ),
            (
                "socket inet stream; setopt device text=lo; setopt device text=''; connect 203.0.113.7:80",
                "ok; ok; ok; ok",
                &["203.0.113.7:80"],
            ),
        ],
    );
}

#[test]
fn groups() {
    Site::new().check_all(
        &[],
        &[
            ("socket inet dgram; setopt join parts=239.1.2.3+127.0.0.1", "ok; ok", &[]),
            ("socket inet dgram; setopt join parts=239.1.2.3+0.0.0.0+1", "ok; ok", &[]),
            ("socket inet dgram; setopt join parts=239.1.2.3+0.0.0.0", "ok; EACCES", &[]),
            ("socket inet dgram; setopt join parts=239.1.2.3+{own}", "ok; EACCES", &[]),
            ("socket inet dgram; setopt join parts=239.1.2.3+127.0.0.1+2", "ok; EACCES", &[]),
            ("socket inet6 dgram; setopt join6 parts=ff15::99+1", "ok; ok", &[]),
            ("socket inet6 dgram; setopt join6 parts=ff15::99+0", "ok; EACCES", &[]),
            ("socket inet6 dgram; setopt join6 parts=ff15::99+2", "ok; EACCES", &[]),
            ("socket inet6 dgram; setopt 41.27 parts=2001:db8::99+2", "ok; EACCES", &[]),
            ("socket inet dgram; setopt join_group parts=2+0+239.1.2.3", "ok; EACCES", &[]),
            ("socket inet stream; setopt join parts=239.1.2.3+0.0.0.0", "ok; EACCES", &[]),
            (
                "socket inet stream; setopt unicast_if #1; setopt unicast_if #0; setopt ifindex 1; setopt ifindex 0",
                "ok; ok; ok; ok; ok",
                &[],
            ),
            // Not an internet socket: the number means something else there.
            ("socket unix dgram; setopt 0.35 parts=1", "ok; EOPNOTSUPP", &[]),
        ],
    );
}

#[test]
fn other_protocols() {
    let site = Site::new();
    for (socket, confined) in [("inet dgram 136", true), ("inet6 dgram 136", true)] {
        // UDP-Lite, where the kernel has it.
        let bare = site.run_bare(&format!("socket {socket}")).output;
        let wrapped = site.run(&format!("socket {socket}; getopt device")).output;
        assert_eq!(wrapped, if bare == "ok" && confined { "ok; lo".to_owned() } else { format!("{bare}; EBADF") });
    }
    // What exists is refused, what does not is unknown, in the kernel's own words.
    for socket in [
        "inet raw 1",
        "inet raw 255",
        "inet6 raw 58",
        "inet dgram 1",
        "inet6 dgram 58",
        "inet stream 132",
        "inet seqpacket 132",
        "packet raw 3",
        "packet dgram 3",
        "packet 10 3",
        "vsock stream",
        "vsock dgram",
        "bluetooth raw 1",
        "smc stream",
        "xdp raw",
        "inet 6",
        "inet 10",
        "29 raw 1",
        "38 stream",
        "44 raw",
        "250 stream",
        "inet raw 0",
        "-1 stream",
        "inet 0",
    ] {
        let bare = site.run_bare(&format!("socket {socket}")).output;
        let wrapped = site.run(&format!("socket {socket}")).output;
        let local = socket.starts_with("38");
        let good = if local { wrapped == bare } else { wrapped == "EACCES" || (wrapped == bare && bare != "ok") };
        assert!(good, "{socket}: bare {bare}, wrapped {wrapped}");
    }
}
