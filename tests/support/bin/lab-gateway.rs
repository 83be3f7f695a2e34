//! `lab-gateway`: the mock gateway as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    support::gateway::cli::main(std::env::args().skip(1))
}
