//! Reserved addresses: the same for a name within a session, never another's.

use crate::site::Site;

fn addresses(output: &str) -> Vec<&str> {
    output.split("; ").filter(|line| line.starts_with("127.") || line.starts_with("::ffff:")).collect()
}

#[test]
fn a_name_has_one_address_in_a_session() {
    let site = Site::new();
    let ask = "gai www.example.test - t=stream; address";
    let seen = site.run(&format!("{ask}; {ask}; fork; {ask}; end; spawn posix_spawn empty; {ask}; end; gai WWW.example.test. - t=stream; address; host gethostbyname www.example.test; address"));
    let found = addresses(&seen.output);
    assert_eq!(found.len(), 6, "{seen:?}");
    assert!(found.iter().all(|address| *address == found[0]), "{seen:?}");
    let six = site.run("gai www.example.test - t=stream f=inet6; address").output;
    assert!(addresses(&six)[0].starts_with("::ffff:127."), "{six}");
    // Another call of uwt is another session.
    let others: Vec<String> = (0..4).map(|_| site.run(ask).output).collect();
    assert!(others.iter().any(|other| addresses(other)[0] != found[0]) && others[0] != others[1], "{others:?}");
    let ip: std::net::Ipv4Addr = found[0].parse().expect("an address");
    assert!(ip.octets()[0] == 127 && ip.octets()[1] >= 192, "{ip}");
}

#[test]
fn an_unknown_reserved_address_goes_nowhere() {
    let site = Site::new();
    site.check_refused(
        "socket inet stream; connect 127.200.1.2:80; peer",
        "ok; EHOSTUNREACH; ENOTCONN",
        "127.200.1.2 stands for a name",
    );
    site.check_refused(
        "socket inet6 stream; connect [::ffff:127.255.255.255]:80",
        "ok; EHOSTUNREACH",
        "127.255.255.255 stands for a name",
    );
    // Said once, however often it happens.
    site.check_refused(
        "socket inet stream; connect 127.200.1.2:80; connect 127.200.1.3:80; via syscall; connect 127.200.1.2:80",
        "ok; EHOSTUNREACH; EHOSTUNREACH; EHOSTUNREACH",
        "stands for a name",
    );
    site.check("socket inet dgram; connect 127.200.1.2:80; sendto 127.200.1.2:80 x", "ok; EACCES; EACCES", &[]);
    // A child that was forked knows what its parent had looked up; one that was executed does not.
    site.check(
        "gai www.example.test - t=stream; fork; socket inet stream; connect ~:80; end",
        "~ tcp; ok; ok",
        &["\"www.example.test\":80"],
    );
    let seen = site.run("gai www.example.test - t=stream; address");
    let address = addresses(&seen.output)[0].to_owned();
    let script = format!(
        "gai www.example.test - t=stream; spawn posix_spawn same; socket inet stream; connect {address}:80; end"
    );
    let seen = site.run(&script);
    assert!(seen.output.ends_with("EHOSTUNREACH") && seen.notes.len() == 1, "{seen:?}");
}

#[test]
fn many_names() {
    let site = Site::unguarded();
    // 16 KiB of names fit; the first ones go when more come, and then their addresses mean nothing, never another name.
    let script = "gai first.example - t=stream; reserved 400 a.example; socket inet stream; connect ~:80";
    let seen = site.run(&script.replace("connect ~", "gai first.example - t=stream; connect ~"));
    assert_eq!(seen.targets(), ["\"first.example\":80"], "{seen:?}");
    let seen = site.run("reserved 600 a.example; gai n0.a.example - t=stream; socket inet stream; connect ~:80; gai n599.a.example - t=stream; socket inet stream; connect ~:80");
    assert_eq!(seen.targets(), ["\"n0.a.example\":80", "\"n599.a.example\":80"], "{seen:?}");
    // Forgotten: looked up, 600 others, then connected to by the old address.
    let code = "
import socket, sys
def look(name): return socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)[0][4]
tail = '.' + 'b' * 56
old = {f'n{i:03}{tail}': look(f'n{i:03}{tail}') for i in range(500)}
done, gone = [], 0
for name, address in old.items():
    with socket.socket() as s:
        try:
            s.connect(address)
            done.append(name)
        except OSError as error:
            assert error.errno == 113, error
            gone += 1
print(gone, len(done), *done[:1], *done[-1:])
";
    let seen = site.watch(site.uwt(&[]).args(["/usr/bin/python3", "-c", code]));
    assert!(seen.status.success(), "{seen:?}");
    let words: Vec<&str> = seen.output.split(' ').collect();
    let (gone, done): (usize, usize) = (words[0].parse().expect("a number"), words[1].parse().expect("a number"));
    // 61 letters each: 268 of them in 16 KiB.
    assert_eq!((gone, done), (232, 268), "{}", seen.output);
    let name = |index: usize| format!("n{index:03}.{}", "b".repeat(56));
    assert_eq!(words[2..], [name(232), name(499)], "the oldest go first");
    // Each connect that went through carried its own name.
    let expected: Vec<String> = (232..500).map(|index| format!("\"{}\":80", name(index))).collect();
    assert_eq!(seen.targets(), expected);
    assert_eq!(seen.notes.len(), 1, "{:?}", seen.notes);
}
