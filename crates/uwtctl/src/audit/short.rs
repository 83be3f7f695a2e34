//! Texts that must fit.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// A text of at most so many columns: from the middle of a longer one something is left out.
pub(crate) fn short(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let left = columns.saturating_sub(1);
    let head = taken(text.chars(), left.div_ceil(2));
    let tail = taken(text.chars().rev(), left / 2);
    format!("{head}…{}", tail.chars().rev().collect::<String>())
}

/// As many characters as fit.
fn taken(letters: impl Iterator<Item = char>, columns: usize) -> String {
    let mut used = 0;
    let fitting = letters.take_while(|letter| {
        used += letter.width().unwrap_or_default();
        used <= columns
    });
    fitting.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_and_the_rest_loses_its_middle() {
        assert_eq!(short("curl", 4), "curl");
        assert_eq!(short("uwt-0123456789", 9), "uwt-…6789");
        assert_eq!(short("uwt-0123456789", 8), "uwt-…789");
        // Wide letters take two columns each.
        assert_eq!(short("語語語語", 5), "語…語");
        for columns in 1..20 {
            assert!(short("語a語b語c語d語e", columns).width() <= columns, "{columns}");
        }
    }
}
