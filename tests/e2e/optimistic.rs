//! Optimistic commands: what they send goes out before the gateway has answered, and what a refusal is to them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use support::gateway::Fault;
use support::netns::GATEWAY_V4;

use crate::site::{Seen, Site, programs};

/// Runs a program without the preload: its sockets are the cage's.
const CAGED: &[&str] = &["/usr/bin/busybox", "env", "-u", "LD_PRELOAD"];
/// How a dynamic program is carried: by the cage, or by the preload and the relay.
const WAYS: &[&[&str]] = &[CAGED, &[]];

/// A site of which all commands are optimistic.
fn optimistic(site: Site) -> Site {
    site.configure("optimistic = true\nconnect_timeout = 2");
    site
}

/// A gateway that refuses, from as far away as Tor: by then the program has its connection, and has sent its request.
fn refusing(code: u8) -> Site {
    Site::with(|behaviour| (behaviour.refuse, behaviour.delay) = (Some(code), Duration::from_millis(300)))
}

/// A gateway of one connection that grants it when the program's request has come, not before, and then serves a page.
fn withholding(site: &Site) -> (SocketAddr, JoinHandle<Vec<u8>>) {
    let listener = site.namespaces().gateway().run(|| Ok(TcpListener::bind((GATEWAY_V4, 0))?)).expect("bound");
    let address = listener.local_addr().expect("an address");
    site.workstation().allow_gateway_port(address.port()).expect("nft");
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("accepted");
        let mut got = Vec::new();
        while !got.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if stream.read(&mut byte).unwrap_or(0) == 0 {
                return got;
            }
            got.push(byte[0]);
        }
        stream.write_all(b"\x05\x02\x01\x00\x05\x00\x00\x01\0\0\0\0\0\0").expect("answered");
        stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n").expect("served");
        // Until the client has had enough.
        let _ = stream.read_to_end(&mut Vec::new());
        got
    });
    (address, server)
}

/// Fetches a page by a gateway that [withholds](withholding) its answer; what the gateway got.
fn fetch(site: &Site, words: &[&str]) -> (Seen, Vec<u8>) {
    let (address, server) = withholding(site);
    let mut command = site.workstation().command(programs().join("uwt"));
    command.args(["-i", &address.ip().to_string(), "-p", &address.port().to_string(), "--"]).args(words);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("UWT_CONFIG_PATH", site.config());
    let seen = site.watch(&mut command);
    (seen, server.join().expect("served"))
}

#[test]
fn what_is_sent_goes_right_behind_the_request() {
    let site = optimistic(Site::new());
    // One that is static, one that waits in connect(2), one that does not.
    let busybox: &[&str] = &["/usr/bin/busybox", "wget", "-q", "-O", "-"];
    let wget: &[&str] = &["/usr/bin/wget", "-q", "-t", "1", "-O", "-"];
    let curl: &[&str] = &["/usr/bin/curl", "-sS"];
    let clients = [busybox.to_vec()].into_iter();
    let clients = clients.chain(WAYS.iter().flat_map(|way| [wget, curl].map(|client| [way, client].concat())));
    for client in clients {
        for (url, destination) in [
            ("http://203.0.113.7/", &b"\x01\xcb\x00\x71\x07\x00\x50GET"[..]),
            ("http://www.example.test/", b"\x03\x10www.example.test\x00\x50GET"),
        ] {
            let (seen, got) = fetch(&site, &[&client[..], &[url]].concat());
            assert_eq!((seen.output.as_str(), seen.status.code()), ("hello", Some(0)), "{client:?} {url}: {seen:?}");
            assert!(seen.notes.is_empty(), "{client:?} {url}: {seen:?}");
            // Version, CONNECT, reserved.
            let asked = [b"\x05\x01\x00", destination].concat();
            let found = got.windows(asked.len()).any(|window| window == asked);
            assert!(found, "{client:?} {url}: {}", got.escape_ascii());
        }
    }
}

#[test]
fn who_is_not_optimistic_waits_for_the_answer() {
    let site = Site::new();
    site.configure("connect_timeout = 1");
    for way in WAYS {
        let words = [*way, &["/usr/bin/curl", "-sS", "http://203.0.113.7/"]].concat();
        let (seen, got) = fetch(&site, &words);
        // curl(1): failed to connect, timed out.
        assert!(matches!(seen.status.code(), Some(7 | 28)), "{seen:?}");
        assert!(!got.is_empty() && !got.windows(3).any(|window| window == b"GET"), "{}", got.escape_ascii());
    }
}

/// Runs git by a gateway that refuses.
fn git(site: &Site, way: &[&str], url: &str) -> Seen {
    let mut command = site.uwt(&["--guard", "tunnel"]);
    command.args(way).args(["/usr/bin/git", "ls-remote", url]);
    site.watch(&mut command)
}

/// It ended with an error of git's own, after a single attempt that said this.
#[track_caller]
fn assert_refused(seen: &Seen, host: &str, says: &[&str]) {
    assert_eq!((seen.status.code(), seen.output.as_str()), (Some(128), ""), "{seen:?}");
    let told = seen.notes.iter().any(|line| says.iter().any(|text| line.contains(text)));
    let fatal = seen.notes.iter().any(|line| line.starts_with("fatal: "));
    assert!(told && fatal, "none of {says:?}: {seen:?}");
    let asked: Vec<_> = seen.log.iter().map(|request| request.host.as_str()).collect();
    assert_eq!(asked, [host], "{seen:?}");
}

/// What git says, on a busy machine too, where it has a connection and sends nothing until that is gone again.
const GIT: &[(&str, &[&str])] = &[
    ("http://www.example.test/x.git", &["Connection reset by peer", "Failed to connect", "Broken pipe"]),
    ("https://www.example.test/x.git", &["Connection reset by peer", "Failed to connect", "Broken pipe"]),
    ("git://www.example.test/x.git", &["Connection reset by peer", "unable to connect", "Broken pipe", "hung up"]),
];

#[test]
fn git_understands_a_refusal() {
    // A name that does not exist, a refused connection, a timeout, an onion service that is offline.
    for code in [4, 5, 6, 0xf0] {
        let site = optimistic(refusing(code));
        for (way, (url, says)) in WAYS.iter().flat_map(|way| GIT.iter().map(move |row| (way, row))) {
            assert_refused(&git(&site, way, url), "www.example.test", says);
        }
    }
}

#[test]
fn git_understands_a_gateway_that_never_answers() {
    let check = |way: &[&str], url: &str, says: &[&str]| {
        let site = optimistic(Site::with(|behaviour| behaviour.fault = Some(Fault::Never)));
        let seen = git(&site, way, url);
        assert_refused(&seen, "www.example.test", says);
        let ours: Vec<_> = seen.notes.iter().filter(|line| line.starts_with("uwt: ")).collect();
        assert!(matches!(&ours[..], [line] if line.contains("timed out; is Tor running?")), "{seen:?}");
    };
    thread::scope(|scope| {
        for (way, (url, says)) in WAYS.iter().flat_map(|way| GIT.iter().map(move |row| (way, row))) {
            scope.spawn(move || check(way, url, says));
        }
    });
}

/// How often a program asks a gateway that refuses, as it is by default and when it is optimistic.
fn attempts(command: &dyn Fn(&Site) -> Command) -> [usize; 2] {
    [false, true].map(|is_optimistic| {
        let site = refusing(5);
        site.configure(&format!("optimistic = {is_optimistic}"));
        site.watch(&mut command(&site)).log.len()
    })
}

/// Why the shipped configuration leaves them as they are: a connection that was refused is the end for them, one that
/// breaks is worth another try.
#[test]
fn wget_and_apt_get_would_ask_again() {
    let wget = |site: &Site| {
        let mut command = site.uwt(&["--guard", "tunnel"]);
        command.args(["/usr/bin/wget", "-nv", "-t", "3", "--waitretry", "0", "-O", "-"]);
        command.arg("http://www.example.test/");
        command
    };
    assert_eq!(attempts(&wget), [1, 3]);
    let apt_get = |site: &Site| {
        let dir = site.config().join("apt");
        std::fs::create_dir_all(dir.join("lists/partial")).expect("a folder");
        std::fs::write(dir.join("status"), "").expect("written");
        std::fs::write(dir.join("list"), "deb [trusted=yes] http://www.example.test/debian lab main\n")
            .expect("written");
        let dir = dir.display();
        let mut command = site.uwt(&["--guard", "tunnel"]);
        command.arg("/usr/bin/apt-get");
        for option in [
            &format!("Dir::State={dir}"),
            &format!("Dir::State::status={dir}/status"),
            &format!("Dir::Etc::SourceList={dir}/list"),
            "Dir::Etc::SourceParts=/dev/null",
            "Dir::Etc::Parts=/dev/null",
            "APT::Sandbox::User=root",
            "Acquire::Retries=0",
        ] {
            command.args(["-o", option]);
        }
        command.arg("update");
        command
    };
    assert_eq!(attempts(&apt_get), [1, 2]);
}
