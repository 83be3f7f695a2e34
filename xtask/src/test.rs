//! `cargo xtask test`: everything that must hold, in the order that fails soonest.

use std::path::Path;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::interrupt::Interrupt;
use crate::lab::{Lab, need_root};
use crate::prereq::{self, Group};
use crate::steps::Steps;
use crate::workspace::{Workspace, run as run_command};
use crate::{artifacts, deb, debian, tidy};

/// The test programs that run beside the others. Both wait more than they work: Python's tests for time-outs, those of the
/// packages for dpkg, which waits for the disk.
const BESIDE: [&str; 2] = ["cpython", "package"];

/// What can be chosen.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only the end-to-end tests, without fmt, clippy, tidy and the unit tests
    #[arg(long)]
    e2e: bool,
    /// Only tests whose name contains one of these; other words go to the test programs too
    #[arg(last = true)]
    filter: Vec<String>,
}

/// Runs the steps up to the first that fails, and sums up.
pub(crate) fn run(workspace: &Workspace, options: &Options, interrupt: &Interrupt) -> Result<()> {
    need_root("test")?;
    let mut steps = Steps::new(interrupt);
    steps.run("prerequisites", || prereq::ensure(&[Group::Build, Group::Test, Group::Packaging]));
    // It waits for the mirror while everything else is compiled.
    let debian = (!steps.failed()).then(|| debian::Preparing::start(workspace));
    if !options.e2e {
        static_checks(workspace, &mut steps);
    }
    steps.run("build", || artifacts::build(workspace));
    if !options.e2e {
        steps.run("unit tests", || unit_tests(workspace, options));
    }
    let mut packages = None;
    steps.run("package", || {
        let folder = deb::build(workspace)?;
        deb::lint(&folder)?;
        packages = Some(folder);
        Ok(())
    });
    let mut root = None;
    steps.run("debian 12", || {
        root = debian.map(|debian| debian.finish(interrupt)).transpose()?;
        Ok(())
    });
    let debian = Debian { root: root.as_ref(), packages: packages.as_deref() };
    end_to_end(workspace, options, interrupt, &mut steps, &debian);
    if options.e2e {
        println!("\nOnly the end-to-end tests, as asked with --e2e.");
    }
    if !options.filter.is_empty() {
        println!("\nOnly the tests that match: {}", options.filter.join(" "));
    }
    steps.finish()
}

fn static_checks(workspace: &Workspace, steps: &mut Steps) {
    steps
        .run("fmt", || run_command(workspace.cargo("fmt").args(["--all", "--check"])).context("run `cargo fmt --all`"));
    steps.run("clippy", || {
        let mut clippy = workspace.cargo("clippy");
        run_command(clippy.args(["--workspace", "--all-targets", "--", "-D", "warnings"]))
    });
    steps.run("tidy", || tidy::run(workspace));
}

fn unit_tests(workspace: &Workspace, options: &Options) -> Result<()> {
    let mut cargo = workspace.cargo("test");
    cargo.args(["--workspace", "--exclude", "uwt-tests", "--no-fail-fast", "--"]).args(&options.filter);
    run_command(&mut cargo)
}

/// For the tests that install the packages; what an earlier step did not get ready is missing.
struct Debian<'a> {
    root: Option<&'a debian::Root>,
    /// The folder with our packages.
    packages: Option<&'a Path>,
}

fn end_to_end(workspace: &Workspace, options: &Options, interrupt: &Interrupt, steps: &mut Steps, debian: &Debian) {
    // Compiled first: the lab need not wait for it.
    steps.run("build e2e", || run_command(workspace.cargo("test").args(["-p", "uwt-tests", "--no-run"])));
    let mut lab = None;
    steps.run("lab up", || {
        let program = workspace.dev_program("uwt-tests", "lab")?;
        lab = Some(Lab::up(Command::new(program), &workspace.bin_dir(), &workspace.target.join("uwt-lab"), interrupt)?);
        Ok(())
    });
    let Some(lab) = lab else {
        return steps.run("e2e tests", || bail!("there is no lab"));
    };
    steps.run("e2e tests", || {
        let cargo = |which: Vec<&str>| {
            let mut cargo = workspace.cargo("test");
            cargo.args(["-p", "uwt-tests", "--no-fail-fast"]).args(which).arg("--").args(&options.filter);
            cargo.env("UWT_LAB", &lab.state).env("UWT_BIN_DIR", workspace.bin_dir());
            cargo.envs(debian.root.map(|root| ("UWT_DEBIAN_ROOT", &root.path)));
            cargo.envs(debian.packages.map(|folder| ("UWT_DEB_DIR", folder)));
            run_command(&mut cargo)
        };
        let (beside, others) = (BESIDE.map(|name| vec!["--test", name]), others(workspace)?);
        thread::scope(|scope| {
            let beside = beside.map(|which| scope.spawn(|| cargo(which)));
            let others = cargo(others);
            let beside = beside.map(|run| run.join().unwrap_or_else(|_| bail!("a run of tests panicked")));
            beside.into_iter().fold(others, Result::and)
        })
    });
    steps.always("lab down", || lab.down());
}

/// What names the tests of the lab and the end-to-end tests to cargo, except for those that run beside them.
fn others(workspace: &Workspace) -> Result<Vec<&str>> {
    let packages = workspace.metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let tests =
        packages.iter().find(|package| package["name"] == "uwt-tests").context("there is no crate uwt-tests")?;
    let targets = tests["targets"].as_array().context("uwt-tests has no targets")?;
    let names =
        targets.iter().filter(|target| target["kind"][0] == "test").filter_map(|target| target["name"].as_str());
    let others = names.filter(|name| !BESIDE.contains(name)).flat_map(|name| ["--test", name]);
    Ok(["--lib", "--bins"].into_iter().chain(others).collect())
}
