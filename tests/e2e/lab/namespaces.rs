//! The leak counters: they must see what leaks and nothing else.

use std::process::Output;
use std::time::{Duration, Instant};

use support::gateway::{Gateway, GatewayOptions, Service};
use support::netns::{Counters, Identity, Namespaces, Workstation};

/// Runs a Python line in a workstation; the lab has python3 anyway.
fn python(workstation: &Workstation, code: &str) -> Output {
    workstation.command("/usr/bin/python3").args(["-c", code]).output().expect("python3")
}

/// Runs a leaking line and gives what was counted and described.
fn leak(workstation: &Workstation, code: &str) -> (Counters, Vec<String>) {
    workstation.reset().expect("reset");
    let output = python(workstation, &format!("import socket, struct\n{code}"));
    assert!(output.status.success(), "{code}: {output:?}");
    let leaks = workstation.leaks().expect("leaks");
    (workstation.counters().expect("counters"), leaks.iter().map(ToString::to_string).collect())
}

#[test]
fn every_kind_of_leak_is_counted_and_named() {
    let namespaces = Namespaces::create().expect("namespaces");
    let workstation = namespaces.workstation();
    workstation.assert_no_leaks();

    let udp = "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'hi'";
    let (counted, named) = leak(workstation, &format!("{udp}, ('203.0.113.1', 53))"));
    assert_eq!((counted.dns, counted.leaked()), (1, 1));
    assert_eq!(named, [r#"udp to 203.0.113.1:53 "hi""#]);

    let (counted, named) = leak(workstation, &format!("{udp}, ('10.152.152.10', 9050))"));
    assert_eq!((counted.udp, counted.leaked()), (1, 1), "UDP to the SocksPort's number is a leak, too");
    assert_eq!(named.len(), 1);

    let (counted, named) = leak(workstation, &format!("{udp}, ('10.152.152.77', 5000))"));
    assert_eq!((counted.udp, counted.leaked(), named.len()), (1, 1, 1), "a neighbour that does not exist");

    let tcp = "s = socket.socket(); s.settimeout(5); s.connect_ex";
    let (counted, named) = leak(workstation, &format!("{tcp}(('203.0.113.1', 80))"));
    assert!(counted.tcp >= 1 && counted.leaked() == counted.tcp, "{counted:?}");
    assert!(named[0].starts_with("tcp to 203.0.113.1:80"), "{named:?}");

    let (counted, _) = leak(workstation, &format!("{tcp}(('10.152.152.10', 9051))"));
    assert!(counted.tcp >= 1, "another port of the gateway: {counted:?}");

    let v6 = "s = socket.socket(socket.AF_INET6); s.settimeout(5); s.connect_ex(('2001:db8::1', 80))";
    let (counted, named) = leak(workstation, v6);
    assert!(counted.v6 >= 1 && counted.leaked() == counted.v6, "{counted:?}");
    assert!(named[0].starts_with("tcp to [2001:db8::1]:80"), "{named:?}");

    let icmp = "s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1); \
                s.sendto(struct.pack('!BBHHH', 8, 0, 0xf7ff, 0, 0), ('203.0.113.1', 0))";
    let (counted, named) = leak(workstation, icmp);
    assert_eq!((counted.icmp, counted.leaked()), (1, 1));
    assert!(named[0].starts_with("icmp to 203.0.113.1"), "{named:?}");

    // Past the IP stack: nft cannot see this one, the packet socket does.
    let frame = "s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('eth0', 0)); \
                 s.send(b'\\2' + 11 * b'\\0' + b'\\x88\\xb5' + b'frame')";
    let (counted, named) = leak(workstation, frame);
    assert_eq!((counted.leaked(), named), (0, vec![r#"not ip "frame""#.to_owned()]));
    assert!(std::panic::catch_unwind(|| workstation.assert_no_leaks()).is_err());
}

#[test]
fn a_leaking_resolver_is_seen() {
    let namespaces = Namespaces::create().expect("namespaces");
    let workstation = namespaces.workstation();
    let output = workstation.command("/usr/bin/getent").args(["hosts", "leak.lab.test"]).output().expect("getent");
    assert!(!output.status.success());
    let leaks = workstation.leaks().expect("leaks");
    assert!(workstation.counters().expect("counters").dns >= 1);
    assert!(leaks[0].payload.contains("leak"), "{leaks:?}");
}

#[test]
fn a_leaked_connection_succeeds_and_the_socks_port_is_no_leak() {
    let namespaces = Namespaces::create().expect("namespaces");
    let workstation = namespaces.workstation();
    let listen = |address: &str| {
        let options = GatewayOptions::new().listen(address.parse().expect("address")).service(Service::Echo);
        Gateway::start_in(Some(namespaces.gateway()), options).expect("gateway")
    };
    let socks = listen("10.152.152.10:9050");
    let other = listen("10.152.152.10:0");
    let _internet = [listen("203.0.113.20:80"), listen("[2001:db8::14]:80")];

    let connect = |host: &str, port: u16| {
        let code = format!(
            "import socket\ns = socket.create_connection(('{host}', {port}), 5)\ns.sendall(b'\\5\\1\\0')\n\
             assert s.recv(2) == b'\\5\\0'\ns.close()"
        );
        python(workstation, &code)
    };
    let output = connect("10.152.152.10", 9050);
    assert!(output.status.success(), "{output:?}");
    workstation.assert_no_leaks();
    assert!(workstation.counters().expect("counters").socks >= 3);
    assert_eq!(socks.wait_log(Duration::from_secs(10), |log| log.len() == 1).map(|log| log.len()), Some(1));

    let port = other.address().port();
    assert!(connect("10.152.152.10", port).status.success());
    assert!(!workstation.leaks().expect("leaks").is_empty());
    workstation.allow_gateway_port(port).expect("allow");
    workstation.reset().expect("reset");
    assert!(connect("10.152.152.10", port).status.success());
    workstation.assert_no_leaks();

    for host in ["203.0.113.20", "2001:db8::14"] {
        let output = connect(host, 80);
        assert!(output.status.success(), "{output:?}");
        assert!(!workstation.leaks().expect("leaks").is_empty());
        workstation.reset().expect("reset");
    }
}

#[test]
fn transparent_proxying_can_be_switched() {
    let namespaces = Namespaces::create().expect("namespaces");
    let workstation = namespaces.workstation();
    let options = GatewayOptions::new().listen("10.152.152.10:9040".parse().expect("address")).service(Service::Echo);
    let _trans = Gateway::start_in(Some(namespaces.gateway()), options).expect("gateway");
    let code = "import socket\nsocket.create_connection(('198.51.100.1', 80), 3)";
    assert!(!python(workstation, code).status.success(), "nobody has this address");
    workstation.transparent(9040, 5300).expect("on");
    let output = python(workstation, code);
    assert!(output.status.success(), "{output:?}");
    workstation.direct().expect("off");
    assert!(!python(workstation, code).status.success());
}

#[test]
fn workstations_are_cheap_separate_and_leave_nothing() {
    let namespaces = Namespaces::create().expect("namespaces");
    let begin = Instant::now();
    let one = namespaces.add_workstation().expect("workstation");
    let took = begin.elapsed();
    assert!(took < Duration::from_millis(1500), "a workstation took {took:?}");
    let two = namespaces.add_workstation().expect("workstation");
    assert_ne!(one.address(), two.address());
    let (counted, _) = leak(&one, "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('203.0.113.1', 9))");
    assert_eq!(counted.udp, 1);
    two.assert_no_leaks();

    let output = one.command_as("/usr/bin/id", Identity::nobody()).output().expect("id");
    assert_eq!(output.stdout, b"uid=65534(nobody) gid=65534(nogroup) groups=65534(nogroup)\n");

    let mut sleeper = one.command("/bin/sleep").arg("1000").spawn().expect("sleep");
    let (path, etc) = (one.netns().path(), one.netns().etc());
    assert!(path.exists() && etc.exists());
    drop(one);
    assert!(!path.exists() && !etc.exists());
    assert!(!sleeper.wait().expect("killed with the workstation").success());
}
