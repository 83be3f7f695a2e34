//! From the command line to the exit status.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use uwt_cli::ctl::{Control, ControlCommand};

use crate::answer::{OUTPUT, Shown, Status};
use crate::audit;
use crate::check;
use crate::circuits;
use crate::config;
use crate::gateway_files;
use crate::page::{printable, wrapped};
use crate::ports;
use crate::status;
use crate::wrapper;

/// Does what the command line says, and gives the exit status.
#[must_use]
pub fn run() -> ExitCode {
    let Control { json, command } = match Control::try_parse() {
        Ok(control) => control,
        Err(error) => return refuse(&error),
    };
    match answer(&command, Shown::new(json)) {
        Ok(status) => status.into(),
        Err(error) => {
            complain(&printable(&format!("uwtctl: {error:#}")));
            Status::Failed.into()
        }
    }
}

/// Help and version are no errors but to clap; the others say how uwtctl is called.
fn refuse(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return match error.print() {
            Err(fault) if fault.kind() != io::ErrorKind::BrokenPipe => {
                complain(&format!("uwtctl: {OUTPUT}: {fault}"));
                Status::Failed.into()
            }
            _ => Status::Good.into(),
        };
    }
    complain(&printable(&error.to_string()));
    Status::Failed.into()
}

/// Prints lines to standard error; what does not fit goes on in the next one, indented as much as the line was, and more.
fn complain(text: &str) {
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len() + 2;
        for line in wrapped(line, &" ".repeat(indent)) {
            // Where nobody listens, the exit status says it.
            let _ = writeln!(io::stderr(), "{line}");
        }
    }
}

fn answer(command: &ControlCommand, shown: Shown) -> anyhow::Result<Status> {
    match command {
        ControlCommand::Audit(options) => audit::run(options, shown),
        ControlCommand::Check(options) => check::run(options, shown),
        ControlCommand::Circuits(options) => circuits::run(options, shown),
        ControlCommand::Config(options) => config::run(options, shown),
        ControlCommand::Gateway(options) => gateway_files::run(options, shown),
        ControlCommand::Ports(options) => ports::run(options, shown),
        ControlCommand::Wrapper(options) => wrapper::run(options, shown),
        ControlCommand::Status(options) => status::run(options, shown),
    }
}
