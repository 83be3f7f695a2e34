//! Literal messages; `properties` has the round trips and garbage, `differential` the comparison with hickory.

mod client;
mod differential;
mod properties;
mod server;

use std::vec::Vec;

/// Bytes from hex digits; `'text'` stands for itself, everything else separates.
fn hex(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, part) in text.split('\'').enumerate() {
        if index % 2 == 1 {
            bytes.extend(part.as_bytes());
            continue;
        }
        let digits: Vec<u32> = part.chars().filter_map(|digit| digit.to_digit(16)).collect();
        assert!(digits.len().is_multiple_of(2), "odd hex: {part}");
        bytes.extend(digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()));
    }
    bytes
}
