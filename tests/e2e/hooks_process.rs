//! Processes and threads: whose credential it is, and whose descriptor.

use std::collections::BTreeSet;
use std::os::fd::AsRawFd as _;

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

use crate::site::{Site, probe, programs};

const SEVEN: &[&str] = &["203.0.113.7:80"];
const CONNECT: &str = "socket inet stream; connect 203.0.113.7:80; echo hi";

/// How many different credentials there are among some requests.
fn different(users: &[String]) -> usize {
    users.iter().collect::<BTreeSet<_>>().len()
}

#[test]
fn a_forked_child_has_a_credential_of_its_own() {
    let site = Site::new();
    let script =
        format!("{CONNECT}; as parent; fork; {CONNECT}; use parent; peer; end; use parent; echo ho; peer; {CONNECT}");
    let seen = site.run(&script);
    let address = "203.0.113.7:80";
    assert_eq!(seen.output, format!("ok; ok; hi; ok; ok; hi; {address}; ho; {address}; ok; ok; hi"), "{seen:?}");
    let users = seen.users();
    assert!(users[0] == users[2] && users[0] != users[1], "{users:?}");
    // clone(2) through syscall(2) is fork(2) to a program.
    let seen = site.run(&format!("{CONNECT}; clone; {CONNECT}; end; {CONNECT}"));
    let users = seen.users();
    assert!(users[0] == users[2] && users[0] != users[1], "{seen:?}");
    // A child of a child, before anybody has connected.
    let seen = site.run(&format!("fork; fork; {CONNECT}; end; {CONNECT}; end; {CONNECT}"));
    assert_eq!(different(&seen.users()), 3, "{seen:?}");
}

#[test]
fn exec_keeps_the_credential_and_spawn_does_not() {
    let site = Site::new();
    for function in ["execve", "execv", "execl", "fexecve", "syscall"] {
        let seen = site.run(&format!("{CONNECT}; exec {function} same; {CONNECT}"));
        assert_eq!((seen.users().len(), different(&seen.users())), (2, 1), "{function}: {seen:?}");
    }
    for function in ["spawn posix_spawn same", "shell system", "shell popen", "shell wordexp"] {
        let seen = site.run(&format!("{CONNECT}; {function}; {CONNECT}; end; {CONNECT}"));
        let users = seen.users();
        assert!(users.len() == 3 && users[0] == users[2] && users[0] != users[1], "{function}: {seen:?}");
    }
}

#[test]
fn scopes() {
    let site = Site::new();
    let script = format!("{CONNECT}; socket inet stream; connect 203.0.113.8:80; fork; {CONNECT}; end");
    for (scope, first, second, child) in
        [("process", 0, 0, 1), ("invocation", 0, 0, 0), ("command", 0, 0, 0), ("destination", 0, 1, 2)]
    {
        let seen = site.run_with(&["--isolate", scope], &script);
        let users = seen.users();
        let mut known: Vec<&String> = Vec::new();
        let mut number = |user| {
            known.iter().position(|one| *one == user).unwrap_or_else(|| {
                known.push(user);
                known.len() - 1
            })
        };
        let numbers: Vec<usize> = users.iter().map(&mut number).collect();
        assert_eq!(numbers, [first, second, child], "{scope}: {seen:?}");
    }
    let seen = site.run_with(&["--isolate", "none"], CONNECT);
    assert!(seen.output == "ok; ok; hi" && seen.log[0].username.is_none() && seen.log[0].methods == [0], "{seen:?}");
    // Two calls of uwt are two sessions.
    let users = [site.run(CONNECT), site.run(CONNECT)].map(|seen| seen.users().remove(0));
    assert_ne!(users[0], users[1]);
}

#[test]
fn a_child_between_vfork_and_exec() {
    let site = Site::new();
    // Python's subprocess uses vfork(2) and exec, here with an empty environment.
    let code = "import subprocess, sys\nfor _ in range(3): subprocess.run(sys.argv[1:], env={}, check=True)";
    let seen = site.watch(site.uwt(&[]).args(["/usr/bin/python3", "-c", code]).arg(probe()).arg(CONNECT));
    assert_eq!(seen.output, "ok; ok; hi; ok; ok; hi; ok; ok; hi", "{seen:?}");
    assert_eq!(different(&seen.users()), 3, "{seen:?}");
}

#[test]
fn many_threads_at_once() {
    let site = Site::new();
    let seen = site.run("threads 64; socket inet stream; connect 203.0.113.7:80; echo hi; peer; close; end");
    assert_eq!(seen.output, "64 × ok ok hi 203.0.113.7:80 ok", "{seen:?}");
    assert_eq!((seen.targets().len(), different(&seen.users())), (64, 1), "one process");
    let seen =
        site.run("threads 32; gai www.example.test 80 t=stream; socket inet stream; connect ~:80; echo hi; close; end");
    assert_eq!(seen.output, "32 × ~ 80 tcp ok ok hi ok", "{seen:?}");
    assert_eq!(seen.targets().len(), 32);
}

#[test]
fn programs_that_close_everything() {
    let site = Site::new();
    let script = format!("output 900; fd 2; close; closerange 0 800; {CONNECT}; peer; gai printer.local -");
    site.check(&script, "ok; ok; ok; ok; hi; 203.0.113.7:80; EAI_NONAME", SEVEN);
    // What takes the number of standard error gets no message of ours.
    let seen = site.run("output 900; fd 2; close; closerange 0 800; socket inet stream; dup2 2; connect 127.0.0.1:{echo}; exec execv same path=/usr/sbin/ldconfig.none; recv 1");
    assert!(seen.notes.is_empty(), "{seen:?}");
    // Numbers come and go: the peer belongs to the socket, not to its number.
    site.check("socket inet stream; dup2 50; connect 203.0.113.7:80; close; socket inet stream; dup2 50; peer; connect 127.0.0.1:{echo}; peer",
        "ok; ok; ok; ok; ok; ok; ENOTCONN; ok; 127.0.0.1:{echo}", SEVEN);
}

#[test]
fn inherited_sockets_are_carried_too() {
    let site = Site::unguarded();
    let allow_ping = || Ok(std::fs::write("/proc/sys/net/ipv4/ping_group_range", "0 65535")?);
    site.workstation().netns().run(allow_ping).expect("the workstation's sysctl");
    let port = site.port().to_string();
    let run = |made: &str, used: &str| {
        // A bare program makes the socket and then executes uwt.
        let words = ["-i", "10.152.152.10", "-p", &port, "--", probe().to_str().expect("text"), &site.fill(used)]
            .map(|word| word.replace('%', "%25").replace(' ', "%20").replace(';', "%3b"))
            .join(" ");
        let uwt = programs().join("uwt");
        site.run_bare(&format!("{made}; dup2 70; exec execv same path={} -- {words}", uwt.display()))
    };
    for (made, used, output) in [
        ("socket inet stream", "fd 70; connect 203.0.113.7:80; echo hi; peer", "ok; ok; ok; hi; 203.0.113.7:80"),
        ("socket inet6 stream", "fd 70; connect [::ffff:203.0.113.7]:80; echo hi", "ok; ok; ok; hi"),
        (
            "socket inet stream+nonblock",
            "fd 70; connect 203.0.113.7:80; send hi; poll in 9000; recv 2",
            "ok; ok; ok; 2; in; hi",
        ),
        ("socket inet stream", "fd 70; sendto 203.0.113.7:80 hi fastopen; recv 2", "ok; ok; 2; hi"),
    ] {
        let seen = run(made, used);
        assert_eq!(seen.output, output, "{made}: {seen:?}");
        assert_eq!(seen.targets(), SEVEN);
    }
    for (made, used, output) in [
        ("socket inet dgram", "fd 70; sendto 203.0.113.7:9 hi", "ok; ok; EACCES"),
        ("socket inet dgram", "fd 70; connect 203.0.113.7:9", "ok; ok; EACCES"),
        ("socket inet dgram", "fd 70; sendto 127.0.0.1:{udp} hi; recv 2; getopt device", "ok; ok; 2; hi; lo"),
        ("socket inet dgram", "fd 70; bind 0.0.0.0:0; getopt device", "ok; ok; ok; lo"),
        ("socket inet raw 1", "fd 70; sendto 203.0.113.7:0 xxxxxxxx", "ok; ok; EACCES"),
        ("socket inet raw 1", "fd 70; connect 203.0.113.7:0", "ok; ok; EACCES"),
        ("socket inet raw 1", "fd 70; bind 127.0.0.1:0", "ok; ok; EACCES"),
        ("socket inet dgram 1", "fd 70; sendmsg 203.0.113.7:0 xxxxxxxx", "ok; ok; EACCES"),
        ("socket packet raw 768", "fd 70; bind 17=null/20", "ok; ok; EACCES"),
    ] {
        let seen = run(made, used);
        assert_eq!(seen.output, output, "{made}, {used}: {seen:?}");
        assert!(seen.log.is_empty(), "{seen:?}");
    }
}

#[test]
fn sockets_from_another_process_are_carried_too() {
    let site = Site::new();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    let listener = std::os::unix::net::UnixListener::bind(&path).expect("bound");
    // This process is not wrapped; its socket is of the workstation.
    let socket = site.workstation().netns().run(|| {
        let kind = nix::sys::socket::SockType::Stream;
        Ok(nix::sys::socket::socket(
            nix::sys::socket::AddressFamily::Inet,
            kind,
            nix::sys::socket::SockFlag::SOCK_CLOEXEC,
            None,
        )?)
    });
    let socket = socket.expect("a socket");
    let giver = std::thread::spawn(move || {
        let (client, _) = listener.accept().expect("accepted");
        let descriptors = [socket.as_raw_fd()];
        let data = [std::io::IoSlice::new(b"x")];
        sendmsg::<()>(client.as_raw_fd(), &data, &[ControlMessage::ScmRights(&descriptors)], MsgFlags::empty(), None)
            .expect("sent");
    });
    site.check(
        &format!("recvfd {}; connect 203.0.113.7:80; echo hi; peer", path.display()),
        "ok; ok; hi; 203.0.113.7:80",
        SEVEN,
    );
    giver.join().expect("given");
}

#[test]
fn no_descriptor_is_ours() {
    // The preload keeps none open: what a program may have, it has.
    let site = Site::unguarded();
    let script = format!("files 4; {CONNECT}; gai www.example.test - t=stream");
    site.check(&script, "ok; ok; ok; hi; ~ tcp", SEVEN);
    let seen = site.run_with(&["--dns", "resolve"], "files 3; gai www.example.test - t=stream");
    assert_eq!(seen.output, "ok; EAI_AGAIN", "no descriptor for the question: {seen:?}");
}
