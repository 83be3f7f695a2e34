//! The completions of uwt: clap_complete's for the options, and behind them what completes the command and its arguments as
//! if it were typed without `uwt`. clap_complete has nothing for that, so each shell's part is written by hand.

mod control;

use anyhow::{Context as _, Result};
use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, CommandFactory as _, ValueHint};
use clap_complete::{Generator, Shell, generate};
use uwt_cli::{ExplainFormat, Options};
use uwt_config::GuardChoice;
use uwt_policy::{DnsMode, Scope};

const NAME: &str = "uwt";

/// Every completion with its path below the folder of the manual. The file names are those under which the shells look
/// for the completions of a command.
///
/// # Errors
/// What clap_complete writes has another shape than expected.
pub(crate) fn all() -> Result<Vec<(String, String)>> {
    let mut files = control::all()?;
    files.extend([
        ("completions/bash/uwt".to_owned(), bash()?),
        ("completions/zsh/_uwt".to_owned(), zsh()?),
        ("completions/fish/uwt.fish".to_owned(), fish()?),
    ]);
    Ok(files)
}

/// uwt's options without the command that follows them. The completions need what the launcher has no use for: the words
/// that a value can be.
fn command() -> Command {
    let words = |option: Arg| match option.get_id().as_str() {
        // An identity has an option of its own.
        "isolate" => one_of(option, Scope::ALL.iter().filter(|scope| **scope != Scope::Identity).map(|it| it.as_str())),
        "guard" => one_of(option, GuardChoice::ALL.iter().map(|it| it.as_str())),
        "dns" => one_of(option, DnsMode::ALL.iter().map(|it| it.as_str())),
        "explain" => one_of(option, ExplainFormat::WORDS.into_iter()),
        "socks_version" => one_of(option, ["5"].into_iter()),
        _ if option.get_action().takes_values() => option.value_hint(ValueHint::Other),
        _ => option,
    };
    let options = Options::command();
    let arguments: Vec<Arg> = options.get_arguments().filter(|it| !it.is_positional()).cloned().map(words).collect();
    Command::new(NAME).version(env!("CARGO_PKG_VERSION")).args(arguments)
}

fn one_of(option: Arg, words: impl Iterator<Item = &'static str>) -> Arg {
    option.value_parser(PossibleValuesParser::new(words.collect::<Vec<_>>()))
}

fn generated(shell: impl Generator, mut command: Command) -> Result<String> {
    let mut text = Vec::new();
    let name = command.get_name().to_owned();
    generate(shell, &mut command, name, &mut text);
    String::from_utf8(text).context("a completion is text")
}

/// As they are typed: `-p`, `--port`, …
fn forms(option: &Arg) -> impl Iterator<Item = String> {
    let short = option.get_short().map(|short| format!("-{short}"));
    let long = option.get_long().map(|long| format!("--{long}"));
    short.into_iter().chain(long)
}

/// Whether the next word is the option's value.
fn takes_a_word(option: &Arg) -> bool {
    option.get_action().takes_values() && !option.is_require_equals_set()
}

/// What clap_complete does not tell the shells: some options have their value behind `=` only, never as the next word.
/// In the lines that are `about` such an option, given its long name, `from` becomes `to`.
fn joined_values(text: &str, about: impl Fn(&str, &str) -> bool, [from, to]: [&str; 2]) -> String {
    let options = command();
    let longs: Vec<&str> =
        options.get_arguments().filter(|it| it.is_require_equals_set()).filter_map(Arg::get_long).collect();
    let lines = text.lines().map(|line| {
        let concerned = longs.iter().any(|long| about(line, long));
        if concerned { line.replacen(from, to, 1) } else { line.to_owned() }
    });
    lines.map(|line| line + "\n").collect()
}

/// The options whose value is a word of its own.
fn with_value(command: &Command) -> Vec<String> {
    let options = command.get_arguments().filter(|it| !it.is_positional());
    options.filter(|it| takes_a_word(it)).flat_map(forms).collect()
}

/// The part of bash. The generated function completes an option, ours finds out whether it is one that is completed.
fn bash() -> Result<String> {
    let generated = generated(Shell::Bash, command())?;
    let (function, _) = generated.split_once("\nif [[ \"${BASH_VERSINFO").context("bash: where the function ends")?;
    let shorts = |takes_value: bool| -> String {
        let options = command();
        let such = options.get_arguments().filter(|it| takes_a_word(it) == takes_value);
        such.filter_map(Arg::get_short).collect()
    };
    let tail = include_str!("../completions/uwt.bash")
        .replace("@WITH_VALUE@", &with_value(&command()).join(" | "))
        .replace("@FLAGS@", &shorts(false))
        .replace("@SHORTS@", &shorts(true));
    Ok(format!("{function}\n{tail}"))
}

fn zsh() -> Result<String> {
    let generated = generated(Shell::Zsh, command())?;
    let generated = joined_values(&generated, |line, long| line.starts_with(&format!("'--{long}=[")), ["=[", "=-["]);
    let (options, rest) = generated.split_once("&& ret=0").context("zsh: where the options end")?;
    Ok([options, include_str!("../completions/uwt.zsh").trim_end(), " \\\n&& ret=0", rest].concat())
}

fn fish() -> Result<String> {
    // Options are uwt's only as long as there is no command.
    let options =
        generated(Shell::Fish, command())?.replace("complete -c uwt ", "complete -c uwt -n __fish_uwt_needs_command ");
    let options = joined_values(&options, |line, long| line.contains(&format!(" -l {long} -d ")), ["' -r ", "' "]);
    let specifications: Vec<String> = command().get_arguments().map(specification).collect();
    let tail = include_str!("../completions/uwt.fish").replace("@OPTIONS@", &specifications.join(" "));
    Ok(format!("{tail}\n{options}"))
}

/// An option as fish's argparse reads it, in quotes: `'p/port='`.
fn specification(option: &Arg) -> String {
    let short = option.get_short().map(String::from);
    let long = option.get_long().map(str::to_owned);
    let names: Vec<String> = short.into_iter().chain(long).collect();
    let value = match (option.get_action().takes_values(), option.is_require_equals_set()) {
        (false, _) => "",
        (true, false) => "=",
        (true, true) => "=?",
    };
    // Without quotes fish takes a question mark for a pattern of file names.
    format!("'{}{value}'", names.join("/"))
}
