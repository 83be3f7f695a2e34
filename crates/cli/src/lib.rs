//! The options of `uwt`, `torsocks` and `uwtctl`, defined once: the programs read them, the manual pages and the completions
//! of the shells are made of them.

pub mod ctl;
mod torsocks;
mod value;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;
use uwt_config::{GatewayChoice, GuardChoice};
use uwt_policy::{DnsMode, Scope};

pub use torsocks::TorsocksOptions;
pub use value::{ExplainFormat, guard as guard_level};

const AFTER_HELP: &str = "\
What no option says is as configured (uwt.d(5)), and else as by default.

Exit status: the program's own; 125 uwt failed and nothing was run, 126 the
program cannot be run, 127 it was not found, 255 wrapped commands call each
other without end.

Environment:
  UWT_DEV_PASSTHROUGH=1   run commands without uwt
  UWT_VERBOSE=1           the same as --verbose (also uwtwrapper_verbose)
  UWT_CONFIG_PATH         folders of configuration files, separated by colons,
                          instead of /etc/uwt.d and /usr/local/etc/uwt.d
  uwtwrapper_max          how deeply wrapped commands may be nested;
                          0 switches the protection off";

/// Run COMMAND with every connection through Tor, on circuits of its own.
#[derive(Debug, Default, PartialEq, Eq, Parser)]
#[command(name = "uwt", version, override_usage = "uwt [OPTIONS] [--] COMMAND [ARGS…]", after_help = AFTER_HELP)]
pub struct Options {
    /// The gateway's address; auto finds it [default: auto]
    #[arg(short, long, value_name = "IP", value_parser = value::gateway)]
    pub ip: Option<GatewayChoice>,

    /// The gateway's SocksPort [default: 9050]
    #[arg(short, long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,

    /// Historic: the SOCKS version, which is 5
    #[arg(short = 't', value_name = "5", value_parser = value::socks_version)]
    pub socks_version: Option<u8>,

    /// What shares circuits: process, invocation, command,
    /// destination or none [default: process]
    #[arg(long, value_name = "SCOPE", value_parser = value::scope, conflicts_with = "identity", verbatim_doc_comment)]
    pub isolate: Option<Scope>,

    /// Share circuits with all that is given the same name
    #[arg(long, value_name = "NAME", value_parser = value::identity)]
    pub identity: Option<String>,

    /// What becomes of connections that the preload library
    /// does not see: tunnel (carried too), deny (refused), off
    /// (no guard), auto (tunnel if possible, else deny)
    /// [default: auto]
    #[arg(long, value_name = "LEVEL", value_parser = value::guard, verbatim_doc_comment)]
    pub guard: Option<GuardChoice>,

    /// How host names are looked up: names (by the exit, when
    /// the program connects) or resolve (real addresses, asked
    /// from Tor) [default: names]
    #[arg(long, value_name = "MODE", value_parser = value::dns, verbatim_doc_comment)]
    pub dns: Option<DnsMode>,

    /// Write what the command and its children do with the
    /// network to FILE, JSON Lines
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    pub report: Option<PathBuf>,

    /// Print what would be done and why, and run nothing; as
    /// text or, for programs, as json [default: text]
    #[arg(
        long,
        value_name = "HOW",
        value_parser = value::explain,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "text",
        verbatim_doc_comment
    )]
    pub explain: Option<ExplainFormat>,

    /// Say on standard error what is done
    #[arg(short, long)]
    pub verbose: bool,

    /// The program and its arguments, after uwt's own options
    #[arg(value_name = "COMMAND", trailing_var_arg = true, required = true)]
    pub command: Vec<OsString>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Options::command().debug_assert();
        TorsocksOptions::command().debug_assert();
        ctl::Control::command().debug_assert();
    }

    #[test]
    fn the_help_fits_a_terminal_of_80_columns() {
        let mut commands = vec![Options::command(), TorsocksOptions::command(), ctl::Control::command()];
        while let Some(mut command) = commands.pop() {
            let help = command.render_help().to_string();
            let wide: Vec<&str> = help.lines().filter(|line| line.chars().count() > 80).collect();
            assert!(wide.is_empty(), "{wide:#?}");
            commands.extend(command.get_subcommands().cloned());
        }
    }
}
