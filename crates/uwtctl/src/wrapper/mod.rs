//! `uwtctl wrapper`: which commands are isolated when they are typed, and how to change that.

mod candidate;
mod change;
mod dangerous;
mod dpkg;
mod list;
mod lock;
mod machine;
pub(crate) mod names;
mod script;
mod state;
mod switch;

use uwt_cli::ctl::{WrapperCommand, WrapperOptions};

use crate::answer::{Shown, Status};

/// Does what the options say.
///
/// # Errors
/// It cannot be done, or what is known of wrappers cannot be read.
pub(crate) fn run(options: &WrapperOptions, shown: Shown) -> anyhow::Result<Status> {
    match &options.command {
        WrapperCommand::List { names } => shown.print(&list::list(names)?),
        WrapperCommand::Add(options) => shown.print(&change::change(change::Wish::Add, options)?),
        WrapperCommand::Remove(options) => shown.print(&change::change(change::Wish::Remove, options)?),
        WrapperCommand::Enable(options) => shown.print(&switch::switch(true, options)?),
        WrapperCommand::Disable(options) => shown.print(&switch::switch(false, options)?),
    }
}
