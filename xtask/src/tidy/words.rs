//! Words that say that something isn't finished.

use super::{Finding, Source};

/// Written in two halves, or this file would be its own first finding.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("to", "do!"), "write it, or leave it out"),
    (concat!("unim", "plemented!"), "write it, or leave it out"),
    (concat!("#[", "ignore"), "a test that isn't run proves nothing: fix it or delete it"),
    (concat!("FIX", "ME"), "fix it"),
    (concat!("XX", "X"), "fix it"),
];

/// Comments count too.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        for (word, advice) in FORBIDDEN {
            if line.match_indices(word).any(|(start, _)| stands_alone(line, start, word)) {
                findings.push(Finding::at(&source.path, index + 1, format!("`{word}`: {advice}")));
            }
        }
    }
    findings
}

/// The template of mkstemp is six of the letters; only a word of its own counts.
fn stands_alone(line: &str, start: usize, word: &str) -> bool {
    let part_of_word = |character: Option<char>| character.is_some_and(|it| it.is_alphanumeric() || it == '_');
    let ends_open = word.ends_with(|last: char| last.is_alphanumeric()) && !word.starts_with('#');
    let joined_before = part_of_word(line[..start].chars().next_back());
    let joined_after = ends_open && part_of_word(line[start + word.len()..].chars().next());
    !joined_before && !joined_after
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_with_its_line() {
        for (word, _) in FORBIDDEN {
            let source = Source { path: "a.rs".to_owned(), text: format!("fn a() {{}}\n    {word}(b)\n") };
            let findings = check(&source);
            assert_eq!(findings.len(), 1, "{word}");
            assert_eq!(findings[0].place, "a.rs:2");
        }
    }

    #[test]
    fn a_part_of_another_word_is_none() {
        let text = concat!("\"/tmp/aXX", "XXXX\" methodto", "do! aFIX", "MEb\n");
        assert_eq!(check(&Source { path: "a.rs".to_owned(), text: text.to_owned() }), []);
        let reason = format!("{} = \"slow\"]", concat!("#[", "ignore"));
        assert_eq!(check(&Source { path: "a.rs".to_owned(), text: reason }).len(), 1);
    }
}
