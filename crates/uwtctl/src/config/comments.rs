//! The comments of an old file, and where they belong in the new one.

use std::ops::RangeInclusive;

/// The comments of a file by their lines, which are counted from 1.
#[derive(Debug)]
pub(super) struct Comments<'a> {
    lines: Vec<&'a str>,
    /// What is about the whole file: the comment that it begins with, if an empty line follows.
    head: Option<RangeInclusive<usize>>,
    /// The other ones, each as long as nothing else is in between.
    blocks: Vec<RangeInclusive<usize>>,
}

impl<'a> Comments<'a> {
    /// Those of a file's lines.
    pub(super) fn of(lines: &[&'a str]) -> Self {
        let mut blocks: Vec<RangeInclusive<usize>> = Vec::new();
        for (number, _) in (1..).zip(lines).filter(|(_, line)| line.trim_start().starts_with('#')) {
            match blocks.last_mut() {
                Some(block) if block.end() + 1 == number => *block = *block.start()..=number,
                _ => blocks.push(number..=number),
            }
        }
        let is_blank = |number: usize| lines.get(number - 1).is_none_or(|line| line.trim().is_empty());
        let is_head = |block: &RangeInclusive<usize>| (1..*block.start()).all(is_blank) && is_blank(block.end() + 1);
        let head = blocks.first().filter(|block| is_head(block)).cloned();
        let blocks = blocks.into_iter().filter(|block| Some(block) != head.as_ref()).collect();
        Self { lines: lines.to_vec(), head, blocks }
    }

    /// The lines of the comment about the whole file.
    pub(super) fn head(&self) -> &[&'a str] {
        self.text(self.head.as_ref())
    }

    /// The lines of the comment directly above a line.
    pub(super) fn above(&self, line: usize) -> &[&'a str] {
        self.text(self.blocks.iter().find(|block| block.end() + 1 == line))
    }

    /// The comments that are neither the head nor above one of these lines.
    pub(super) fn others(&self, used: &[usize]) -> impl Iterator<Item = &RangeInclusive<usize>> {
        self.blocks.iter().filter(|block| !used.contains(&(block.end() + 1)))
    }

    fn text(&self, block: Option<&RangeInclusive<usize>>) -> &[&'a str] {
        block.and_then(|block| self.lines.get(block.start() - 1..*block.end())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<&str> {
        text.split('\n').collect()
    }

    #[test]
    fn comments_belong_to_the_line_below() {
        let text = "\n# a\n#b\n\n# c\n \t# d\nset\n# e\n\n# f\nset\n# g";
        let lines = lines(text);
        let comments = Comments::of(&lines);
        assert_eq!(comments.head(), ["# a", "#b"]);
        assert_eq!((comments.above(7), comments.above(11)), (&["# c", " \t# d"][..], &["# f"][..]));
        assert_eq!(comments.above(4), [""; 0], "nobody's twice");
        assert_eq!(comments.others(&[7]).cloned().collect::<Vec<_>>(), [8..=8, 10..=10, 12..=12]);
    }

    #[test]
    fn a_comment_above_the_first_line_is_that_lines() {
        for (text, head) in [("# a\nset\n", &[][..]), ("# a", &["# a"]), ("set\n# a\n\n", &[]), ("", &[])] {
            let lines = lines(text);
            assert_eq!(Comments::of(&lines).head(), head, "{text:?}");
        }
        assert_eq!(Comments::of(&["# a", "set"]).above(2), ["# a"]);
    }
}
