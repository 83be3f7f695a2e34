//! `cargo xtask`: every task of the workspace, from set-up to measurements.
mod bench;
mod cli;
mod deb;
mod debian;
mod demo;
mod interrupt;
mod lab;
mod prereq;
mod steps;
mod test;
mod tidy;
mod trace;
mod tracked;

use xtask_artifacts::{artifacts, elf, workspace};

fn main() -> std::process::ExitCode {
    cli::run()
}
