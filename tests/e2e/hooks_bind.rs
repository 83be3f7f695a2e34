//! Servers that are bound to another address than they ask for, as `bind` says.

use std::net::SocketAddr;
use std::process::Command;

use support::netns::GATEWAY_V4;

use crate::server::{SERVE, Server, ask};
use crate::site::{Site, probe, programs};

const INTERFACE: &str = "bind = \"interface:eth0\"";

/// Runs a script that ends by `name`, and checks what it prints: the port that the kernel chose is `PORT` there.
#[track_caller]
fn check_names(site: &Site, rows: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (script, expected) in rows {
        let seen = site.run(script);
        let (steps, name) = seen.output.rsplit_once("; ").unwrap_or_default();
        let (ip, _) = name.rsplit_once(':').unwrap_or_default();
        let got = format!("{steps}; {ip}:PORT");
        if got != site.fill(expected) || !seen.notes.is_empty() || !seen.log.is_empty() {
            wrong.push(format!("{script}\n  wanted {}\n  got    {got} {seen:?}", site.fill(expected)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const MOVED: &[(&str, &str)] = &[
    ("socket inet stream; bind 127.0.0.1:0; listen; name", "ok; ok; ok; {own}:PORT"),
    ("socket inet stream; bind 0.0.0.0:0; listen; name", "ok; ok; ok; {own}:PORT"),
    ("socket inet stream; bind 127.9.9.9:0; listen; name", "ok; ok; ok; {own}:PORT"),
    ("socket inet stream; bind {own}:0; listen; name", "ok; ok; ok; {own}:PORT"),
    ("via syscall; socket inet stream; bind 127.0.0.1:0; listen; name", "ok; ok; ok; {own}:PORT"),
    ("socket inet6 stream; bind [::]:0; listen; name", "ok; ok; ok; [::ffff:{own}]:PORT"),
    ("socket inet6 stream; bind [::ffff:127.0.0.1]:0; listen; name", "ok; ok; ok; [::ffff:{own}]:PORT"),
    // Without bind(2) the kernel would choose every address.
    ("socket inet stream; listen; name", "ok; ok; {own}:PORT"),
    ("socket inet stream; bind 127.0.0.1:0; listen; getopt device; name", "ok; ok; ok; ; {own}:PORT"),
];

const STAYS: &[(&str, &str)] = &[
    ("socket inet6 stream; bind [::1]:0; listen; name", "ok; ok; ok; [::1]:PORT"),
    ("socket inet6 stream; setopt v6only 1; bind [::]:0; listen; getopt device; name", "ok; ok; ok; ok; lo; [::]:PORT"),
    ("socket inet dgram; bind 127.0.0.1:0; name", "ok; ok; 127.0.0.1:PORT"),
    ("socket inet dgram; bind 0.0.0.0:0; getopt device; name", "ok; ok; lo; 0.0.0.0:PORT"),
    ("socket inet6 dgram; bind [::]:0; getopt device; name", "ok; ok; lo; [::]:PORT"),
];

#[test]
fn what_moves_and_what_stays() {
    for site in [Site::new(), Site::unguarded()] {
        let own = site.workstation().address();
        for bind in [INTERFACE.to_owned(), format!("bind = \"{own}\"")] {
            site.configure(&bind);
            check_names(&site, MOVED);
            check_names(&site, STAYS);
            site.check("socket unix stream; bind unix:@{port}-bind; listen; name", "ok; ok; ok; unix", &[]);
            // What is cut short the kernel refuses.
            site.check("socket inet stream; bind 127.0.0.1:0/4; listen", "ok; EINVAL; ok", &[]);
            site.check("fd 99; bind 127.0.0.1:80", "EBADF", &[]);
        }
        site.configure("bind = \"none\"");
        check_names(&site, &[("socket inet stream; bind 127.0.0.1:0; listen; name", "ok; ok; ok; 127.0.0.1:PORT")]);
    }
}

#[test]
fn who_may_not_listen_still_may_not() {
    let site = Site::new();
    site.configure(&format!("{INTERFACE}\ninbound = \"deny\""));
    for to in ["127.0.0.1", "0.0.0.0", "{own}"] {
        site.check(&format!("socket inet stream; bind {to}:0; listen"), "ok; ok; EACCES", &[]);
    }
    site.check("socket inet stream; listen", "ok; EACCES", &[]);
    site.configure(&format!("{INTERFACE}\ninbound = \"allow\""));
    check_names(&site, MOVED);
}

/// A server by python that asks for this address.
fn serve(command: &mut Command, at: &str) -> Server {
    Server::start(command.args(["/usr/bin/python3", "-c", SERVE]).env("SERVE_AT", at))
}

/// As the network and this machine see a server.
fn check_server(site: &Site, server: &Server) {
    let own = SocketAddr::from((site.workstation().address(), server.port));
    for round in 0..2 {
        assert_eq!(ask(site, false, own).as_deref(), Some("question"), "from another machine, {round}");
        assert_eq!(ask(site, true, own).as_deref(), Some("question"), "from this one, {round}");
    }
    let loopback = SocketAddr::from(([127, 0, 0, 1], server.port));
    assert_eq!(ask(site, true, loopback), None, "it is at one address");
}

#[test]
fn a_server_for_loopback_is_reached_from_another_machine() {
    let site = Site::new();
    site.configure(INTERFACE);
    for at in ["127.0.0.1", ""] {
        check_server(&site, &serve(&mut site.uwt(&[]), at));
    }
    // Its answers go to whom it was opened for.
    site.workstation().reset().expect("reset");
}

#[test]
fn a_server_without_the_library_is_reached_from_another_machine() {
    let site = Site::new();
    site.configure(INTERFACE);
    // busybox is static: python is started without the library, and its sockets are made in the cage.
    let mut command = site.uwt(&["--guard", "tunnel"]);
    command.args(["/usr/bin/busybox", "env", "-u", "LD_PRELOAD"]);
    check_server(&site, &serve(&mut command, "127.0.0.1"));
    site.workstation().reset().expect("reset");
    site.configure(&format!("{INTERFACE}\ninbound = \"deny\""));
    let code = "
import socket
try: socket.create_server(('127.0.0.1', 0))
except OSError as error: print(error.errno)";
    let mut command = site.uwt(&["--guard", "tunnel"]);
    command.args(["/usr/bin/busybox", "env", "-u", "LD_PRELOAD", "/usr/bin/python3", "-c", code]);
    assert_eq!(site.watch(&mut command).output, libc::EACCES.to_string());
}

/// Serves at 127.0.0.1 and asks itself there, as many programs do, by http.server and urllib, and by asyncio, which does not
/// wait; then at the address that it is told it has.
const BOTH: &str = "
import asyncio, http.server, socket, threading, urllib.request
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()
    def log_message(self, *words): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
own, port = server.server_address
async def ask(host):
    reader, writer = await asyncio.open_connection(host, port)
    peer = writer.get_extra_info('peername')
    writer.write(b'GET / HTTP/1.0\\r\\n\\r\\n')
    answer = (await reader.readline()).split()[1].decode()
    writer.close()
    return answer, peer == (own, port)
for host in ('127.0.0.1', 'localhost', own):
    print(own, urllib.request.urlopen(f'http://{host}:{port}/').status, *asyncio.run(ask(host)))
";

#[test]
fn a_program_finds_its_own_server() {
    for site in [Site::new(), Site::unguarded()] {
        site.configure(INTERFACE);
        let line = format!("{} 204 204 True", site.workstation().address());
        let seen = site.watch(site.uwt(&[]).args(["/usr/bin/python3", "-c", BOTH]));
        assert_eq!(seen.output, [&*line; 3].join("; "), "{seen:?}");
        assert!(seen.notes.is_empty() && seen.log.is_empty(), "{seen:?}");
    }
    // Without the library; what getpeername(2) says there is what was asked for.
    let site = Site::new();
    site.configure(INTERFACE);
    let mut command = site.uwt(&["--guard", "tunnel"]);
    let seen =
        site.watch(command.args(["/usr/bin/busybox", "env", "-u", "LD_PRELOAD", "/usr/bin/python3", "-c", BOTH]));
    assert_eq!(seen.output.matches(" 204 204 ").count(), 3, "{seen:?}");
    assert!(seen.log.is_empty(), "{seen:?}");
}

#[test]
fn connections_are_what_they_were() {
    let site = Site::new();
    site.configure(INTERFACE);
    site.check(
        "socket inet stream; bind 127.0.0.1:0; connect 127.0.0.1:{echo}; send hi; recv 2",
        "ok; ok; ok; 2; hi",
        &[],
    );
    site.check("socket inet stream; connect 127.0.0.1:{echo}; peer", "ok; ok; 127.0.0.1:{echo}", &[]);
    for to in ["127.0.0.1", "0.0.0.0"] {
        let script = format!("socket inet stream; bind {to}:0; connect 203.0.113.7:80; peer");
        site.check(&script, "ok; ok; ok; 203.0.113.7:80", &["203.0.113.7:80"]);
    }
    site.configure(&format!("{INTERFACE}\nallow_loopback = false"));
    let script =
        "socket inet stream; bind 127.0.0.1:0; listen; as server; socket inet stream; connect 127.0.0.1:{echo}";
    site.check(script, "ok; ok; ok; ok; EACCES", &[]);
}

#[test]
fn what_is_not_there_is_not_started() {
    let site = Site::new();
    for (bind, problem) in [
        ("interface:eth9", "there is no interface eth9 with an IPv4 address"),
        ("10.152.152.250", "no network interface of this machine has this address"),
    ] {
        site.configure(&format!("[command.probe]\nbind = \"{bind}\""));
        let seen = site.run("socket inet stream");
        assert_eq!((seen.status.code(), seen.output.as_str()), (Some(125), ""), "{seen:?}");
        let [line] = &seen.notes[..] else { panic!("{seen:?}") };
        let file = site.config().join("50_test.toml");
        assert!(line.starts_with(&format!("uwt: bind = \"{bind}\" ({}:2): {problem}; ", file.display())), "{line}");
        // It is of no concern to others.
        assert!(site.watch(site.uwt(&[]).arg("/bin/true")).status.success());
    }
}

#[test]
fn a_nested_command_has_its_own() {
    let site = Site::new();
    let (uwt, probe) = (programs().join("uwt"), probe());
    let script = "socket inet stream; bind 127.0.0.1:0; listen; name";
    let nested = |guard: &str, table: &str| {
        site.configure(&format!("[command.{table}]\n{INTERFACE}"));
        let mut command = site.uwt(&["--guard", guard]);
        let line = format!("{} {script:?}; {} {} {script:?}", probe.display(), uwt.display(), probe.display());
        let seen = site.watch(command.args(["/bin/sh", "-c", &line]));
        let lines: Vec<&str> = seen.output.split("; ").collect();
        let ip = |index: usize| lines.get(index).and_then(|name| name.rsplit_once(':')).map(|(ip, _)| ip.to_owned());
        assert!(seen.notes.is_empty(), "{seen:?}");
        [ip(3), ip(7)].map(|ip| ip.unwrap_or_else(|| panic!("{seen:?}")))
    };
    let own = site.workstation().address().to_string();
    for guard in ["tunnel", "deny", "off"] {
        assert_eq!(nested(guard, "probe"), ["127.0.0.1".to_owned(), own.clone()], "{guard}");
        assert_eq!(nested(guard, "sh"), [own.clone(), "127.0.0.1".to_owned()], "{guard}");
    }
}

#[test]
fn a_workstation_binds_towards_its_gateway() {
    let site = Site::new();
    site.configure("bind = \"workstation\"");
    // No argument names this machine: there it would run without uwt then.
    let script = site.fill("socket inet stream; bind 0.0.0.0:0; listen; name");
    let port = site.port().to_string();
    // With the marker of a Whonix-Workstation, which is there for these processes only.
    let mark = "mount -t tmpfs none /usr/share && mkdir /usr/share/anon-ws-base-files \
                && > /usr/share/anon-ws-base-files/workstation && exec \"$@\"";
    let mut marked = site.workstation().command("/usr/bin/unshare");
    marked.args(["--mount", "/bin/sh", "-c", mark, "sh"]).arg(programs().join("uwt"));
    marked.args(["-i", &GATEWAY_V4.to_string(), "-p", &port, "--"]).arg(probe()).arg(&script);
    marked.env_clear().env("PATH", "/usr/bin:/bin").env("UWT_CONFIG_PATH", site.config());
    let seen = site.watch(&mut marked);
    assert!(seen.output.starts_with(&format!("ok; ok; ok; {}:", site.workstation().address())), "{seen:?}");
    // Elsewhere the web server of onionshare is for this machine only.
    let seen = site.run(&script);
    assert!(seen.output.starts_with("ok; ok; ok; 0.0.0.0:") && seen.notes.is_empty(), "{seen:?}");
}
