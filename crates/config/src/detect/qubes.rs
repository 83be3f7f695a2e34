//! Asking the Qubes database for the gateway.

use std::io::{self, ErrorKind, Read};
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::DetectError;
use crate::choice::GatewayChoice;
use crate::error::{one_line, quoted};

/// How long the database may take to answer.
const DEADLINE: Duration = Duration::from_secs(2);
/// The longest answer that is looked at, in bytes.
const LONGEST: usize = 256;

/// What `qubesdb-read /qubes-gateway` says.
pub(super) fn gateway(command: &Path) -> Result<Ipv4Addr, DetectError> {
    ask(command, DEADLINE).map_err(|problem| {
        DetectError::new(
            format!("{} /qubes-gateway {problem}", one_line(command)),
            "give this qube a NetVM, or set gateway = \"ADDRESS\" in /etc/uwt.d/50_user.toml",
        )
    })
}

fn ask(command: &Path, patience: Duration) -> Result<Ipv4Addr, String> {
    let until = Instant::now() + patience;
    let failed = |fault: io::Error| match fault.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => format!("does not answer within {} s", patience.as_secs()),
        _ => format!("cannot be run: {fault}"),
    };
    // A socket rather than a pipe: it can be read with a time-out.
    let (mut ours, theirs) = UnixStream::pair().map_err(failed)?;
    let mut child = start(command, theirs).map_err(failed)?;
    let result = answer(&mut ours, until).and_then(|answer| Ok((answer, exit(&mut child, until)?)));
    if result.is_err() {
        // It may have ended by itself meanwhile, and then there is nothing to kill.
        let _ = child.kill();
        let _ = child.wait();
    }
    let (answer, status) = result.map_err(failed)?;
    if !status.success() {
        return Err(format!("failed ({status})"));
    }
    match answer.trim_ascii().parse() {
        Ok(GatewayChoice::Address(address)) => Ok(address),
        _ => Err(format!("says {}, which is no IPv4 address", quoted(answer.trim_ascii()))),
    }
}

/// Starts it with nothing inherited: least of all a preload library, ours or another.
fn start(command: &Path, output: UnixStream) -> io::Result<Child> {
    let mut command = Command::new(command);
    command.arg("/qubes-gateway").env_clear().current_dir("/");
    command.stdin(Stdio::null()).stdout(OwnedFd::from(output)).stderr(Stdio::null()).spawn()
}

/// Everything it says, until it ends or says too much.
fn answer(from: &mut UnixStream, until: Instant) -> io::Result<String> {
    let mut answer = Vec::new();
    let mut chunk = [0; LONGEST];
    while answer.len() < LONGEST {
        from.set_read_timeout(Some(left(until)?))?;
        match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => answer.extend_from_slice(chunk.get(..length).unwrap_or_default()),
            Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Its exit status, which follows the end of its output closely.
fn exit(child: &mut Child, until: Instant) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        thread::sleep(left(until)?.min(Duration::from_millis(1)));
    }
}

fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}
