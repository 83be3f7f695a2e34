//! The completions of uwtctl: clap_complete's for commands and options. The names of programs, and behind `audit` the
//! command line to audit, are completed by parts that are written by hand for each shell.

use anyhow::{Context as _, Result, bail, ensure};
use clap::{Arg, Command, CommandFactory as _, ValueHint};
use clap_complete::Shell;
use uwt_cli::ctl::Control;

use super::{generated, specification, with_value};

/// The commands whose arguments are wrapped commands.
const WRAPPED: &[&[&str]] = &[
    &["status"],
    &["wrapper", "list"],
    &["wrapper", "remove"],
    &["wrapper", "enable"],
    &["wrapper", "disable"],
    &["config", "show"],
];
/// Those whose arguments are programs of any kind.
const PROGRAMS: &[&[&str]] = &[&["wrapper", "add"], &["ports", "assign"]];

/// Every completion with its path below the folder of the manual.
///
/// # Errors
/// What clap_complete writes has another shape than expected, or a command has gone.
pub(super) fn all() -> Result<Vec<(String, String)>> {
    Ok(vec![
        ("completions/bash/uwtctl".to_owned(), bash()?),
        ("completions/zsh/_uwtctl".to_owned(), zsh()?),
        ("completions/fish/uwtctl.fish".to_owned(), fish()?),
    ])
}

/// uwtctl's commands with hints for their positional arguments. Of the generators only zsh's reads them; it makes calls of
/// the functions [`MARKS`] of them.
fn command() -> Result<Command> {
    let mut control = Control::command();
    for path in WRAPPED {
        hint(&mut control, path, ValueHint::CommandString)?;
    }
    for path in PROGRAMS {
        hint(&mut control, path, ValueHint::CommandName)?;
    }
    hint(&mut control, &["audit"], ValueHint::CommandWithArguments)?;
    Ok(control)
}

/// What zsh's generator writes for a hint that is none of its own kind here, and the function that is called instead.
const MARKS: [(&str, &str); 2] = [(":_cmdstring'", ":_uwtctl_wrapped'"), (":_cmdambivalent'", ":_uwtctl_audited'")];

fn hint(command: &mut Command, path: &[&str], hint: ValueHint) -> Result<()> {
    let mut at = command;
    for name in path {
        at = at.find_subcommand_mut(name).with_context(|| format!("uwtctl has no command {name}"))?;
    }
    let Some(id) = at.get_positionals().next().map(Arg::get_id).cloned() else {
        bail!("uwtctl {} takes no arguments", path.join(" "));
    };
    *at = std::mem::take(at).mut_arg(id, |argument| argument.value_hint(hint));
    Ok(())
}

/// `audit`, whose options are known by hand in the parts of bash and of fish.
fn audit() -> Result<Command> {
    command()?.find_subcommand("audit").cloned().context("uwtctl has no command audit")
}

fn bash() -> Result<String> {
    let generated = generated(Shell::Bash, command()?)?;
    let (function, _) = generated.split_once("\nif [[ \"${BASH_VERSINFO").context("bash: where the function ends")?;
    let patterns = |paths: &[&[&str]]| -> String {
        let patterns: Vec<String> = paths.iter().map(|path| format!("'{} '*", path.join(" "))).collect();
        patterns.join(" | ")
    };
    let with_value: Vec<String> = with_value(&audit()?).iter().map(|option| format!("audit:{option}")).collect();
    let tail = include_str!("../../completions/uwtctl.bash")
        .replace("@AUDIT_WITH_VALUE@", &with_value.join(" | "))
        .replace("@WRAPPED@", &patterns(WRAPPED))
        .replace("@PROGRAMS@", &patterns(PROGRAMS));
    Ok(format!("{function}\n{tail}"))
}

fn zsh() -> Result<String> {
    let mut text = generated(Shell::Zsh, command()?)?;
    for (mark, function) in MARKS {
        ensure!(text.contains(mark), "zsh: {mark}");
        text = text.replace(mark, function);
    }
    let (head, body) = text.split_once("\n_uwtctl() {").context("zsh: where the function begins")?;
    Ok([head, "\n", include_str!("../../completions/uwtctl.zsh"), "_uwtctl() {", body].concat())
}

fn fish() -> Result<String> {
    let generated = generated(Shell::Fish, command()?)?;
    // Its options are its own only as long as there is nothing to audit.
    let of_audit = "\"__fish_uwtctl_using_subcommand audit\"";
    ensure!(generated.contains(of_audit), "fish: the options of audit");
    let before = "\"__fish_uwtctl_using_subcommand audit; and not __fish_uwtctl_audited >/dev/null\"";
    let generated = generated.replace(of_audit, before);
    let audit = audit()?;
    let options = audit.get_arguments().filter(|it| !it.is_positional());
    // These two are of every command.
    let mut specifications = vec!["json".to_owned(), "h/help".to_owned()];
    specifications.extend(options.map(specification));
    let by_hand = include_str!("../../completions/uwtctl.fish").replace("@AUDIT@", &specifications.join(" "));
    let mut lines = Vec::new();
    for (paths, words) in [(WRAPPED, "(__fish_uwtctl_wrapped)"), (PROGRAMS, "(__fish_complete_command)")] {
        for path in paths {
            let condition = match path {
                [command] => format!("__fish_uwtctl_using_subcommand {command}"),
                [command, rest @ ..] => {
                    let rest = rest.join(" ");
                    format!("__fish_uwtctl_using_subcommand {command}; and __fish_seen_subcommand_from {rest}")
                }
                [] => bail!("a command has a name"),
            };
            lines.push(format!("complete -c uwtctl -n '{condition}' -x -a '{words}'\n"));
        }
    }
    // The generator of fish leaves positional arguments out.
    for command in command()?.get_subcommands() {
        for value in command.get_positionals().flat_map(Arg::get_possible_values) {
            let condition = format!("__fish_uwtctl_using_subcommand {}", command.get_name());
            let help = value.get_help().map(ToString::to_string).unwrap_or_default();
            lines.push(format!("complete -c uwtctl -n '{condition}' -x -a {} -d '{help}'\n", value.get_name()));
        }
    }
    Ok(format!("{generated}\n{by_hand}{}", lines.concat()))
}
