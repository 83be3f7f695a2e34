//! The command line.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, FromArgMatches as _};
use uwt_cli::{Options, guard_level};

use super::invocation::NAME;
use crate::message::Failure;

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
    let (mut guard, mut verbose) = (None, false);
    for (index, argument) in arguments.iter().enumerate().skip(1) {
        let word = argument.as_encoded_bytes();
        if !word.starts_with(b"-") {
            let command = arguments.get(index..)?.to_vec();
            return Some(Options { guard, verbose, command, ..Options::default() });
        }
        match word {
            b"-v" | b"--verbose" if !verbose => verbose = true,
            _ if guard.is_none() => guard = Some(guard_level(argument.to_str()?.strip_prefix("--guard=")?).ok()?),
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
        Err(error) => Err(Failure::ours(explained(&error, NAME))),
    }
}

/// clap's message in one line; `name` is what we were called, and only a command is required.
pub(super) fn explained(error: &clap::Error, name: &str) -> String {
    if error.kind() == ErrorKind::MissingRequiredArgument {
        return format!("no command given; usage: {name} [OPTIONS] [--] COMMAND [ARGS…] (see `{name} --help`)");
    }
    let text = error.render().to_string();
    let first = text.lines().next().unwrap_or_default();
    let mut line = first.strip_prefix("error: ").unwrap_or(first).to_owned();
    if let Some(ContextValue::String(suggested)) = error.get(ContextKind::SuggestedArg) {
        line.push_str("; did you mean ");
        line.push_str(suggested);
        line.push('?');
    }
    line + " (see `" + name + " --help`)"
}

#[cfg(test)]
mod tests {
    use uwt_cli::ExplainFormat;
    use uwt_config::{GatewayChoice, GuardChoice};
    use uwt_policy::{DnsMode, Scope};

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
            "--report",
            "/r",
            "--explain",
            "-v",
            "true",
        ]);
        assert_eq!(all.ip, Some(GatewayChoice::Address([10, 152, 152, 10].into())));
        assert_eq!((all.port, all.isolate, all.dns), (Some(9150), Some(Scope::Invocation), Some(DnsMode::Resolve)));
        assert_eq!((all.guard, all.report), (Some(GuardChoice::Deny), Some("/r".into())));
        assert!(all.explain == Some(ExplainFormat::Text) && all.verbose && all.identity.is_none());
        let joined = options(&["-i127.0.0.1", "-p9050", "-t5", "--identity=work", "true"]);
        assert_eq!((joined.port, joined.identity.as_deref(), joined.explain), (Some(9050), Some("work"), None));
        assert_eq!(options(&["--explain=json", "true"]).explain, Some(ExplainFormat::Json));
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
            (&["--report=r", "true"], false),
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
            (&["--explain=yaml", "curl"], "expected text or json"),
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
