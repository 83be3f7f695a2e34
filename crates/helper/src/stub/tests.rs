//! Asked and read with hickory, an independent DNS implementation.

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query as Question, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, RecordType};
use uwt_policy::is_reserved;
use uwt_session::{Credential, Session};

use super::*;
use crate::tests::{GUARD, Gateway, run};

/// What Tor answers to a lookup, behind the method and the accepted credential.
const HEAD: &[u8] = b"\x05\x02\x01\x00\x05\x00\x00";

fn message(name: &str, kind: RecordType) -> Message {
    let mut name = Name::from_labels(name.split('.').filter(|label| !label.is_empty()).map(str::as_bytes)).unwrap();
    name.set_fqdn(true);
    let mut message = Message::new();
    message.set_id(0x1234).set_message_type(MessageType::Query).set_op_code(OpCode::Query).set_recursion_desired(true);
    message.add_query(Question::query(name, kind));
    message
}

/// A process of this session, in its tree.
struct World {
    shared: Shared,
    process: Process,
}

impl World {
    fn new(session: &'static Session<'static>) -> Self {
        Self { shared: Shared::new(GUARD, session), process: Process { pid: std::process::id(), start: 1, session } }
    }

    /// In the mode `resolve`, at a gateway that gives this answer.
    async fn resolving(answer: &[u8]) -> (Self, Gateway) {
        let gateway = Gateway::answering(&[&[HEAD, answer].concat()]).await;
        (Self::new(gateway.session(|session| session.dns = DnsMode::Resolve)), gateway)
    }

    async fn send(&self, message: &Message) -> Message {
        let raw = message.to_vec().unwrap();
        let response = answer(&raw, Some(&self.process), &self.shared).await.unwrap();
        Message::from_vec(&response).unwrap()
    }

    /// The code and the record of a response.
    async fn ask(&self, name: &str, kind: RecordType) -> (ResponseCode, Option<RData>) {
        let query = message(name, kind);
        let response = self.send(&query).await;
        assert_eq!((response.id(), response.message_type()), (0x1234, MessageType::Response));
        assert!(response.recursion_available() && !response.truncated());
        assert_eq!(response.queries(), query.queries());
        assert!(response.answers().len() <= 1);
        let record = response.answers().first().map(|record| {
            assert_eq!((record.name(), record.ttl()), (query.queries()[0].name(), TTL));
            record.data().clone()
        });
        (response.response_code(), record)
    }

    async fn address(&self, name: &str) -> Ipv4Addr {
        match self.ask(name, RecordType::A).await {
            (ResponseCode::NoError, Some(RData::A(address))) => address.0,
            other => panic!("{name}: {other:?}"),
        }
    }
}

fn a(text: &str) -> (ResponseCode, Option<RData>) {
    (ResponseCode::NoError, Some(RData::A(text.parse().unwrap())))
}

fn aaaa(text: &str) -> (ResponseCode, Option<RData>) {
    (ResponseCode::NoError, Some(RData::AAAA(text.parse().unwrap())))
}

fn ptr(text: &str) -> (ResponseCode, Option<RData>) {
    (ResponseCode::NoError, Some(RData::PTR(hickory_proto::rr::rdata::PTR(Name::from_ascii(text).unwrap()))))
}

const NO_DATA: (ResponseCode, Option<RData>) = (ResponseCode::NoError, None);
const NO_NAME: (ResponseCode, Option<RData>) = (ResponseCode::NXDomain, None);
const FAILED: (ResponseCode, Option<RData>) = (ResponseCode::ServFail, None);

/// The name under which an address is asked for.
fn reverse(address: &str) -> String {
    Name::from(address.parse::<IpAddr>().unwrap()).to_string()
}

#[test]
fn a_name_gets_a_reserved_address_and_the_address_its_name() {
    run(async {
        let world = World::new(crate::tests::session());
        let address = world.address("a.example").await;
        assert!(is_reserved(address.into()));
        assert_eq!(world.address("A.EXAMPLE").await, address);
        assert_ne!(world.address("b.example").await, address);
        assert_eq!(world.shared.names.name(address).unwrap().as_str(), "a.example");
        assert_eq!(world.ask("a.example", RecordType::ANY).await, a(&address.to_string()));
        for own in [address.to_string(), format!("::ffff:{address}")] {
            assert_eq!(world.ask(&reverse(&own), RecordType::PTR).await, ptr("a.example."));
        }
        assert_eq!(world.ask(&reverse("127.192.0.0"), RecordType::PTR).await, NO_NAME);
    });
}

#[test]
fn what_this_machine_answers_itself() {
    run(async {
        let (world, gateway) = World::resolving(b"\x01\xcb\x00\x71\x07\0\0").await;
        assert_eq!(world.ask("localhost", RecordType::A).await, a("127.0.0.1"));
        assert_eq!(world.ask("x.LocalHost", RecordType::AAAA).await, aaaa("::1"));
        assert_eq!(world.ask("localhost", RecordType::MX).await, NO_DATA);
        for address in ["127.0.0.1", "::1", "127.191.255.255"] {
            assert_eq!(world.ask(&reverse(address), RecordType::PTR).await, ptr("localhost."), "{address}");
        }
        let own = own_name().into_string().unwrap();
        // Unless this machine's name is one of those above.
        if matches!(judge(&own), HostVerdict::OwnHost) {
            assert_eq!(world.ask(&own, RecordType::A).await, a("127.0.1.1"));
            assert_eq!(world.ask(&own, RecordType::AAAA).await, aaaa("::1"));
            let name = format!("{}.", own.trim_end_matches('.').to_lowercase());
            assert_eq!(world.ask(&reverse("127.0.1.1"), RecordType::PTR).await, ptr(&name));
        }
        let unnamed = ["0.0.0.0", "::", "224.0.0.251", "ff02::fb", "255.255.255.255"];
        for name in unnamed.map(reverse).iter().map(String::as_str).chain(["a.example", "10.in-addr.arpa"]) {
            assert_eq!(world.ask(name, RecordType::PTR).await, NO_NAME, "{name}");
        }
        for name in ["printer.local", "local", "127.0.0.1", "1.2.3", "a/b.example", "a:b", "0x7f"] {
            for kind in [RecordType::A, RecordType::AAAA, RecordType::TXT] {
                assert_eq!(world.ask(name, kind).await, NO_NAME, "{name}");
            }
        }
        // An onion's name is its address, which no exit is asked for.
        assert!(is_reserved(world.address("x.onion").await.into()));
        assert_eq!(world.ask("x.onion", RecordType::AAAA).await, NO_DATA);
        assert_eq!(gateway.asked().len(), 0);
    });
}

#[test]
fn types_that_tor_does_not_know_are_answered_at_once() {
    run(async {
        let (world, gateway) = World::resolving(b"\x01\xcb\x00\x71\x07\0\0").await;
        let kinds = [
            RecordType::MX,
            RecordType::TXT,
            RecordType::SRV,
            RecordType::HTTPS,
            RecordType::SVCB,
            RecordType::NS,
            RecordType::SOA,
            RecordType::CNAME,
            RecordType::DNSKEY,
            RecordType::NAPTR,
            RecordType::AXFR,
            RecordType::Unknown(4711),
        ];
        for kind in kinds {
            assert_eq!(world.ask("a.example", kind).await, NO_DATA, "{kind}");
            assert_eq!(world.ask(".", kind).await, NO_DATA, "{kind}");
            assert_eq!(world.ask("_imap._tcp.a.example", kind).await, NO_NAME, "{kind}");
        }
        assert_eq!(gateway.asked().len(), 0);
        let world = World::new(crate::tests::session());
        assert_eq!(world.ask("a.example", RecordType::AAAA).await, NO_DATA, "in the mode names");
    });
}

#[test]
fn the_gateway_resolves() {
    run(async {
        let (world, gateway) = World::resolving(b"\x01\xcb\x00\x71\x07\0\0").await;
        assert_eq!(world.ask("a.example", RecordType::A).await, a("203.0.113.7"));
        assert_eq!(world.ask("a.example", RecordType::ANY).await, a("203.0.113.7"));
        assert_eq!(world.ask("a.example", RecordType::AAAA).await, NO_DATA);
        let asked = gateway.asked();
        assert_eq!(asked.len(), 3);
        for request in asked {
            let credential: Credential = world.process.credential("a.example", &world.shared.outside).unwrap().unwrap();
            assert!(request.windows(36).any(|bytes| bytes == credential.label().as_bytes()));
            assert!(request.ends_with(b"\x05\xf0\x00\x03\x09a.example\0\0"));
        }
        let v6 = b"\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\0\0";
        let (world, _gateway) = World::resolving(v6).await;
        assert_eq!(world.ask("a.example", RecordType::AAAA).await, aaaa("2001:db8::1"));
        assert_eq!(world.ask("a.example", RecordType::A).await, NO_DATA);
    });
}

#[test]
fn an_exit_cannot_point_at_this_machine() {
    let answers: [&[u8]; 6] = [
        b"\x01\x7f\0\0\x01\0\0",
        b"\x01\0\0\0\0\0\0",
        b"\x01\x7f\xc0\0\x01\0\0",
        b"\x01\xe0\0\0\xfb\0\0",
        b"\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0",
        b"\x04\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x01\0\0",
    ];
    run(async {
        for answer in answers {
            let (world, _gateway) = World::resolving(answer).await;
            for kind in [RecordType::A, RecordType::AAAA] {
                assert_eq!(world.ask("a.example", kind).await, NO_NAME, "{answer:?}");
            }
        }
    });
}

#[test]
fn the_gateway_finds_names_in_both_modes() {
    run(async {
        for dns in [DnsMode::Names, DnsMode::Resolve] {
            let gateway = Gateway::answering(&[HEAD, b"\x03\x09A.example\0\0"]).await;
            let world = World::new(gateway.session(|session| session.dns = dns));
            assert_eq!(world.ask(&reverse("203.0.113.7"), RecordType::PTR).await, ptr("a.example."));
            assert_eq!(world.ask(&reverse("2001:db8::1"), RecordType::PTR).await, ptr("a.example."));
            assert!(gateway.asked()[0].ends_with(b"\x05\xf1\x00\x01\xcb\x00\x71\x07\0\0"));
            assert!(gateway.asked()[1].ends_with(b"\x05\xf1\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\0\0"));
        }
        for bad in [&b"\x03\x04a\0bc\0\0"[..], b"\x03\x00\0\0", b"\x03\x07$(x).io\0\0", b"\x01\xcb\0\x71\x07\0\0"] {
            let (world, _gateway) = World::resolving(bad).await;
            assert_eq!(world.ask(&reverse("203.0.113.7"), RecordType::PTR).await, NO_NAME, "{bad:?}");
        }
    });
}

#[test]
fn failures() {
    run(async {
        for (code, expected) in [(4, NO_NAME), (1, FAILED), (6, FAILED), (0x55, FAILED)] {
            let gateway = Gateway::answering(&[&[5, 2, 1, 0, 5, code, 0, 1, 0, 0, 0, 0, 0, 0]]).await;
            let world = World::new(gateway.session(|session| session.dns = DnsMode::Resolve));
            assert_eq!(world.ask("a.example", RecordType::A).await, expected, "{code}");
            assert_eq!(world.ask(&reverse("203.0.113.7"), RecordType::PTR).await, expected, "{code}");
        }
        let (world, _gateway) = World::resolving(b"\x03\x09a.example\0\0").await;
        assert_eq!(world.ask("a.example", RecordType::A).await, FAILED, "a name is no address");
        // Nobody to ask for.
        let (world, gateway) = World::resolving(b"\x01\xcb\x00\x71\x07\0\0").await;
        let raw = message("a.example", RecordType::A).to_vec().unwrap();
        let response = answer(&raw, None, &world.shared).await.unwrap();
        assert_eq!(Message::from_vec(&response).unwrap().response_code(), ResponseCode::ServFail);
        assert_eq!(gateway.asked().len(), 0);
    });
}

#[test]
fn other_queries() {
    run(async {
        let (world, gateway) = World::resolving(b"\x01\xcb\x00\x71\x07\0\0").await;
        let query = || message("a.example", RecordType::A);
        let mut chaos = query();
        chaos.queries_mut()[0].set_query_class(DNSClass::CH);
        assert_eq!(world.send(&chaos).await.response_code(), ResponseCode::Refused);
        let mut update = query();
        update.set_op_code(OpCode::Update);
        assert_eq!(world.send(&update).await.response_code(), ResponseCode::NotImp);
        let mut two = query();
        two.add_query(query().queries()[0].clone());
        assert_eq!(world.send(&two).await.response_code(), ResponseCode::FormErr);
        let mut later = query();
        later.set_edns(Edns::new().set_version(1).clone());
        // BADVERS, which has the number of TSIG's BADSIG (RFC 6891 §9).
        assert_eq!(u16::from(world.send(&later).await.response_code()), 16);
        let raw = query().to_vec().unwrap();
        for end in 2..raw.len() {
            let response = answer(&raw[..end], Some(&world.process), &world.shared).await.unwrap();
            assert_eq!((&response[..2], response[3] & 0xf), (&raw[..2], 1), "{end}");
        }
        let mut response = query();
        response.set_message_type(MessageType::Response);
        let silent = [response.to_vec().unwrap(), vec![], vec![1]];
        for raw in silent {
            assert_eq!(answer(&raw, Some(&world.process), &world.shared).await, None);
        }
        assert_eq!(gateway.asked().len(), 0);

        let mut with_edns = query();
        with_edns.set_edns(Edns::new().set_max_payload(512).set_dnssec_ok(true).clone());
        let response = world.send(&with_edns).await;
        let edns = response.extensions().as_ref().unwrap();
        assert_eq!((edns.version(), edns.flags().dnssec_ok, response.answers().len()), (0, true, 1));
    });
}

#[test]
fn a_full_table_fails() {
    run(async {
        let world = World::new(crate::tests::session());
        // Every candidate of the name belongs to another.
        let name = HostName::parse(b"a.example").unwrap();
        world.shared.names.take_all_candidates_of(&name);
        assert_eq!(world.ask("a.example", RecordType::A).await, FAILED);
    });
}
