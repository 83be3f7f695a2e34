//! `uwtctl circuits`, against Tor's own word.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::process::die_with_parent;

use crate::schema::check;
use crate::site::Site;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Connects to the lab's echo server once in each of two processes, says so, and holds the connections until its input ends.
const TWO: &str = "import os, socket, sys
held = socket.create_connection(('echo.lab.test', 7))
if os.fork() == 0:
    held = socket.create_connection(('www.lab.test', 80))
    print(os.getpid(), flush=True)
    sys.stdin.read()
    os._exit(0)
print(os.getpid(), flush=True)
sys.stdin.read()
os.wait()
";

/// A wrapped program, ended when dropped.
struct Wrapped {
    child: Child,
    /// The pids of its processes.
    pids: Vec<u64>,
}

impl Wrapped {
    /// Starts it, and waits until its connections are made.
    fn start(site: &Site, options: &[&str]) -> Self {
        let mut command = site.command("uwt", &[options, &["--", "/usr/bin/python3", "-c", TWO]].concat(), None);
        die_with_parent(&mut command);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines().take(2);
        let pids = lines.map(|line| line.expect("read").parse().expect("a pid")).collect::<Vec<u64>>();
        assert_eq!(pids.len(), 2, "both are connected");
        Self { child, pids }
    }

    /// Ends it.
    fn end(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().expect("ends").success());
    }
}

/// The clients whose processes have one of these pids.
fn clients_of<'a>(document: &'a Value, pids: &[u64]) -> Vec<&'a Value> {
    let is_one = |process: &Value| process["pid"].as_u64().is_some_and(|pid| pids.contains(&pid));
    let clients = document["clients"].as_array().expect("clients").iter();
    clients.filter(|client| client["processes"].as_array().is_some_and(|all| all.iter().any(is_one))).collect()
}

#[test]
fn processes_lead_to_the_circuits_that_tor_says_are_theirs() {
    let site = Site::new();
    let wrapped = Wrapped::start(&site, &[]);
    let control = site.control();
    let (ran, document) = site.json(&["circuits", "--control", &control]);
    // One of the lab's SocksPorts does not isolate, and Tor says whose a stream is only when it begins.
    assert_eq!((ran.status, &document["isolating"]), (3, &json!(false)), "{document:#}");
    assert!(document["untold_streams"].as_u64().is_some_and(|count| count >= 2), "{document:#}");
    assert_eq!(document["control"], control);
    let clients = clients_of(&document, &wrapped.pids);
    assert_eq!(clients.len(), 2, "{document:#}");
    let mut tor = site.lab.control();
    for client in &clients {
        assert_eq!(client["uwt"], true);
        assert_eq!(client["processes"].as_array().map(Vec::len), Some(1), "{client:#}");
        assert_eq!(client["processes"][0]["name"], "python3");
        let credential = client["credential"].as_str().expect("a credential");
        let theirs = tor.circuits_of(credential).expect("circuits");
        // A slow Tor begins another circuit, and leaves that unused.
        let carries = |circuit: &&Value| circuit["streams"].as_array().is_some_and(|streams| !streams.is_empty());
        let ours: Vec<&Value> = client["circuits"].as_array().into_iter().flatten().filter(carries).collect();
        let [ours] = ours[..] else { panic!("one circuit: {client:#}") };
        let id = ours["id"].as_str().and_then(|id| id.parse().ok());
        let theirs = theirs.iter().find(|circuit| Some(circuit.id) == id);
        let theirs = theirs.unwrap_or_else(|| panic!("Tor knows no such circuit: {client:#}"));
        let relays: Vec<&str> =
            ours["relays"].as_array().into_iter().flatten().filter_map(|it| it["fingerprint"].as_str()).collect();
        assert_eq!(relays, theirs.path.iter().map(|relay| relay.fingerprint.as_str()).collect::<Vec<_>>());
        assert_eq!(ours["streams"].as_array().map(Vec::len), Some(1), "{client:#}");
    }
    let text = site.text(&["circuits", "--control", &control]);
    assert_eq!(text.status, 3);
    assert!(text.out.contains("(NoIsolateSOCKSAuth)"), "{}", text.out);
    for pid in &wrapped.pids {
        assert!(text.out.contains(&format!("process   {pid} python3\n")), "{pid}: {}", text.out);
    }
    assert!(text.out.contains("  stream  203.0.113.6:7"), "{}", text.out);

    let labels: Vec<Value> = clients.iter().map(|client| client["credential"].clone()).collect();
    wrapped.end();
    let (_, document) = site.json(&["circuits", "--control", &control]);
    let clients = document["clients"].as_array().expect("clients");
    let of_ended: Vec<&Value> = clients.iter().filter(|client| labels.contains(&client["credential"])).collect();
    assert_eq!(of_ended.len(), 2, "Tor keeps the circuits: {document:#}");
    assert!(of_ended.iter().all(|client| client["processes"] == json!([])), "{document:#}");
    assert!(site.text(&["circuits", "--control", &control]).out.contains("unknown (ended, or another user's)"));
}

#[test]
fn who_shares_a_credential_is_listed_together() {
    let site = Site::new();
    let wrapped = Wrapped::start(&site, &["--isolate", "invocation"]);
    let (_, document) = site.json(&["circuits", "--control", &site.control()]);
    let clients = clients_of(&document, &wrapped.pids);
    let [client] = clients[..] else { panic!("one credential: {document:#}") };
    let pids: Vec<Option<u64>> =
        client["processes"].as_array().into_iter().flatten().map(|process| process["pid"].as_u64()).collect();
    assert!(wrapped.pids.iter().all(|pid| pids.contains(&Some(*pid))), "{client:#}");
    assert!(client["processes"].as_array().into_iter().flatten().all(|it| it["scope"] == "invocation"), "{client:#}");
    wrapped.end();
}

/// `uwtctl circuits --watch`, read line by line; ended when dropped.
struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Watch {
    fn start(site: &Site) -> Self {
        let mut command = site.command("uwtctl", &["circuits", "--watch", "--control", &site.control()], None);
        die_with_parent(&mut command);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("starts");
        let output: ChildStdout = child.stdout.take().expect("piped");
        let (tell, lines) = channel();
        thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
        });
        Self { child, lines }
    }

    /// The first state, from now on, of which this holds.
    #[track_caller]
    fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|error| panic!("{what}: {error}"));
            let document = serde_json::from_str(&line).expect("a document in each line");
            check("circuits", &document);
            if holds(&document) {
                return document;
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn changes_are_followed() {
    let site = Site::new();
    let watch = Watch::start(&site);
    watch.until("a first state", |_| true);
    // A scope that only the name asked for leads back from: Tor itself forgets it.
    let wrapped = Wrapped::start(&site, &["--isolate", "destination"]);
    let asked = |client: &Value| {
        let streams = client["circuits"].as_array().into_iter().flatten().filter_map(|it| it["streams"].as_array());
        streams.flatten().filter_map(|stream| stream["asked"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let both = watch.until("both connections", |document| {
        let clients = clients_of(document, &wrapped.pids);
        let all: Vec<String> = clients.iter().flat_map(|client| asked(client)).collect();
        ["echo.lab.test:7", "www.lab.test:80"].iter().all(|target| all.iter().any(|it| it == target))
    });
    assert_eq!(clients_of(&both, &wrapped.pids).len(), 2, "{both:#}");
    let pids = wrapped.pids.clone();
    wrapped.end();
    watch.until("processes that have ended", |document| {
        let clients = clients_of(document, &pids);
        let ended =
            |client: &&Value| client["processes"].as_array().into_iter().flatten().all(|it| it["running"] == false);
        clients.len() == 2 && clients.iter().all(ended) && clients.iter().all(|client| asked(client).is_empty())
    });
}

#[test]
fn a_circuit_that_two_credentials_share_is_told() {
    let site = Site::new();
    site.configure(&format!("port = {}", site.lab.state().unisolated_port));
    let watch = Watch::start(&site);
    watch.until("a first state", |_| true);
    let wrapped = Wrapped::start(&site, &[]);
    watch.until("two credentials on one circuit", |document| {
        let clients = clients_of(document, &wrapped.pids);
        let shares = |one: &Value, other: &Value| {
            let circuits = one["circuits"].as_array().into_iter().flatten();
            let mut shared = circuits.filter_map(|circuit| circuit["shared_with"].as_array());
            shared.any(|others| others.contains(&other["credential"]))
        };
        matches!(clients[..], [one, other] if shares(one, other) && shares(other, one))
    });
    // Whoever comes later cannot see it, and does not say that all is well.
    assert_eq!(site.json(&["circuits", "--control", &site.control()]).0.status, 3);
    wrapped.end();
}
