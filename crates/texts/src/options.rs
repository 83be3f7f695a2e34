//! The options in the manual page: how they are written and their first sentence come from where the launcher has them.

use anyhow::{Result, bail};
use clap::{Arg, Command};
use roff::{Inline, bold, italic, roman};

/// The options that a page has described so far.
pub(crate) struct Terms {
    command: Command,
    seen: Vec<String>,
}

impl Terms {
    /// Those of `command`.
    pub(crate) fn of(mut command: Command) -> Self {
        // Adds --help and --version.
        command.build();
        Self { command, seen: Vec::new() }
    }

    /// The options as they are typed, and clap's word on them, for a term such as `--port`; `None` for a term that is no
    /// option.
    ///
    /// # Errors
    /// It looks like an option, and there is none.
    pub(crate) fn describe(&mut self, term: &str) -> Result<Option<(Vec<Inline>, String)>> {
        if !term.starts_with('-') {
            return Ok(None);
        }
        let Some(option) = self.options().find(|option| name(option) == term) else {
            bail!("there is no option {term}");
        };
        let help = option.get_help().map(ToString::to_string).unwrap_or_default();
        let described = (typed(option), sentence(&help));
        self.seen.push(term.to_owned());
        Ok(Some(described))
    }

    /// To be called at a page's end: a page describes no option or every one.
    ///
    /// # Errors
    /// Names those that are missing.
    pub(crate) fn finish(&self) -> Result<()> {
        let missing: Vec<String> = self.options().map(name).filter(|name| !self.seen.contains(name)).collect();
        if !self.seen.is_empty() && !missing.is_empty() {
            bail!("not described: {}", missing.join(", "));
        }
        Ok(())
    }

    fn options(&self) -> impl Iterator<Item = &Arg> {
        self.command.get_arguments().filter(|argument| !argument.is_positional())
    }
}

/// The long form, or the short one where there is no other.
fn name(option: &Arg) -> String {
    match (option.get_long(), option.get_short()) {
        (Some(long), _) => format!("--{long}"),
        (None, short) => short.map(|short| format!("-{short}")).unwrap_or_default(),
    }
}

/// `-p, --port PORT`, with the fonts of man-pages(7).
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
            line.extend([roman(" "), italic(value.as_str())]);
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
    use uwt_cli::Options;

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
}
