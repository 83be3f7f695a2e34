//! The command line of `uwtctl`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

const AFTER_HELP: &str = "\
Exit status: 0 all is as it should be, 1 something is not, 2 uwtctl was called
wrongly or could not do its work, 3 what was asked cannot be known.";

/// See, check and steer stream isolation.
#[derive(Debug, Parser)]
#[command(name = "uwtctl", version, after_help = AFTER_HELP, subcommand_required = true, arg_required_else_help = true)]
pub struct Control {
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub json: bool,

    /// What to do
    #[command(subcommand)]
    pub command: ControlCommand,
}

/// What `uwtctl` can do.
#[derive(Debug, Subcommand)]
pub enum ControlCommand {
    /// What is isolated how, and what undermines it
    Status(StatusOptions),
    /// The commands that are wrapped, and how to change that
    Wrapper(WrapperOptions),
    /// Run a command and report everything it does with the network
    Audit(AuditOptions),
    /// Check what gets out without uwt, and whether it isolates
    Check(CheckOptions),
    /// Which process uses which circuit, as Tor tells it
    Circuits(CircuitsOptions),
    /// Which command uses which SocksPort
    Ports(PortsOptions),
    /// The lines that belong on the gateway
    Gateway(GatewayOptions),
    /// The configuration: what holds, where it is wrong, old files
    Config(ConfigOptions),
}

/// `uwtctl status`.
#[derive(Debug, Args)]
pub struct StatusOptions {
    /// Print the one-line notice for those who log in, and
    /// nothing else
    #[arg(long, verbatim_doc_comment)]
    pub motd: bool,
    /// Send nothing, not even to the gateway
    #[arg(long)]
    pub offline: bool,
    /// Only these commands [default: all that are wrapped or
    /// configured]
    #[arg(value_name = "NAME", verbatim_doc_comment)]
    pub names: Vec<OsString>,
}

/// `uwtctl wrapper`.
#[derive(Debug, Args)]
pub struct WrapperOptions {
    /// What to do with wrappers
    #[command(subcommand)]
    pub command: WrapperCommand,
}

/// What can be done with wrappers.
#[derive(Debug, Subcommand)]
pub enum WrapperCommand {
    /// Show the commands that are wrapped, and their state
    List {
        /// Only these commands
        #[arg(value_name = "NAME")]
        names: Vec<OsString>,
    },
    /// Wrap programs, so that they are isolated when typed
    Add(WrapperNames),
    /// Take wrappers away that were added
    Remove(WrapperNames),
    /// Let commands run isolated (enabled = true)
    Enable(SwitchOptions),
    /// Let commands run without uwt (enabled = false)
    Disable(SwitchOptions),
}

/// The commands to wrap or not.
#[derive(Debug, Args)]
pub struct WrapperNames {
    /// Names or paths of programs
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<OsString>,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// The commands to switch on or off.
#[derive(Debug, Args)]
pub struct SwitchOptions {
    /// Names or paths of programs
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<OsString>,
    /// Only for this user (~/.config/uwt)
    #[arg(long)]
    pub user: bool,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

const AFTER_AUDIT: &str = "\
The report goes to standard error, as JSON too, since the command's standard
output is its own; with --from it goes to standard output.

Verdicts, the worst last:
  nothing sent     nothing was asked for outside this machine
  isolated         all was carried, with credentials that nobody else used
  unknown          nothing succeeded, or the report is not complete
  refused parts    something was refused, and so did not get out either
  would leak       the preload library did not see everything; without the
  without guard    guard it would have gone out directly
  carried but      somebody else used the credential too, or may use it
  shares it
What is not known overrides what looks good, and what is bad overrides both.

Exit status: 0 isolated or nothing sent, 1 one of the worse verdicts, 2 nothing
was run, 3 unknown. The command's own status is in the report.";

/// `uwtctl audit`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_AUDIT)]
pub struct AuditOptions {
    /// Draw a picture: processes, credentials, destinations
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Write the report to FILE
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Audit this report of `uwt --report` and run nothing
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    pub from: Option<PathBuf>,
    /// The command, after the options of uwt that it shall run
    /// with
    #[arg(
        value_name = "COMMAND",
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required_unless_present = "from",
        verbatim_doc_comment
    )]
    pub command: Vec<OsString>,
}

/// `uwtctl check`.
#[derive(Debug, Args)]
pub struct CheckOptions {
    /// transparent-dns, transparent-tcp, transparent-proxy,
    /// isolation or all
    #[arg(value_enum, value_name = "CHECK", required = true, hide_possible_values = true, verbatim_doc_comment)]
    pub checks: Vec<CheckName>,
    /// Which host is asked for
    /// [default: check.torproject.org]
    #[arg(
        long,
        value_name = "NAME",
        default_value = "check.torproject.org",
        hide_default_value = true,
        verbatim_doc_comment
    )]
    pub host: String,
    /// Where a TCP port answers [default: port 443 of
    /// what Tor says is the host's address]
    #[arg(long, value_name = "IP[:PORT]", verbatim_doc_comment)]
    pub address: Option<String>,
    /// How long to wait for an answer [default: 10]
    #[arg(long, value_name = "SECONDS", default_value_t = 10, hide_default_value = true, value_parser = clap::value_parser!(u16).range(1..=600))]
    pub timeout: u16,
    /// Send lookups and connections without uwt
    /// although no gateway is known to carry them
    /// through Tor: your provider sees them
    #[arg(long, verbatim_doc_comment)]
    pub send_unprotected: bool,
    /// How Tor's control port is reached (for isolation)
    #[command(flatten)]
    pub control: ControlPortOptions,
}

/// What can be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckName {
    /// Name lookups of programs without uwt
    TransparentDns,
    /// Connections of programs without uwt
    TransparentTcp,
    /// Both together, as a browser would
    TransparentProxy,
    /// Whether two processes get circuits of their own
    Isolation,
    /// All of them
    All,
}

/// `uwtctl circuits`.
#[derive(Debug, Args)]
pub struct CircuitsOptions {
    /// Go on showing them as they change
    #[arg(long, short)]
    pub watch: bool,
    /// How Tor's control port is reached
    #[command(flatten)]
    pub control: ControlPortOptions,
}

/// How Tor's control port is reached and opened.
#[derive(Clone, Debug, Args)]
pub struct ControlPortOptions {
    /// Tor's control port, or its socket's path
    /// [default: /run/tor/control if Tor is on this
    /// machine and has it, else port 9051 of the
    /// gateway]
    #[arg(long, value_name = "ADDRESS:PORT", verbatim_doc_comment)]
    pub control: Option<String>,
    /// Where the control port's password is
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// `uwtctl ports`.
#[derive(Debug, Args)]
pub struct PortsOptions {
    /// What to do [default: show the plan]
    #[command(subcommand)]
    pub command: Option<PortsCommand>,
}

/// What can be done with the plan of SocksPorts.
#[derive(Debug, Subcommand)]
pub enum PortsCommand {
    /// Give a command a SocksPort that no other command uses
    Assign {
        /// Name or path of the program
        #[arg(value_name = "COMMAND")]
        command: OsString,
        /// Circuits of their own for each destination address
        #[arg(long)]
        isolate_dest_addr: bool,
        /// Circuits of their own for each destination port
        #[arg(long)]
        isolate_dest_port: bool,
        /// Only for this user (~/.config/uwt)
        #[arg(long)]
        user: bool,
        /// Show what would be written, and write nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// `uwtctl gateway`.
#[derive(Debug, Args)]
pub struct GatewayOptions {
    /// Which file
    #[command(subcommand)]
    pub command: GatewayCommand,
}

/// The files of a gateway.
#[derive(Debug, Subcommand)]
pub enum GatewayCommand {
    /// Tor's: the SocksPorts of the plan
    Torrc(GatewayFileOptions),
    /// The firewall's
    Firewall(GatewayFileOptions),
}

/// Which lines, and for which gateway.
#[derive(Debug, Args)]
pub struct GatewayFileOptions {
    /// Without transparent proxying
    #[arg(long)]
    pub no_transparent: bool,
    /// For which gateway: whonix, or debian with a Tor
    /// [default: what is found]
    #[arg(long = "for", value_enum, value_name = "KIND", hide_possible_values = true, verbatim_doc_comment)]
    pub kind: Option<GatewayKind>,
}

/// The kinds of gateways whose files are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GatewayKind {
    /// A Whonix-Gateway
    Whonix,
    /// Debian with its package tor
    Debian,
}

/// `uwtctl config`.
#[derive(Debug, Args)]
pub struct ConfigOptions {
    /// What to do with the configuration
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What can be done with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// What holds, and which file says so
    Show {
        /// For this command [default: for all, and what each one
        /// has of its own]
        #[arg(value_name = "COMMAND", verbatim_doc_comment)]
        command: Option<OsString>,
    },
    /// Whether files can be read, before they bite
    Check {
        /// Files or folders [default: those that count]
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Translate an old uwt.d/*.conf or a torsocks.conf
    Import {
        /// The old file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Write the new file here, not to standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}
