//! Programs of every kind: the report names each, and says of each what the gateway says of it.

use serde_json::{Value, json};

use super::laboratory::{Laboratory, User};

#[test]
fn curl_is_isolated() {
    let laboratory = Laboratory::new();
    for user in [User::Root, User::Nobody] {
        let audited = laboratory.audit(user, &["--", "curl", "-sS", "http://www.lab.test/"]);
        assert_eq!((audited.status, audited.err.as_str()), (Some(0), ""), "{audited:#?}");
        // What the command prints is its own.
        assert!(audited.out.contains("www.lab.test"), "{audited:#?}");
        audited.connected("curl", &["preload", "relay"], "www.lab.test:80", "isolated");
        assert_eq!(audited.report["command"], json!(["curl", "-sS", "http://www.lab.test/"]));
        assert_eq!((&audited.report["ended"], &audited.report["complete"]), (&json!({"status": 0}), &json!(true)));
        let setting = &audited.report["setting"];
        assert_eq!((&setting["guard"], &setting["scope"]), (&json!("tunnel"), &json!("process")));
        assert_eq!(setting["gateway"]["port"], laboratory.gateway.address().port());
        let lookup = &audited.process("curl")["lookups"][0];
        assert_eq!((&lookup["name"], &lookup["sent"]), (&json!("www.lab.test"), &json!(false)), "{audited:#?}");
    }
}

#[test]
fn of_git_over_ssh_it_is_ssh_that_connects() {
    let laboratory = Laboratory::new();
    let ssh = format!("core.sshCommand=ssh -F {}", laboratory.lab.ssh_config().display());
    let url = format!("ssh://git.lab.test{}", laboratory.lab.git_path().display());
    let clone = laboratory.at("clone").display().to_string();
    let audited = laboratory.audit(User::Root, &["--", "git", "-c", &ssh, "clone", "-q", &url, &clone]);
    assert_eq!(audited.status, Some(0), "{audited:#?}");
    audited.connected("ssh", &["preload", "relay"], "git.lab.test:22", "isolated");
    let git = audited.all("git");
    assert!(!git.is_empty() && git.iter().all(|process| process["verdict"] == "nothing_sent"), "{audited:#?}");
    let ssh = audited.process("ssh");
    assert!(ssh["depth"].as_u64() >= Some(1), "{audited:#?}");
}

#[test]
fn a_static_program_would_leak_without_the_guard() {
    let laboratory = Laboratory::new();
    let program = laboratory.program("go-static");
    for user in [User::Root, User::Nobody] {
        let audited = laboratory.audit(user, &["--", &program, "get", "http://www.lab.test/"]);
        assert_eq!((audited.status, audited.out.trim()), (Some(1), "answer 200 OK"), "{audited:#?}");
        audited.connected("go-static", &["cage"], "www.lab.test:80", "would_leak");
        let process = audited.process("go-static");
        assert_eq!(process["programs"][0]["preload"], false);
        assert_eq!(process["lookups"][0]["layer"], "cage", "{audited:#?}");
        let finding = &audited.report["findings"][0];
        assert_eq!((&finding["verdict"], &finding["processes"]), (&json!("would_leak"), &json!([process["pid"]])));
    }
}

#[test]
fn an_empty_environment_changes_nothing() {
    let laboratory = Laboratory::new();
    let audited = laboratory.audit(User::Root, &["--", "env", "-i", "/usr/bin/curl", "-sS", "http://www.lab.test/"]);
    assert_eq!(audited.status, Some(0), "{audited:#?}");
    audited.connected("curl", &["preload", "relay"], "www.lab.test:80", "isolated");
    // It is one process, which ran both.
    let programs = audited.process("curl")["programs"].as_array().expect("a list");
    let paths: Vec<&str> = programs.iter().filter_map(|program| program["path"].as_str()).collect();
    assert_eq!(paths, ["/usr/bin/env", "/usr/bin/curl"]);
}

#[test]
fn dig_asks_for_names_past_libc() {
    let laboratory = Laboratory::new();
    let audited = laboratory.audit(User::Root, &["--", "dig", "+short", "@203.0.113.53", "www.lab.test"]);
    assert_eq!(audited.status, Some(1), "{audited:#?}");
    let dig = audited.process("dig");
    let lookups = dig["lookups"].as_array().expect("a list");
    assert!(lookups.iter().any(|lookup| lookup["name"] == "www.lab.test"), "{audited:#?}");
    assert_eq!(dig["verdict"], "would_leak", "{audited:#?}");
}

#[test]
fn what_is_refused_is_named() {
    let laboratory = Laboratory::new();
    let program = laboratory.program("dynamic");
    for (words, transport, errno) in [
        (["sendto", "203.0.113.6", "9"], "udp", "EACCES"),
        (["uring-connect", "203.0.113.6", "7"], "io_uring", "ENOSYS"),
    ] {
        let audited = laboratory.audit(User::Root, &[&["--", program.as_str()], &words[..]].concat());
        assert_eq!(audited.status, Some(1), "{audited:#?}");
        let refused = audited.process("dynamic")["refused"].as_array().expect("a list");
        let found = refused.iter().find(|refusal| refusal["transport"] == transport);
        let found = found.unwrap_or_else(|| panic!("{transport}: {audited:#?}"));
        assert_eq!(found["errno"], errno, "{audited:#?}");
        let verdicts = audited.report["findings"].as_array().expect("a list");
        assert!(verdicts.iter().any(|finding| finding["verdict"] == "refused_parts"), "{audited:#?}");
        assert!(audited.asked.is_empty(), "{audited:#?}");
    }
}

#[test]
fn datagrams_of_a_static_program_are_named() {
    let laboratory = Laboratory::new();
    let program = laboratory.program("static");
    for user in [User::Root, User::Nobody] {
        let audited = laboratory.audit(user, &["--", &program, "sendto", "203.0.113.6", "9"]);
        assert_eq!(audited.status, Some(1), "{audited:#?}");
        // It has ended as soon as it has sent one: whose that was nobody may know by then.
        assert_eq!(audited.process("static")["programs"][0]["arguments"][1], "sendto");
        let processes = audited.report["processes"].as_array().expect("a list");
        let process = processes.iter().find(|process| process["refused"] != json!([]));
        let process = process.unwrap_or_else(|| panic!("refused: {audited:#?}"));
        let refused = &process["refused"][0];
        assert_eq!((&refused["layer"], &refused["transport"]), (&json!("cage"), &json!("udp")), "{audited:#?}");
        assert_eq!(refused["destination"], json!({"host": "203.0.113.6", "port": 9}));
        assert_eq!(process["findings"], json!(["would_leak", "refused_parts"]), "{audited:#?}");
        assert!(audited.asked.is_empty(), "{audited:#?}");
    }
}

#[test]
fn those_who_share_circuits_are_told() {
    let laboratory = Laboratory::new();
    let script = "curl -sS http://www.lab.test/ && curl -sS http://git.lab.test/git/hello.git/HEAD";
    let own = laboratory.audit(User::Nobody, &["--", "sh", "-c", script]);
    assert_eq!((own.status, &own.report["verdict"]), (Some(0), &json!("isolated")), "{own:#?}");
    let shared = laboratory.audit(User::Nobody, &["--isolate", "invocation", "--", "sh", "-c", script]);
    assert_eq!((shared.status, &shared.report["verdict"]), (Some(1), &json!("shares_credential")), "{shared:#?}");
    let [first, second] = shared.all("curl")[..] else { panic!("two: {shared:#?}") };
    assert_eq!(first["shares"][0]["with"], json!([second["pid"]]), "{shared:#?}");
    assert_eq!(second["shares"][0]["with"], json!([first["pid"]]), "{shared:#?}");
    let advice = shared.report["findings"][0]["advice"].as_str().expect("advice");
    assert!(advice.contains("--isolate process"), "{advice}");
    let none = laboratory.audit(User::Nobody, &["--isolate", "none", "curl", "-sS", "http://www.lab.test/"]);
    assert_eq!((none.status, &none.report["verdict"]), (Some(1), &json!("shares_credential")), "{none:#?}");
    assert_eq!(none.process("curl")["shares"], json!([{"credential": Value::Null, "with": []}]));
}

/// The configuration that is shipped.
pub(crate) const SHIPPED: &str = include_str!("../../../../etc/uwt.d/30_default.toml");

#[test]
fn what_a_program_asks_the_socks_port_for_itself_is_heard() {
    let laboratory = Laboratory::new();
    laboratory.configure(SHIPPED);
    for user in [User::Root, User::Nobody] {
        let audited = laboratory.audit(user, &["--", "curl", "-sS", "http://www.lab.test/"]);
        assert_eq!((audited.status, audited.err.as_str()), (Some(0), ""), "{audited:#?}");
        audited.connected("curl", &["program"], "www.lab.test:80", "isolated");
        let curl = audited.process("curl");
        assert_eq!((&curl["local"], &curl["lookups"]), (&json!([]), &json!([])), "{audited:#?}");
    }
    // What the gateway refuses was asked for all the same.
    let failed = laboratory.audit(User::Nobody, &["--", "curl", "-sS", "http://nowhere.lab.test/"]);
    assert_eq!((failed.status, &failed.report["verdict"]), (Some(3), &json!("unknown")), "{failed:#?}");
    let connection = &failed.process("curl")["connections"][0];
    assert_eq!(
        (&connection["layer"], &connection["destination"]["host"]),
        (&json!("program"), &json!("nowhere.lab.test"))
    );
    assert!(connection["failed"].is_string() && connection["credential"].is_string(), "{failed:#?}");
}

#[test]
fn of_what_a_program_asks_with_a_credential_of_its_own_nobody_knows() {
    let laboratory = Laboratory::new();
    let gateway = laboratory.gateway.address();
    for (user, status, verdict) in [("", 1, "shares_credential"), ("somebody:else@", 3, "unknown")] {
        let proxy = format!("socks5h://{user}{gateway}");
        let audited = laboratory.audit(User::Nobody, &["--", "curl", "-sS", "-x", &proxy, "http://www.lab.test/"]);
        assert_eq!((audited.status, &audited.report["verdict"]), (Some(status), &json!(verdict)), "{audited:#?}");
        assert!(audited.out.contains("www.lab.test"), "{audited:#?}");
        let curl = audited.process("curl");
        if user.is_empty() {
            assert_eq!(
                (&curl["connections"][0]["layer"], &curl["shares"][0]["credential"]),
                (&json!("program"), &Value::Null)
            );
            continue;
        }
        let local = &curl["local"][0];
        assert_eq!((&local["tor"], &local["failed"]), (&json!(true), &Value::Null), "{audited:#?}");
        assert_eq!(local["destination"]["port"], gateway.port());
    }
}

/// A program that waits in each of its calls, and asks Tor for an address (RESOLVE) rather than a connection.
const RESOLVING: &str = "
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as gateway:
    gateway.sendall(b'\\5\\1\\0')
    assert gateway.recv(2) == b'\\5\\0'
    gateway.sendall(b'\\5\\xf0\\0\\3\\x0cwww.lab.test\\0\\0')
    print(gateway.recv(10)[1])
";

#[test]
fn the_socks_port_is_heard_whoever_speaks_to_it_and_how() {
    let laboratory = Laboratory::new();
    let gateway = laboratory.gateway.address();
    let (host, port) = (gateway.ip().to_string(), gateway.port().to_string());
    let resolved = laboratory.audit(User::Nobody, &["--", "/usr/bin/python3", "-c", RESOLVING, &host, &port]);
    assert_eq!((resolved.status, resolved.out.trim()), (Some(1), "0"), "{resolved:#?}");
    let processes = resolved.report["processes"].as_array().expect("a list");
    let lookup = &processes[0]["lookups"][0];
    assert_eq!((&lookup["layer"], &lookup["name"]), (&json!("program"), &json!("www.lab.test")), "{resolved:#?}");
    assert_eq!((&lookup["sent"], &lookup["credential"]), (&json!(true), &Value::Null), "{resolved:#?}");
    assert_eq!(processes[0]["verdict"], "shares_credential", "{resolved:#?}");

    // Without the library it is in the cage.
    let proxy = format!("socks5h://{gateway}");
    let curl = ["/usr/bin/curl", "-sS", "-x", &proxy, "http://www.lab.test/"];
    let caged = ["--", "/usr/bin/busybox", "env", "-u", "LD_PRELOAD"];
    let audited = laboratory.audit(User::Nobody, &[&caged[..], &curl].concat());
    assert!(audited.out.contains("www.lab.test"), "{audited:#?}");
    let process = audited.process("curl");
    assert_eq!(process["programs"][1]["preload"], false, "{audited:#?}");
    let connection = &process["connections"][0];
    assert_eq!((&connection["layer"], &connection["credential"]), (&json!("program"), &Value::Null), "{audited:#?}");
    assert_eq!(connection["destination"], json!({"host": "www.lab.test", "port": 80}), "{audited:#?}");
    assert_eq!((audited.status, &process["verdict"]), (Some(1), &json!("shares_credential")), "{audited:#?}");
}
