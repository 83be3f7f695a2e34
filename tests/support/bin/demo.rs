//! `demo`: shows stream isolation with a private Tor network: which process got which credential and which circuit.
//!
//! Needs no rights and no internet: Tor, relays and the web server live on loopback and end with this program.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use support::control::Circuit;
use support::hosts::Hosts;
use support::tor::{TorNetwork, TorOptions};

const HOST: &str = "www.demo.test";
/// How long a circuit may take to show up at the control port.
const CIRCUIT_LIMIT: Duration = Duration::from_secs(30);

/// A line of the table.
struct Row {
    command: String,
    pid: String,
    credential: String,
    circuit: String,
}

fn main() -> Result<()> {
    let folder =
        PathBuf::from(std::env::var_os("UWT_BIN_DIR").context("UWT_BIN_DIR is not set; use `cargo xtask demo`")?);
    let uwt = folder.join("uwt");
    let server = serve()?;
    let hosts = Hosts::new();
    hosts.add(HOST, Ipv4Addr::LOCALHOST.into());
    let network = start(hosts)?;

    let url = format!("http://{HOST}:{}/", server.port());
    let calls: [&[&str]; 5] = [
        &["curl", "-sS", &url],
        &["curl", "-sS", &url],
        &["sh", "-c", "curl -sS \"$0\"; curl -sS \"$0\"", &url],
        &["--identity", "work", "curl", "-sS", &url],
        &["--identity", "work", "curl", "-sS", &url],
    ];
    println!("\n{} commands, each prefixed with `uwt`, fetch {url} through Tor:\n", calls.len());
    let mut rows = Vec::new();
    for arguments in calls {
        rows.extend(call(&uwt, &network, arguments)?);
    }
    print(&rows);
    println!(
        "\nEach process has a credential, and with it circuits, of its own; the two commands of the identity `work` share\none. The relays were read from Tor's control port."
    );
    ensure!(distinct(&rows) == 5, "expected 5 different circuits, there are {}", distinct(&rows));
    Ok(())
}

/// Brings the network up under a progress bar.
fn start(hosts: Hosts) -> Result<TorNetwork> {
    let bar = ProgressBar::new(100).with_style(
        ProgressStyle::with_template("{prefix} [{bar:30}] {percent:>3}% {msg}")
            .context("progress bar")?
            .progress_chars("=> "),
    );
    bar.set_prefix("private Tor network");
    let mut network = TorNetwork::start(&TorOptions { hosts, ..TorOptions::default() })?;
    network.bootstrap(|progress| {
        bar.set_position(u64::from(progress.percent));
        bar.set_message(progress.stage.clone());
    })?;
    bar.finish_with_message("up");
    Ok(network)
}

/// Runs one command and finds the circuits of the credentials it used.
fn call(uwt: &PathBuf, network: &TorNetwork, arguments: &[&str]) -> Result<Vec<Row>> {
    let socks = network.socks();
    let output = Command::new(uwt)
        .args(["-v", "-i", &socks.ip().to_string(), "-p", &socks.port().to_string()])
        .args(arguments)
        // The demo shows what uwt does by itself, whatever is configured on this machine.
        .env("UWT_CONFIG_PATH", "/nonexistent")
        .output()
        .with_context(|| format!("{}", uwt.display()))?;
    let messages = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`uwt {}` failed ({}):\n{messages}", arguments.join(" "), output.status);
    let mut control = network.control()?;
    let mut rows = Vec::new();
    for (pid, credential) in messages.lines().filter_map(connection) {
        let circuit = control.wait_for(CIRCUIT_LIMIT, |circuits| {
            circuits
                .iter()
                .find(|circuit| circuit.is_built() && circuit.username.as_deref() == Some(credential))
                .map(describe)
        })?;
        let command = format!("uwt {}", arguments.join(" ").replace(" -sS", ""));
        rows.push(Row { command, pid: pid.to_owned(), credential: credential.to_owned(), circuit });
    }
    if rows.is_empty() {
        bail!("`uwt {}` connected nowhere:\n{messages}", arguments.join(" "));
    }
    Ok(rows)
}

/// Pid and credential of a line like `uwt: [12] connect to HOST as uwt-…: granted`.
fn connection(line: &str) -> Option<(&str, &str)> {
    let (pid, rest) = line.strip_prefix("uwt: [")?.split_once("] connect to ")?;
    let (_, rest) = rest.split_once(" as ")?;
    rest.strip_suffix(": granted").map(|credential| (pid, credential))
}

fn describe(circuit: &Circuit) -> String {
    let relays: Vec<&str> = circuit.path.iter().map(|relay| relay.nickname.as_str()).collect();
    format!("{:>3}: {}", circuit.id, relays.join(" > "))
}

fn distinct(rows: &[Row]) -> usize {
    let circuits: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.circuit.as_str()).collect();
    circuits.len()
}

fn print(rows: &[Row]) {
    let width = |cell: fn(&Row) -> &str| rows.iter().map(|row| cell(row).len()).max().unwrap_or(0);
    let (pid, credential) = (width(|row| &row.pid).max(7), width(|row| &row.credential));
    println!("{:<pid$}  {:<credential$}  circuit (relays)", "process", "credential");
    for row in rows {
        println!("{:<pid$}  {:<credential$}  {}\n{:pid$}  {}", row.pid, row.credential, row.circuit, "", row.command);
    }
}

/// A web server on loopback that says hello, for as long as this program runs.
fn serve() -> Result<SocketAddr> {
    let listener = TcpListener::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), 0))?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone()?).lines();
                while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n")
            });
        }
    });
    Ok(address)
}
