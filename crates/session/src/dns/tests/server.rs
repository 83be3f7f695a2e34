//! Queries and responses of the server's side, byte for byte.

use std::format;
use std::vec::Vec;

use super::hex;
use crate::dns::{Answer, CLASS_IN, Edns, MAX_RESPONSE, Malformed, Query, TYPE_A, TooSmall, formerr, respond};

const QUESTION: &str = "07'Example' 03'com' 00 0001 0001";

fn plain() -> Vec<u8> {
    hex(&format!("abcd 0100 0001 0000 0000 0000 {QUESTION}"))
}

fn with_opt(opt: &str) -> Vec<u8> {
    hex(&format!("abcd 0100 0001 0000 0000 0001 {QUESTION} {opt}"))
}

fn answer(raw: &[u8], answer: Answer<'_>) -> Vec<u8> {
    let query = Query::parse(raw).unwrap();
    let mut out = [0xEE; MAX_RESPONSE];
    let length = respond(&query, raw, answer, &mut out).unwrap();
    out[..length].to_vec()
}

fn broken(message: &str) {
    let raw = hex(message);
    assert_eq!(Query::parse(&raw), Err(Malformed::Broken { id: 0xABCD }), "{message}");
    let mut out = [0; 12];
    assert_eq!(formerr(&raw, &mut out), Some(12), "{message}");
    assert_eq!(out[..2], [0xAB, 0xCD]);
    assert_eq!(out[2] & 0x80, 0x80);
    assert_eq!(out[3], 0x81);
    assert_eq!(out[4..], [0; 8]);
}

#[test]
fn a_plain_query() {
    let raw = plain();
    let query = Query::parse(&raw).unwrap();
    assert_eq!((query.id(), query.opcode(), query.recursion_desired()), (0xABCD, 0, true));
    assert_eq!((query.name(), query.qtype(), query.qclass()), ("example.com", TYPE_A, CLASS_IN));
    assert_eq!(raw[query.question()], hex(QUESTION));
    assert_eq!(query.edns(), None);
}

#[test]
fn opcode_and_flags() {
    let query = Query::parse(&hex(&format!("abcd 2800 0001 0000 0000 0000 {QUESTION}"))).unwrap();
    assert_eq!((query.opcode(), query.recursion_desired()), (5, false));
}

#[test]
fn the_root_has_a_name() {
    assert_eq!(Query::parse(&hex("abcd 0100 0001 0000 0000 0000 00 0002 0001")).unwrap().name(), ".");
}

#[test]
fn edns_is_seen() {
    let edns = |opt| Query::parse(&with_opt(opt)).unwrap().edns();
    let plain = Edns { udp_size: 4096, version: 0, dnssec_ok: false };
    assert_eq!(edns("00 0029 1000 00000000 0000"), Some(plain));
    assert_eq!(
        edns("00 0029 04d0 00018000 0004 000a 0000"),
        Some(Edns { udp_size: 1232, version: 1, dnssec_ok: true })
    );
    // Another additional record, with a compressed owner, is none of our business.
    assert_eq!(edns("c00c 0001 0001 00000000 0004 01020304"), None);
}

#[test]
fn what_is_broken_is_a_format_error() {
    broken("abcd");
    broken("abcd 01");
    broken("abcd 0100 0001 0000 0000 00");
    broken("abcd 0100 0000 0000 0000 0000");
    broken(&format!("abcd 0100 0000 0000 0000 0000 {QUESTION}"));
    broken(&format!("abcd 0100 0002 0000 0000 0000 {QUESTION} {QUESTION}"));
    broken(&format!("abcd 0100 0001 0000 0000 0000 {QUESTION} 00"));
    broken("abcd 0100 0001 0000 0000 0000 07'example' 03'com' 00 0001 00");
    broken("abcd 0100 0001 0000 0000 0000 07'example' 03'com'");
    // A record that is announced and missing, two OPTs, an OPT with an owner, an OPT among the answers.
    broken(&format!("abcd 0100 0001 0000 0000 0001 {QUESTION}"));
    broken(&format!("abcd 0100 0001 0000 0000 0002 {QUESTION} 00 0029 1000 00000000 0000 00 0029 1000 00000000 0000"));
    broken(&format!("abcd 0100 0001 0000 0000 0001 {QUESTION} c00c 0029 1000 00000000 0000"));
    broken(&format!("abcd 0100 0001 0001 0000 0000 {QUESTION} 00 0029 1000 00000000 0000"));
    broken(&format!("abcd 0100 0001 ffff ffff ffff {QUESTION}"));
}

#[test]
fn names_that_are_refused() {
    let question = |name: &str| broken(&format!("abcd 0100 0001 0000 0000 0000 {name} 0001 0001"));
    question("c00c");
    question("01'a' c00c");
    question("c000");
    question("40 00");
    question("80 00");
    question(&format!("40 {} 00", "61".repeat(64)));
    question("03'a' 00 'b' 00");
    question("03'a' 0a 'b' 00");
    question("03'a b' 00");
    question("03'a.b' 00");
    question("03'a' 5c 'b' 00");
    question("03'a' e4 'b' 00");
    question("03'a' 7f 'b' 00");
    // 255 bytes are a name, 256 are not.
    let label = format!("3f {}", "61".repeat(63));
    let longest = format!("{label} {label} {label} 3d {} 00", "61".repeat(61));
    let raw = hex(&format!("abcd 0100 0001 0000 0000 0000 {longest} 0001 0001"));
    assert_eq!(Query::parse(&raw).unwrap().name().len(), 253);
    question(&format!("{label} {label} {label} 3e {} 00", "61".repeat(62)));
    question(&format!("{} 00", "01'a'".repeat(200)));
}

#[test]
fn responses_and_stumps_get_no_answer() {
    let mut out = [0; MAX_RESPONSE];
    for raw in ["", "ab", "abcd 80", "abcd 8000", "abcd 8100 0001 0000 0000 0000 01'a' 00 0001 0001"] {
        assert_eq!(Query::parse(&hex(raw)), Err(Malformed::Unanswerable));
        assert_eq!(formerr(&hex(raw), &mut out), None);
    }
    assert_eq!(formerr(&hex("abcd 0100"), &mut out[..11]), None);
}

#[test]
fn format_errors_repeat_opcode_and_rd() {
    let mut out = [0; 12];
    assert_eq!(formerr(&hex("1234 7fff"), &mut out), Some(12));
    assert_eq!(out[..], hex("1234 f981 0000 0000 0000 0000"));
    assert_eq!(formerr(&hex("1234"), &mut out), Some(12));
    assert_eq!(out[..], hex("1234 8081 0000 0000 0000 0000"));
}

#[test]
fn addresses() {
    assert_eq!(
        answer(&plain(), Answer::A("127.192.0.1".parse().unwrap(), 60)),
        hex(&format!("abcd 8180 0001 0001 0000 0000 {QUESTION} c00c 0001 0001 0000003c 0004 7fc00001"))
    );
    assert_eq!(
        answer(&plain(), Answer::Aaaa("fd00::1".parse().unwrap(), u32::MAX)),
        hex(&format!(
            "abcd 8180 0001 0001 0000 0000 {QUESTION} c00c 001c 0001 7fffffff 0010 fd000000 00000000 00000000 00000001"
        ))
    );
}

#[test]
fn names_of_addresses() {
    let raw = hex("0001 0000 0001 0000 0000 0000 01'1' 07'in-addr' 04'arpa' 00 000c 0001");
    assert_eq!(
        answer(&raw, Answer::Ptr("Host.onion.", 1)),
        hex("0001 8080 0001 0001 0000 0000 01'1' 07'in-addr' 04'arpa' 00 000c 0001
             c00c 000c 0001 00000001 000c 04'host' 05'onion' 00")
    );
    assert_eq!(answer(&raw, Answer::Ptr("not a name", 1))[2..8], hex("8082 0001 0000"));
}

#[test]
fn answers_without_a_record() {
    for (given, flags) in [
        (Answer::NoData, "8180"),
        (Answer::FormErr, "8181"),
        (Answer::ServFail, "8182"),
        (Answer::NxDomain, "8183"),
        (Answer::NotImp, "8184"),
        (Answer::Refused, "8185"),
    ] {
        assert_eq!(answer(&plain(), given), hex(&format!("abcd {flags} 0001 0000 0000 0000 {QUESTION}")));
    }
}

#[test]
fn opcode_and_cd_are_repeated_others_not() {
    let raw = hex(&format!("abcd 7fff 0001 0000 0000 0000 {QUESTION}"));
    assert_eq!(answer(&raw, Answer::NotImp)[..4], hex("abcd f994"));
}

#[test]
fn opt_is_answered_with_opt() {
    assert_eq!(
        answer(&with_opt("00 0029 1000 00008000 0000"), Answer::A("1.2.3.4".parse().unwrap(), 1)),
        hex(&format!(
            "abcd 8180 0001 0001 0000 0001 {QUESTION} c00c 0001 0001 00000001 0004 01020304
             00 0029 04d0 00008000 0000"
        ))
    );
    // BADVERS instead of an answer.
    assert_eq!(
        answer(&with_opt("00 0029 1000 00010000 0000"), Answer::A("1.2.3.4".parse().unwrap(), 1)),
        hex(&format!("abcd 8180 0001 0000 0000 0001 {QUESTION} 00 0029 04d0 01000000 0000"))
    );
}

#[test]
fn a_buffer_too_small_is_said() {
    let raw = with_opt("00 0029 1000 00000000 0000");
    let query = Query::parse(&raw).unwrap();
    let given = Answer::A("1.2.3.4".parse().unwrap(), 1);
    let whole = answer(&raw, given).len();
    for length in 0..whole {
        let mut out = [0; MAX_RESPONSE];
        assert_eq!(respond(&query, &raw, given, &mut out[..length]), Err(TooSmall));
    }
    // Nor is a question made up when the message is not the query's.
    assert_eq!(respond(&query, &raw[..20], given, &mut [0; MAX_RESPONSE]), Err(TooSmall));
}

#[test]
fn the_longest_response_fits_exactly() {
    let label = "a".repeat(63);
    let longest = [&label[..], &label, &label, &label[2..]].join(".");
    let wire = format!("3f'{label}' 3f'{label}' 3f'{label}' 3d'{}' 00", &label[2..]);
    let raw = hex(&format!("abcd 0100 0001 0000 0000 0001 {wire} 000c 0001 00 0029 1000 00000000 0000"));
    assert_eq!(answer(&raw, Answer::Ptr(&longest, 1)).len(), MAX_RESPONSE);
}
