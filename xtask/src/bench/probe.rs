//! The program that is run under each variant; see `src/bin/bench-probe.rs`.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::variant::Variant;
use crate::workspace::{self, Workspace, existing, text};

/// The built probe.
#[derive(Debug)]
pub(crate) struct Probe {
    pub(super) program: PathBuf,
}

impl Probe {
    /// Builds it optimised, beside the rest of xtask that isn't.
    pub(super) fn build(workspace: &Workspace) -> Result<Self> {
        let mut cargo = workspace.cargo("rustc");
        workspace::run(cargo.args(["-p", "xtask", "--bin", "bench-probe", "--", "-C", "opt-level=2"]))?;
        Ok(Self { program: existing(&workspace.target.join("debug/bench-probe"))? })
    }

    /// Runs it under the variant; the numbers that it printed.
    pub(super) fn run(&self, variant: &Variant, arguments: &[&str]) -> Result<Vec<f64>> {
        let answer = text(variant.command(&self.program).args(arguments)).with_context(|| variant.name)?;
        answer
            .split_whitespace()
            .map(|word| word.parse().with_context(|| format!("{}: the probe printed {answer:?}", variant.name)))
            .collect()
    }
}
