//! `lab`: keeps the lab up for the end-to-end tests and for work by hand.

use std::process::ExitCode;

fn main() -> ExitCode {
    support::lab::cli::main(std::env::args().skip(1))
}
