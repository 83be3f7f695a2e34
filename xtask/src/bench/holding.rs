//! A program that keeps connections.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use anyhow::{Context, Result, ensure};

use super::tools::Tool;
use super::variant::Variant;
use super::way::{How, NOWHERE};

/// A probe that has as many connections as it is told.
#[derive(Debug)]
pub(super) struct Holding {
    child: Child,
    /// Its end is the probe's.
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Holding {
    /// Starts it under the variant, without connections.
    pub(super) fn start(probe: &Tool, variant: &Variant, how: How) -> Result<Self> {
        let mut command = variant.command(&probe.program);
        command.args(["hold", &how.to(NOWHERE, None)]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context(variant.name)?;
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().context("stdout is a pipe")?);
        Ok(Self { child, stdin, stdout })
    }

    /// Opens or closes connections; when this returns there are so many.
    pub(super) fn have(&mut self, connections: u16) -> Result<()> {
        writeln!(self.stdin.as_mut().context("it has not ended")?, "{connections}")?;
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        ensure!(line.trim().parse() == Ok(connections), "told to have {connections} connections it printed {line:?}");
        Ok(())
    }

    /// Lets it end.
    pub(super) fn end(mut self) -> Result<()> {
        drop(self.stdin.take());
        let status = self.child.wait()?;
        ensure!(status.success(), "the waiting probe: {status}");
        Ok(())
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        // After `end` it is gone already.
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}
