//! The shapes a line can have.

/// `NAME=VALUE` or `NAME[INDEX]=VALUE`, quotes taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Assignment<'a> {
    pub(super) name: &'a str,
    pub(super) index: Option<&'a str>,
    pub(super) value: &'a str,
}

impl<'a> Assignment<'a> {
    /// `None` for everything else.
    pub(super) fn parse(statement: &'a str) -> Option<Self> {
        let end = statement.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')?;
        let (name, rest) = statement.split_at(end);
        let (index, rest) = match rest.strip_prefix('[') {
            Some(rest) => {
                let (index, rest) = word(rest)?;
                (Some(index), rest.strip_prefix(']')?)
            }
            None => (None, rest),
        };
        let (value, rest) = word(rest.strip_prefix('=')?)?;
        let ends = rest.is_empty() || rest.starts_with(BLANK) && is_blank(trimmed(rest));
        (!name.is_empty() && ends).then_some(Self { name, index, value })
    }
}

/// One quoted or bare word and what follows it. Nothing that a shell would expand is a word.
fn word(text: &str) -> Option<(&str, &str)> {
    let (quote, inner) = match text.chars().next() {
        Some(quote @ ('"' | '\'')) => (Some(quote), text.get(1..)?),
        _ => (None, text),
    };
    if let Some(quote) = quote {
        let (word, rest) = inner.split_once(quote)?;
        return (!word.contains(['$', '`', '\\', '"'])).then_some((word, rest));
    }
    let bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '/' | '+' | '-' | '@');
    Some(text.split_at(text.find(|letter| !bare(letter)).unwrap_or(text.len())))
}

/// A line without the white space around it, as bash sees it. A file from another system may end its lines in CR LF.
pub(super) fn trimmed(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text).trim_matches(BLANK)
}

const BLANK: [char; 2] = [' ', '\t'];

/// Nothing, or a comment. `statement` is trimmed.
pub(super) fn is_blank(statement: &str) -> bool {
    statement.is_empty() || statement.starts_with('#')
}

/// What a line of a function brings.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It goes on.
    Nothing,
    /// It ends here.
    Finished,
    /// It is not the function that is understood.
    Stranger,
}

/// `nested_protection() { true; }`, on one line or several: the historic way to switch the protection off.
#[derive(Debug, Default)]
pub(super) struct Function {
    has_body: bool,
}

impl Function {
    /// Reads up to and with the brace; gives what follows it.
    pub(super) fn begin(statement: &str) -> Option<(Self, &str)> {
        let rest = statement.strip_prefix("nested_protection")?.trim_start_matches(BLANK);
        let rest = rest.strip_prefix("()")?.trim_start_matches(BLANK).strip_prefix('{')?;
        (rest.is_empty() || rest.starts_with(BLANK)).then_some((Self::default(), rest))
    }

    /// Reads one line of the body: `true` once, then the closing brace.
    pub(super) fn body(&mut self, statement: &str) -> Step {
        let mut rest = trimmed(statement);
        if let Some(after) = rest.strip_prefix("true").filter(|_| !self.has_body) {
            if !(after.is_empty() || after.starts_with([' ', '\t', ';'])) {
                return Step::Stranger;
            }
            self.has_body = true;
            rest = after.trim_start_matches(BLANK);
            rest = rest.strip_prefix(';').unwrap_or(rest).trim_start_matches(BLANK);
        }
        match rest.strip_prefix('}') {
            _ if is_blank(rest) => Step::Nothing,
            Some(after) if self.has_body && is_blank(after.trim_start_matches(BLANK)) => Step::Finished,
            _ => Step::Stranger,
        }
    }
}
