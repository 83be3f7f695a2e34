//! From Markdown to man(7). Understood is what the pages need: headings of two levels, paragraphs, lists, definition lists,
//! code and emphasis. Anything else is an error, so that no text gets lost.

use anyhow::{Result, bail};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd, TextMergeStream};
use roff::{Inline, Roff, bold, italic, roman};

use crate::options::{Opening, Terms};

/// Sets a text. A term of a definition list that is an option is completed by `terms`.
///
/// # Errors
/// An element that is not understood, or an option that does not exist.
pub(crate) fn set(text: &str, roff: &mut Roff, terms: &mut Terms) -> Result<()> {
    let mut setter = Setter { roff, terms, line: Vec::new(), font: roman, depth: 0, open: false, opening: None };
    for event in TextMergeStream::new(Parser::new_ext(text, Options::ENABLE_DEFINITION_LIST)) {
        setter.event(event)?;
    }
    Ok(())
}

struct Setter<'a> {
    roff: &'a mut Roff,
    terms: &'a mut Terms,
    /// The line of text that is being set.
    line: Vec<Inline>,
    /// That of plain text at the moment.
    font: fn(String) -> Inline,
    /// How many lists are around.
    depth: usize,
    /// Whether a section or an item has begun that has no text yet: what comes next needs no paragraph of its own.
    open: bool,
    /// What an option's description begins with.
    opening: Option<String>,
}

impl Setter<'_> {
    fn event(&mut self, event: Event<'_>) -> Result<()> {
        match event {
            Event::Start(tag) => self.start(tag)?,
            Event::End(tag) => self.end(tag)?,
            Event::Text(text) => self.line.push((self.font)(text.into_string())),
            Event::Code(text) => self.line.push(bold(text.into_string())),
            // A leading full stop or quote is a request to troff; within one piece of text roff takes care of it.
            Event::SoftBreak => match self.line.last_mut() {
                Some(Inline::Roman(text)) => text.push('\n'),
                _ => self.line.push(roman("\n")),
            },
            other => bail!("{other:?} cannot be set"),
        }
        self.join();
        Ok(())
    }

    fn start(&mut self, tag: Tag<'_>) -> Result<()> {
        match tag {
            Tag::Heading { .. } | Tag::DefinitionListTitle => {}
            Tag::Paragraph => self.begin_paragraph(),
            Tag::Emphasis => self.font = italic,
            Tag::Strong => self.font = bold,
            Tag::List(None) => self.begin_list(),
            Tag::DefinitionList => self.begin_list(),
            Tag::Item => {
                self.roff.control("IP", ["\\(bu", "2"]);
                self.open = true;
            }
            Tag::DefinitionListDefinition => {
                self.open = true;
                if let Some(opening) = self.opening.take() {
                    self.open = false;
                    self.roff.text([roman(opening)]);
                }
            }
            Tag::CodeBlock(CodeBlockKind::Fenced(_)) => {
                self.begin_paragraph();
                self.roff.control("in", ["+4n"]).control("EX", []);
            }
            other => bail!("{other:?} cannot be set"),
        }
        Ok(())
    }

    fn end(&mut self, tag: TagEnd) -> Result<()> {
        match tag {
            TagEnd::Heading(level) => {
                let title = self.plain_line()?;
                match level {
                    HeadingLevel::H1 => self.roff.control("SH", [title.as_str()]),
                    HeadingLevel::H2 => self.roff.control("SS", [title.as_str()]),
                    _ => bail!("the heading {title} is of a level that man(7) has not"),
                };
                self.open = true;
                self.introduce(&title);
            }
            TagEnd::DefinitionListTitle => self.term()?,
            TagEnd::Emphasis | TagEnd::Strong => self.font = roman,
            TagEnd::CodeBlock => {
                let code: String = self.plain_line()?;
                for line in code.lines() {
                    self.roff.text([roman(line)]);
                }
                self.roff.control("EE", []).control("in", []);
            }
            TagEnd::List(_) | TagEnd::DefinitionList => {
                self.depth -= 1;
                if self.depth > 0 {
                    self.roff.control("RE", []);
                }
            }
            TagEnd::Paragraph | TagEnd::Item | TagEnd::DefinitionListDefinition => self.flush(),
            other => bail!("{other:?} cannot be set"),
        }
        Ok(())
    }

    /// A list within another is moved to the right.
    fn begin_list(&mut self) {
        self.flush();
        if self.depth > 0 {
            self.roff.control("RS", []);
        }
        self.depth += 1;
    }

    /// The first paragraph of an item stands beside its tag, others are below it.
    fn begin_paragraph(&mut self) {
        if !std::mem::take(&mut self.open) {
            self.roff.control(if self.depth > 0 { "IP" } else { "PP" }, []);
        }
    }

    /// How the commands are typed that the title names, and what they do.
    fn introduce(&mut self, title: &str) {
        for Opening { usage, about } in self.terms.enter(title) {
            self.begin_paragraph();
            self.roff.text(usage).control("br", []).text([roman(about)]);
        }
    }

    fn term(&mut self) -> Result<()> {
        self.roff.control("TP", []);
        let mut line = std::mem::take(&mut self.line);
        if let [Inline::Bold(term)] = line.as_slice()
            && let Some((typed, opening)) = self.terms.describe(term)?
        {
            line = typed;
            self.opening = Some(opening);
        }
        self.roff.text(line);
        Ok(())
    }

    fn flush(&mut self) {
        if !self.line.is_empty() {
            self.roff.text(std::mem::take(&mut self.line));
            self.open = false;
        }
    }

    /// The line without fonts.
    fn plain_line(&mut self) -> Result<String> {
        match std::mem::take(&mut self.line).as_slice() {
            [Inline::Roman(text)] => Ok(text.clone()),
            other => bail!("a heading or a code block is plain text: {other:?}"),
        }
    }

    /// Makes one of two plain pieces.
    fn join(&mut self) {
        if let [.., Inline::Roman(first), Inline::Roman(second)] = self.line.as_mut_slice() {
            first.push_str(second);
            self.line.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn set_text(text: &str) -> Result<String> {
        let mut roff = Roff::new();
        set(text, &mut roff, &mut Terms::of(uwt_cli::Options::command()))?;
        Ok(roff.to_roff())
    }

    #[test]
    fn elements() {
        for (text, expected) in [
            ("# ONE\n\nText.\n\nMore.\n", ".SH ONE\nText.\n.PP\nMore.\n"),
            ("## Two words\n\n`a` *b*\n**c**\n", ".SS \"Two words\"\n\\fBa\\fR \\fIb\\fR\n\\fBc\\fR\n"),
            ("a\n.b\n", ".PP\na\n\\&.b\n"),
            ("- a\n- b\n\nc\n", ".IP \\(bu 2\na\n.IP \\(bu 2\nb\n.PP\nc\n"),
            ("`a` = *b*\n: c\n\n  d\n", ".TP\n\\fBa\\fR = \\fIb\\fR\nc\n.IP\nd\n"),
            ("`a`\n: b\n\n  - c\n", ".TP\n\\fBa\\fR\nb\n.RS\n.IP \\(bu 2\nc\n.RE\n"),
            ("```toml\na = 1\n\n.b\n```\n", ".PP\n.in +4n\n.EX\na = 1\n\n\\&.b\n.EE\n.in\n"),
        ] {
            assert_eq!(set_text(text).expect("understood"), expected, "{text}");
        }
    }

    #[test]
    fn nothing_is_left_out() {
        for text in
            ["### A\n", "1. a\n", "> a\n", "[a](b)\n", "![a](b)\n", "a<b>c</b>\n", "---\n", "# `a`\n", "a  \nb\n"]
        {
            assert!(set_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn options_are_as_the_launcher_has_them() {
        let roff = set_text("`--port`\n: More.\n").expect("there is one");
        assert!(
            roff.starts_with(".TP\n\\fB\\-p\\fR, \\fB\\-\\-port\\fR \\fIPORT\\fR\nThe gateway's SocksPort"),
            "{roff}"
        );
        let refused = set_text("`--prot`\n: More.\n").expect_err("there is none");
        assert!(refused.to_string().starts_with("there is no option --prot"), "{refused}");
    }
}
