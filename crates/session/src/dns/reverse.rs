//! The names of addresses: in-addr.arpa (RFC 1035 §3.5) and ip6.arpa (RFC 3596 §2.5).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address whose reverse name this is, in any case, with or without a dot at the end. `None` for anything else, parts
/// of addresses (the name of a network) among it.
#[must_use]
pub fn parse_reverse(name: &str) -> Option<IpAddr> {
    // Bytes, because the searcher of `str::rsplit` brings a panic along.
    let name = name.as_bytes();
    let mut labels = name.strip_suffix(b".").unwrap_or(name).rsplit(|byte| *byte == b'.');
    if !is(labels.next()?, b"arpa") {
        return None;
    }
    let zone = labels.next()?;
    let addr = if is(zone, b"in-addr") {
        let mut octets = [0; 4];
        for octet in &mut octets {
            *octet = parse_decimal(labels.next()?)?;
        }
        IpAddr::V4(Ipv4Addr::from_octets(octets))
    } else if is(zone, b"ip6") {
        let mut octets = [0; 16];
        for octet in &mut octets {
            let high = parse_hex(labels.next()?)?;
            *octet = high << 4 | parse_hex(labels.next()?)?;
        }
        IpAddr::V6(Ipv6Addr::from_octets(octets))
    } else {
        return None;
    };
    labels.next().is_none().then_some(addr)
}

/// Out of line, because it is small only once.
#[inline(never)]
fn is(label: &[u8], text: &[u8]) -> bool {
    label.eq_ignore_ascii_case(text)
}

/// One to three digits, without a sign or leading zeros, which others may read as octal.
fn parse_decimal(label: &[u8]) -> Option<u8> {
    match label {
        [b'0', _, ..] | [] => None,
        digits => digits.iter().try_fold(0_u8, |value, digit| {
            let digit = char::from(*digit).to_digit(10)?;
            value.checked_mul(10)?.checked_add(u8::try_from(digit).ok()?)
        }),
    }
}

#[inline(never)]
fn parse_hex(label: &[u8]) -> Option<u8> {
    match label {
        [digit] => u8::try_from(char::from(*digit).to_digit(16)?).ok(),
        _ => None,
    }
}
