//! The programs that are run under each variant.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::variant::{Variant, installed};
use crate::elf;
use crate::workspace::{self, Workspace, existing};

/// A program that prints numbers.
#[derive(Clone, Debug)]
pub(super) struct Tool {
    pub(super) program: PathBuf,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Tools {
    /// The probe (`src/bin/bench-probe`), with the C library as a shared one: a preload sees its calls.
    pub(super) hooked: Tool,
    /// The probe with everything in it: no preload sees its calls.
    pub(super) unhooked: Tool,
    /// CPython.
    pub(super) python: Tool,
    /// Its script that makes many connections with asyncio.
    pub(super) crowd: String,
    /// A client that speaks SOCKS itself if it is told to.
    pub(super) curl: Tool,
}

impl Tools {
    /// Builds both probes optimised, beside the rest of xtask that isn't; what is made comes to lie in `directory`.
    pub(super) fn prepare(workspace: &Workspace, directory: &Path) -> Result<Self> {
        let built = compile(workspace, &["-C", "target-feature=+crt-static"])?;
        let unhooked = directory.join("bench-probe-static");
        fs::copy(&built, &unhooked).with_context(|| format!("{}", unhooked.display()))?;
        let interpreter = elf::dynamic(&unhooked)?.interpreter;
        ensure!(interpreter.is_none(), "{} is not static: it asks for {interpreter:?}", unhooked.display());
        // Cargo puts the next one into the same place.
        let hooked = compile(workspace, &[])?;
        let crowd = directory.join("crowd.py");
        fs::write(&crowd, include_str!("crowd.py")).with_context(|| format!("{}", crowd.display()))?;
        let tool = |program| Tool { program };
        Ok(Self {
            hooked: tool(hooked),
            unhooked: tool(unhooked),
            python: tool(installed("python3")?),
            crowd: crowd.to_str().context("the target directory is no UTF-8")?.to_owned(),
            curl: tool(installed("curl")?),
        })
    }
}

fn compile(workspace: &Workspace, more: &[&str]) -> Result<PathBuf> {
    let mut cargo = workspace.cargo("rustc");
    cargo.args(["-p", "xtask", "--bin", "bench-probe", "--", "-C", "opt-level=2"]).args(more);
    workspace::run(&mut cargo)?;
    existing(&workspace.target.join("debug/bench-probe"))
}

impl Tool {
    /// Runs it under the variant; the numbers that it printed, at least one.
    pub(super) fn run(&self, variant: &Variant, arguments: &[String]) -> Result<Vec<f64>> {
        let output = variant.command(&self.program).args(arguments).output().with_context(|| variant.name)?;
        // What the wrappers have to say is of interest only if it went wrong.
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {arguments:?}: {}\n{said}", variant.name, output.status);
        let answer = String::from_utf8(output.stdout).with_context(|| variant.name)?;
        let numbers: Vec<f64> = answer
            .split_whitespace()
            .map(|word| word.parse().with_context(|| format!("{}: not a number in {answer:?}", variant.name)))
            .collect::<Result<_>>()?;
        ensure!(!numbers.is_empty(), "{}: {} printed nothing", variant.name, self.program.display());
        Ok(numbers)
    }
}
