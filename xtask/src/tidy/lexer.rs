//! Enough of Rust's lexical structure to tell code from comments and literals.

/// The source with the content of comments and of string and character literals blanked; line breaks stay.
pub(super) fn code(source: &str) -> String {
    let mut rest = source;
    let mut code = String::with_capacity(source.len());
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest, code.chars().next_back());
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let (blank, after) = rest.split_at(length);
            code.extend(blank.chars().map(|character| if character == '\n' { '\n' } else { ' ' }));
            rest = after;
        }
    }
    code
}

/// The lines, from 1, on which the word occurs as code.
pub(super) fn lines_with(code: &str, word: &str) -> Vec<usize> {
    let holds = |line: &str| line.split(|it: char| !it.is_alphanumeric() && it != '_').any(|token| token == word);
    code.lines().enumerate().filter(|(_, line)| holds(line)).map(|(index, _)| index + 1).collect()
}

/// How many bytes of a comment or literal start here; 0 when code does.
fn skipped(rest: &str, before: Option<char>) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if let Some(text) = rest.strip_prefix('"') {
        return 1 + quoted(text, '"');
    }
    if rest.starts_with('\'') {
        return character(rest);
    }
    let inside_word = before.is_some_and(|it| it.is_alphanumeric() || it == '_');
    if inside_word { 0 } else { raw_string(rest) }
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// The length up to and with the closing quote.
fn quoted(text: &str, close: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == close => return at + close.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// A character literal, as opposed to a lifetime.
fn character(rest: &str) -> usize {
    let mut characters = rest[1..].chars();
    match (characters.next(), characters.next()) {
        (Some('\\'), _) => 1 + quoted(&rest[1..], '\''),
        (Some(only), Some('\'')) => 2 + only.len_utf8(),
        _ => 0,
    }
}

/// `r"…"`, `r#"…"#`, and the same with `b` or `c` in front.
fn raw_string(rest: &str) -> usize {
    let Some(after) = rest.strip_prefix("br").or_else(|| rest.strip_prefix("cr")).or_else(|| rest.strip_prefix('r'))
    else {
        return 0;
    };
    let hashes = after.bytes().take_while(|byte| *byte == b'#').count();
    let Some(content) = after[hashes..].strip_prefix('"') else { return 0 };
    let close = format!("\"{}", "#".repeat(hashes));
    let start = rest.len() - content.len();
    content.find(&close).map_or(rest.len(), |end| start + end + close.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_left() {
        for (source, expected) in [
            ("a // unsafe\nb", "a b"),
            ("a /* x /* unsafe */ y */ b", "a b"),
            ("f(\"unsafe \\\" unsafe\") g", "f( ) g"),
            ("r#\"unsafe \"\"# x", "x"),
            ("br\"\\\" x", "x"),
            ("'\"' unsafe '\\'' x<'a>(b: &'a u8)", "unsafe x<'a>(b: &'a u8)"),
            ("for r in r", "for r in r"),
            ("é \"é\" é", "é é"),
        ] {
            let blanked = code(source);
            let words: Vec<&str> = blanked.split_whitespace().collect();
            assert_eq!(words.join(" "), expected, "{source}");
            assert_eq!(blanked.chars().count(), source.chars().count());
            assert_eq!(blanked.lines().count(), source.lines().count());
        }
    }

    #[test]
    fn unfinished_literals_end_with_the_file() {
        for source in ["\"abc", "/* abc", "r##\"abc\"#", "'\\"] {
            assert!(code(source).trim().is_empty(), "{source}");
        }
    }

    #[test]
    fn words_are_whole() {
        assert_eq!(lines_with("unsafe_code\nunsafe {\n#[unsafe(no_mangle)]\n", "unsafe"), [2, 3]);
    }
}
