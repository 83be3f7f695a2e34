//! `cargo xtask bench`: uwt beside nothing, torsocks and proxychains4, interleaved in one run.

mod bulk;
mod crowd;
mod figures;
mod first_byte;
mod gateway;
mod growth;
mod guard;
mod helper;
mod holding;
mod machine;
mod memory;
mod network;
mod pictures;
mod processes;
mod readme;
mod report;
mod series;
mod startup;
mod status;
mod table;
mod tools;
mod variant;
mod way;
mod web;
mod wrapped;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::artifacts::{self, PRELOAD};
use crate::interrupt::Interrupt;
use crate::prereq::{self, Group};
use crate::workspace::Workspace;
use gateway::{Gateway, HOST};
use machine::Machine;
use table::Table;
use tools::Tools;
use variant::Setup;
use way::Course;

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
    /// Write the summary into README.md
    #[arg(long)]
    readme: bool,
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

    /// Each of these makes thousands of connections, and finds the same numbers almost every time.
    fn growth_rounds(&self) -> u32 {
        self.startup_rounds().div_ceil(100)
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
    if options.readme {
        readme::write(&workspace.root, &machine, &tables)?;
    }
    let missed = verdicts.iter().filter(|verdict| !verdict.passed()).count();
    if options.check && missed > 0 {
        bail!("{missed} of {} figures miss their limit", verdicts.len());
    }
    Ok(())
}

fn measure(workspace: &Workspace, options: &Options, directory: &Path, interrupt: &Interrupt) -> Result<Vec<Table>> {
    let tools = Tools::prepare(workspace, directory)?;
    let program = gateway::build(workspace)?;
    let uwt = workspace.bin_dir().join("uwt");
    let start = |log: &str, options: &[&str]| -> Result<(Gateway, Setup)> {
        let gateway = Gateway::start(&program, options, &directory.join(log))?;
        let setup = Setup::new(&uwt, gateway.address)?;
        Ok((gateway, setup))
    };
    let far = DELAY.as_millis().to_string();
    let (near, at_near) = start("gateway.log", &["--echo"])?;
    let (_middle, at_middle) = start("gateway-middle.log", &["--echo", "--delay", "100"])?;
    let (_far, at_far) = start("gateway-far.log", &["--echo", "--delay", &far])?;
    let (_away, at_away) = start("gateway-away.log", &["--echo", "--round-trip", &far])?;
    let page = format!("{HOST}:80={}", web::serve()?);
    let (_web, at_web) = start("gateway-web.log", &["--route", &page, "--round-trip", &far])?;
    let (source, at_source) = start("gateway-source.log", &["--source"])?;
    let (sink, at_sink) = start("gateway-sink.log", &["--discard"])?;
    let (_slow_source, at_slow_source) = start("gateway-slow-source.log", &["--source", "--rate", bulk::PACE])?;
    let (_slow_sink, at_slow_sink) = start("gateway-slow-sink.log", &["--discard", "--rate", bulk::PACE])?;

    let course = |setup, rounds| Course { setup, tools: &tools, rounds, interrupt };
    let (starts, calls) = (options.startup_rounds(), options.call_rounds());
    let (connects, names) = (options.connect_rounds(), options.name_rounds());
    let mut tables = vec![
        startup::measure(&at_near, starts, interrupt)?,
        startup::preload(&at_near, starts, interrupt)?,
        wrapped::measure(workspace, &at_near, starts, interrupt)?,
        status::measure(workspace, &at_near, calls, interrupt)?,
        network::connects(&course(&at_near, connects), &near)?,
        network::polled_connects(&course(&at_near, connects), &near)?,
        network::caged_connects(&course(&at_near, connects), &near)?,
    ];
    for (table, setup) in network::NAMES.into_iter().zip([&at_near, &at_middle, &at_far]) {
        tables.push(network::names(table, &course(setup, names))?);
    }
    // The many take seconds each, of processors and not of waiting.
    for (size, rounds) in [(crowd::FEW, names), (crowd::MANY, names), (crowd::THRONG, names.div_ceil(2))] {
        tables.push(crowd::measure(size, &course(&at_far, rounds))?);
    }
    tables.push(first_byte::probe(&course(&at_away, names))?);
    tables.push(first_byte::curl(&course(&at_web, names))?);
    tables.extend(bulk::down(&course(&at_source, connects), &source)?);
    tables.extend(bulk::up(&course(&at_sink, connects), &sink)?);
    tables.push(bulk::paced_down(&course(&at_slow_source, connects))?);
    tables.push(bulk::paced_up(&course(&at_slow_sink, connects))?);
    tables.extend(guard::filter(&course(&at_near, calls))?);
    tables.push(guard::unix(&course(&at_near, starts))?);
    tables.extend(guard::sockets(&course(&at_near, calls))?);
    tables.push(memory::measure(&course(&at_near, names))?);
    tables.push(helper::measure(&course(&at_near, names))?);
    let growth = course(&at_near, options.growth_rounds());
    tables.push(growth::caged(&growth, &near)?);
    tables.push(growth::relayed(&growth, &near)?);
    Ok(tables)
}
