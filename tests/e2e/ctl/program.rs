//! The program under test.

use std::process::Command;

use crate::place::{Place, Ran, bin_dir, run};

/// `uwtctl` with these arguments and a clean environment, with the configuration and the folders of `place`.
pub(crate) fn uwtctl(place: &Place, arguments: &[&str]) -> Command {
    let program = bin_dir().join("uwtctl");
    assert!(program.is_file(), "{}: missing (`cargo xtask build` makes it)", program.display());
    let mut command = place.command(program);
    command.args(arguments);
    command
}

/// Runs it to its end.
pub(crate) fn ran(place: &Place, arguments: &[&str]) -> Ran {
    run(&mut uwtctl(place, arguments))
}

/// What is wider than a terminal of 80 columns.
pub(crate) fn wide(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.chars().count() > 80).collect()
}
