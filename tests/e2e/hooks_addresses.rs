//! Socket addresses that are too short, too long or of the wrong family: what libc and the kernel answer bare, they
//! answer wrapped.

use crate::site::Site;

/// Addresses on this machine, so that the bare run sends nothing.
#[test]
fn odd_addresses_get_the_kernels_own_errno() {
    let site = Site::new();
    for socket in ["inet stream", "inet6 stream", "inet dgram", "inet6 dgram", "unix stream", "netlink raw"] {
        for address in ["127.0.0.1:{echo}", "[::1]:{echo}", "unspec", "unix:@nobody", "77=127.0.0.1:1"] {
            if socket == "unix stream" && !address.starts_with("unix") {
                continue;
            }
            let local = address.replace("{echo}", "0");
            let steps: Vec<String> = [0, 1, 2, 3, 8, 15, 16, 17, 23, 24, 28, 110, 128, 129, 200]
                .iter()
                .map(|len| format!("socket {socket}; connect {address}/{len}; socket {socket}; bind {local}/{len}"))
                .collect();
            site.check_same(&steps.join("; "));
        }
    }
}

#[test]
fn wrong_families_and_null() {
    let site = Site::new();
    for script in [
        "socket inet stream; connect [::1]:{echo}",
        "socket inet stream; connect [::ffff:127.0.0.1]:{echo}",
        "socket inet6 stream; connect 127.0.0.1:{echo}",
        "socket inet dgram; connect [::1]:{udp}",
        "socket inet6 dgram; connect 127.0.0.1:{udp}; send hi; recv 2",
        "socket inet6 dgram; connect [::ffff:127.0.0.1]:{udp}; send hi; recv 2",
        "socket inet stream; connect null",
        "socket inet stream; connect null/0",
        "socket inet stream; bind null",
        "socket inet dgram; sendto null/0 hi",
        "socket inet dgram; sendto null hi",
        "socket inet dgram; connect 127.0.0.1:{udp}; sendmsg null hi; recv 2",
        "socket inet stream; sendto 127.0.0.1:{echo} hi",
        "socket inet stream; connect 127.0.0.1:{echo}; sendto 127.0.0.1:1 hi; recv 2",
        "socket inet stream; peer; name",
        "socket inet dgram; connect 127.0.0.1:{udp}; peer; connect unspec; peer",
        "socket inet6 dgram; sendto [::1]:{udp} hi; recv 2",
        "socket inet6 dgram; sendto [::ffff:127.0.0.1]:{udp} hi; recv 2",
        "socket inet dgram; sendto 127.0.0.1:{udp}/3 hi",
    ] {
        site.check_same(script);
    }
}

/// The same with addresses elsewhere, which cannot be tried bare: the errno is the one for such an address at home.
#[test]
fn distant_addresses_of_the_wrong_family() {
    Site::new().check_all(
        &[],
        &[
            ("socket inet stream; connect [2001:db8::7]:80", "ok; EAFNOSUPPORT", &[]),
            ("socket inet6 stream; connect 203.0.113.7:80", "ok; EINVAL", &[]),
            ("socket inet6 stream; connect 203.0.113.7:80/28", "ok; EAFNOSUPPORT", &[]),
            ("socket inet stream; connect 203.0.113.7:80/15", "ok; EINVAL", &[]),
            ("socket inet stream; connect 203.0.113.7:80/8", "ok; EINVAL", &[]),
            ("socket inet6 stream; connect [2001:db8::7]:80/23", "ok; EINVAL", &[]),
            ("socket inet6 stream; connect [2001:db8::7]:80/24", "ok; ok", &["2001:db8::7:80"]),
            ("socket inet stream; connect 203.0.113.7:80/128", "ok; ok", &["203.0.113.7:80"]),
            ("socket inet stream; connect 203.0.113.7:80/200", "ok; EINVAL", &[]),
            // Not even sent to the kernel, whatever it would make of it.
            ("socket inet dgram; sendto 127.0.0.1:{udp}/15 hi", "ok; EACCES", &[]),
            // UDP takes AF_UNSPEC for IPv4.
            ("socket inet dgram; sendto 0=203.0.113.7:9 hi", "ok; EACCES", &[]),
            ("socket inet dgram; sendmsg 0=203.0.113.7:9 hi", "ok; EACCES", &[]),
            ("socket inet dgram; sendmmsg 0=203.0.113.7:9 hi", "ok; EACCES", &[]),
            ("socket inet stream; sendto 0=203.0.113.7:9 hi fastopen", "ok; EAFNOSUPPORT", &[]),
            ("socket inet dgram; connect 0=203.0.113.7:9; send hi", "ok; ok; EDESTADDRREQ", &[]),
            ("socket inet6 dgram; sendto 203.0.113.7:9 hi", "ok; EACCES", &[]),
            ("socket inet6 dgram; sendto [::ffff:203.0.113.7]:9 hi", "ok; EACCES", &[]),
            ("socket inet6 dgram; sendto [2001:db8::7]:9/24 hi", "ok; EACCES", &[]),
        ],
    );
}
