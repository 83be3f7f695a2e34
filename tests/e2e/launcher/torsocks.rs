//! Called as `torsocks`: its options, its environment and its file.

use std::process::Command;

use support::gateway::{Gateway, GatewayOptions, Service};

use crate::place::{Place, Ran, bin_dir, run, word};

/// A place in which `torsocks` is uwt. This machine's torsocks.conf is none of it.
pub(crate) fn place() -> Place {
    let place = Place::new();
    place.link("bin/torsocks", bin_dir().join("uwt"));
    place.file("t.conf", "");
    place
}

fn torsocks(place: &Place, variables: &[&str], arguments: &[&str]) -> Ran {
    let file = format!("TORSOCKS_CONF_FILE={}", place.at("t.conf").display());
    let variables: Vec<&str> = [file.as_str()].iter().chain(variables).copied().collect();
    place.run_with(&variables, "torsocks", arguments)
}

fn session(place: &Place, variables: &[&str], options: &[&str]) -> String {
    let ran = torsocks(place, variables, &[options, &["printenv", "UWT_SESSION"]].concat());
    ran.succeeded().to_owned()
}

#[test]
fn every_source_reaches_the_session() {
    let place = place();
    place.file("t.conf", "TorAddress 10.0.0.1\nTorPort 9001\nAllowOutboundLocalhost 0\n");
    for (variables, options, key, value) in [
        (&[][..], &[][..], "gateway", "10.0.0.1:9001"),
        (&[], &[], "gateway-pinned", "1"),
        (&[], &[], "scope", "process"),
        (&[], &[], "scope-pinned", "0"),
        (&[], &[], "loopback", "0"),
        (&[], &[], "inbound", "loopback"),
        (&[], &[], "voice", "1"),
        (&["TORSOCKS_TOR_PORT=9002"], &[], "gateway", "10.0.0.1:9002"),
        (&["TORSOCKS_TOR_PORT=9002"], &["-P", "9003", "-a", "10.0.0.3"], "gateway", "10.0.0.3:9003"),
        (&["TORSOCKS_ALLOW_INBOUND=1"], &[], "inbound", "allow"),
        (&["TORSOCKS_ISOLATE_PID=1"], &[], "scope-pinned", "1"),
        (&[], &["-i"], "scope-pinned", "1"),
        (&["TORSOCKS_USERNAME=a"], &["-p", "b"], "scope", "identity"),
        (&["TORSOCKS_LOG_LEVEL=1"], &[], "voice", "0"),
        (&[], &["-q"], "voice", "0"),
        (&[], &["--guard=deny", "-6"], "guard", "deny"),
    ] {
        let session = session(&place, variables, options);
        assert!(word(&session, key).starts_with(value), "{variables:?} {options:?}: {session}");
    }
    place.configure("port = 9009\nscope = \"invocation\"\ninbound = \"deny\"\n");
    place.file("t.conf", "IsolatePID 0\nAllowInbound 0\n");
    let configured = session(&place, &[], &[]);
    assert!(word(&configured, "gateway").ends_with(":9009"), "uwt's own configuration holds below: {configured}");
    assert_eq!((word(&configured, "scope"), word(&configured, "inbound")), ("invocation", "loopback"));
}

/// Connects once and prints nothing.
const CONNECT: &[&str] = &["bash", "-c", "exec 3<>/dev/tcp/192.0.2.7/80"];

struct Carried {
    place: Place,
    gateway: Gateway,
}

impl Carried {
    fn new() -> Self {
        let gateway = Gateway::start(GatewayOptions::new().service(Service::Echo)).expect("a gateway");
        let place = place();
        place.configure(&format!("gateway = \"127.0.0.1\"\nport = {}\n", gateway.address().port()));
        Self { place, gateway }
    }

    /// The usernames of the connections that `command` makes, each with uwt's password.
    fn users(&self, command: &mut Command) -> Vec<String> {
        drop(self.gateway.take_log());
        run(command).succeeded();
        let log = self.gateway.take_log();
        assert!(log.iter().all(|request| request.password.as_deref() == Some("0")), "{log:?}");
        log.into_iter().map(|request| request.username.expect("a credential")).collect()
    }

    fn torsocks(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command("env");
        command.arg(format!("TORSOCKS_CONF_FILE={}", self.place.at("t.conf").display()));
        command.arg("torsocks").args(arguments);
        command
    }

    fn by_torsocks(&self, arguments: &[&str]) -> String {
        let users = self.users(&mut self.torsocks(arguments));
        let [user] = &users[..] else { panic!("one connection: {users:?}") };
        assert!(user.starts_with("uwt-"), "{user}");
        user.clone()
    }
}

#[test]
fn a_pair_is_an_identity_of_its_own_and_is_not_sent() {
    let carried = Carried::new();
    let with = |options: &[&str]| carried.by_torsocks(&[options, CONNECT].concat());
    let one = with(&["-u", "a", "-p", "bc"]);
    assert_eq!(with(&["--user", "a", "--pass", "bc"]), one);
    carried.place.file("t.conf", "SOCKS5Username a\nSOCKS5Password bc\n");
    assert_eq!(with(&[]), one, "from the file");
    let mut all = vec![one, with(&["-u", "ab", "-p", "c"]), with(&["-u", "bc", "-p", "a"]), with(&["-p", "other"])];
    for name in ["a", "abc", "bc"] {
        all.extend(carried.users(&mut carried.place.uwt(&[&["--identity", name], CONNECT].concat())));
    }
    carried.place.file("t.conf", "");
    all.extend([with(&["-i"]), with(&["-i"]), with(&[])]);
    for (place, user) in all.iter().enumerate() {
        assert_eq!(all.iter().position(|other| other == user), Some(place), "{all:?}");
    }
}

#[test]
fn what_torsocks_was_told_holds_for_everything_it_starts() {
    let carried = Carried::new();
    carried.place.wrap("wrapped", "/bin/bash");
    let connect = CONNECT[2];
    let script = format!("wrapped -c '{connect}'; bash -c '{connect}'; torsocks bash -c '{connect}'; {connect}");
    let pair = &["-u", "a", "-p", "b"][..];
    for guard in ["--guard=auto", "--guard=off"] {
        let users = carried.users(&mut carried.torsocks(&[pair, &[guard, "bash", "-c", &script]].concat()));
        assert_eq!(users.len(), 4, "{users:?}");
        assert!(users.iter().all(|user| *user == users[0]), "{guard}: {users:?}");
    }
    // An inner one may be told something else.
    let script = format!("torsocks -u a -p b bash -c '{connect}'; torsocks -u c -p d bash -c '{connect}'");
    let users = carried.users(&mut carried.torsocks(&["-u", "c", "-p", "d", "bash", "-c", &script]));
    assert!(users.len() == 2 && users[0] != users[1], "{users:?}");
    assert_eq!(users[1], carried.by_torsocks(&[&["-u", "c", "-p", "d"], CONNECT].concat()));
    // torsocks through uwt.
    let torsocks = carried.place.at("bin/torsocks").display().to_string();
    let conf = format!("TORSOCKS_CONF_FILE={}", carried.place.at("t.conf").display());
    let nested = [&["env", conf.as_str(), torsocks.as_str()], pair, CONNECT].concat();
    assert_eq!(carried.users(&mut carried.place.uwt(&nested)), [carried.by_torsocks(&[pair, CONNECT].concat())]);
    let direct = torsocks_by_uwt(&carried, &torsocks);
    assert_eq!(direct.len(), 1, "uwt takes torsocks for what it is: {direct:?}");
}

fn torsocks_by_uwt(carried: &Carried, torsocks: &str) -> Vec<String> {
    let mut command = carried.place.command("env");
    command.arg(format!("TORSOCKS_CONF_FILE={}", carried.place.at("t.conf").display()));
    carried.users(command.arg(bin_dir().join("uwt")).arg(torsocks).args(CONNECT))
}

#[test]
fn the_program_is_run_as_by_uwt() {
    let place = place();
    place.wrap("prog", "/bin/cat");
    let ran = torsocks(&place, &[], &["prog", "/proc/self/cmdline"]);
    assert_eq!(ran.succeeded(), "prog\0/proc/self/cmdline\0");
    let maps = torsocks(&place, &[], &["prog", "/proc/self/maps"]);
    assert!(maps.succeeded().contains("/bin/prog.anondist-orig") && maps.out.contains("libuwt_preload.so"), "{maps:?}");
    assert_eq!(word(&session(&place, &[], &[]), "guard").split(':').next(), Some("tunnel"));
    assert_eq!(torsocks(&place, &[], &["sh", "-c", "echo $0 $1; exit 7", "a", "b"]).out, "a b\n");
    assert_eq!(torsocks(&place, &[], &["sh", "-c", "exit 7"]).status, 7);
    for word in ["show", "on", "off"] {
        let missing = torsocks(&place, &[], &[word]);
        assert!(missing.failed_with(127).starts_with(&format!("{word}: not found in PATH")), "{missing:?}");
    }
    place.program("bin/show-something", "#!/bin/sh\necho \"shown $*\"\n");
    assert_eq!(torsocks(&place, &[], &["--", "show-something", "-i", "--"]).succeeded(), "shown -i --\n");
}

#[test]
fn it_carries_whatever_else_is_configured() {
    let place = place();
    place.configure("enabled = false\nlocalhost = \"passthrough\"\n[command.printenv]\nenabled = false\n");
    let off = &["UWT_DEV_PASSTHROUGH=1"][..];
    assert_eq!(word(&session(&place, off, &[]), "version"), "1");
    let local = torsocks(&place, &[], &["sh", "-c", "echo ${UWT_SESSION%% *}", "localhost", "127.0.0.1"]);
    assert_eq!(local.succeeded(), "version=1\n");
    let below = torsocks(&place, off, &["sh", "-c", "echo $UWT_DEV_PASSTHROUGH"]);
    assert_eq!(below.succeeded(), "\n", "nor does it switch off what is started");
}

#[test]
fn a_shell() {
    let place = place();
    place.program("bin/my-shell", "#!/bin/sh\necho \"$# ${UWT_SESSION%% *}\"\n");
    let shell = format!("SHELL={}", place.at("bin/my-shell").display());
    let ran = torsocks(&place, &[&shell], &["--shell"]);
    assert_eq!((ran.status, ran.out.as_str()), (0, "0 version=1\n"), "{ran:?}");
    assert_eq!(ran.err, "uwt: a shell whose connections go through Tor; `exit` leaves it\n");
    assert_eq!(torsocks(&place, &[&shell], &["-q", "--shell"]).succeeded(), "0 version=1\n");
    let none = torsocks(&place, &["SHELL=/nonexistent"], &["-q", "--shell"]);
    assert!(none.failed_with(127).starts_with("/nonexistent: not found"), "{none:?}");
}

#[test]
fn what_is_not_understood_runs_nothing() {
    let place = place();
    let marker = place.at("marker").display().to_string();
    let conf = place.at("t.conf").display().to_string();
    for (file, variables, options, expected) in [
        (
            "TorPort 9050\nDNS 1\n",
            &[][..],
            &[][..],
            format!("{conf}:2: unknown directive 'DNS'; expected TorAddress, "),
        ),
        (
            "TorPort 0",
            &[],
            &["-P", "9050"],
            format!("{conf}:1: TorPort: '0' is no port; expected a number from 1 to 65535 "),
        ),
        ("", &["TORSOCKS_TOR_ADDRESS=gateway"], &[], "TORSOCKS_TOR_ADDRESS: 'gateway' is no address; ".to_owned()),
        ("", &["TORSOCKS_TOR_ADDRESS=::1"], &[], "TORSOCKS_TOR_ADDRESS: '::1' is an IPv6 address, which".to_owned()),
        ("", &["TORSOCKS_LOG_LEVEL=9"], &[], "TORSOCKS_LOG_LEVEL: '9' is unknown; expected".to_owned()),
        ("", &["TORSOCKS_USERNAME=a"], &[], "a username (TORSOCKS_USERNAME in the environment) without a".to_owned()),
        ("IsolatePID 1", &[], &["-u", "a", "-p", "b"], "a username and a password (--user) contradict".to_owned()),
        (
            "",
            &["TORSOCKS_CONF_FILE=/nonexistent"],
            &[],
            "/nonexistent: not found; nothing was run (correct ".to_owned(),
        ),
        ("", &[], &["--ipv4"], "unexpected argument '--ipv4' found".to_owned()),
    ] {
        place.file("t.conf", file);
        let ran = torsocks(&place, variables, &[options, &["touch", &marker]].concat());
        assert!(ran.failed_with(125).starts_with(&expected), "{ran:?}");
        assert!(!place.at("marker").exists(), "{file:?} {variables:?} {options:?}");
    }
    let none = torsocks(&place, &["TORSOCKS_CONF_FILE="], &[]);
    assert!(none.failed_with(125).starts_with("no command given; usage: torsocks [OPTIONS] [--] COMMAND"), "{none:?}");
}

#[test]
fn how_much_is_said() {
    let place = place();
    place.file("t.conf", "OnionAddrRange 127.42.42.0/24\n");
    let debug = torsocks(&place, &[], &["-d", "true"]);
    let conf = place.at("t.conf").display().to_string();
    for line in [
        format!(
            "uwt: OnionAddrRange 127.42.42.0/24 ({conf}:1): not used, every name gets an address of 127.192.0.0/10\n"
        ),
        format!("uwt: configuration {conf}\n"),
        "uwt: protection on\n".to_owned(),
    ] {
        assert!(debug.status == 0 && debug.err.contains(&line), "{line}: {debug:?}");
    }
    let file = &["TORSOCKS_LOG_FILE_PATH=/nonexistent/log"][..];
    let told = torsocks(&place, file, &["true"]);
    let line =
        "uwt: TORSOCKS_LOG_FILE_PATH in the environment: messages go to standard error, not to /nonexistent/log\n";
    assert_eq!((told.status, told.err.as_str()), (0, line));
    torsocks(&place, file, &["-q", "true"]).succeeded();

    // What the library says, and what the helper does; the refusals stay.
    let by_library = &["--guard=off", "sh", "-c", "busybox true; echo $?"][..];
    let by_helper = &["--guard=deny", "busybox", "wget", "-O", "-", "http://192.0.2.7/"][..];
    for (program, refusal) in [(by_library, "is statically linked"), (by_helper, "(guard level `deny`); refused")] {
        let say = |options: &[&str]| torsocks(&place, &[], &[options, program].concat());
        let (loud, quiet) = (say(&[]), say(&["-q"]));
        assert!(loud.err.lines().any(|line| line.starts_with("uwt: ") && line.contains(refusal)), "{loud:?}");
        assert!(!quiet.err.contains("uwt: "), "{quiet:?}");
        assert_eq!((loud.status, &loud.out), (quiet.status, &quiet.out));
    }
}

/// What torsocks refuses we refuse, and what we run it runs. The other way round we are the stricter one here and there.
#[test]
fn nothing_is_run_that_torsocks_would_not_run() {
    let place = place();
    for (file, variables, arguments, stricter) in [
        ("", &[][..], &["true"][..], false),
        ("", &[], &["false"], false),
        ("", &[], &["-i", "true"], false),
        ("", &[], &["-u", "a", "-p", "b", "true"], false),
        ("", &[], &["-u", "a", "true"], true),
        ("", &[], &["-i", "-u", "a", "-p", "b", "true"], false),
        ("", &[], &["-a", "127.0.0.1", "-P", "9050", "true"], false),
        ("", &[], &["-a", "host", "true"], true),
        ("", &[], &["-P", "0", "true"], false),
        ("", &[], &["-P", "http", "true"], false),
        ("", &[], &["-d", "-q", "true"], false),
        ("", &[], &["-6", "true"], false),
        ("", &[], &["-x", "true"], false),
        ("", &[], &["nonesuch"], false),
        ("", &[], &[], false),
        ("", &[], &["--version"], false),
        ("", &[], &["-h"], false),
        ("", &["TORSOCKS_ISOLATE_PID=2"], &["true"], false),
        ("", &["TORSOCKS_LOG_LEVEL=9"], &["true"], true),
        ("", &["TORSOCKS_TOR_PORT=0"], &["true"], false),
        ("", &["TORSOCKS_CONF_FILE=/nonexistent"], &["true"], true),
        ("# only a comment\n\n  TorPort\t9050 # another\n", &[], &["true"], false),
        ("Unknown 1", &[], &["true"], true),
        ("TorPort 70000", &[], &["true"], false),
        ("TorPort", &[], &["true"], false),
        ("OnionAddrRange 127.42.42.0/33", &[], &["true"], false),
        ("OnionAddrRange 127.42.42.0/24", &[], &["true"], false),
        ("AllowInbound 2", &[], &["true"], false),
        ("AllowOutboundLocalhost 2", &[], &["true"], false),
        ("AllowOutboundLocalhost 3", &[], &["true"], false),
        ("SOCKS5Username a\nSOCKS5Password b\nIsolatePID 1", &[], &["true"], false),
    ] {
        // torsocks refuses an empty file, and passes over a last line without its end.
        place.file("t.conf", format!("# the settings\n{file}\n"));
        let conf = format!("TORSOCKS_CONF_FILE={}", place.at("t.conf").display());
        let path = format!("PATH={}:/usr/sbin:/usr/bin:/sbin:/bin", place.at("bin").display());
        let all: Vec<&str> = [conf.as_str(), path.as_str()].iter().chain(variables).copied().collect();
        let [theirs, ours] = ["/usr/bin/torsocks", "torsocks"].map(|name| place.run_with(&all, name, arguments));
        let case = format!("{file:?} {variables:?} {arguments:?}: {theirs:?} {ours:?}");
        if stricter {
            assert_eq!((theirs.status, ours.status), (0, 125), "{case}");
        } else {
            assert_eq!(theirs.status == 0, ours.status == 0, "{case}");
        }
        if arguments == ["--version"] {
            let first = |ran: &Ran| ran.out.split_whitespace().next().map(str::to_owned);
            assert_eq!(
                (first(&ours), ours.out.lines().count()),
                (first(&theirs), theirs.out.lines().count()),
                "{case}"
            );
        }
    }
}
