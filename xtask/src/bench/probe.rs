//! The program that is run under each variant; see `src/bin/bench-probe/main.rs`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};

use anyhow::{Context, Result, ensure};

use super::variant::Variant;
use super::way::NOWHERE;
use crate::elf;
use crate::workspace::{self, Workspace, existing, text};

/// A built probe.
#[derive(Debug)]
pub(crate) struct Probe {
    pub(super) program: PathBuf,
}

/// The same program, linked in two ways.
#[derive(Debug)]
pub(super) struct Probes {
    /// With the C library as a shared one: a preload sees its calls.
    pub(super) hooked: Probe,
    /// With everything in it: no preload sees its calls.
    pub(super) unhooked: Probe,
}

impl Probes {
    /// Builds both optimised, beside the rest of xtask that isn't; the static one comes to lie in `directory`.
    pub(super) fn build(workspace: &Workspace, directory: &Path) -> Result<Self> {
        let built = compile(workspace, &["-C", "target-feature=+crt-static"])?;
        let unhooked = directory.join("bench-probe-static");
        fs::copy(&built, &unhooked).with_context(|| format!("{}", unhooked.display()))?;
        let interpreter = elf::dynamic(&unhooked)?.interpreter;
        ensure!(interpreter.is_none(), "{} is not static: it asks for {interpreter:?}", unhooked.display());
        // Cargo puts the next one into the same place.
        let hooked = compile(workspace, &[])?;
        Ok(Self { hooked: Probe { program: hooked }, unhooked: Probe { program: unhooked } })
    }
}

fn compile(workspace: &Workspace, more: &[&str]) -> Result<PathBuf> {
    let mut cargo = workspace.cargo("rustc");
    cargo.args(["-p", "xtask", "--bin", "bench-probe", "--", "-C", "opt-level=2"]).args(more);
    workspace::run(&mut cargo)?;
    existing(&workspace.target.join("debug/bench-probe"))
}

impl Probe {
    /// Runs it under the variant; the numbers that it printed.
    pub(super) fn run(&self, variant: &Variant, arguments: &[&str]) -> Result<Vec<f64>> {
        let answer = text(variant.command(&self.program).args(arguments)).with_context(|| variant.name)?;
        answer
            .split_whitespace()
            .map(|word| word.parse().with_context(|| format!("{}: the probe printed {answer:?}", variant.name)))
            .collect()
    }
}

/// A probe that has made connections, keeps them and waits.
#[derive(Debug)]
pub(super) struct Holding {
    child: Child,
    /// Kept open: the probe says good-bye.
    stdout: Option<BufReader<ChildStdout>>,
}

impl Holding {
    /// Starts it under the variant; when this returns all connections are there.
    pub(super) fn start(probe: &Probe, variant: &Variant, connections: u16) -> Result<Self> {
        let child = variant
            .command(&probe.program)
            .args(["hold", NOWHERE, &connections.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context(variant.name)?;
        let mut holding = Self { child, stdout: None };
        let stdout = holding.child.stdout.take().context("stdout is a pipe")?;
        let mut line = String::new();
        let mut reader = BufReader::new(stdout);
        reader.read_line(&mut line)?;
        holding.stdout = Some(reader);
        ensure!(line.trim() == "0", "{}: the waiting probe printed {line:?}", variant.name);
        Ok(holding)
    }

    /// Lets it end.
    pub(super) fn end(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        ensure!(status.success(), "the waiting probe: {status}");
        Ok(())
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        // After `end` it is gone already.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
