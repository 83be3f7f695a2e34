//! syscall(2): what goes through it is treated as the function of the same name; everything else passes.

use crate::site::Site;

const SEVEN: &[&str] = &["203.0.113.7:80"];

#[test]
fn the_calls_that_are_looked_at() {
    Site::unguarded().check_all(&[], &[
        ("via syscall; socket inet6 stream; connect [2001:db8::7]:80; echo hi; peer", "ok; ok; hi; [2001:db8::7]:80", &["2001:db8::7:80"]),
        ("via syscall; socket inet dgram; getopt device", "ok; lo", &[]),
        ("via syscall; socket packet raw 768", "EACCES", &[]),
        ("via syscall; socket 250 stream", "EAFNOSUPPORT", &[]),
        ("via syscall; socketpair unix stream; send hi; use other; recv 2", "ok; 2; hi", &[]),
        ("via syscall; socketpair packet raw", "EACCES", &[]),
        ("via syscall; socket inet stream; connect 127.0.0.1:{echo}; echo hi; peer", "ok; ok; hi; 127.0.0.1:{echo}", &[]),
        ("via syscall; socket inet stream; connect 127.0.0.1:53", "ok; EACCES", &[]),
        ("via syscall; socket inet stream; bind {own}:0; listen", "ok; ok; EACCES", &[]),
        ("via syscall; socket inet stream; listen; getopt device", "ok; ok; lo", &[]),
        ("via syscall; socket inet stream; listen; as server; socket inet stream; connect @server; send hi; use server; accept; recv 2", "ok; ok; ok; ok; 2; ok; hi", &[]),
        ("via syscall; socket inet stream; sendto 203.0.113.7:80 hi fastopen; recv 2", "ok; 2; hi", SEVEN),
        ("via syscall; socket inet stream; sendmsg 203.0.113.7:80 hi fastopen; recv 2", "ok; 2; hi", SEVEN),
        ("via syscall; socket inet stream; sendmmsg 203.0.113.7:80 hi fastopen; recv 2", "ok; 1 of 1: 2; hi", SEVEN),
        ("via syscall; socket inet dgram; sendto 203.0.113.7:9 hi", "ok; EACCES", &[]),
        ("via syscall; socket inet dgram; sendmsg 203.0.113.7:9 hi", "ok; EACCES", &[]),
        ("via syscall; socket inet dgram; sendmmsg 203.0.113.7:9 hi", "ok; EACCES", &[]),
        ("via syscall; socket inet dgram; sendto 127.0.0.1:{udp} hi; recv 2", "ok; 2; hi", &[]),
        ("via syscall; socket inet stream; setopt device text=eth0", "ok; EACCES", &[]),
        ("via syscall; socket inet stream; setopt nodelay 1; getopt nodelay", "ok; ok; 1", &[]),
        ("exec syscall empty; socket inet stream; connect 203.0.113.7:80", "ok; ok", SEVEN),
        ("exec syscall-at empty; socket inet stream; connect 203.0.113.7:80", "ok; ok", SEVEN),
        ("exec syscall same path=/nonexistent --", "ENOENT", &[]),
        ("uring", "ENOSYS", &[]),
    ]);
}

#[test]
fn everything_else_passes() {
    let site = Site::new();
    site.check("pid", "true", &[]);
    site.check("clone; pid; end; pid", "true; true", &[]);
    site.check("sharedstack", "7", &[]);
    // Numbers that are none, and arguments up to the sixth.
    for step in ["number 511", "number 512", "number 100000", "number -1", "number 9223372036854775807", "sixth"] {
        site.check_same(step);
    }
    site.check("sixth", "ok", &[]);
}
