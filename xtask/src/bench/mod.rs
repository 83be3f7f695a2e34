//! `cargo xtask bench`: uwt beside nothing, torsocks and proxychains4, interleaved in one run.

mod bulk;
mod crowd;
mod figures;
mod gateway;
mod guard;
mod helper;
mod machine;
mod memory;
mod network;
mod probe;
mod report;
mod series;
mod startup;
mod table;
mod variant;
mod way;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::artifacts::{self, PRELOAD};
use crate::interrupt::Interrupt;
use crate::prereq::{self, Group};
use crate::workspace::Workspace;
use gateway::{Gateway, Service};
use machine::Machine;
use probe::Probes;
use table::Table;
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

    /// Each of these runs a program per variant that makes many system calls, in some 50 ms.
    fn call_rounds(&self) -> u32 {
        self.startup_rounds().div_ceil(5).max(5)
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
    let directory = workspace.target.join("bench");
    fs::create_dir_all(&directory).with_context(|| format!("{}", directory.display()))?;

    let tables = measure(workspace, options, &directory, interrupt)?;
    let library = workspace.bin_dir().join(PRELOAD);
    let on_disk = fs::metadata(&library).with_context(|| format!("{}", library.display()))?.len();
    let verdicts = figures::judge(&tables, on_disk);
    let machine = Machine::read(&workspace.root)?;

    println!("{}", report::plain(&tables, &verdicts));
    report::write(&directory, &machine, &tables, &verdicts)?;
    let missed = verdicts.iter().filter(|verdict| !verdict.passed()).count();
    if options.check && missed > 0 {
        bail!("{missed} of {} figures miss their limit", verdicts.len());
    }
    Ok(())
}

fn measure(workspace: &Workspace, options: &Options, directory: &Path, interrupt: &Interrupt) -> Result<Vec<Table>> {
    let probes = Probes::build(workspace, directory)?;
    let program = gateway::build(workspace)?;
    let uwt = workspace.bin_dir().join("uwt");
    let start = |service, delay, log: &str| -> Result<(Gateway, Setup)> {
        let gateway = Gateway::start(&program, service, delay, &directory.join(log))?;
        let setup = Setup::new(&uwt, gateway.address)?;
        Ok((gateway, setup))
    };
    let (near, at_near) = start(Service::Echo, Duration::ZERO, "gateway.log")?;
    let (_far, at_far) = start(Service::Echo, DELAY, "gateway-far.log")?;
    let (_source, at_source) = start(Service::Source, Duration::ZERO, "gateway-source.log")?;
    let (_sink, at_sink) = start(Service::Sink, Duration::ZERO, "gateway-sink.log")?;

    let Probes { hooked, unhooked } = &probes;
    let (starts, calls) = (options.startup_rounds(), options.call_rounds());
    let (connects, names) = (options.connect_rounds(), options.name_rounds());
    let mut tables = vec![
        startup::measure(&at_near, starts, interrupt)?,
        startup::preload(&at_near, starts, interrupt)?,
        network::connects(&at_near, &near, hooked, connects, interrupt)?,
        network::names(&at_far, hooked, names, interrupt)?,
        memory::measure(&at_near, hooked)?,
    ];
    tables.extend(guard::filter(&at_near, unhooked, calls, interrupt)?);
    tables.push(guard::unix(&at_near, hooked, starts, interrupt)?);
    tables.extend(guard::sockets(&at_near, unhooked, calls, interrupt)?);
    tables.extend([
        network::caged_connects(&at_near, &near, unhooked, connects, interrupt)?,
        bulk::down(&at_source, unhooked, connects, interrupt)?,
        bulk::up(&at_sink, unhooked, connects, interrupt)?,
        crowd::measure(crowd::FEW, &at_far, unhooked, names, interrupt)?,
        crowd::measure(crowd::MANY, &at_far, unhooked, names, interrupt)?,
        helper::measure(&at_near, unhooked, names, interrupt)?,
    ]);
    Ok(tables)
}
