//! Gateways that are none, or behave badly: what the program gets, and the one line the user sees.

use std::net::{SocketAddr, TcpListener};
use std::thread;

use support::gateway::{Fault, Form};
use support::netns::GATEWAY_V4;

use crate::site::{Seen, Site, probe};

const CONNECT: &str = "socket inet stream; connect 203.0.113.7:80; peer; getopt error";

/// What each kind of call says when the gateway is bad, and the line.
struct Row {
    fault: Fault,
    /// connect(2)
    errno: &'static str,
    /// The line names this cause.
    cause: &'static str,
}

const SILENT: &str = "timed out; is Tor running?";
const NO_SOCKS: &str = "does not answer like a SocksPort; is it Tor's?";
const CREDENTIAL: &str = "refuses our credential; is it Tor's?";

const ROWS: &[Row] = &[
    Row { fault: Fault::CloseAtOnce, errno: "ECONNABORTED", cause: NO_SOCKS },
    Row { fault: Fault::Garbage, errno: "ECONNABORTED", cause: NO_SOCKS },
    Row { fault: Fault::NoAuth, errno: "ECONNABORTED", cause: NO_SOCKS },
    Row { fault: Fault::RejectMethods, errno: "EACCES", cause: CREDENTIAL },
    Row { fault: Fault::RejectAuth, errno: "EACCES", cause: CREDENTIAL },
    Row { fault: Fault::CloseBeforeReply, errno: "ECONNABORTED", cause: NO_SOCKS },
    Row { fault: Fault::CloseMidReply, errno: "ECONNABORTED", cause: NO_SOCKS },
    Row { fault: Fault::Silent, errno: "ETIMEDOUT", cause: SILENT },
    Row { fault: Fault::Never, errno: "ETIMEDOUT", cause: SILENT },
];

/// One line: who is to blame, and why.
#[track_caller]
fn one_line(seen: &Seen, address: SocketAddr, cause: &str) {
    let told = matches!(&seen.notes[..], [line] if line.starts_with("uwt: ") && line.contains(&address.to_string()) && line.contains(cause));
    assert!(told, "wanted one line with {address} and {cause:?}\n{seen:?}");
}

fn impatient(fault: Fault, form: Form) -> Site {
    let site = Site::with(|behaviour| (behaviour.fault, behaviour.form) = (Some(fault), form));
    site.configure("connect_timeout = 1");
    site
}

/// Checks each row with all of these. Where the gateway says nothing it is one at a time, and they wait side by side.
fn each<T: Sync>(with: &[T], check: impl Fn(&Row, &[T]) + Sync) {
    thread::scope(|scope| {
        let (waiting, answered) = ROWS.iter().partition::<Vec<_>, _>(|row| row.cause == SILENT);
        for (row, one) in waiting.into_iter().flat_map(|row| with.chunks(1).map(move |one| (row, one))) {
            scope.spawn(|| check(row, one));
        }
        for row in answered {
            check(row, with);
        }
    });
}

#[test]
fn connecting() {
    each(&[Form::Rfc, Form::Tor], |row, forms| {
        for form in forms {
            let site = impatient(row.fault, *form);
            let address = site.gateway.address();
            let errno = row.errno;
            let seen = site.run(CONNECT);
            // A gateway that closes may be faster than our request: then the kernel says so, and it is no less its fault.
            let wanted = format!("ok; {errno}; ENOTCONN; ok");
            let reset = row.fault == Fault::CloseAtOnce && seen.output == "ok; ECONNRESET; ENOTCONN; ok";
            assert!(seen.output == wanted || reset, "{}: wanted {wanted}\n{seen:?}", row.fault);
            one_line(&seen, address, if reset { "connection reset" } else { row.cause });
            // However often it happens, it is said once.
            let seen = site.run(
                "socket inet stream; connect 203.0.113.7:80; connect 203.0.113.7:80; sendto 203.0.113.7:80 hi fastopen",
            );
            assert_eq!(seen.notes.len(), 1, "{}: {seen:?}", row.fault);
            assert!(!seen.output.contains("ok; ok"), "{}: {seen:?}", row.fault);
        }
    });
}

#[test]
fn looking_up() {
    let calls = [
        ("gai www.example.test 80 t=stream", "EAI_AGAIN"),
        ("host gethostbyname www.example.test", "TRY_AGAIN"),
        ("hostaddr gethostbyaddr 203.0.113.7", "TRY_AGAIN"),
        ("res res_query www.example.test A", "TRY_AGAIN"),
        ("resmessage res_send A:www.example.test", "SERVFAIL"),
        ("nameinfo 203.0.113.7:80 99 99 8", "EAI_AGAIN"),
        ("nameinfo 203.0.113.7:80 99 99", "203.0.113.7 http"),
    ];
    each(&calls, |row, calls| {
        let site = impatient(row.fault, Form::Rfc);
        let address = site.gateway.address();
        for (script, output) in calls {
            let seen = site.run_with(&["--dns", "resolve"], script);
            assert_eq!(seen.output, *output, "{}: {script}\n{seen:?}", row.fault);
            let reset =
                row.fault == Fault::CloseAtOnce && seen.notes.iter().any(|line| line.contains("connection reset"));
            one_line(&seen, address, if reset { "connection reset" } else { row.cause });
        }
    });
}

/// Runs with another gateway than the site's own.
fn through(site: &Site, address: SocketAddr, script: &str) -> Seen {
    // The last of two options would be an error: these stand for the site's own.
    let mut command = site.workstation().command(crate::site::programs().join("uwt"));
    command.args(["-i", &address.ip().to_string(), "-p", &address.port().to_string(), "--"]).arg(probe()).arg(script);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("UWT_CONFIG_PATH", site.config());
    site.watch(&mut command)
}

#[test]
fn a_closed_port() {
    let site = Site::new();
    // One that was free a moment ago, in a namespace where nobody else takes it.
    let listener = site.namespaces().gateway().run(|| Ok(TcpListener::bind((GATEWAY_V4, 0))?)).expect("bound");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    site.workstation().allow_gateway_port(address.port()).expect("nft");
    let seen = through(&site, address, CONNECT);
    assert_eq!(seen.output, "ok; ECONNREFUSED; ENOTCONN; ok", "{seen:?}");
    one_line(&seen, address, "connection refused; is Tor running?");
    // The children of a program say it for themselves.
    let seen = through(
        &site,
        address,
        "socket inet stream; connect 203.0.113.7:80; spawn posix_spawn same; socket inet stream; connect 203.0.113.7:80; end",
    );
    assert_eq!(seen.notes.len(), 2, "{seen:?}");
}

#[test]
fn a_gateway_nobody_is_at() {
    let site = Site::new();
    site.configure("connect_timeout = 1");
    // A neighbour that does not exist: the veth has no ARP, so nothing ever comes back.
    let address = SocketAddr::from(([10, 152, 152, 9], 9050));
    let seen = through(&site, address, CONNECT);
    assert_eq!(seen.output, "ok; ETIMEDOUT; ENOTCONN; ok", "{seen:?}");
    one_line(&seen, address, SILENT);
    // These packets were for the configured gateway, which here is none.
    site.workstation().reset().expect("reset");
}

#[test]
fn a_web_server() {
    let site = Site::new();
    let listener = site.namespaces().gateway().run(|| Ok(TcpListener::bind((GATEWAY_V4, 0))?)).expect("bound");
    let address = listener.local_addr().expect("an address");
    site.workstation().allow_gateway_port(address.port()).expect("nft");
    let server = thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = listener.accept().expect("accepted");
        let mut request = [0; 512];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(b"HTTP/1.0 400 Bad Request\r\nServer: x\r\n\r\n<html></html>");
        // Until the client has had enough.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let seen = through(&site, address, CONNECT);
    assert_eq!(seen.output, "ok; ECONNABORTED; ENOTCONN; ok", "{seen:?}");
    one_line(&seen, address, NO_SOCKS);
    server.join().expect("served");
}

#[test]
fn refusals_are_answers_and_no_fault_of_the_gateway() {
    for (code, errno) in [
        (1, "ENETUNREACH"),
        (2, "EACCES"),
        (3, "ENETUNREACH"),
        (4, "EHOSTUNREACH"),
        (5, "ECONNREFUSED"),
        (6, "ETIMEDOUT"),
        (7, "EOPNOTSUPP"),
        (8, "EAFNOSUPPORT"),
        (0xf0, "EHOSTUNREACH"),
        (0xf1, "EHOSTUNREACH"),
        (0xf2, "ECONNREFUSED"),
        (0xf3, "ENETUNREACH"),
        (0xf4, "EACCES"),
        (0xf5, "EACCES"),
        (0xf6, "EHOSTUNREACH"),
        (0xf7, "ETIMEDOUT"),
        (0x99, "ECONNABORTED"),
    ] {
        let site = Site::with(|behaviour| behaviour.refuse = Some(code));
        site.check(CONNECT, &format!("ok; {errno}; ENOTCONN; ok"), &["203.0.113.7:80"]);
    }
}

#[test]
fn what_clients_say() {
    let site = impatient(Fault::Garbage, Form::Rfc);
    let address = site.gateway.address();
    let client = |words: &[&str]| site.watch(site.uwt(&[]).args(words));
    let seen = client(&["/usr/bin/curl", "-sS", "http://www.example.test/"]);
    assert_eq!(seen.status.code(), Some(7), "{seen:?}");
    let ours: Vec<&String> = seen.notes.iter().filter(|line| line.starts_with("uwt: ")).collect();
    assert!(ours.len() == 1 && ours[0].contains(&address.to_string()), "{seen:?}");
    let seen = client(&[
        "/usr/bin/python3",
        "-c",
        "import socket\ntry: socket.create_connection(('www.example.test', 80))\nexcept OSError as e: print(e.strerror)",
    ]);
    assert_eq!(seen.output, "Software caused connection abort", "{seen:?}");
    one_line(&seen, address, NO_SOCKS);
    // Nobody else is bothered: a program that connects to nobody says nothing.
    let seen = client(&["/bin/echo", "hi"]);
    assert!(seen.notes.is_empty() && seen.output == "hi", "{seen:?}");
}
