//! Text for people: at most 80 columns, aligned, coloured where that can be seen.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};
use textwrap::WordSplitter;

/// The width of every text, in columns.
const WIDTH: u16 = 80;

/// How a text is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    /// As it is.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Worth a look.
    Warning,
    /// Not as it should be.
    Bad,
    /// Of less weight.
    Faint,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    text: String,
    mood: Mood,
}

impl<T: Into<String>> From<T> for Text {
    fn from(text: T) -> Self {
        Self { text: printable(&text.into()), mood: Mood::Plain }
    }
}

impl Mood {
    /// A text that is meant this way.
    pub(crate) fn text(self, text: impl Into<String>) -> Text {
        Text { mood: self, ..Text::from(text) }
    }

    fn colour(self) -> Option<AnsiColor> {
        match self {
            Self::Plain => None,
            Self::Good => Some(AnsiColor::Green),
            Self::Warning => Some(AnsiColor::Yellow),
            Self::Bad => Some(AnsiColor::Red),
            Self::Faint => Some(AnsiColor::BrightBlack),
        }
    }
}

/// What is printed, put together from the top.
#[derive(Debug)]
pub(crate) struct Page {
    text: String,
    colour: bool,
}

impl Page {
    /// An empty page.
    pub(crate) fn new(colour: bool) -> Self {
        Self { text: String::new(), colour }
    }

    /// A heading; what went before is set off by an empty line.
    pub(crate) fn heading(&mut self, heading: &str) {
        self.gap();
        for line in wrapped(&one_line(heading), "") {
            self.styled(&line, Style::new().bold());
            self.text.push('\n');
        }
    }

    /// A paragraph, wrapped.
    pub(crate) fn paragraph(&mut self, text: impl Into<Text>) {
        let Text { text, mood } = text.into();
        let style = mood.colour().map_or_else(Style::new, |colour| Style::new().fg_color(Some(colour.into())));
        for line in wrapped(&one_line(&text), "") {
            self.styled(&line, style);
            self.text.push('\n');
        }
    }

    /// One of several steps, set off by a dash.
    pub(crate) fn item(&mut self, text: &str) {
        for line in wrapped(&one_line(&format!("- {text}")), "  ") {
            self.text.push_str(&line);
            self.text.push('\n');
        }
    }

    /// Lines that are printed as they are: those of a file, which are longer than the page where they have to be.
    pub(crate) fn verbatim(&mut self, lines: &str) {
        for line in lines.lines() {
            self.text.push_str(&printable(line));
            self.text.push('\n');
        }
    }

    /// A command of a shell, which may be copied: where it is too long for a line it goes on in the next one.
    pub(crate) fn command(&mut self, command: &str) {
        let command = one_line(command);
        // Room for the space and the backslash.
        let lines = textwrap::wrap(&command, unbroken(usize::from(WIDTH) - 2).subsequent_indent("    "));
        self.text.push_str(&lines.join(" \\\n"));
        self.text.push('\n');
    }

    /// An empty line, unless there is one.
    pub(crate) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Rows in columns, under headings where `headings` is not empty. What is too long is wrapped in its column.
    pub(crate) fn table<const N: usize>(&mut self, headings: &[&str], rows: impl IntoIterator<Item = [Text; N]>) {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
        if self.colour {
            table.enforce_styling()
        } else {
            table.force_no_tty()
        };
        if !headings.is_empty() {
            table.set_header(headings.iter().map(|heading| Cell::new(heading).add_attribute(Attribute::Bold)));
        }
        for row in rows {
            table.add_row(row.into_iter().map(|Text { text, mood }| match mood.colour() {
                Some(colour) => Cell::new(text).fg(table_colour(colour)),
                None => Cell::new(text),
            }));
        }
        if let Some(first) = table.column_mut(0) {
            first.set_padding((0, 1));
        }
        for line in table.lines() {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    /// The whole text.
    pub(crate) fn finish(self) -> String {
        self.text
    }

    fn styled(&mut self, text: &str, style: Style) {
        if self.colour {
            self.text.extend([style.render().to_string().as_str(), text, style.render_reset().to_string().as_str()]);
        } else {
            self.text.push_str(text);
        }
    }
}

fn table_colour(colour: AnsiColor) -> Color {
    match colour {
        AnsiColor::Green => Color::DarkGreen,
        AnsiColor::Yellow => Color::DarkYellow,
        AnsiColor::Red => Color::DarkRed,
        _ => Color::DarkGrey,
    }
}

/// The lines of a text, at most as wide as the page unless a word is wider: a path or an option that is broken in two
/// could not be copied. `indent` is before each line but the first.
pub(crate) fn wrapped<'a>(text: &'a str, indent: &'a str) -> Vec<Cow<'a, str>> {
    textwrap::wrap(text, unbroken(usize::from(WIDTH)).subsequent_indent(indent))
}

fn unbroken<'a>(width: usize) -> textwrap::Options<'a> {
    textwrap::Options::new(width).break_words(false).word_splitter(WordSplitter::NoHyphenation)
}

/// Control characters, which a file's name or a host's may hold, must not reach the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|letter| if is_control(letter) && letter != '\n' { '?' } else { letter }).collect()
}

/// Whether a terminal may do something else than to show it: Unicode has letters that turn the direction of what is behind
/// them (Unicode Standard Annex 9), so that a name reads as another.
pub(crate) fn is_control(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The same in one line. A name may hold even the end of a line, and what comes behind that must not look like ours.
pub(crate) fn one_line(text: &str) -> String {
    printable(text).replace('\n', "?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_the_page() {
        let mut page = Page::new(false);
        page.heading(&"A heading ".repeat(9));
        let long = "a sentence of several words that goes on and on ".repeat(5);
        page.paragraph(long.as_str());
        page.table(&["One", "Two"], [[long.as_str().into(), Mood::Bad.text(long.as_str())]]);
        let text = page.finish();
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > usize::from(WIDTH)).collect();
        assert!(wide.is_empty(), "{wide:#?}");
        assert!(text.lines().all(|line| !line.ends_with(' ')), "{text}");
    }

    #[test]
    fn what_is_copied_stays_in_one_piece() {
        let long = format!("/{}", "a-folder/".repeat(10));
        let text = format!("type 'uwtctl gateway torrc --no-transparent' there, with --no-transparent, or read {long}");
        let lines = wrapped(&text, "  ");
        assert_eq!(
            lines,
            [
                "type 'uwtctl gateway torrc --no-transparent' there, with --no-transparent, or",
                "  read",
                &format!("  {long}")
            ]
        );
    }

    #[test]
    fn a_long_command_is_the_same_to_a_shell() {
        let command =
            format!("printf %s, --an-option {} /usr/bin/a-program --another", "/a/path/of/some/length ".repeat(6));
        let mut page = Page::new(false);
        page.command("true");
        page.command(&command);
        let text = page.finish();
        assert!(text.lines().count() > 3 && text.lines().all(|line| line.len() <= usize::from(WIDTH)), "{text}");
        let said = |script: &str| std::process::Command::new("sh").args(["-c", script]).output().unwrap().stdout;
        assert_eq!(said(&text), said(&command));
    }

    #[test]
    fn colours_are_only_where_they_are_wanted() {
        let text = |colour| {
            let mut page = Page::new(colour);
            page.heading("Heading");
            page.paragraph(Mood::Good.text("good"));
            page.table(&["One"], [[Mood::Bad.text("bad")]]);
            page.finish()
        };
        assert!(!text(false).contains('\x1b'), "{:?}", text(false));
        assert!(text(true).matches("\x1b[").count() > 5, "{:?}", text(true));
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let mut page = Page::new(false);
        page.heading("A\nB\u{9b}\u{202e}C");
        page.paragraph("a\x1b[2Jb\nc");
        page.item("d\ne");
        page.table(&[], [[Text::from("c\x07d\te")]]);
        page.verbatim("f\rg");
        assert_eq!(page.finish(), "A?B??C\na?[2Jb?c\n- d?e\nc?d?e\nf?g\n");
    }
}
