//! Configuration of uwt: what the files in `uwt.d` say, merged into the settings that hold for one command, and where
//! on which machine we are.
//!
//! Everything fails closed. A file that cannot be read or understood is an [`Error`] that names the file, the line and
//! what is expected there; the caller runs nothing then. Nothing in a file is ever executed. A folder or a marker that
//! is absent is the ordinary case and costs one system call.
//!
//! The order is: built-in defaults, then the folders of [`Sources`], then (not here) environment and command line.
#![forbid(unsafe_code)]

mod bind;
mod choice;
mod command;
mod config;
mod detect;
mod entry;
mod error;
mod folder;
mod folders;
mod identity;
mod keys;
mod legacy;
mod old;
mod origin;
#[cfg(test)]
mod properties;
mod settings;
mod source;
mod suggest;
mod toml_file;
mod torsocks;
mod value;

pub use bind::BindChoice;
pub use choice::{GatewayChoice, GuardChoice, Localhost, Native};
pub use command::command_name;
pub use config::{Config, Sources};
pub use detect::{DetectError, Place, Probe, Surroundings, detect};
pub use entry::{CommandEntries, Entry, Value};
pub use error::{Error, Faults, Invalid};
pub use folder::Folder;
pub use folders::{Caller, PassedOver};
pub use identity::{Identity, Pair, identity_name};
pub use old::{Old, OldKind};
pub use origin::{Origin, Setting};
pub use settings::Settings;
pub use torsocks::Torsocks;
