//! getnameinfo(3): all flags, all buffers.

use crate::site::Site;

const SEVEN: &[&str] = &["203.0.113.7:0"];

#[test]
fn flags() {
    // NI_NUMERICHOST 1, NI_NUMERICSERV 2, NI_NOFQDN 4, NI_NAMEREQD 8, NI_DGRAM 16.
    let site = Site::new();
    for dns in ["names", "resolve"] {
        site.check_all(
            &["--dns", dns],
            &[
                ("nameinfo 203.0.113.7:80 256 256", "www.example.test http", SEVEN),
                ("nameinfo 203.0.113.7:80 256 256 2", "www.example.test 80", SEVEN),
                ("nameinfo 203.0.113.7:80 256 256 8", "www.example.test http", SEVEN),
                ("nameinfo 203.0.113.7:80 256 256 10", "www.example.test 80", SEVEN),
                ("nameinfo 203.0.113.7:80 256 -", "www.example.test -", SEVEN),
                ("nameinfo 203.0.113.7:514 256 256 16", "www.example.test syslog", SEVEN),
                ("nameinfo [2001:db8::7]:80 256 256", "six.example.test http", &["2001:db8::7:0"]),
                ("nameinfo [::ffff:203.0.113.7]:80 256 256", "www.example.test http", SEVEN),
                ("nameinfo 203.0.113.99:80 256 256", "203.0.113.99 http", &["203.0.113.99:0"]),
                ("nameinfo 203.0.113.99:80 256 256 8", "EAI_NONAME", &["203.0.113.99:0"]),
                // These ask nobody.
                ("nameinfo 203.0.113.7:80 256 256 1", "203.0.113.7 http", &[]),
                ("nameinfo 203.0.113.7:80 256 256 3", "203.0.113.7 80", &[]),
                ("nameinfo 203.0.113.7:80 - 256", "- http", &[]),
                ("nameinfo 203.0.113.7:80 - 256 8", "- http", &[]),
                ("nameinfo 127.0.0.1:80 256 256 8", "localhost http", &[]),
                ("nameinfo [::1]:80 256 256 8", "localhost http", &[]),
                ("nameinfo 127.0.0.1:80 256 256 1", "127.0.0.1 http", &[]),
                ("nameinfo 224.0.0.1:80 256 256", "224.0.0.1 http", &[]),
                ("nameinfo 127.200.1.1:80 256 256", "~ http", &[]),
                ("nameinfo 127.200.1.1:80 256 256 8", "EAI_NONAME", &[]),
                (
                    "gai abc.onion 80 t=stream; nameinfo ~:80 256 256 8; nameinfo ~:80 256 256 1",
                    "~ 80 tcp; abc.onion http; ~ http",
                    &[],
                ),
                ("gai abc.onion 80 t=stream f=inet6; nameinfo ~:80 256 256 8", "~6 80 tcp; abc.onion http", &[]),
            ],
        );
    }
    // Unix addresses and what asks nobody are libc's.
    for script in [
        "nameinfo 203.0.113.7:80 256 256 9",
        "nameinfo 203.0.113.7:80 - -",
        "nameinfo 203.0.113.7:80 - - 8",
        "nameinfo 203.0.113.7:80 256 256 0x8001",
        "nameinfo unix:/tmp/x 256 256 1",
        "nameinfo unspec 256 256",
        "nameinfo 127.0.0.1:80/8 256 256",
        "nameinfo null/0 256 256",
        "nameinfo [fe80::1%1]:80 256 256 1",
    ] {
        site.check_same(script);
    }
}

#[test]
fn buffers() {
    let site = Site::new();
    let name = "www.example.test".len();
    let steps = |service: bool| -> String {
        let steps: Vec<String> = (1..=24)
            .map(|size| {
                if service {
                    format!("nameinfo 127.0.0.1:80 256 {size}")
                } else {
                    format!("nameinfo 203.0.113.7:80 {size} 256")
                }
            })
            .collect();
        steps.join("; ")
    };
    let seen = site.run(&steps(false));
    let answers: Vec<&str> = seen.output.split("; ").collect();
    assert!(answers[..name].iter().all(|answer| *answer == "EAI_OVERFLOW"), "{seen:?}");
    assert!(answers[name..].iter().all(|answer| *answer == "www.example.test http"), "{seen:?}");
    // A name can be shorter than the number it takes the place of.
    site.check(
        "gai a.io 80 t=stream; nameinfo ~:80 5 256; nameinfo ~:80 4 256; nameinfo ~:80 5 -",
        "~ 80 tcp; a.io http; EAI_OVERFLOW; a.io -",
        &[],
    );
    let seen = site.run(&steps(true));
    let answers: Vec<&str> = seen.output.split("; ").collect();
    assert!(answers[..4].iter().all(|answer| *answer == "EAI_OVERFLOW"), "{seen:?}");
    assert!(answers[4..].iter().all(|answer| *answer == "localhost http"), "{seen:?}");
}

#[test]
fn a_gateway_that_cannot_say() {
    let site = Site::with(|behaviour| behaviour.refuse = Some(1));
    site.check_all(
        &[],
        &[
            ("nameinfo 203.0.113.7:80 256 256", "203.0.113.7 http", SEVEN),
            ("nameinfo 203.0.113.7:80 256 256 8", "EAI_AGAIN", SEVEN),
        ],
    );
}
