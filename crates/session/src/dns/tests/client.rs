//! Queries and responses of the client's side, byte for byte.

use std::format;
use std::string::ToString;
use std::vec::Vec;

use super::hex;
use crate::dns::{
    BadName, BadResponse, MAX_QUERY, Name, Record, Response, TYPE_A, TYPE_AAAA, TYPE_CNAME, TYPE_PTR, parse_response,
    write_query,
};

const ASKED: &str = "03'www' 01'e' 00 0001 0001";

fn response(counts: &str, records: &str) -> Vec<u8> {
    hex(&format!("1234 8180 {counts} {ASKED} {records}"))
}

fn parse(message: &[u8]) -> Result<Response, BadResponse> {
    parse_response(message, 0x1234, "WWW.E.", TYPE_A)
}

fn found(addr: &str, ttl: u32) -> Response {
    Response::Found { record: Record::A(addr.parse().unwrap()), ttl }
}

#[test]
fn queries() {
    let mut out = [0; MAX_QUERY];
    let length = write_query(&mut out, 0x1234, "Www.e", TYPE_AAAA).unwrap();
    assert_eq!(out[..length], hex("1234 0100 0001 0000 0000 0000 03'www' 01'e' 00 001c 0001"));
    let label = "a".repeat(63);
    let longest = [&label[..], &label, &label, &label[2..]].join(".");
    assert_eq!(write_query(&mut out, 1, &longest, TYPE_A), Ok(MAX_QUERY));
    assert_eq!(write_query(&mut out, 1, &format!("{longest}a"), TYPE_A), Err(BadName::TooLong));
    assert_eq!(write_query(&mut out, 1, "", TYPE_A), Err(BadName::EmptyLabel));
}

#[test]
fn an_address() {
    let message = response("0001 0001 0000 0000", "c00c 0001 0001 0000003c 0004 c0000201");
    assert_eq!(parse(&message), Ok(found("192.0.2.1", 60)));
}

#[test]
fn aliases_are_followed_in_any_order() {
    // www.e → cdn.e → 192.0.2.9, last things first, the lifetime is the shortest.
    let records = "03'cdn' c010 0001 0001 00000064 0004 c0000209   c00c 0005 0001 00000005 0006 03'CDN' c010";
    assert_eq!(parse(&response("0001 0002 0000 0000", records)), Ok(found("192.0.2.9", 5)));
    // As servers write it: the alias in its own place, and a pointer to it that leads on to a pointer.
    let records = "c00c 0005 0001 00000005 0006 03'cdn' c010   c023 0001 0001 00000064 0004 c0000209";
    assert_eq!(parse(&response("0001 0002 0000 0000", records)), Ok(found("192.0.2.9", 5)));
    // Another host's address does not count, nor does another class.
    let records = "01'x' 00 0001 0001 00000064 0004 c0000209   c00c 0001 0003 00000005 0004 c0000209";
    assert_eq!(parse(&response("0001 0002 0000 0000", records)), Ok(Response::NoData));
}

#[test]
fn names_of_addresses_come_compressed() {
    let message = hex("0007 8180 0001 0001 0000 0000 01'1' 03'ip6' 04'arpa' 00 000c 0001
                       c00c 000c 0001 80000000 0004 01'H' c00e");
    let record = Record::Ptr(Name::parse("h.ip6.arpa").unwrap());
    assert_eq!(parse_response(&message, 7, "1.ip6.arpa", TYPE_PTR), Ok(Response::Found { record, ttl: 0 }));
}

#[test]
fn alias_loops_end() {
    let records = "c00c 0005 0001 00000005 0002 c00c";
    assert_eq!(parse(&response("0001 0001 0000 0000", records)), Err(BadResponse::Malformed));
    let records = "c00c 0005 0001 00000005 0003 01'a' 00   01'a' 00 0005 0001 00000005 0002 c00c";
    assert_eq!(parse(&response("0001 0002 0000 0000", records)), Err(BadResponse::Malformed));
}

#[test]
fn pointer_loops_end() {
    // To itself, to a later place, to each other, past the end.
    for owner in ["c017", "c019", "c0ff", "01'a' c017", "ffff"] {
        let message = response("0001 0001 0000 0000", &format!("{owner} 0001 0001 00000001 0004 c0000201"));
        assert_eq!(parse(&message), Err(BadResponse::Malformed), "{owner}");
    }
}

#[test]
fn aliases_without_an_address() {
    let records = "c00c 0005 0001 00000005 0003 01'a' 00";
    assert_eq!(parse(&response("0001 0001 0000 0000", records)), Ok(Response::NoData));
}

#[test]
fn other_codes() {
    let with_code = |flags: &str| parse(&hex(&format!("1234 {flags} 0001 0000 0000 0000 {ASKED}")));
    assert_eq!(with_code("8180"), Ok(Response::NoData));
    assert_eq!(with_code("8182"), Ok(Response::Failed(2)));
    assert_eq!(with_code("8183"), Ok(Response::NxDomain));
    assert_eq!(with_code("8185"), Ok(Response::Failed(5)));
    assert_eq!(with_code("8380"), Err(BadResponse::Truncated));
    assert_eq!(parse(&hex("1234 8181 0000 0000 0000 0000")), Ok(Response::Failed(1)));
}

#[test]
fn strangers_messages_are_not_ours() {
    for message in [
        "12".to_string(),
        "1234 8180 0001".into(),
        format!("1235 8180 0001 0000 0000 0000 {ASKED}"),
        format!("1234 0100 0001 0000 0000 0000 {ASKED}"),
        format!("1234 a180 0001 0000 0000 0000 {ASKED}"),
        "1234 8180 0000 0000 0000 0000".into(),
        "1234 8183 0000 0000 0000 0000".into(),
        "1234 8180 0001 0000 0000 0000 03'www' 01'f' 00 0001 0001".into(),
        "1234 8180 0001 0000 0000 0000 03'www' 01'e' 00 001c 0001".into(),
        "1234 8180 0001 0000 0000 0000 03'www' 01'e' 00 0001 0003".into(),
    ] {
        assert_eq!(parse(&hex(&message)), Err(BadResponse::NotOurs), "{message}");
    }
}

#[test]
fn broken_records_spoil_the_message() {
    for records in [
        "",
        "c00c 0001 0001 00000001 0004 c00002",
        "c00c 0001 0001 00000001 0003 c00002",
        "c00c 0001 0001 00000001 0005 c000020100",
        "c00c 0005 0001 00000001 0004 01'a' 00 00",
    ] {
        assert_eq!(parse(&response("0001 0001 0000 0000", records)), Err(BadResponse::Malformed), "{records}");
    }
}

#[test]
fn other_sections_are_read_to_the_end() {
    let soa = "00 0006 0001 00000001 0000";
    let opt = "00 0029 04d0 00000000 0000";
    let address = "c00c 0001 0001 0000003c 0004 c0000201";
    let whole = format!("{address} {soa} {opt}");
    assert_eq!(parse(&response("0001 0001 0001 0001", &whole)), Ok(found("192.0.2.1", 60)));
    for counts in ["0001 0001 0001 0000", "0001 0001 0000 0001", "0001 0001 0001 0002", "0001 0001 ffff ffff"] {
        assert_eq!(parse(&response(counts, &whole)), Err(BadResponse::Malformed), "{counts}");
    }
    // An answer in another section is none.
    assert_eq!(parse(&response("0001 0000 0001 0000", address)), Ok(Response::NoData));
}

#[test]
fn types_without_content_find_nothing() {
    let message = hex("1234 8180 0001 0001 0000 0000 01'e' 00 0005 0001 c00c 0005 0001 00000005 0003 01'a' 00");
    assert_eq!(parse_response(&message, 0x1234, "e", TYPE_CNAME), Ok(Response::NoData));
}
