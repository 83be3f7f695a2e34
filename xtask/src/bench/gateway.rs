//! The lab's own SOCKS gateway, as a program beside us.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

use crate::workspace::{self, Workspace, existing};

/// It only has to bind a port.
const UP_WITHIN: Duration = Duration::from_secs(10);

/// A name that the gateway resolves: some ask for the address first.
pub(crate) const HOST: &str = "bench.example";

/// Builds the gateway optimised: it shall cost as little of the measured time as it can.
pub(super) fn build(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = workspace.cargo("build");
    workspace::run(cargo.args(["--release", "-p", "uwt-tests", "--bin", "lab-gateway"]))?;
    existing(&workspace.target.join("release/lab-gateway"))
}

/// A running gateway; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Gateway {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Gateway {
    /// Starts it on a free port of loopback, with these further options, and waits until it says which.
    pub(super) fn start(program: &Path, options: &[&str], log: &Path) -> Result<Self> {
        // A file and not a pipe: a gateway that logs every connection must not wait for us.
        let output = File::create(log).with_context(|| format!("{}", log.display()))?;
        // The gateway knows no end of its own; setpriv makes ours its end, however we end.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        command.args(["--listen", "127.0.0.1:0", "--quiet", "--host", &format!("{HOST}=203.0.113.7")]).args(options);
        let child =
            command.stdin(Stdio::piped()).stdout(output).spawn().with_context(|| format!("{}", program.display()))?;
        let mut gateway = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        gateway.address = gateway.wait_listening(log)?;
        Ok(gateway)
    }

    fn wait_listening(&mut self, log: &Path) -> Result<SocketAddr> {
        let start = Instant::now();
        loop {
            if let Some(address) = listening(&fs::read_to_string(log).unwrap_or_default()) {
                return Ok(address);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("lab-gateway ended before it listened: {status}");
            }
            ensure!(start.elapsed() < UP_WITHIN, "lab-gateway did not say where it listens; see {}", log.display());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The processor time that all its threads have used so far, those that have ended included.
    pub(super) fn processor_time(&self) -> Result<Duration> {
        let clock = clock_getcpuclockid(Pid::from_raw(self.child.id().try_into()?))?;
        Ok(clock_gettime(clock)?.into())
    }

    /// How many files it has open: each connection is one.
    pub(super) fn open_files(&self) -> Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody left to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address that ends the first line, once the line is whole.
fn listening(log: &str) -> Option<SocketAddr> {
    let (line, _) = log.split_once('\n')?;
    line.split_whitespace().last()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_line_counts() {
        assert_eq!(listening("listening on 127.0.0.1:1234"), None);
        assert_eq!(listening("listening on 127.0.0.1:1234\nmore"), Some(SocketAddr::from(([127, 0, 0, 1], 1234))));
        assert_eq!(listening("[::1]:9\n"), Some("[::1]:9".parse().expect("an address")));
        assert_eq!(listening("error\n"), None);
    }

    #[test]
    fn a_gateway_that_does_not_start_is_an_error() {
        let directory = tempfile::tempdir().expect("a directory");
        let log = directory.path().join("log");
        let error = Gateway::start(Path::new("/bin/true"), &[], &log).expect_err("true is no gateway");
        assert!(error.to_string().contains("ended before it listened"), "{error}");
    }
}
