//! The command line.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use uwt_config::{GatewayChoice, GuardChoice, identity_name};
use uwt_policy::{DnsMode, Scope};

use crate::message::Failure;

const AFTER_HELP: &str = "\
Exit status: the program's own; 125 uwt failed and nothing was run, 126 the program cannot be run, 127 it was not
found, 255 wrapped commands call each other without end.

Environment:
  UWT_DEV_PASSTHROUGH=1   run commands without uwt
  UWT_VERBOSE=1           the same as --verbose (also uwtwrapper_verbose)
  UWT_CONFIG_PATH         folders of configuration files, separated by colons, instead of /etc/uwt.d and
                          /usr/local/etc/uwt.d
  uwtwrapper_max          how deeply wrapped commands may be nested; 0 switches the protection off";

/// Run COMMAND with every connection through the Tor gateway's SocksPort, each process on circuits of its own.
#[derive(Debug, Default, PartialEq, Eq, Parser)]
#[command(name = "uwt", version, override_usage = "uwt [OPTIONS] [--] COMMAND [ARGS…]", after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// The gateway's address, or auto [default: as configured or detected]
    #[arg(short, long, value_name = "IP", value_parser = gateway)]
    pub(crate) ip: Option<GatewayChoice>,

    /// The gateway's SocksPort [default: 9050]
    #[arg(short, long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,

    /// Historic: the SOCKS version, which is 5
    #[arg(short = 't', value_name = "5", value_parser = socks_version)]
    pub(crate) socks_version: Option<u8>,

    /// What shares a circuit: one per process, invocation, command, destination, or none
    #[arg(long, value_name = "SCOPE", value_parser = scope, conflicts_with = "identity")]
    pub(crate) isolate: Option<Scope>,

    /// Share a circuit with everything that is given the same name
    #[arg(long, value_name = "NAME", value_parser = identity)]
    pub(crate) identity: Option<String>,

    /// What happens to connections that do not go through the preload library: tunnel (they are carried too), deny (they
    /// are refused), off (no guard), or auto, the best of tunnel and deny [default: as configured, or auto]
    #[arg(long, value_name = "LEVEL", value_parser = guard)]
    pub(crate) guard: Option<GuardChoice>,

    /// How host names are looked up: names (Tor's exit does it) or resolve (real addresses, asked from Tor)
    #[arg(long, value_name = "MODE", value_parser = dns)]
    pub(crate) dns: Option<DnsMode>,

    /// Print what would be done and why, and run nothing
    #[arg(long)]
    pub(crate) explain: bool,

    /// Say on standard error what is done
    #[arg(short, long)]
    pub(crate) verbose: bool,

    /// The program and its arguments; options of uwt come before it
    #[arg(value_name = "COMMAND", trailing_var_arg = true, required = true)]
    pub(crate) command: Vec<OsString>,
}

/// What a command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Run something.
    Run(Options),
    /// Print this text on standard output: the help or the version.
    Print(String),
}

/// Reads the arguments of a direct call; the first is our own name.
///
/// # Errors
/// Bad usage.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Asked, Failure> {
    match plain(&arguments) {
        Some(options) => Ok(Asked::Run(options)),
        None => parse_options(arguments),
    }
}

/// What most calls are: no option at all, or the guard's level, each as clap would read it. What is anything else, or wrong,
/// is left to clap, which takes longer than all that remains to be done.
fn plain(arguments: &[OsString]) -> Option<Options> {
    let (mut guard_level, mut verbose) = (None, false);
    for (index, argument) in arguments.iter().enumerate().skip(1) {
        let word = argument.as_encoded_bytes();
        if !word.starts_with(b"-") {
            let command = arguments.get(index..)?.to_vec();
            return Some(Options { guard: guard_level, verbose, command, ..Options::default() });
        }
        match word {
            b"-v" | b"--verbose" if !verbose => verbose = true,
            _ if guard_level.is_none() => guard_level = Some(guard(argument.to_str()?.strip_prefix("--guard=")?).ok()?),
            _ => return None,
        }
    }
    None
}

/// Kept apart: its large frame would be paid for by every call.
#[cold]
#[inline(never)]
fn parse_options(arguments: Vec<OsString>) -> Result<Asked, Failure> {
    let matches = Options::command().try_get_matches_from(arguments);
    match matches.and_then(|matches| Options::from_arg_matches(&matches)) {
        Ok(options) => Ok(Asked::Run(options)),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            Ok(Asked::Print(error.render().to_string()))
        }
        Err(error) => Err(Failure::ours(explained(&error))),
    }
}

/// clap's message in one line.
fn explained(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::MissingRequiredArgument {
        return "no command given; usage: uwt [OPTIONS] [--] COMMAND [ARGS…] (see `uwt --help`)".to_owned();
    }
    let text = error.render().to_string();
    let first = text.lines().next().unwrap_or_default();
    let mut line = first.strip_prefix("error: ").unwrap_or(first).to_owned();
    if let Some(ContextValue::String(suggested)) = error.get(ContextKind::SuggestedArg) {
        line.push_str("; did you mean ");
        line.push_str(suggested);
        line.push('?');
    }
    line.push_str(" (see `uwt --help`)");
    line
}

fn socks_version(text: &str) -> Result<u8, String> {
    if text == "5" { Ok(5) } else { Err("only SOCKS version 5 is spoken: `-t 5`, or leave the option out".to_owned()) }
}

fn scope(text: &str) -> Result<Scope, String> {
    match text.parse() {
        Ok(Scope::Identity) => Err("an identity has a name: use `--identity NAME`".to_owned()),
        Ok(scope) => Ok(scope),
        Err(()) => Err("expected process, invocation, command, destination or none".to_owned()),
    }
}

fn dns(text: &str) -> Result<DnsMode, String> {
    text.parse().map_err(|()| "expected names or resolve".to_owned())
}

fn guard(text: &str) -> Result<GuardChoice, String> {
    text.parse().map_err(|_| "expected auto, tunnel, deny or off".to_owned())
}

fn gateway(text: &str) -> Result<GatewayChoice, String> {
    text.parse().map_err(|invalid: uwt_config::Invalid| invalid.to_string())
}

fn identity(name: &str) -> Result<String, String> {
    identity_name(name).map(str::to_owned).map_err(|invalid| invalid.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &[&str]) -> Result<Asked, Failure> {
        parse(std::iter::once("uwt").chain(words.iter().copied()).map(OsString::from).collect())
    }

    fn options(words: &[&str]) -> Options {
        match parse_words(words) {
            Ok(Asked::Run(options)) => options,
            other => unreachable!("{words:?}: {other:?}"),
        }
    }

    #[test]
    fn options_end_at_the_command() {
        for (words, command) in [
            (
                &["curl", "-i", "--dns", "x", "--explain", "--", "y"][..],
                &["curl", "-i", "--dns", "x", "--explain", "--", "y"][..],
            ),
            (&["-v", "curl", "-v", "--version", "--", "y"], &["curl", "-v", "--version", "--", "y"]),
            (&["-v", "--", "curl", "--", "-v"], &["curl", "--", "-v"]),
            (&["--", "--shell"], &["--shell"]),
            (&["-v", "--", "-v"], &["-v"]),
            (&["show"], &["show"]),
            (&["on"], &["on"]),
            (&["help"], &["help"]),
            (&["-v", "help"], &["help"]),
        ] {
            let expected: Vec<OsString> = command.iter().map(OsString::from).collect();
            assert_eq!(options(words).command, expected, "{words:?}");
        }
    }

    #[test]
    fn every_option() {
        let all = options(&[
            "-i",
            "10.152.152.10",
            "-p",
            "9150",
            "-t",
            "5",
            "--isolate",
            "invocation",
            "--dns",
            "resolve",
            "--guard",
            "deny",
            "--explain",
            "-v",
            "true",
        ]);
        assert_eq!(all.ip, Some(GatewayChoice::Address([10, 152, 152, 10].into())));
        assert_eq!((all.port, all.isolate, all.dns), (Some(9150), Some(Scope::Invocation), Some(DnsMode::Resolve)));
        assert_eq!(all.guard, Some(GuardChoice::Deny));
        assert!(all.explain && all.verbose && all.identity.is_none());
        let joined = options(&["-i127.0.0.1", "-p9050", "-t5", "--identity=work", "true"]);
        assert_eq!((joined.port, joined.identity.as_deref()), (Some(9050), Some("work")));
    }

    /// What is read without clap is read as by clap, and clap gets the rest.
    #[test]
    fn plain_calls_are_as_clap_reads_them() {
        for (words, is_plain) in [
            (&["curl", "-v"][..], true),
            (&["--guard=off", "true", "--guard=deny"], true),
            (&["--guard=tunnel", "-v", "true"], true),
            (&["--verbose", "--guard=auto", "true", "--"], true),
            (&["", "-v"], true),
            (&["--guard=deny", "--", "true"], false),
            (&["--guard", "off", "true"], false),
            (&["--guard=off", "--guard=off", "true"], false),
            (&["-v", "-v", "true"], false),
            (&["--guard=on", "true"], false),
            (&["--guard=", "true"], false),
            (&["-vv", "true"], false),
            (&["--explain", "true"], false),
            (&["--guard=off"], false),
            (&[], false),
        ] {
            let arguments: Vec<_> = std::iter::once("uwt").chain(words.iter().copied()).map(OsString::from).collect();
            let read = plain(&arguments);
            assert_eq!(read.is_some(), is_plain, "{words:?}");
            if let Some(options) = read {
                assert_eq!(parse_options(arguments), Ok(Asked::Run(options)), "{words:?}");
            }
        }
    }

    #[test]
    fn bad_usage_says_what_to_do() {
        for (words, expected) in [
            (&[][..], "no command given"),
            (&["-v"], "no command given"),
            (&["--"], "no command given"),
            (&["--explan", "curl"], "did you mean --explain?"),
            (&["--shell"], "--shell"),
            (&["-t", "4", "curl"], "only SOCKS version 5"),
            (&["-p", "0", "curl"], "0 is not in 1..=65535"),
            (&["-p", "http", "curl"], "invalid digit"),
            (&["-i", "::1", "curl"], "IPv6 address, which is not carried"),
            (&["-i", "gateway", "curl"], "expected \"auto\" or an IPv4 address"),
            (&["--isolate", "identity", "curl"], "--identity NAME"),
            (&["--isolate", "proces", "curl"], "expected process, invocation"),
            (&["--identity", "", "curl"], "expected a name of 1 to 64"),
            (&["--identity", "a", "--isolate", "none", "curl"], "cannot be used with"),
            (&["--dns", "direct", "curl"], "expected names or resolve"),
            (&["--guard", "on", "curl"], "expected auto, tunnel, deny or off"),
        ] {
            let failure = parse_words(words).expect_err("bad usage");
            assert_eq!(failure.status, 125, "{words:?}");
            assert!(failure.message.contains(expected), "{words:?}: {}", failure.message);
            assert!(!failure.message.contains('\n') && failure.message.contains("uwt --help"), "{}", failure.message);
        }
    }

    #[test]
    fn help_and_version() {
        assert!(matches!(parse_words(&["--help"]), Ok(Asked::Print(text)) if text.contains("UWT_CONFIG_PATH")));
        assert!(matches!(parse_words(&["-V"]), Ok(Asked::Print(text)) if text.starts_with("uwt 0.")));
    }
}
