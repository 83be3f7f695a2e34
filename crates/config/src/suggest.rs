//! "Did you mean …?"

/// What other torifiers call our keys.
const ALIASES: &[(&str, &str)] = &[
    ("toraddress", "gateway"),
    ("ip", "gateway"),
    ("torport", "port"),
    ("isolatepid", "scope"),
    ("isolate", "scope"),
    ("isolation", "scope"),
    ("allowinbound", "inbound"),
    ("allowoutboundlocalhost", "allow_loopback"),
    ("timeout", "connect_timeout"),
];

/// The word that was probably meant.
pub(crate) fn closest<'a>(word: &str, words: &[&'a str]) -> Option<&'a str> {
    // No word of ours is that long, and the distance costs the product of the lengths.
    const LONGEST: usize = 40;
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    if let Some((_, ours)) = ALIASES.iter().find(|(alias, _)| *alias == word) {
        return words.iter().copied().find(|known| known == ours);
    }
    let near = words.iter().map(|known| (strsim::osa_distance(&word, known), *known));
    // One slip for a short word, one more for every four letters.
    let near = near.filter(|(distance, known)| *distance <= 1 + known.len() / 4);
    near.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn slips_find_their_word_and_strangers_none() {
        let words = ["enabled", "gateway", "port", "scope", "max_nested"];
        for (word, meant) in [
            ("gatway", Some("gateway")),
            ("GATEWAY", Some("gateway")),
            ("max-nested", Some("max_nested")),
            ("prot", Some("port")),
            ("TorAddress", Some("gateway")),
            ("enable", Some("enabled")),
            ("banana", None),
            ("timeout", None),
            ("", None),
        ] {
            assert_eq!(closest(word, &words), meant, "{word}");
        }
        assert_eq!(closest(&"gateway".repeat(100), &words), None);
    }
}
