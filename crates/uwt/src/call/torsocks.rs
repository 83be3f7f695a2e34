//! The command line of torsocks(1), which we speak when we are called by its name, with its environment and its file.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _};
use uwt_cli::{Options, TorsocksOptions};
use uwt_config::{Caller, Invalid, Localhost, Origin, Setting, Settings, Torsocks};
use uwt_session::{Pinned, Voice};

use super::carry::SHELL;
use super::cli;
use crate::environment::Environment;
use crate::message::{self, Failure};
use crate::plan::passthrough::SWITCH;

/// The name by which we are torsocks.
pub(crate) const NAME: &str = "torsocks";

/// Its file, unless [`FILE_VARIABLE`] names another.
const FILE: &str = "/etc/tor/torsocks.conf";
const FILE_VARIABLE: &str = "TORSOCKS_CONF_FILE";
const LEVEL_VARIABLE: &str = "TORSOCKS_LOG_LEVEL";
/// TORSOCKS_LOG_LEVEL's least and most.
const NOTHING: u8 = 1;
const EVERYTHING: u8 = 5;

/// A call as torsocks.
#[derive(Debug)]
pub(crate) struct Call {
    /// The command, and what uwt has options for.
    pub(crate) options: Options,
    /// What torsocks has others for, with its environment and file.
    said: Torsocks,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    /// As torsocks leaves it to the program: with the options in it, so that a torsocks that this one starts has them too.
    pub(crate) environment: Environment,
}

/// What a command line asks for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Run something.
    Run(Box<Call>),
    /// Print this text on standard output: the help or the version.
    Print(String),
}

/// Reads arguments, environment and file.
///
/// # Errors
/// Bad usage, or one of the three says what is not understood.
pub(crate) fn read(arguments: Vec<OsString>, environment: &Environment, caller: Caller) -> Result<Asked, Failure> {
    let matches = TorsocksOptions::command().try_get_matches_from(arguments);
    let arguments = match matches.and_then(|matches| TorsocksOptions::from_arg_matches(&matches)) {
        Ok(arguments) => arguments,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Asked::Print(error.render().to_string()));
        }
        Err(error) => return Err(Failure::ours(cli::explained(&error, NAME))),
    };
    let get = |name: &str| environment.get_filled(name).filter(|_| !caller.elevated);
    let (mut said, file) = configured(get(FILE_VARIABLE).map(Path::new))?;
    said.overlay(Torsocks::of_environment(get).map_err(|invalid| refused(&invalid))?);
    let mut environment = environment.clone();
    // Whoever says torsocks means it, and what it starts is carried too.
    environment.remove(SWITCH);
    for (option, variable, value) in given(&arguments) {
        said.overlay(Torsocks::of_option(option, variable, &value).map_err(|invalid| refused(&invalid))?);
        environment.set(variable, value.as_bytes());
    }
    let mut command = arguments.command;
    if arguments.shell {
        command = vec![environment.get_filled("SHELL").unwrap_or(OsStr::new(SHELL)).to_owned()];
    }
    let options = Options { guard: arguments.guard, command, ..Options::default() };
    let call = Call { options, said, file, environment };
    if arguments.shell && !call.is_silent() {
        message::print(format_args!("a shell whose connections go through Tor; `exit` leaves it"));
    }
    Ok(Asked::Run(Box::new(call)))
}

/// What torsocks.conf says; one that is named has to be there.
fn configured(named: Option<&Path>) -> Result<(Torsocks, Option<PathBuf>), Failure> {
    let file = named.unwrap_or(Path::new(FILE));
    match (Torsocks::of_file(file), named) {
        (Ok(Some(said)), _) => Ok((said, Some(file.to_owned()))),
        (Ok(None), None) => Ok((Torsocks::default(), None)),
        (Ok(None), Some(file)) => Err(Failure::ours(format!(
            "{}: not found; nothing was run (correct or unset {FILE_VARIABLE})",
            file.display()
        ))),
        (Err(error), _) => Err(Failure::ours(format!("{error} (nothing was run)"))),
    }
}

/// The options, each with the variable that says the same.
fn given(arguments: &TorsocksOptions) -> impl Iterator<Item = (&'static str, &'static str, String)> {
    let flag = |given: bool, value: u8| given.then(|| value.to_string());
    [
        ("--user", "TORSOCKS_USERNAME", arguments.user.clone()),
        ("--pass", "TORSOCKS_PASSWORD", arguments.pass.clone()),
        ("--isolate", "TORSOCKS_ISOLATE_PID", flag(arguments.isolate, 1)),
        ("--address", "TORSOCKS_TOR_ADDRESS", arguments.address.clone()),
        ("--port", "TORSOCKS_TOR_PORT", arguments.port.clone()),
        ("--ipv6", "TORSOCKS_ENABLE_IPV6", flag(arguments.ipv6, 1)),
        ("--debug", LEVEL_VARIABLE, flag(arguments.debug, EVERYTHING)),
        ("--quiet", LEVEL_VARIABLE, flag(arguments.quiet, NOTHING)),
    ]
    .into_iter()
    .filter_map(|(option, variable, value)| Some((option, variable, value?)))
}

fn refused(invalid: &Invalid) -> Failure {
    Failure::ours(format!("{invalid}; nothing was run (see `{NAME} --help`)"))
}

impl Call {
    /// Puts what torsocks says on top of what uwt's configuration says.
    ///
    /// # Errors
    /// It contradicts itself.
    pub(crate) fn apply(&self, settings: &mut Settings) -> Result<(), Failure> {
        self.said.apply(settings).map_err(|invalid| refused(&invalid))?;
        // torsocks knows no programs that it leaves alone.
        settings.enabled = Setting::new(true, Origin::Name(NAME));
        settings.localhost = Setting::new(Localhost::Loopback, Origin::Name(NAME));
        Ok(())
    }

    /// What holds for everything that the program starts, as it does under torsocks.
    pub(crate) fn fixed(&self) -> Pinned {
        Pinned { gateway: self.said.says_gateway(), scope: self.said.says_isolation(), dns: false }
    }

    /// How much shall be said, where a level says that it is all or nothing. What uwt says otherwise are errors
    /// and warnings, to torsocks 2 and 3.
    pub(crate) fn voice(&self) -> Option<Voice> {
        match self.said.log_level()?.value {
            NOTHING => Some(Voice::Silent),
            EVERYTHING => Some(Voice::Verbose),
            _ => None,
        }
    }

    fn is_silent(&self) -> bool {
        self.voice() == Some(Voice::Silent)
    }

    /// Says what is not as torsocks' manual says.
    pub(crate) fn remark(&self) {
        for line in self.said.remarks() {
            tracing::info!("{line}");
        }
        if let Some(file) = self.said.log_file().filter(|_| !self.is_silent()) {
            message::print(format_args!(
                "{}: messages go to standard error, not to {}",
                file.origin,
                file.value.display()
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use uwt_config::{GatewayChoice, GuardChoice, Identity};

    use super::*;
    use crate::environment::tests::environment;

    const CALLER: Caller = Caller { user: 1000, elevated: false };

    /// With a torsocks.conf of its own, or this machine's could say something.
    fn read_with(conf: &str, entries: &[&str], words: &[&str], caller: Caller) -> Result<Asked, Failure> {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("t.conf");
        fs::write(&file, conf).expect("written");
        let named = format!("{FILE_VARIABLE}={}", file.display());
        let environment = environment(&[entries, &[named.as_str()]].concat());
        read(std::iter::once(NAME).chain(words.iter().copied()).map(OsString::from).collect(), &environment, caller)
    }

    fn call(conf: &str, entries: &[&str], words: &[&str]) -> Call {
        match read_with(conf, entries, words, CALLER) {
            Ok(Asked::Run(call)) => *call,
            other => unreachable!("{words:?}: {other:?}"),
        }
    }

    fn settings(call: &Call) -> Settings {
        let mut settings = Settings::default();
        call.apply(&mut settings).expect("no contradiction");
        settings
    }

    #[test]
    fn every_option() {
        let all =
            call("", &[], &["-u", "me", "-p", "it", "-a", "10.0.0.1", "-P9150", "-6", "-d", "--guard=off", "x", "-i"]);
        let settings = settings(&all);
        assert_eq!(settings.gateway.value, GatewayChoice::Address([10, 0, 0, 1].into()));
        assert_eq!((settings.port.value, settings.port.origin), (9150, Origin::CommandLine("--port")));
        assert!(matches!(settings.identity.value, Some(Identity::Pair(pair)) if pair.username == "me"));
        assert_eq!((all.options.guard, all.voice()), (Some(GuardChoice::Off), Some(Voice::Verbose)));
        assert_eq!(all.options.command, ["x", "-i"]);
        assert_eq!(all.fixed(), Pinned { gateway: true, scope: true, dns: false });
        for (variable, value) in [
            ("TORSOCKS_USERNAME", "me"),
            ("TORSOCKS_PASSWORD", "it"),
            ("TORSOCKS_TOR_ADDRESS", "10.0.0.1"),
            ("TORSOCKS_TOR_PORT", "9150"),
            ("TORSOCKS_ENABLE_IPV6", "1"),
            ("TORSOCKS_LOG_LEVEL", "5"),
        ] {
            assert_eq!(all.environment.get(variable), Some(OsStr::new(value)), "{variable}");
        }
        let isolated = call("", &[], &["--isolate", "--", "--shell", "-q"]);
        assert_eq!(isolated.environment.get("TORSOCKS_ISOLATE_PID"), Some(OsStr::new("1")));
        assert_eq!(isolated.options.command, ["--shell", "-q"]);
        assert_eq!(isolated.fixed(), Pinned { gateway: false, scope: true, dns: false });
        assert_eq!(call("", &[], &["true"]).fixed(), Pinned::default());
    }

    #[test]
    fn options_win_over_variables_and_these_over_the_file() {
        let conf = "TorAddress 10.0.0.1\nTorPort 1\n";
        let port = |entries: &[&str], words: &[&str]| settings(&call(conf, entries, words)).port;
        let variable = &["TORSOCKS_TOR_PORT=2"];
        assert_eq!(port(variable, &["-P", "3", "true"]), Setting::new(3, Origin::CommandLine("--port")));
        assert_eq!(port(variable, &["true"]), Setting::new(2, Origin::Environment("TORSOCKS_TOR_PORT")));
        let of_file = port(&[], &["true"]);
        assert!(of_file.value == 1 && matches!(of_file.origin, Origin::File { line: 2, .. }), "{of_file:?}");
        let elevated = read_with(conf, variable, &["true"], Caller { user: 1000, elevated: true });
        assert!(matches!(elevated, Ok(Asked::Run(call)) if settings(&call).port.value != 2), "somebody else's wish");
    }

    #[test]
    fn it_is_always_carried() {
        let call = call("", &["UWT_DEV_PASSTHROUGH=1", "A=1"], &["true"]);
        assert_eq!((call.environment.get(SWITCH), call.environment.get("A")), (None, Some(OsStr::new("1"))));
        let mut off = Settings { enabled: Setting::built_in(false), ..Settings::default() };
        call.apply(&mut off).expect("possible");
        assert_eq!((off.enabled.value, off.localhost.value), (true, Localhost::Loopback));
        assert_eq!(off.enabled.origin.to_string(), "called as torsocks");
    }

    #[test]
    fn a_shell_is_the_user_s() {
        let shell = |entries: &[&str]| call("", entries, &["-q", "--shell"]).options.command;
        assert_eq!(shell(&["SHELL=/bin/zsh"]), ["/bin/zsh"]);
        assert_eq!(shell(&["SHELL="]), ["/bin/sh"]);
        assert_eq!(shell(&[]), ["/bin/sh"]);
    }

    #[test]
    fn how_much_is_said() {
        for (entries, words, expected) in [
            (&[][..], &["true"][..], None),
            (&["TORSOCKS_LOG_LEVEL=1"], &["true"], Some(Voice::Silent)),
            (&["TORSOCKS_LOG_LEVEL=3"], &["true"], None),
            (&["TORSOCKS_LOG_LEVEL=1"], &["-d", "true"], Some(Voice::Verbose)),
            (&["TORSOCKS_LOG_LEVEL=5"], &["-q", "true"], Some(Voice::Silent)),
            (&[], &["-d", "-q", "true"], Some(Voice::Silent)),
            (&[], &["-qd", "true"], Some(Voice::Verbose)),
        ] {
            assert_eq!(call("", entries, words).voice(), expected, "{entries:?} {words:?}");
        }
    }

    #[test]
    fn bad_usage_says_what_to_do() {
        for (words, expected) in [
            (&[][..], "no command given; usage: torsocks [OPTIONS] [--] COMMAND [ARGS…] (see `torsocks --help`)"),
            (&["-x", "true"], "unexpected argument '-x' found (see `torsocks --help`)"),
            (&["--shell", "true"], "the argument '--shell' cannot be used with '[COMMAND]...' (see `torsocks --help`)"),
            (
                &["-a", "tor.example", "true"],
                "--address: 'tor.example' is no address; expected the IPv4 address of the SocksPort; nothing was run (see \
                 `torsocks --help`)",
            ),
        ] {
            let failure = read_with("", &[], words, CALLER).expect_err("bad usage");
            assert_eq!((failure.status, failure.message.as_str()), (Failure::OURS, expected), "{words:?}");
        }
        let unknown = read_with("TorPort 1\nTorProt 2", &[], &["true"], CALLER).expect_err("not understood");
        assert!(unknown.message.contains("t.conf:2: unknown directive 'TorProt'"), "{}", unknown.message);
        let lonely = call("SOCKS5Username me", &[], &["true"]);
        let failure = lonely.apply(&mut Settings::default()).expect_err("no password");
        assert!(failure.message.contains("without a password"), "{}", failure.message);
        let named = environment(&["TORSOCKS_CONF_FILE=/nonexistent"]);
        let missing = read(vec![NAME.into(), "true".into()], &named, CALLER).expect_err("missing");
        assert_eq!(missing.message, "/nonexistent: not found; nothing was run (correct or unset TORSOCKS_CONF_FILE)");
    }

    #[test]
    fn help_and_version() {
        let printed = |word: &str| match read_with("", &[], &[word], CALLER) {
            Ok(Asked::Print(text)) => text,
            other => unreachable!("{word}: {other:?}"),
        };
        assert!(printed("-h").contains("TORSOCKS_CONF_FILE") && printed("--help").contains("--isolate"));
        assert_eq!(printed("--version"), format!("Torsocks {} (uwt)\n", env!("CARGO_PKG_VERSION")));
    }
}
