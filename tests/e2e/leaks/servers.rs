//! Servers that the preload does not see, on every address of the workstation: who reaches them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::process::Stdio;
use std::time::Duration;

use support::netns::Netns;
use support::process::die_with_parent;

use crate::place::{Level, Place, User};
use crate::row::{Expect, Row, row};

const SERVER: Row = row("a server", "@static listen 0.0.0.0", [Expect::Quiet; 4]);

/// What a server on the workstation sends back to a client in a namespace.
fn ask(netns: &Netns, server: SocketAddr) -> Option<String> {
    let answer = netns.run(|| {
        let mut stream = TcpStream::connect_timeout(&server, Duration::from_secs(10))?;
        stream.write_all(b"hi\n")?;
        stream.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    });
    answer.ok()
}

/// Starts the server; gives what it says first, and who reached it: the gateway, and a program of the workstation.
fn reached(level: Level, user: User) -> (String, Option<String>, Option<String>) {
    let place = Place::new();
    let workstation = place.calm();
    let (mut command, _held) = place.command(&SERVER, level, user, workstation);
    die_with_parent(&mut command);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("started");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    let line = line.trim_end().to_owned();
    let (mut outside, mut inside) = (None, None);
    if let Some(port) = line.strip_prefix("port ").and_then(|port| port.parse().ok()) {
        let at = |address: Ipv4Addr| SocketAddr::new(IpAddr::V4(address), port);
        outside = ask(place.gateway_netns(), at(workstation.address()));
        if outside.is_none() {
            inside = ask(workstation.netns(), at(Ipv4Addr::LOCALHOST));
        }
    }
    let _ = child.kill();
    child.wait().expect("a child");
    (line, outside, inside)
}

#[test]
fn without_uwt_everybody_reaches_it() {
    assert_eq!(reached(Level::Bare, User::Nobody).1.as_deref(), Some("hi\n"));
}

#[test]
fn in_the_tunnel_only_this_machine_reaches_it() {
    for user in [User::Root, User::Nobody] {
        let (line, outside, inside) = reached(Level::Tunnel, user);
        assert_eq!((outside, inside.as_deref()), (None, Some("hi\n")), "{line}");
    }
}

#[test]
fn denied_there_is_none() {
    for user in [User::Root, User::Nobody] {
        assert_eq!(reached(Level::Deny, user).0, "socket: EACCES");
    }
}
