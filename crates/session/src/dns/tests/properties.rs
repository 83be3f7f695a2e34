//! Round trips between our two sides, and garbage.

use std::format;
use std::net::IpAddr;
use std::string::{String, ToString as _};
use std::vec::Vec;

use hickory_proto::rr::Name as TheirName;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::dns::{
    Answer, MAX_QUERY, MAX_RESPONSE, Malformed, Name, Query, Record, Response, TYPE_A, TYPE_AAAA, TYPE_PTR, formerr,
    parse_response, parse_reverse, respond, write_query,
};

pub(super) fn name() -> impl Strategy<Value = String> {
    vec("[a-zA-Z0-9_!~-]{1,63}", 1..5)
        .prop_map(|labels| labels.join("."))
        .prop_filter("at most 253 bytes", |name| name.len() <= 253)
}

fn query(id: u16, name: &str, qtype: u16) -> Vec<u8> {
    let mut out = [0; MAX_QUERY];
    let length = write_query(&mut out, id, name, qtype).unwrap();
    out[..length].to_vec()
}

/// The name under which the name of an address is looked up, as hickory has it.
fn reverse_name(addr: IpAddr) -> String {
    let mut name = TheirName::from(addr).to_lowercase();
    name.set_fqdn(false);
    name.to_string()
}

/// Bytes that look like DNS more often than chance would.
fn near_dns() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![4 => select(&[0, 1, 2, 3, 5, 12, 41, 0xC0, b'a'][..]), 1 => any::<u8>()], 0..300)
}

fn garbage() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..600), near_dns()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn our_server_understands_our_client(id: u16, name in name(), qtype: u16) {
        let raw = query(id, &name, qtype);
        let parsed = Query::parse(&raw).unwrap();
        prop_assert_eq!((parsed.id(), parsed.qtype(), parsed.opcode()), (id, qtype, 0));
        prop_assert_eq!(parsed.name(), name.to_ascii_lowercase());
        prop_assert_eq!(parsed.question(), 12..raw.len());
    }

    #[test]
    fn our_client_understands_our_server(id: u16, name in name(), addr: IpAddr, target in name(), ttl: u32) {
        let exchange = |qtype, answer: Answer<'_>| {
            let raw = query(id, &name, qtype);
            let mut out = [0; MAX_RESPONSE];
            let length = respond(&Query::parse(&raw).unwrap(), &raw, answer, &mut out).unwrap();
            parse_response(&out[..length], id, &name, qtype)
        };
        let expected = |record| Ok(Response::Found { record, ttl: ttl.min(0x7FFF_FFFF) });
        match addr {
            IpAddr::V4(addr) => prop_assert_eq!(exchange(TYPE_A, Answer::A(addr, ttl)), expected(Record::A(addr))),
            IpAddr::V6(addr) => {
                prop_assert_eq!(exchange(TYPE_AAAA, Answer::Aaaa(addr, ttl)), expected(Record::Aaaa(addr)));
            }
        }
        let ptr = Record::Ptr(Name::parse(&target).unwrap());
        prop_assert_eq!(exchange(TYPE_PTR, Answer::Ptr(&target, ttl)), expected(ptr));
        for (answer, response) in [
            (Answer::NoData, Response::NoData),
            (Answer::NxDomain, Response::NxDomain),
            (Answer::FormErr, Response::Failed(1)),
            (Answer::ServFail, Response::Failed(2)),
            (Answer::NotImp, Response::Failed(4)),
            (Answer::Refused, Response::Failed(5)),
        ] {
            prop_assert_eq!(exchange(TYPE_A, answer), Ok(response));
        }
    }

    #[test]
    fn reverse_names(addr: IpAddr) {
        let name = reverse_name(addr);
        prop_assert_eq!(parse_reverse(&name), Some(addr));
        prop_assert_eq!(parse_reverse(&format!("{}.", name.to_ascii_uppercase())), Some(addr));
        prop_assert_eq!(parse_reverse(&format!("0.{name}")), None);
        prop_assert_eq!(parse_reverse(name.split_once('.').unwrap().1), None);
        prop_assert!(query(1, &name, TYPE_PTR).len() <= MAX_QUERY);
    }

    #[test]
    fn garbage_is_answered_or_not_but_never_a_panic(raw in garbage()) {
        let mut out = [0; MAX_RESPONSE];
        let answered = match Query::parse(&raw) {
            Ok(query) => respond(&query, &raw, Answer::Ptr("a.b", 1), &mut out).ok(),
            Err(Malformed::Broken { .. }) => formerr(&raw, &mut out),
            Err(Malformed::Unanswerable) => {
                prop_assert_eq!(formerr(&raw, &mut out), None);
                return Ok(());
            }
        };
        let length = answered.expect("every query gets an answer");
        prop_assert_eq!(&out[..2], &raw[..2]);
        prop_assert_eq!(out[2] & 0x80, 0x80);
        // An answer is no query: two servers cannot play ball.
        prop_assert_eq!(Query::parse(&out[..length]), Err(Malformed::Unanswerable));
    }

    #[test]
    fn garbage_behind_a_good_header(tail in garbage(), qtype in select(&[TYPE_A, TYPE_AAAA, TYPE_PTR][..])) {
        let mut raw = query(7, "a.b", qtype);
        raw[2] |= 0x80;
        raw[7] = 3;
        raw.extend(&tail);
        if let Ok(Response::Found { record, .. }) = parse_response(&raw, 7, "a.b", qtype) {
            let fits = match record {
                Record::A(_) => qtype == TYPE_A,
                Record::Aaaa(_) => qtype == TYPE_AAAA,
                Record::Ptr(_) => qtype == TYPE_PTR,
            };
            prop_assert!(fits);
        }
    }

    #[test]
    fn cut_messages_are_never_taken(name in name(), cut in any::<Index>()) {
        let raw = query(7, &name, TYPE_A);
        let cut_query = &raw[..cut.index(raw.len())];
        prop_assert!(Query::parse(cut_query).is_err());
        let mut out = [0; MAX_RESPONSE];
        let answer = Answer::A("192.0.2.1".parse().unwrap(), 1);
        let length = respond(&Query::parse(&raw).unwrap(), &raw, answer, &mut out).unwrap();
        prop_assert!(parse_response(&out[..cut.index(length)], 7, &name, TYPE_A).is_err());
    }

    #[test]
    fn corrupted_responses(name in name(), at in any::<Index>(), byte: u8) {
        let raw = query(7, &name, TYPE_PTR);
        let mut out = [0; MAX_RESPONSE];
        let length = respond(&Query::parse(&raw).unwrap(), &raw, Answer::Ptr(&name, 1), &mut out).unwrap();
        let at = at.index(length);
        let changed = out[at] != byte;
        out[at] = byte;
        // Whatever it says then, it is about our question.
        let parsed = parse_response(&out[..length], 7, &name, TYPE_PTR);
        if parsed.is_ok() {
            prop_assert!(at >= 2 || !changed);
            let asked = Query::parse(&raw).unwrap().question();
            prop_assert!(out[asked.clone()].eq_ignore_ascii_case(&raw[asked]) || parsed.is_ok_and(|r| matches!(r, Response::Failed(_))));
        }
    }

    #[test]
    fn texts_that_are_no_reverse_names(text in "([0-9a-f]{1,3}\\.){0,6}(in-addr|ip6)?\\.?(arpa)?\\.?") {
        if let Some(addr) = parse_reverse(&text) {
            prop_assert_eq!(reverse_name(addr), text.strip_suffix('.').unwrap_or(&text));
        }
    }
}

#[test]
fn reverse_names_as_in_the_rfcs() {
    for (name, address) in [
        ("52.0.2.10.in-addr.arpa", "10.2.0.52"),
        ("b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa", "4321:0:1:2:3:4:567:89ab"),
    ] {
        assert_eq!(parse_reverse(name), address.parse().ok(), "{name}");
    }
    for text in
        ["", ".", "arpa", "in-addr.arpa", "1.2.3.in-addr.arpa", "256.1.1.1.in-addr.arpa", "01.1.1.1.in-addr.arpa"]
    {
        assert_eq!(parse_reverse(text), None, "{text}");
    }
    for text in [
        "+1.1.1.1.in-addr.arpa",
        "1..1.1.in-addr.arpa",
        "1.1.1.1.in-addr.arpa..",
        "1.1.1.1.ip6.arpa",
        "1.1.1.1.in-addr.com",
    ] {
        assert_eq!(parse_reverse(text), None, "{text}");
    }
}
