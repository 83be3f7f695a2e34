//! The command line of `lab`.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use anyhow::{Context as _, Result, anyhow, bail};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;

use super::{Lab, Running, State};

const USAGE: &str = "\
usage: lab up --state FILE [--interactive]   bring the lab up; write FILE when it is ready; take it down at the end of
                                             standard input, on SIGINT, SIGTERM or SIGHUP (needs root)
       lab circuits [--state FILE]           list Tor's circuits with their SOCKS credentials
       lab run [--state FILE] COMMAND…       run a command in a new workstation; say what leaked
Without --state the file is that of UWT_LAB.
";

/// Runs one subcommand.
pub fn main(arguments: impl Iterator<Item = String>) -> ExitCode {
    match dispatch(arguments.collect()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What was typed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Typed {
    verb: String,
    state: Option<PathBuf>,
    interactive: bool,
    command: Vec<String>,
}

/// Reads the arguments.
fn parse(arguments: Vec<String>) -> Result<Typed> {
    let mut typed = Typed::default();
    let mut rest = arguments.into_iter();
    typed.verb = rest.next().unwrap_or_default();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--state" => typed.state = Some(rest.next().context("--state needs a file")?.into()),
            "--interactive" => typed.interactive = true,
            option if option.starts_with('-') => bail!("unknown option {option}\n{USAGE}"),
            _ => {
                typed.command.push(argument);
                typed.command.extend(rest.by_ref());
            }
        }
    }
    Ok(typed)
}

/// From arguments to action.
fn dispatch(arguments: Vec<String>) -> Result<ExitCode> {
    let typed = parse(arguments)?;
    match (typed.verb.as_str(), typed.command.is_empty()) {
        ("up", true) => {
            let state = typed.state.context("lab up needs --state FILE")?;
            // A relative name must mean the same to those who read it in UWT_LAB.
            up(&std::path::absolute(state)?, typed.interactive)
        }
        ("circuits", true) => circuits(&attach(typed.state)?),
        ("run", false) => run(&attach(typed.state)?, &typed.command),
        _ => Err(anyhow!("what shall I do?\n{USAGE}")),
    }
}

/// The lab that runs.
fn attach(state: Option<PathBuf>) -> Result<Lab> {
    let path = state.or_else(|| std::env::var_os("UWT_LAB").map(PathBuf::from));
    Lab::attach_to(&path.context("neither --state nor UWT_LAB says which lab")?)
}

/// Keeps the lab up until it shall end.
fn up(path: &std::path::Path, interactive: bool) -> Result<ExitCode> {
    // Blocked before there are threads, so that they only ever arrive at the wait below.
    let mut ends = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        ends.add(signal);
    }
    ends.thread_block().context("block signals")?;
    std::thread::spawn(|| {
        let mut byte = [0];
        while matches!(std::io::stdin().read(&mut byte), Ok(1)) {}
        // The process is there as long as this thread is.
        let _ = kill(Pid::this(), Signal::SIGTERM);
    });
    let stop = Arc::new(AtomicBool::new(false));
    let (ended, wait_for_end) = mpsc::channel();
    let stopper = Arc::clone(&stop);
    std::thread::spawn(move || {
        let result = ends.wait();
        stopper.store(true, Ordering::Release);
        // The receiver is gone when the lab did not come up.
        let _ = ended.send(result);
    });
    let running = Running::up(&stop, |progress| {
        // Nobody may be listening any more; that is noticed at the end of standard input.
        let _ = writeln!(std::io::stdout(), "{:3} % {}", progress.percent, progress.stage);
    })?;
    running.state().write(path)?;
    if interactive {
        explain(running.state(), path);
    }
    wait_for_end.recv().context("the waiting thread died")?.context("wait for a signal")?;
    std::fs::remove_file(path).with_context(|| format!("remove {}", path.display()))?;
    drop(running);
    Ok(ExitCode::SUCCESS)
}

/// How to work with the lab by hand.
fn explain(state: &State, path: &std::path::Path) {
    let me = std::env::current_exe().unwrap_or_else(|_| "lab".into());
    let (me, path, dir, prefix) = (me.display(), path.display(), state.dir.display(), &state.prefix);
    println!(
        "\nThe lab is up. In another terminal, as root:
  export UWT_LAB={path}
  ip netns exec {prefix}-w11 bash                  a shell in the workstation 10.152.152.11
    {dir}/bin/uwt curl http://www.lab.test/
    {dir}/bin/uwt git clone http://git.lab.test/git/hello.git
    {dir}/bin/uwt ssh -F {dir}/ssh/config ssh.lab.test
    {dir}/bin/uwt curl http://{onion}/
  {me} circuits                                    Tor's circuits and whose they are
  {me} run COMMAND…                                run in a workstation of its own, list what leaked
  cargo test -p uwt-tests                          the end-to-end tests
SocksPort {socks}, names: {names}.
^C or ^D takes it down.",
        onion = state.onion,
        socks = state.socks,
        names = super::NAMES.map(|(name, _)| name).join(" "),
    );
}

/// Lists the circuits.
fn circuits(lab: &Lab) -> Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    for circuit in lab.control().circuits()? {
        let path: Vec<_> = circuit.path.iter().map(|relay| relay.nickname.as_str()).collect();
        let who = circuit.username.unwrap_or_else(|| "-".to_owned());
        writeln!(out, "{:5} {:9} {:16} {:32} {}", circuit.id, circuit.state, circuit.purpose, path.join(","), who)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs a command in a workstation of its own; its status, or 1 when it leaked.
fn run(lab: &Lab, command: &[String]) -> Result<ExitCode> {
    let workstation = lab.private_workstation();
    let status = workstation.command(&command[0]).args(&command[1..]).status()?;
    let leaks = workstation.leaks()?;
    for leak in &leaks {
        eprintln!("leak: {leak}");
    }
    eprintln!("{status}; {:?}", workstation.counters()?);
    let own = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(if leaks.is_empty() { own } else { own.max(1) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Result<Typed> {
        parse(text.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn options_end_at_the_command() {
        let run = typed("run --state f curl --interactive").expect("arguments");
        assert_eq!(run.state, Some("f".into()));
        assert_eq!(run.command, ["curl", "--interactive"]);
        assert!(!run.interactive);
        assert!(typed("up --state").is_err());
        assert!(typed("up --quick").is_err());
    }

    #[test]
    fn nothing_to_do_is_an_error() {
        for text in ["", "up", "down", "run", "circuits extra"] {
            let words = text.split_whitespace().map(str::to_owned).collect();
            assert!(dispatch(words).is_err(), "{text}");
        }
    }
}
