//! The server's side of an answer.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::name::Name;
use super::query::Query;
use super::wire::Writer;
use super::{CLASS_IN, HEADER, MAX_WIRE_NAME, TYPE_A, TYPE_AAAA, TYPE_OPT, TYPE_PTR};

/// The longest response in bytes: header, question, one PTR record, OPT. A buffer of this size is never too small.
pub const MAX_RESPONSE: usize = HEADER + (MAX_WIRE_NAME + 4) + (2 + 10 + MAX_WIRE_NAME) + OPT_LENGTH;

const OPT_LENGTH: usize = 11;
/// The UDP size we state: what passes every path unfragmented (DNS Flag Day 2020).
const UDP_SIZE: u16 = 1232;
const QR: u16 = 0x8000;
const RA: u16 = 0x0080;
/// The owner of the answer: a pointer to the question's name (RFC 1035 §4.1.4).
const OWNER: u16 = 0xC000 | 0x000C;
/// The lifetime of a record has 31 bits (RFC 2181 §8).
const MAX_TTL: u32 = 0x7FFF_FFFF;

/// What to answer. Lifetimes (TTL) are in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Answer<'a> {
    /// One A record.
    A(Ipv4Addr, u32),
    /// One AAAA record.
    Aaaa(Ipv6Addr, u32),
    /// One PTR record. A text that is no name becomes SERVFAIL.
    Ptr(&'a str, u32),
    /// NOERROR without a record: the name exists, but not with this type.
    NoData,
    /// NXDOMAIN: there is no such name.
    NxDomain,
    /// FORMERR: the query cannot be understood.
    FormErr,
    /// SERVFAIL: it could not be found out.
    ServFail,
    /// NOTIMP: no such kind of query.
    NotImp,
    /// REFUSED: not for you.
    Refused,
}

impl Answer<'_> {
    /// RCODE (RFC 1035 §4.1.1).
    const fn rcode(&self) -> u16 {
        match self {
            Self::A(..) | Self::Aaaa(..) | Self::Ptr(..) | Self::NoData => 0,
            Self::FormErr => 1,
            Self::ServFail => 2,
            Self::NxDomain => 3,
            Self::NotImp => 4,
            Self::Refused => 5,
        }
    }
}

/// The buffer does not hold the response ([`MAX_RESPONSE`] always does), or the message is not the query's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct TooSmall;

/// Writes the response to `query`, parsed from `raw_query`, and gives its length in bytes.
///
/// The question is repeated byte for byte (askers compare its case), RD as asked, RA set, an OPT answered by an OPT. An
/// EDNS version other than 0 is answered BADVERS whatever the answer (RFC 6891 §6.1.3).
///
/// # Errors
/// [`TooSmall`] when `out` is.
pub fn respond(query: &Query, raw_query: &[u8], answer: Answer<'_>, out: &mut [u8]) -> Result<usize, TooSmall> {
    let question = raw_query.get(query.question()).ok_or(TooSmall)?;
    let mut writer = Writer::new(out);
    write(&mut writer, query, question, answer);
    writer.end().ok_or(TooSmall)
}

/// Writes FORMERR to a message that [`Query::parse`] refused and gives its length in bytes (12). `None`: there is
/// nothing to send, the message is no query ([`Malformed::Unanswerable`](super::Malformed::Unanswerable)), or `out` is
/// too small.
#[must_use]
pub fn formerr(raw: &[u8], out: &mut [u8]) -> Option<usize> {
    let (id, flags) = match raw {
        [high, low] => ([*high, *low], 0),
        [high, low, flags, ..] if flags & 0x80 == 0 => ([*high, *low], *flags),
        _ => return None,
    };
    let mut writer = Writer::new(out);
    writer.put(&id);
    // Opcode and RD as asked (RFC 1035 §4.1.1).
    writer.u16(QR | RA | u16::from_be_bytes([flags & 0x79, 0]) | Answer::FormErr.rcode());
    writer.put(&[0; 8]);
    writer.end()
}

fn write(writer: &mut Writer<'_>, query: &Query, question: &[u8], answer: Answer<'_>) {
    let bad_version = query.edns().is_some_and(|edns| edns.version != 0);
    let ptr = match answer {
        Answer::Ptr(text, _) => Name::parse(text).ok(),
        _ => None,
    };
    let answer = match answer {
        _ if bad_version => Answer::NoData,
        Answer::Ptr(..) if ptr.is_none() => Answer::ServFail,
        answer => answer,
    };
    let has_record = matches!(answer, Answer::A(..) | Answer::Aaaa(..) | Answer::Ptr(..));

    writer.u16(query.id());
    writer.u16(QR | RA | query.repeated_flags() | answer.rcode());
    for count in [1, u16::from(has_record), 0, u16::from(query.edns().is_some())] {
        writer.u16(count);
    }
    writer.put(question);
    match (answer, ptr) {
        (Answer::A(addr, ttl), _) => record(writer, TYPE_A, ttl, &addr.octets()),
        (Answer::Aaaa(addr, ttl), _) => record(writer, TYPE_AAAA, ttl, &addr.octets()),
        (Answer::Ptr(_, ttl), Some(name)) => {
            let mut rdata = [0; MAX_WIRE_NAME];
            let mut inner = Writer::new(&mut rdata);
            inner.name(&name);
            // It fits: a name has 255 bytes at most.
            let length = inner.end().unwrap_or(0);
            record(writer, TYPE_PTR, ttl, rdata.get(..length).unwrap_or_default());
        }
        _ => {}
    }
    if let Some(edns) = query.edns() {
        // BADVERS is 16: the upper eight bits of the code are the OPT's first TTL byte (RFC 6891 §6.1.3).
        let dnssec_ok = if edns.dnssec_ok { 0x80 } else { 0 };
        writer.put(&[0]);
        writer.u16(TYPE_OPT);
        writer.u16(UDP_SIZE);
        writer.put(&[u8::from(bad_version), 0, dnssec_ok, 0]);
        writer.u16(0);
    }
}

#[inline(never)]
fn record(writer: &mut Writer<'_>, rtype: u16, ttl: u32, rdata: &[u8]) {
    writer.u16(OWNER);
    writer.u16(rtype);
    writer.u16(CLASS_IN);
    writer.u32(ttl.min(MAX_TTL));
    writer.u16(u16::try_from(rdata.len()).unwrap_or(0));
    writer.put(rdata);
}
