//! `uwtctl status`: what is isolated how, and what undermines it.

mod commands;
mod desktop;
mod finding;
mod launches;
mod library;
mod machine;
mod notice;
mod ports;
mod proxies;
mod report;
mod show;
mod wrapped;

#[cfg(test)]
mod tests;

use uwt_cli::ctl::StatusOptions;

use crate::answer::{Shown, Status};

/// Does what the options say.
///
/// # Errors
/// The answer cannot be printed. What is wrong with the machine is part of the answer.
pub(crate) fn run(options: &StatusOptions, shown: Shown) -> anyhow::Result<Status> {
    if options.motd {
        return shown.print(&notice::of_login());
    }
    shown.print(&report::find_out(&options.names, options.offline))
}
