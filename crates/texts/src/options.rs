//! The options in the manual page: how they are written and their first sentence come from where the programs have them. So
//! do the commands of uwtctl.

use anyhow::{Result, bail};
use clap::{Arg, ArgAction, Command};
use roff::{Inline, bold, italic, roman};

/// The options that a page has described so far, and the commands where a program has some.
pub(crate) struct Terms {
    command: Command,
    /// The commands that the section is about, by their names from the first one on; none in the others.
    about: Vec<Vec<String>>,
    /// The commands that sections were about.
    entered: Vec<Vec<String>>,
    /// Of which command, and which option.
    seen: Vec<(Vec<String>, String)>,
}

/// What a section on a command begins with.
#[derive(Debug)]
pub(crate) struct Opening {
    /// How it is typed.
    pub(crate) usage: Vec<Inline>,
    /// clap's word on it.
    pub(crate) about: String,
}

impl Terms {
    /// Those of `command`.
    pub(crate) fn of(mut command: Command) -> Self {
        // Adds --help and --version.
        command.build();
        Self { command, about: Vec::new(), entered: Vec::new(), seen: Vec::new() }
    }

    /// To be called at each section's beginning: its title may name commands, as in `wrapper add, wrapper remove`.
    pub(crate) fn enter(&mut self, title: &str) -> Vec<Opening> {
        let paths: Vec<Vec<String>> =
            title.split(", ").map(|path| path.split(' ').map(str::to_owned).collect()).collect();
        let commands: Option<Vec<&Command>> = paths.iter().map(|path| find(&self.command, path)).collect();
        self.about.clear();
        let Some(commands) = commands else { return Vec::new() };
        let openings = commands.into_iter().map(opening).collect();
        self.entered.extend(paths.iter().cloned());
        self.about = paths;
        openings
    }

    /// The options as they are typed, and clap's word on them, for a term such as `--port`; `None` for a term that is no
    /// option.
    ///
    /// # Errors
    /// It looks like an option, and there is none, or none that all commands of the section have in the same words.
    pub(crate) fn describe(&mut self, term: &str) -> Result<Option<(Vec<Inline>, String)>> {
        if !term.starts_with('-') {
            return Ok(None);
        }
        let whole = [Vec::new()];
        let paths = if self.about.is_empty() { whole.as_slice() } else { &self.about };
        let mut described: Option<(&Arg, String)> = None;
        for path in paths {
            let command = find(&self.command, path).unwrap_or(&self.command);
            let Some(option) = options(command).find(|option| name(option) == term) else {
                bail!("there is no option {term} of {}", path.join(" "));
            };
            let help = option.get_help().map(ToString::to_string).unwrap_or_default();
            if described.as_ref().is_some_and(|(_, other)| *other != help) {
                bail!("{term} is not the same in all commands");
            }
            described = Some((option, help));
            self.seen.push((path.clone(), term.to_owned()));
        }
        Ok(described.map(|(option, help)| (typed(option), sentence(&help))))
    }

    /// To be called at a page's end: a page describes no option or every one, and no command or every one.
    ///
    /// # Errors
    /// Names those that are missing.
    pub(crate) fn finish(&self) -> Result<()> {
        if self.seen.is_empty() {
            return Ok(());
        }
        let mut missing: Vec<String> = Vec::new();
        self.missing(&self.command, &[], &mut missing);
        if !missing.is_empty() {
            bail!("not described: {}", missing.join(", "));
        }
        Ok(())
    }

    fn missing(&self, command: &Command, path: &[String], missing: &mut Vec<String>) {
        if !path.is_empty() && !command.is_subcommand_required_set() && !self.entered.iter().any(|it| it == path) {
            missing.push(path.join(" "));
        }
        // Those of every command are described once.
        let own = options(command).filter(|option| {
            path.is_empty() || !(option.is_global_set() || matches!(option.get_action(), ArgAction::Help))
        });
        let unseen = own.map(name).filter(|name| !self.seen.iter().any(|(of, seen)| of == path && seen == name));
        missing.extend(unseen.map(|name| path.iter().cloned().chain([name]).collect::<Vec<_>>().join(" ")));
        for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
            self.missing(below, &[path, &[below.get_name().to_owned()]].concat(), missing);
        }
    }
}

fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|argument| !argument.is_positional())
}

fn find<'a>(command: &'a Command, path: &[String]) -> Option<&'a Command> {
    path.iter().try_fold(command, |command, name| command.find_subcommand(name))
}

fn opening(command: &Command) -> Opening {
    let usage = command.clone().render_usage().to_string();
    let words = usage.trim_start_matches("Usage: ").split(' ').map(placed);
    Opening {
        usage: words.collect::<Vec<_>>().join(&roman(" ")),
        about: sentence(&command.get_about().map(ToString::to_string).unwrap_or_default()),
    }
}

/// A word of clap's usage line with the fonts of man-pages(7): `[NAME]...` is a place for other words.
fn placed(word: &str) -> Vec<Inline> {
    let is_place = |letter: char| letter.is_ascii_uppercase() || letter == '_';
    let Some((start, end)) = word.find(is_place).zip(word.rfind(is_place)) else {
        return vec![bold(word)];
    };
    // What has to be there stands without brackets.
    let around = |text: &str| roman(text.replace(['<', '>'], ""));
    vec![around(&word[..start]), italic(&word[start..=end]), around(&word[end + 1..])]
}

/// The long form, or the short one where there is no other.
fn name(option: &Arg) -> String {
    match (option.get_long(), option.get_short()) {
        (Some(long), _) => format!("--{long}"),
        (None, short) => short.map(|short| format!("-{short}")).unwrap_or_default(),
    }
}

/// `-p, --port PORT` or `--explain[=HOW]`, with the fonts of man-pages(7).
fn typed(option: &Arg) -> Vec<Inline> {
    let short = option.get_short().map(|short| format!("-{short}"));
    let long = option.get_long().map(|long| format!("--{long}"));
    let mut line = Vec::new();
    for form in [short, long].into_iter().flatten() {
        if !line.is_empty() {
            line.push(roman(", "));
        }
        line.push(bold(form));
    }
    if option.get_action().takes_values() {
        for value in option.get_value_names().unwrap_or_default() {
            if option.is_require_equals_set() {
                line.extend([roman("[="), italic(value.as_str()), roman("]")]);
            } else {
                line.extend([roman(" "), italic(value.as_str())]);
            }
        }
    }
    line
}

/// clap's words as a sentence.
fn sentence(help: &str) -> String {
    let help = help.replace('\n', " ");
    if help.ends_with('.') { help } else { format!("{help}.") }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use roff::Roff;
    use uwt_cli::Options;
    use uwt_cli::ctl::Control;

    use super::*;

    #[test]
    fn a_page_describes_every_option_or_none() {
        let mut terms = Terms::of(Options::command());
        assert!(terms.describe("gateway").expect("no option").is_none());
        terms.finish().expect("none is described");
        assert!(terms.describe("--port").expect("there is one").is_some());
        let missing = terms.finish().expect_err("one of several").to_string();
        assert!(missing.contains("--ip") && missing.contains("-t,") && !missing.contains("--port"), "{missing}");
    }

    #[test]
    fn so_it_does_with_commands_and_their_options() {
        let mut terms = Terms::of(Control::command());
        assert!(terms.enter("DESCRIPTION").is_empty());
        assert!(terms.describe("--json").expect("it is uwtctl's").is_some());
        assert!(terms.describe("--motd").is_err());
        let openings = terms.enter("wrapper enable, wrapper disable");
        let usage: Vec<String> = openings.iter().map(|it| Roff::new().text(it.usage.clone()).to_roff()).collect();
        assert!(usage[0].contains(r"\fBwrapper\fR \fBenable\fR [\fIOPTIONS\fR] \fINAME\fR..."), "{usage:?}");
        assert_eq!(openings[1].about, "Let commands run without uwt (enabled = false).");
        assert!(terms.describe("--user").expect("both have it").is_some());
        terms.enter("wrapper add, wrapper enable");
        assert!(terms.describe("--user").is_err(), "one has it");
        assert!(terms.describe("--dry-run").is_err(), "they say different things");
        let missing = terms.finish().expect_err("some of several").to_string();
        for (name, is_missing) in [
            ("wrapper disable --dry-run", true),
            ("wrapper disable --user", false),
            ("wrapper add,", false),
            ("wrapper remove,", true),
            ("wrapper list,", true),
            ("wrapper,", false),
            ("ports,", true),
            ("ports assign --user", true),
            ("status --json", false),
            ("status --help", false),
            (" --version", true),
        ] {
            assert_eq!(format!(" {missing},").contains(name), is_missing, "{name}: {missing}");
        }
    }
}
