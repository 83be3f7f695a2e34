//! `uwtctl wrapper`: which commands are isolated when they are typed, and how to change that.

mod switch;

use uwt_cli::ctl::{WrapperCommand, WrapperOptions};

use crate::answer::{Shown, Status};

/// Does what the options say.
///
/// # Errors
/// It cannot be done, or nothing is known of what is wrapped.
pub(crate) fn run(options: &WrapperOptions, shown: Shown) -> anyhow::Result<Status> {
    match &options.command {
        WrapperCommand::Enable(options) => shown.print(&switch::switch(true, options)?),
        WrapperCommand::Disable(options) => shown.print(&switch::switch(false, options)?),
        other => anyhow::bail!("{other:?}"),
    }
}
