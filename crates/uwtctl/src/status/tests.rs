use std::fs;

use super::library::{self, Library};
use super::machine;

#[test]
fn a_resolver_on_this_machine_is_pointed_out() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("etc")).unwrap();
    assert_eq!(machine::resolver(root.path()), None);
    for (text, named) in [
        ("# x\nnameserver 127.0.0.53\noptions edns0\n", Some("127.0.0.53 (systemd-resolved)")),
        ("nameserver 10.152.152.10\nnameserver ::1\n", Some("::1 is on this machine")),
        ("nameserver ::ffff:127.0.0.1\n", Some("127.0.0.1 is")),
        ("nameserver fe80::1%eth0\nsearch 127.0.0.1\n#nameserver 127.0.0.1\n", None),
        ("nameserver 10.152.152.10\n", None),
    ] {
        fs::write(root.path().join("etc/resolv.conf"), text).unwrap();
        let found = machine::resolver(root.path());
        assert_eq!(found.is_some(), named.is_some(), "{text}");
        assert!(found.is_none_or(|found| found.what.contains(named.unwrap())), "{text}");
    }
}

#[test]
fn libraries_say_what_they_are_made_for() {
    let root = tempfile::tempdir().unwrap();
    let folder = |name: &str| root.path().join(name).join("uwt");
    let head = |class: u8, data: u8, machine: [u8; 2]| {
        let mut head = vec![0x7f, b'E', b'L', b'F', class, data];
        head.resize(18, 0);
        head.extend(machine);
        head
    };
    for (name, content) in [
        ("usr/lib/x86_64-linux-gnu", head(2, 1, [62, 0])),
        ("usr/lib/i386-linux-gnu", head(1, 1, [3, 0])),
        ("usr/lib/s390x-linux-gnu", head(2, 2, [0, 22])),
        ("usr/lib/other", b"\x7fELF".to_vec()),
    ] {
        fs::create_dir_all(folder(name)).unwrap();
        fs::write(folder(name).join("libuwt_preload.so"), content).unwrap();
    }
    let own = std::env::current_exe().unwrap();
    let found = library::all(root.path(), Some(&own));
    let architecture = |part: &str| {
        let one: Vec<&Library> = found.iter().filter(|it| it.path.to_string_lossy().contains(part)).collect();
        assert_eq!(one.len(), 1, "{found:#?}");
        one[0].architecture.clone()
    };
    assert_eq!(found.len(), 5, "{found:#?}");
    assert_eq!(architecture("x86_64-linux-gnu").as_deref(), Some("x86-64"));
    assert_eq!(architecture("i386").as_deref(), Some("i386"));
    assert_eq!(architecture("s390x").as_deref(), Some("ELF machine 22"));
    assert_eq!(architecture("other"), None);
    assert!(found.iter().any(|it| it.path == own.canonicalize().unwrap() && it.architecture.is_some()));
}
