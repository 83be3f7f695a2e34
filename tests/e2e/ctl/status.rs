//! `uwtctl status`, without Tor: what is found out, what is pointed at, and that nobody is waited for.

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::thread;

use serde_json::{Value, json};

use crate::place::{Place, Ran, bin_dir, run};
use crate::program::{ran, uwtctl, wide};
use crate::schema;

/// The findings about something.
fn findings<'a>(document: &'a Value, about: &str) -> Vec<&'a Value> {
    let all = document["findings"].as_array().expect("a list").iter();
    all.filter(|finding| finding["about"].as_str().is_some_and(|it| it.contains(about))).collect()
}

/// The one finding about something.
#[track_caller]
fn finding<'a>(document: &'a Value, about: &str) -> &'a Value {
    let found = findings(document, about);
    assert_eq!(found.len(), 1, "{about}: {document:#}");
    found[0]
}

/// As [`schema::json`], with variables added to the environment.
fn with(place: &Place, variables: &[&str], arguments: &[&str]) -> (Ran, Value) {
    let arguments = [&["--json", "status"], arguments].concat();
    let ran = place.run_with(variables, bin_dir().join("uwtctl"), &arguments);
    let document = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    schema::check("status", &document);
    (ran, document)
}

/// A port of this machine where a server reads `wanted` bytes of each connection and answers.
fn server(wanted: usize, answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bound");
    let port = listener.local_addr().expect("bound").port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("accepted");
            let mut request = vec![0; wanted];
            // A client that is satisfied goes away.
            let _ = stream.read_exact(&mut request).and_then(|()| stream.write_all(answer));
        }
    });
    port
}

/// A port where nothing listens.
fn free() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bound");
    listener.local_addr().expect("bound").port()
}

#[test]
fn nothing_listens_at_the_gateway() {
    let place = Place::new();
    place.configure(&format!("gateway = \"127.0.0.1\"\nport = {}\n", free()));
    let (status, document) = schema::json(&place, &["status"]);
    assert_eq!((status.status, status.err.as_str()), (1, ""), "{status:?}");
    assert_eq!(document["ports"][0]["answer"], "refused");
    let found = finding(&document, "SocksPort");
    assert_eq!(found["severity"], "bad");
    assert!(found["advice"].as_str().is_some_and(|advice| advice.contains("start Tor")), "{found}");
    assert_eq!(document["uwt"]["path"], json!(bin_dir().join("uwt")));
    assert_eq!(document["uwt"]["version"], document["version"]);
    assert_eq!(document["files"], json!([place.at("etc/50_test.toml")]));
    assert_eq!(document["preload"]["value"], json!(bin_dir().join("libuwt_preload.so")));
    assert_eq!(document["guard"]["value"], "tunnel");
    let libraries = document["libraries"].as_array().expect("a list");
    let machine = if cfg!(target_arch = "x86_64") { "x86-64" } else { "arm64" };
    assert!(libraries.iter().any(|library| library["architecture"] == machine), "{document:#}");

    let text = ran(&place, &["status"]);
    assert_eq!(text.status, 1);
    assert!(wide(&text.out).is_empty() && !text.out.contains('\x1b'), "{}", text.out);
    assert!(text.out.contains("wrong: SocksPort") && text.out.contains("connection refused"), "{}", text.out);
}

#[test]
fn what_is_no_socksport_is_named() {
    for (wanted, bytes, answer, status) in [
        (1, &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "http", 1),
        (1, b"220 mail.example ESMTP\r\n", "not-socks", 1),
        (3, b"\x05\xff", "no-credentials", 1),
        (59, b"\x05\x02\x01\x00\x05\x07\x00\x01\x00\x00\x00\x00\x00\x00", "not-tor", 3),
    ] {
        let place = Place::new();
        place.configure(&format!("gateway = \"127.0.0.1\"\nport = {}\n", server(wanted, bytes)));
        let (ran, document) = schema::json(&place, &["status"]);
        assert_eq!((ran.status, &document["ports"][0]["answer"]), (status, &json!(answer)), "{document:#}");
    }
}

#[test]
fn offline_sends_nothing_and_asks_nobody() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bound");
    let port = listener.local_addr().expect("bound").port();
    let place = Place::new();
    place.configure(&format!("gateway = \"127.0.0.1\"\nport = {port}\n"));
    // Nobody accepts: with a question it would be silent.
    let mut traced = place.command("strace");
    traced.args(["-f", "-qq", "-e", "trace=execve,connect,sendto,sendmsg", "-o"]).arg(place.at("trace"));
    let ran = run(traced.arg(bin_dir().join("uwtctl")).args(["--json", "status", "--offline"]));
    let document: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(
        (&document["ports"][0]["answer"], &document["ports"][0]["what"]),
        (&json!("not-asked"), &json!("--offline"))
    );
    let trace = fs::read_to_string(place.at("trace")).expect("written");
    let sent: Vec<&str> = trace.lines().filter(|line| line.contains("AF_INET")).collect();
    assert!(sent.is_empty(), "{sent:#?}");
    // Itself, `uwt --version`, one `uwt --explain`, and gsettings where there is one: not one for each command.
    // strace breaks a call in two when another process makes one meanwhile: its end counts.
    let started = trace.lines().filter(|line| line.contains("execve") && line.ends_with("= 0")).count();
    assert!((3..=4).contains(&started), "{trace}");
}

#[test]
fn a_broken_configuration_is_the_finding_it_is() {
    let place = Place::new();
    place.configure("prot = 9050\n");
    let (status, document) = schema::json(&place, &["status"]);
    assert_eq!(status.status, 1);
    let found = finding(&document, "configuration");
    assert!(
        found["what"].as_str().is_some_and(|what| what.contains("50_test.toml:1") && what.contains("prot")),
        "{found}"
    );
    assert_eq!((&document["global"], &document["guard"]), (&Value::Null, &Value::Null));
    assert!(wide(&ran(&place, &["status"]).out).is_empty());
    let (status, document) = with(&place, &["UWT_CONFIG_PATH=relative"], &[]);
    assert_eq!(status.status, 1);
    assert!(finding(&document, "configuration")["what"].as_str().is_some_and(|what| what.contains("UWT_CONFIG_PATH")));
}

#[test]
fn a_preload_library_that_is_missing_is_found() {
    let place = Place::new();
    place.configure("preload = \"/nonexistent/libuwt_preload.so\"\n");
    let (status, document) = schema::json(&place, &["status", "--offline"]);
    assert_eq!((status.status, &document["preload"]), (1, &Value::Null));
    let found = finding(&document, "uwt");
    assert!(found["what"].as_str().is_some_and(|what| what.contains("/nonexistent/libuwt_preload.so")), "{found}");
}

#[test]
fn a_command_that_uwt_does_not_start_is_found() {
    let place = Place::new();
    // It is static: without a guard nothing would isolate it.
    place.copy("bin/prog", bin_dir().join("uwt"));
    place.configure("[command.prog]\nguard = \"off\"\n");
    let (status, document) = schema::json(&place, &["status", "--offline"]);
    assert_eq!((status.status, &finding(&document, "bin/prog")["severity"]), (1, &json!("bad")));
    assert_eq!(document["preload"]["value"], json!(bin_dir().join("libuwt_preload.so")));
}

#[test]
fn commands_are_shown_as_they_are() {
    let place = Place::new();
    place.configure(
        "[command.one]\nidentity = \"work\"\nport = 9153\n[command.two]\nport = 9153\n[command.off]\nenabled = false\n",
    );
    for name in ["one", "off"] {
        place.wrap(name, "/bin/true");
    }
    place.copy("bin/two", "/bin/true");
    place.link("bin/broken.anondist", bin_dir().join("uwt"));
    place.program("bin/broken", "#!/bin/sh\n");
    let (status, document) = schema::json(&place, &["status", "--offline", "one", "two", "off", "broken", "absent"]);
    assert_eq!(status.status, 1);
    let commands = document["commands"].as_array().expect("a list");
    let wrappers: Vec<&Value> = commands.iter().map(|command| &command["wrapper"]).collect();
    assert_eq!(wrappers, ["wrapped", "none", "wrapped", "broken", "none"]);
    assert_eq!(
        (&commands[0]["settings"]["scope"], &commands[0]["settings"]["port"]),
        (&json!("identity"), &json!(9153))
    );
    assert_eq!(commands[0]["settings"]["identity"], "work");
    for (name, severity, part) in [
        ("two", "bad", "it is not wrapped"),
        ("off", "bad", "enabled = false"),
        ("broken", "bad", "something else has taken the link's place"),
        ("absent", "unknown", "there is no such program"),
        ("port 9153", "warning", "one, two: they share it"),
    ] {
        let found = finding(&document, name);
        assert_eq!(found["severity"], severity, "{found}");
        assert!(found["what"].as_str().is_some_and(|what| what.contains(part)), "{found}");
    }
    assert!(findings(&document, "one").is_empty(), "{document:#}");
    // A warning alone is no failure, what cannot be known is none either.
    assert_eq!(ran(&place, &["status", "--offline", "one"]).status, 0);
    assert_eq!(ran(&place, &["status", "--offline", "absent"]).status, 3);
}

#[test]
fn the_notice_is_one_line() {
    let place = Place::new();
    place.configure("[command.off]\nenabled = false\n[command.shared]\nscope = \"none\"\n");
    for name in ["one", "two", "off", "shared"] {
        place.wrap(name, "/bin/true");
    }
    let (_, document) = schema::json(&place, &["status", "--offline", "one", "two", "off", "shared"]);
    let expected = "uwt: 2 wrapped commands are isolated, on Tor circuits of their own; through Tor, but not isolated: \
                    shared; NOT through Tor, by the configuration: off; UWT_DEV_PASSTHROUGH=1 switches uwt off";
    assert_eq!(document["notice"], expected);
    let (status, document) = with(&place, &["UWT_DEV_PASSTHROUGH=1"], &["--offline", "one"]);
    assert_eq!(
        (status.status, &document["notice"]),
        (1, &json!("uwt: NOT through Tor, by UWT_DEV_PASSTHROUGH=1: one"))
    );
    let (_, document) = schema::json(&place, &["status", "--motd"]);
    assert!(document.as_object().is_some_and(|it| it.len() == 1), "{document:#}");
    let motd = ran(&place, &["status", "--motd"]);
    assert!(motd.err.is_empty() && motd.out.lines().count() <= 1, "{motd:?}");
}

#[test]
fn proxies_that_many_programs_share_are_pointed_at() {
    let place = Place::new();
    fs::create_dir(place.at(".config")).expect("made");
    let file =
        place.file(".config/kioslaverc", "[Proxy Settings]\nProxyType=1\nsocksProxy=socks://10.152.152.10 9122\n");
    let variables = ["http_proxy=http://user:secret@127.0.0.1:9", "ALL_PROXY=socks5h://127.0.0.1:9050", "HTTPS_PROXY="];
    let (status, document) = with(&place, &variables, &["--offline"]);
    assert_eq!(status.status, 0, "warnings alone: {document:#}");
    assert!(!status.out.contains("secret"), "{}", status.out);
    let kde = finding(&document, &file.display().to_string());
    assert!(kde["what"].as_str().is_some_and(|what| what.contains("ProxyType=1")), "{kde}");
    let environment = finding(&document, "the environment");
    assert!(
        environment["what"].as_str().is_some_and(|what| what.starts_with("ALL_PROXY, http_proxy set")),
        "{environment}"
    );

    place.program("bin/gsettings", "#!/bin/sh\n[ \"$*\" = 'get org.gnome.system.proxy mode' ] && echo \"'manual'\"\n");
    let (_, document) = with(&place, &[], &["--offline"]);
    assert_eq!(finding(&document, "GNOME")["severity"], "warning");
    place.program("bin/gsettings", "#!/bin/sh\nexec sleep 1000\n");
    let (_, document) = with(&place, &[], &["--offline"]);
    let found = finding(&document, "GNOME");
    assert!(found["what"].as_str().is_some_and(|what| what.contains("cannot be known")), "{found}");
    place.program("bin/gsettings", "#!/bin/sh\necho 'No such schema' >&2\nexit 1\n");
    assert!(findings(&with(&place, &[], &["--offline"]).1, "GNOME").is_empty());
}

#[test]
fn an_ordinary_user_and_one_without_a_home_get_the_same() {
    let place = Place::new();
    place.configure(&format!("gateway = \"127.0.0.1\"\nport = {}\nguard = \"off\"\n", free()));
    fs::set_permissions(place.at("run"), Permissions::from_mode(0o700)).expect("set");
    let as_user = |arguments: &[&str]| {
        let mut command = place.command("setpriv");
        command.args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "env",
            "-u",
            "HOME",
            "-u",
            "XDG_RUNTIME_DIR",
        ]);
        run(command.arg(bin_dir().join("uwtctl")).arg("status").args(arguments))
    };
    let text = as_user(&[]);
    assert_eq!((text.status, text.err.as_str()), (1, ""), "{text:?}");
    assert!(wide(&text.out).is_empty() && text.out.contains("warning: guard off"), "{}", text.out);
    let document = serde_json::from_str(&as_user(&["--json"]).out).expect("JSON");
    schema::check("status", &document);
    assert_eq!(document["guard"]["value"], "off");
}

#[test]
fn inside_a_wrapped_session_the_gateway_is_unknown() {
    let place = Place::new();
    place.configure(&format!("gateway = \"127.0.0.1\"\nport = {}\n", free()));
    let uwtctl = bin_dir().join("uwtctl");
    let inside = run(place.uwt(&["--guard=off"]).arg(&uwtctl).args(["--json", "status"]));
    let document: Value = serde_json::from_str(&inside.out).unwrap_or_else(|error| panic!("{error}: {inside:?}"));
    schema::check("status", &document);
    assert_eq!((inside.status, &document["ports"][0]["answer"]), (3, &json!("not-asked")), "{document:#}");
    assert_eq!(finding(&document, "UWT_SESSION")["severity"], "unknown");
}

#[test]
fn without_uwt_it_says_so() {
    let place = Place::new();
    let copy = place.copy("bin/uwtctl", bin_dir().join("uwtctl"));
    let path = format!("PATH={}", place.at("bin").display());
    let found = place.run_with(&[&path], copy, &["--json", "status", "--offline"]);
    let document = serde_json::from_str(&found.out).unwrap_or_else(|error| panic!("{error}: {found:?}"));
    schema::check("status", &document);
    assert_eq!((found.status, &document["uwt"]), (1, &Value::Null), "{document:#}");
    assert!(finding(&document, "uwt")["what"].as_str().is_some_and(|what| what.contains("install it")));
    assert_eq!(run(&mut uwtctl(&place, &["status", "--offline"])).status, 0);
}
