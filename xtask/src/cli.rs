//! What can be typed after `cargo xtask`, and who does it.

use std::path::{self, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::interrupt::Interrupt;
use crate::prereq::{self, Group};
use crate::{artifacts, bench, deb, debian, demo, lab, test, tidy, trace, workspace, workspace::Workspace};

/// Tasks of the uwt workspace. Debian packages that a task needs are installed when you are root; otherwise the line
/// that installs them is printed.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Start a private Tor network and show process → credential → circuit
    Demo,
    /// Run all tests: fmt, clippy, tidy, unit tests, then the end-to-end tests in the lab (root)
    Test(test::Options),
    /// Measure uwt beside torsocks and proxychains4; report in target/bench
    Bench(bench::Options),
    /// Show where the time of one start goes, from the kernel's trace (root)
    Trace(trace::Options),
    /// Keep the lab up for work by hand, until ^D or ^C (root)
    Lab,
    /// Make the Debian 12 that the tests of the packages use, in target/debian-12, for work by hand (root)
    Debian,
    /// Check the layout: top level, arrows between crates, file sizes, exported symbols
    Tidy,
    /// Build what is shipped into target/uwt
    Build,
    /// Make the manual pages and the completions of bash, zsh and fish
    Man {
        /// The folder they go to [default: target/man]
        #[arg(long, value_name = "FOLDER")]
        output: Option<PathBuf>,
    },
    /// Build the Debian packages and their source package into target/deb
    Deb(deb::Options),
}

/// Runs the task that was asked for; an error is printed with its causes and gives exit status 1.
pub(crate) fn run() -> ExitCode {
    match dispatch(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(task: Task) -> Result<()> {
    let interrupt = Interrupt::watch()?;
    let workspace = Workspace::locate()?;
    match task {
        Task::Demo => demo::run(&workspace),
        Task::Test(options) => test::run(&workspace, &options, &interrupt),
        Task::Bench(options) => bench::run(&workspace, &options, &interrupt),
        Task::Trace(options) => trace::run(&workspace, &options, &interrupt),
        Task::Lab => lab::interactive(&workspace),
        Task::Debian => debian::run(&workspace, &interrupt),
        Task::Tidy => tidy::run(&workspace),
        Task::Build => build(&workspace),
        Task::Man { output } => man(&workspace, output),
        Task::Deb(options) => deb::run(&workspace, &options),
    }
}

fn build(workspace: &Workspace) -> Result<()> {
    prereq::ensure(&[Group::Build])?;
    artifacts::build(workspace)?;
    artifacts::show(workspace)
}

/// The date in the pages is that of `SOURCE_DATE_EPOCH`, if there is one.
fn man(workspace: &Workspace, output: Option<PathBuf>) -> Result<()> {
    prereq::ensure(&[Group::Build])?;
    let folder = path::absolute(output.unwrap_or_else(|| workspace.target.join("man")))?;
    workspace::run(workspace.cargo("run").args(["--quiet", "--package", "uwt-texts", "--"]).arg(folder))
}
