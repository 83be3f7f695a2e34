//! `cargo xtask bench`: uwt beside nothing, torsocks and proxychains4, interleaved in one run.

mod figures;
mod gateway;
mod machine;
mod memory;
mod network;
mod probe;
mod report;
mod series;
mod startup;
mod table;
mod variant;

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::artifacts::{self, PRELOAD};
use crate::interrupt::Interrupt;
use crate::prereq::{self, Group};
use crate::workspace::Workspace;
use figures::Figures;
use gateway::Gateway;
use machine::Machine;
use probe::Probe;
use variant::Setup;

/// The delay at which names and connects are measured: a usual round trip through Tor.
const DELAY: Duration = Duration::from_millis(300);

/// What can be chosen.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Rounds of the start-up measurement; the others follow it
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(5..))]
    rounds: u32,
    /// A tenth of the rounds: for a look, not for the record
    #[arg(long)]
    quick: bool,
    /// Exit with status 1 when a figure misses its limit
    #[arg(long)]
    check: bool,
}

impl Options {
    fn startup_rounds(&self) -> u32 {
        if self.quick { self.rounds.div_ceil(10).max(5) } else { self.rounds }
    }

    /// Each of these runs a program per variant that makes many connections.
    fn connect_rounds(&self) -> u32 {
        self.startup_rounds().div_ceil(20).max(3)
    }

    /// Each of these waits for half a second and more per variant.
    fn name_rounds(&self) -> u32 {
        self.startup_rounds().div_ceil(50).max(3)
    }
}

/// Measures, prints, writes the report, and judges when asked to.
pub(crate) fn run(workspace: &Workspace, options: &Options, interrupt: &Interrupt) -> Result<()> {
    prereq::ensure(&[Group::Build, Group::Bench])?;
    artifacts::build(workspace)?;
    let probe = Probe::build(workspace)?;
    let program = gateway::build(workspace)?;
    let directory = workspace.target.join("bench");
    fs::create_dir_all(&directory).with_context(|| format!("{}", directory.display()))?;

    let near = Gateway::start(&program, Duration::ZERO, &directory.join("gateway.log"))?;
    let far = Gateway::start(&program, DELAY, &directory.join("gateway-far.log"))?;
    let uwt = workspace.bin_dir().join("uwt");
    let at_near = Setup::new(&uwt, near.address)?;
    let at_far = Setup::new(&uwt, far.address)?;

    let tables = vec![
        startup::measure(&at_near, options.startup_rounds(), interrupt)?,
        startup::preload(&at_near, options.startup_rounds(), interrupt)?,
        network::connects(&at_near, &near, &probe, options.connect_rounds(), interrupt)?,
        network::names(&at_far, &probe, options.name_rounds(), interrupt)?,
        memory::measure(&at_near, &probe)?,
    ];
    let library = workspace.bin_dir().join(PRELOAD);
    let on_disk = fs::metadata(&library).with_context(|| format!("{}", library.display()))?.len();
    let verdicts = Figures::from_tables(&tables, on_disk).judge();
    let machine = Machine::read(&workspace.root)?;

    println!("{}", report::plain(&tables, &verdicts));
    report::write(&directory, &machine, &tables, &verdicts)?;
    let missed = verdicts.iter().filter(|verdict| !verdict.passed()).count();
    if options.check && missed > 0 {
        bail!("{missed} of {} figures miss their limit", verdicts.len());
    }
    Ok(())
}
