//! The options of torsocks(1), which the launcher has when it is called by that name.

use std::ffi::OsString;

use clap::{ArgAction, Parser};
use uwt_config::GuardChoice;

use crate::value;

const AFTER_HELP: &str = "\
What is given the same username and password shares circuits, with others
never; neither of the two is sent.

Sourced by a shell, `. torsocks on` carries its further commands, `off` ends
that, `show` tells which.

Environment: TORSOCKS_CONF_FILE (else /etc/tor/torsocks.conf), and in place of
options TORSOCKS_USERNAME, TORSOCKS_PASSWORD, TORSOCKS_ISOLATE_PID,
TORSOCKS_TOR_ADDRESS, TORSOCKS_TOR_PORT, TORSOCKS_ENABLE_IPV6,
TORSOCKS_ALLOW_INBOUND, TORSOCKS_LOG_LEVEL. An option wins over a variable,
which wins over torsocks.conf, which wins over uwt.d(5).

Exit status: the program's own; 125 nothing was run, 126 the program cannot be
run, 127 it was not found, 255 wrapped commands call each other without end.";

/// Run COMMAND with every connection through Tor: torsocks, carried out by uwt.
#[derive(Debug, Parser)]
#[command(
    name = "Torsocks",
    version = concat!(env!("CARGO_PKG_VERSION"), " (uwt)"),
    disable_version_flag = true,
    args_override_self = true,
    override_usage = "torsocks [OPTIONS] [--] COMMAND [ARGS…]\n       torsocks [OPTIONS] --shell",
    after_help = AFTER_HELP
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that may be given by itself")]
pub struct TorsocksOptions {
    /// Share circuits with what is given the same pair
    #[arg(short, long, value_name = "NAME")]
    pub user: Option<String>,

    /// The password that goes with the username
    #[arg(short, long, value_name = "PASSWORD")]
    pub pass: Option<String>,

    /// Circuits of its own for every process
    #[arg(short, long)]
    pub isolate: bool,

    /// The address of the SocksPort, IPv4
    #[arg(short, long, value_name = "ADDRESS")]
    pub address: Option<String>,

    /// The SocksPort
    #[arg(short = 'P', long, value_name = "PORT")]
    pub port: Option<String>,

    /// Accepted: the exit decides how a name is reached
    #[arg(short = '6', long)]
    pub ipv6: bool,

    /// Say on standard error what is done
    #[arg(short, long, overrides_with = "quiet")]
    pub debug: bool,

    /// Say nothing while the program runs
    #[arg(short, long, overrides_with = "debug")]
    pub quiet: bool,

    /// Run $SHELL
    #[arg(long, conflicts_with = "command")]
    pub shell: bool,

    /// The guard, as of uwt: auto, tunnel, deny or off
    #[arg(long, value_name = "LEVEL", value_parser = value::guard)]
    pub guard: Option<GuardChoice>,

    /// Print the version
    #[arg(long, action = ArgAction::Version)]
    pub version: (),

    /// The program and its arguments, after torsocks' own options
    #[arg(value_name = "COMMAND", trailing_var_arg = true, required_unless_present = "shell")]
    pub command: Vec<OsString>,
}
