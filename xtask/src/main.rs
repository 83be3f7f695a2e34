//! `cargo xtask`: every task of the workspace, from set-up to measurements.
mod artifacts;
mod bench;
mod cli;
mod demo;
mod elf;
mod interrupt;
mod lab;
mod prereq;
mod steps;
mod test;
mod tidy;
mod trace;
mod workspace;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
