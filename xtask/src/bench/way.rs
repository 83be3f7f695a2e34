//! Ways to do the same thing, measured in turns.

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressIterator, ProgressStyle};

use super::probe::Probe;
use super::series::{Series, order};
use super::variant::Variant;
use crate::interrupt::Interrupt;

/// A client that speaks SOCKS itself.
pub(crate) const NATIVE: &str = "native SOCKS";
/// A static program, which the preload does not see, under `uwt --guard=tunnel`.
pub(crate) const CAGED: &str = "caged";

/// An address of TEST-NET-3 (RFC 5737): it exists nowhere, and only the gateway hears of it.
pub(crate) const NOWHERE: &str = "203.0.113.5:80";

/// A bar for so many rounds.
pub(super) fn progress(what: &'static str, rounds: u32) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:16} {wide_bar} {pos}/{len}");
    ProgressBar::new(rounds.into())
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what)
}

/// One row of a table: what the probe is told and the variant it runs under.
#[derive(Debug)]
pub(super) struct Way<'a> {
    pub(super) name: &'static str,
    probe: &'a Probe,
    variant: &'a Variant,
    arguments: Vec<String>,
}

impl<'a> Way<'a> {
    pub(super) fn new(name: &'static str, probe: &'a Probe, variant: &'a Variant, arguments: &[&str]) -> Self {
        Self { name, probe, variant, arguments: arguments.iter().map(|word| (*word).to_owned()).collect() }
    }

    /// The numbers that the probe prints; at least one.
    pub(super) fn run(&self) -> Result<Vec<f64>> {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let numbers = self.probe.run(self.variant, &arguments)?;
        numbers.first().with_context(|| format!("{}: the probe printed nothing", self.name))?;
        Ok(numbers)
    }
}

/// Runs each way once a round, and once before: that reads its files from disk.
pub(super) fn in_turns(
    what: &'static str,
    ways: &[Way<'_>],
    rounds: u32,
    interrupt: &Interrupt,
    mut one: impl FnMut(usize, &Way<'_>) -> Result<()>,
) -> Result<()> {
    for way in ways {
        interrupt.check()?;
        way.run()?;
    }
    for round in (0..rounds as usize).progress_with(progress(what, rounds)) {
        for index in order(round, ways.len()) {
            interrupt.check()?;
            one(index, &ways[index])?;
        }
    }
    Ok(())
}

/// What each way's numbers come to, in the order of the ways.
pub(super) fn samples(
    what: &'static str,
    ways: &[Way<'_>],
    rounds: u32,
    interrupt: &Interrupt,
    value: impl Fn(&[f64]) -> f64,
) -> Result<Vec<Series>> {
    let mut samples = vec![Series::default(); ways.len()];
    in_turns(what, ways, rounds, interrupt, |index, way| {
        samples[index].0.push(value(&way.run()?));
        Ok(())
    })?;
    Ok(samples)
}
