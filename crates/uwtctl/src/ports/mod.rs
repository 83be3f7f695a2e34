//! `uwtctl ports`: the plan of SocksPorts, who uses which, and a port of its own for a command.

mod assign;
pub(crate) mod plan;
mod show;
pub(crate) mod usage;

use uwt_cli::ctl::{PortsCommand, PortsOptions};

use self::plan::Isolation;
use crate::answer::{Shown, Status};
use crate::configuration;

/// Does what the options say.
///
/// # Errors
/// The configuration cannot be read, or the port not be assigned.
pub(crate) fn run(options: &PortsOptions, shown: Shown) -> anyhow::Result<Status> {
    match &options.command {
        None => shown.print(&show::show(&configuration::load()?.config)),
        Some(PortsCommand::Assign { command, isolate_dest_addr, isolate_dest_port, user, dry_run }) => {
            let isolation = Isolation { address: *isolate_dest_addr, port: *isolate_dest_port };
            shown.print(&assign::assign(command, isolation, *user, *dry_run)?)
        }
    }
}
