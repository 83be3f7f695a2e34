//! Both our sides against hickory, an independent DNS implementation.

use std::net::{IpAddr, Ipv4Addr};
use std::vec::Vec;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query as Question, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, PTR};
use hickory_proto::rr::{Name as TheirName, RData, Record as TheirRecord, RecordType};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::properties::name;
use crate::dns::{
    Answer, BadResponse, CLASS_IN, MAX_QUERY, MAX_RESPONSE, Name, Query, Record, Response, TYPE_A, TYPE_AAAA, TYPE_PTR,
    parse_response, respond, write_query,
};

fn theirs(name: &str) -> TheirName {
    // Not from text, which has escapes of its own.
    let mut name = TheirName::from_labels(name.split('.').map(str::as_bytes)).unwrap();
    name.set_fqdn(true);
    name
}

fn their_query(id: u16, name: &str, rtype: RecordType, edns: bool) -> Vec<u8> {
    let mut message = Message::new();
    message.set_id(id).set_message_type(MessageType::Query).set_op_code(OpCode::Query).set_recursion_desired(true);
    message.add_query(Question::query(theirs(name), rtype));
    if edns {
        let mut edns = Edns::new();
        edns.set_max_payload(1400).set_dnssec_ok(true);
        message.set_edns(edns);
    }
    message.to_vec().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn they_read_our_queries(id: u16, name in name()) {
        let mut out = [0; MAX_QUERY];
        let length = write_query(&mut out, id, &name, TYPE_AAAA).unwrap();
        let message = Message::from_vec(&out[..length]).unwrap();
        prop_assert_eq!(message.id(), id);
        prop_assert!(message.recursion_desired());
        prop_assert_eq!(message.queries(), &[Question::query(theirs(&name.to_ascii_lowercase()), RecordType::AAAA)]);
    }

    #[test]
    fn we_read_their_queries(id: u16, name in name(), edns: bool) {
        let raw = their_query(id, &name, RecordType::PTR, edns);
        let query = Query::parse(&raw).unwrap();
        prop_assert_eq!((query.id(), query.opcode(), query.recursion_desired()), (id, 0, true));
        prop_assert_eq!(query.name(), name.to_ascii_lowercase());
        prop_assert_eq!((query.qtype(), query.qclass()), (TYPE_PTR, CLASS_IN));
        prop_assert_eq!(query.edns().map(|edns| (edns.udp_size, edns.version, edns.dnssec_ok)), edns.then_some((1400, 0, true)));
    }

    #[test]
    fn they_read_our_responses(id: u16, name in name(), addr: IpAddr, target in name(), edns: bool, ttl in 0..0x8000_0000_u32) {
        let (rtype, address) = match addr {
            IpAddr::V4(addr) => (RecordType::A, Answer::A(addr, ttl)),
            IpAddr::V6(addr) => (RecordType::AAAA, Answer::Aaaa(addr, ttl)),
        };
        let rdata = match addr {
            IpAddr::V4(addr) => RData::A(A(addr)),
            IpAddr::V6(addr) => RData::AAAA(AAAA(addr)),
        };
        let target_rdata = RData::PTR(PTR(theirs(&target.to_ascii_lowercase())));
        for (rtype, answer, code, rdata) in [
            (rtype, address, ResponseCode::NoError, Some(rdata)),
            (RecordType::PTR, Answer::Ptr(&target, ttl), ResponseCode::NoError, Some(target_rdata)),
            (RecordType::MX, Answer::NoData, ResponseCode::NoError, None),
            (RecordType::TXT, Answer::NxDomain, ResponseCode::NXDomain, None),
            (RecordType::A, Answer::ServFail, ResponseCode::ServFail, None),
            (RecordType::A, Answer::NotImp, ResponseCode::NotImp, None),
            (RecordType::A, Answer::Refused, ResponseCode::Refused, None),
            (RecordType::A, Answer::FormErr, ResponseCode::FormErr, None),
        ] {
            let raw = their_query(id, &name, rtype, edns);
            let mut out = [0; MAX_RESPONSE];
            let length = respond(&Query::parse(&raw).unwrap(), &raw, answer, &mut out).unwrap();
            let message = Message::from_vec(&out[..length]).unwrap();
            prop_assert_eq!(message.id(), id);
            prop_assert_eq!(message.message_type(), MessageType::Response);
            prop_assert!(message.recursion_desired() && message.recursion_available());
            prop_assert!(!message.truncated() && !message.authoritative());
            prop_assert_eq!(message.response_code(), code);
            // Case and all.
            prop_assert!(message.queries()[0].name().eq_case(&theirs(&name)));
            prop_assert_eq!(message.extensions().is_some(), edns);
            let expected: Vec<_> = rdata.map(|rdata| TheirRecord::from_rdata(theirs(&name), ttl, rdata)).into_iter().collect();
            prop_assert_eq!(message.answers(), &expected[..]);
        }
    }

    #[test]
    fn we_read_their_responses(
        id: u16,
        names in proptest::collection::vec(name(), 1..6),
        addr: IpAddr,
        target in name(),
        backwards: bool,
    ) {
        let (rtype, qtype, rdata, record) = match addr {
            IpAddr::V4(addr) if addr.octets()[3] & 1 == 0 => (
                RecordType::PTR,
                TYPE_PTR,
                RData::PTR(PTR(theirs(&target))),
                Record::Ptr(Name::parse(&target).unwrap()),
            ),
            IpAddr::V4(addr) => (RecordType::A, TYPE_A, RData::A(A(addr)), Record::A(addr)),
            IpAddr::V6(addr) => (RecordType::AAAA, TYPE_AAAA, RData::AAAA(AAAA(addr)), Record::Aaaa(addr)),
        };
        // A chain of aliases to the last name; a name that came twice would be a loop.
        let mut names = names;
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.to_ascii_lowercase()));
        let mut records: Vec<_> = names
            .windows(2)
            .map(|pair| TheirRecord::from_rdata(theirs(&pair[0]), 300, RData::CNAME(CNAME(theirs(&pair[1])))))
            .collect();
        records.push(TheirRecord::from_rdata(theirs(names.last().unwrap()), 300, rdata));
        if backwards {
            records.reverse();
        }
        let mut message = Message::new();
        message.set_id(id).set_message_type(MessageType::Response).set_op_code(OpCode::Query);
        message.add_query(Question::query(theirs(&names[0]), rtype));
        message.add_answers(records);
        let raw = message.to_vec().unwrap();
        prop_assert_eq!(parse_response(&raw, id, &names[0], qtype), Ok(Response::Found { record, ttl: 300 }));
        prop_assert_eq!(parse_response(&raw, id.wrapping_add(1), &names[0], qtype), Err(BadResponse::NotOurs));
    }

    /// What we take as a query after a byte of it changed they can read too, and read the same.
    #[test]
    fn we_take_nothing_they_refuse(id: u16, name in name(), edns: bool, at in any::<Index>(), byte in near_dns_byte()) {
        let mut raw = their_query(id, &name, RecordType::A, edns);
        let at = at.index(raw.len());
        raw[at] = byte;
        if let Ok(query) = Query::parse(&raw) {
            let read = Message::from_vec(&raw).unwrap();
            let asked = &read.queries()[0];
            prop_assert_eq!(read.id(), query.id());
            prop_assert_eq!(u8::from(read.op_code()), query.opcode());
            prop_assert_eq!(u16::from(asked.query_type()), query.qtype());
            prop_assert_eq!(u16::from(asked.query_class()), query.qclass());
            let labels: Vec<&[u8]> = asked.name().iter().collect();
            prop_assert_eq!(labels.join(&b'.').to_ascii_lowercase(), query.name().trim_start_matches('.').as_bytes());
            prop_assert_eq!(read.extensions().is_some(), query.edns().is_some());
            let mut out = [0; MAX_RESPONSE];
            let length = respond(&query, &raw, Answer::A(Ipv4Addr::LOCALHOST, 1), &mut out).unwrap();
            prop_assert!(Message::from_vec(&out[..length]).is_ok());
        }
    }

    /// What we take as a response after a byte of it changed has the answer they read.
    #[test]
    fn we_find_nothing_they_do_not(name in name(), target in name(), at in any::<Index>(), byte in near_dns_byte()) {
        let mut message = Message::new();
        message.set_id(7).set_message_type(MessageType::Response).set_op_code(OpCode::Query);
        message.add_query(Question::query(theirs(&name), RecordType::A));
        message.add_answer(TheirRecord::from_rdata(theirs(&name), 300, RData::CNAME(CNAME(theirs(&target)))));
        message.add_answer(TheirRecord::from_rdata(theirs(&target), 300, RData::A(A(Ipv4Addr::LOCALHOST))));
        let mut raw = message.to_vec().unwrap();
        let at = at.index(raw.len());
        raw[at] = byte;
        if let Ok(Response::Found { record: Record::A(addr), .. }) = parse_response(&raw, 7, &name, TYPE_A) {
            let read = Message::from_vec(&raw).unwrap();
            prop_assert!(read.answers().iter().any(|record| record.data() == &RData::A(A(addr))));
        }
    }
}

/// Bytes that mean something in many places of a message.
fn near_dns_byte() -> impl Strategy<Value = u8> {
    prop_oneof![select(&[0, 1, 2, 3, 5, 12, 41, 0x3F, 0x40, 0x80, 0xC0, b'A'][..]), any::<u8>()]
}
