//! From the command line to the exit status.

use std::process::ExitCode;

use clap::Parser as _;
use uwt_cli::ctl::{Control, ControlCommand};

use crate::answer::{Shown, Status};

/// Does what the command line says.
pub(crate) fn run() -> ExitCode {
    let Control { json, command } = Control::parse();
    match answer(&command, Shown::new(json)) {
        Ok(status) => status.into(),
        Err(error) => {
            eprintln!("uwtctl: {error:#}");
            Status::Failed.into()
        }
    }
}

fn answer(command: &ControlCommand, shown: Shown) -> anyhow::Result<Status> {
    anyhow::bail!("{command:?} {shown:?}")
}
