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

/// The test that runs beside the others.
const PYTHON: &str = "the_results_are_those_of_bare_python";

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
        let cargo = |which: &[&str]| {
            let mut cargo = workspace.cargo("test");
            cargo.args(["-p", "uwt-tests", "--no-fail-fast"]).args(which).args(&options.filter);
            cargo.env("UWT_LAB", &lab.state).env("UWT_BIN_DIR", workspace.bin_dir());
            cargo.envs(debian.root.map(|root| ("UWT_DEBIAN_ROOT", &root.path)));
            cargo.envs(debian.packages.map(|folder| ("UWT_DEB_DIR", folder)));
            run_command(&mut cargo)
        };
        // Python's tests wait more than they work.
        let (python, others) = thread::scope(|scope| {
            let python = scope.spawn(|| cargo(&["--test", "cpython", "--"]));
            let others = cargo(&["--", "--skip", PYTHON]);
            (python.join(), others)
        });
        others.and(python.unwrap_or_else(|_| bail!("the run of Python's tests panicked")))
    });
    steps.always("lab down", || lab.down());
}
