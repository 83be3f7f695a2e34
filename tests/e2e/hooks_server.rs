//! Servers: who can connect to a wrapped one, as `inbound` says.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use support::process::die_with_parent;

use crate::site::Site;

const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn what_may_listen() {
    let site = Site::new();
    let script = |to: &str| {
        format!(
            "socket {} stream; bind {to}:0; listen; getopt device",
            if to.starts_with('[') { "inet6" } else { "inet" }
        )
    };
    for (inbound, everywhere, network, loopback) in [
        ("loopback", "ok; lo", "EACCES; ", "ok; "),
        ("allow", "ok; ", "ok; ", "ok; "),
        ("deny", "EACCES; ", "EACCES; ", "EACCES; "),
    ] {
        site.configure(&format!("inbound = \"{inbound}\""));
        for (to, output) in [
            ("0.0.0.0", everywhere),
            ("[::]", everywhere),
            ("[::ffff:0.0.0.0]", everywhere),
            ("{own}", network),
            ("127.0.0.1", loopback),
            ("[::1]", loopback),
            ("127.9.9.9", loopback),
            ("[::ffff:127.0.0.1]", loopback),
        ] {
            site.check(&script(to), &format!("ok; ok; {output}"), &[]);
        }
        site.check("socket unix stream; bind unix:@{port}-unix; listen", "ok; ok; ok", &[]);
        site.check("socketpair unix stream; listen", "ok; EINVAL", &[]);
        // Without bind(2) it is on every address, on a port of the kernel's choice.
        site.check("socket inet stream; listen; getopt device", &format!("ok; {everywhere}"), &[]);
    }
    site.check("socket inet dgram; listen", "ok; EACCES", &[]);
    site.check("fd 99; listen", "EBADF", &[]);
}

/// A wrapped program that serves until its standard input ends, and the port it serves on.
pub(crate) struct Server {
    child: Child,
    input: Option<ChildStdin>,
    pub(crate) port: u16,
}

impl Server {
    pub(crate) fn start(command: &mut Command) -> Self {
        die_with_parent(command);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started");
        let input = child.stdin.take();
        let mut line = String::new();
        let output = child.stdout.take().expect("a pipe");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).expect("a line");
        let port = line.trim().parse().unwrap_or_else(|_| panic!("no port: {line:?}"));
        Self { child, input, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves what it was asked, from a listening socket it makes, at `SERVE_AT` or every address, or, with a number, inherits.
pub(crate) const SERVE: &str = "
import os, socket, sys, threading
inherited = len(sys.argv) > 1
server = socket.socket(fileno=int(sys.argv[1])) if inherited else socket.create_server((os.environ.get('SERVE_AT', ''), 0))
def serve():
    while True:
        connection, _ = server.accept()
        connection.sendall(connection.recv(100))
        connection.close()
threading.Thread(target=serve, daemon=True).start()
print(server.getsockname()[1], flush=True)
sys.stdin.read()
";

/// What a client gets back, from the workstation itself or from the gateway.
pub(crate) fn ask(site: &Site, inside: bool, address: SocketAddr) -> Option<String> {
    let netns = if inside { site.workstation().netns() } else { site.namespaces().gateway() };
    let answer = netns.run(|| {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.write_all(b"question")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    });
    answer.ok().filter(|answer| !answer.is_empty())
}

#[test]
fn a_server_on_every_address_is_reached_from_here_only() {
    let site = Site::new();
    let python = ["/usr/bin/python3", "-c", SERVE];
    {
        let server = Server::start(site.uwt(&[]).args(python));
        let local = SocketAddr::from(([127, 0, 0, 1], server.port));
        let outside = SocketAddr::from((site.workstation().address(), server.port));
        assert_eq!(ask(&site, true, local).as_deref(), Some("question"));
        assert_eq!(ask(&site, false, outside), None, "from another machine");
        assert_eq!(ask(&site, true, local).as_deref(), Some("question"), "it goes on serving");
    }
    // What the kernel answered to the stranger is no packet of a wrapped program: nobody listens there.
    let leaks = site.workstation().leaks().expect("leaks");
    assert!(leaks.iter().all(|leak| leak.to_string().starts_with("tcp to 10.152.152.10:")), "{leaks:?}");
    site.workstation().reset().expect("reset");

    site.configure("inbound = \"allow\"");
    {
        let server = Server::start(site.uwt(&[]).args(python));
        let outside = SocketAddr::from((site.workstation().address(), server.port));
        assert_eq!(ask(&site, false, outside).as_deref(), Some("question"), "as the configuration says");
    }
    // Its answers go to the network; that is what was asked for.
    site.workstation().reset().expect("reset");
}

#[test]
fn an_inherited_listening_socket_serves_this_machine_only() {
    let site = Site::new();
    for inbound in ["loopback", "deny"] {
        site.configure(&format!("inbound = \"{inbound}\""));
        let listener = site.workstation().netns().run(|| Ok(std::net::TcpListener::bind("0.0.0.0:0")?)).expect("bound");
        let number = listener.as_raw_fd();
        let mut command = site.uwt(&[]);
        command.args(["/usr/bin/python3", "-c", SERVE, "60"]);
        #[expect(unsafe_code, reason = "pre_exec is the only way to hand a descriptor down")]
        // SAFETY: one system call on a number made before the fork.
        unsafe {
            use std::os::unix::process::CommandExt as _;
            command.pre_exec(
                move || if libc::dup2(number, 60) < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) },
            );
        }
        let server = Server::start(&mut command);
        let local = SocketAddr::from(([127, 0, 0, 1], server.port));
        let outside = SocketAddr::from((site.workstation().address(), server.port));
        let from_here = if inbound == "deny" { None } else { Some("question") };
        assert_eq!(ask(&site, true, local).as_deref(), from_here, "{inbound}");
        assert_eq!(ask(&site, false, outside), None, "{inbound}: accepted from another machine");
        assert_eq!(ask(&site, true, outside).as_deref(), from_here, "{inbound}: the own address is this machine");
    }
    // The handshake was the kernel's, before anybody was wrapped.
    site.workstation().reset().expect("reset");
}

#[test]
fn datagrams_reach_it_from_here_only() {
    let site = Site::new();
    // Bound to every address, it is confined to loopback: what another machine sends is not delivered.
    let code = "
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(('', 0))
print(server.getsockname()[1], flush=True)
while True:
    data, peer = server.recvfrom(100)
    server.sendto(data + b' from ' + peer[0].encode(), peer)
";
    let server = Server::start(site.uwt(&[]).args(["/usr/bin/python3", "-c", code]));
    let ask = |inside: bool, to: std::net::Ipv4Addr| {
        let netns = if inside { site.workstation().netns() } else { site.namespaces().gateway() };
        netns.run(|| {
            let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
            socket.set_read_timeout(Some(if inside { LIMIT } else { Duration::from_millis(300) }))?;
            socket.send_to(b"hi", (to, server.port))?;
            let mut answer = [0; 100];
            let count = socket.recv(&mut answer)?;
            Ok(String::from_utf8_lossy(&answer[..count]).into_owned())
        })
    };
    assert_eq!(ask(true, std::net::Ipv4Addr::LOCALHOST).expect("an answer"), "hi from 127.0.0.1");
    assert!(ask(false, site.workstation().address()).is_err(), "delivered from another machine");
    assert_eq!(ask(true, std::net::Ipv4Addr::LOCALHOST).expect("an answer"), "hi from 127.0.0.1");
    // The kernel's answer to the stranger: port unreachable.
    site.workstation().reset().expect("reset");
}

#[test]
fn inside_one_program() {
    let site = Site::new();
    for (socket, first) in [("inet stream", "ok"), ("inet6 stream", "ok")] {
        let script = format!(
            "socket {socket}; listen; as server; socket {socket}; connect @server; as client; use server; accept; send hello; use client; recv 5; peer; name"
        );
        let seen = site.run(&script);
        assert!(seen.output.starts_with(&format!("{first}; ok; ok; ok; ok; 5; hello; ")), "{seen:?}");
        assert!(seen.log.is_empty());
    }
    site.check("via syscall; socket inet stream; listen; as server; socket inet stream; connect @server; as client; use server; accept4; send hello; use client; recv 5", "ok; ok; ok; ok; 127.0.0.1; 5; hello", &[]);
}
