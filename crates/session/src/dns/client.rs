//! The client's side: asking a stub and reading what it says.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::name::{BadName, Name};
use super::wire::{Pointers, Reader, Writer};
use super::{CLASS_IN, HEADER, MAX_WIRE_NAME, TYPE_A, TYPE_AAAA, TYPE_CNAME, TYPE_PTR};

/// The longest query in bytes.
pub const MAX_QUERY: usize = HEADER + MAX_WIRE_NAME + 4;

/// How many CNAME records are followed; BIND and glibc stop at a similar number.
const MAX_ALIASES: usize = 16;

/// What a response to one question says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is no allocator to box with")]
#[must_use]
pub enum Response {
    /// The first record of the type asked for.
    Found {
        /// Its content.
        record: Record,
        /// Its lifetime in seconds, not longer than that of any alias on the way.
        ttl: u32,
    },
    /// NOERROR without such a record.
    NoData,
    /// NXDOMAIN: no such name.
    NxDomain,
    /// Any other RCODE, such as 2 (SERVFAIL).
    Failed(u8),
}

/// The content of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is no allocator to box with")]
pub enum Record {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// A name.
    Ptr(Name),
}

/// A message that is no usable response to what was asked; an answer for somebody else or a forgery among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum BadResponse {
    /// Not a response, or to another query: go on waiting.
    NotOurs,
    /// Cut short by the server (TC): to be asked again by TCP.
    Truncated,
    /// Not a whole message, a name loop, a record that is not what its type says.
    Malformed,
}

/// Writes a query of class IN with recursion desired and gives its length in bytes.
///
/// # Errors
/// [`BadName`] when the name does not fit into a DNS message.
pub fn write_query(out: &mut [u8; MAX_QUERY], id: u16, name: &str, qtype: u16) -> Result<usize, BadName> {
    let name = Name::parse(name)?;
    let mut writer = Writer::new(out);
    writer.u16(id);
    writer.u16(0x0100);
    for count in [1, 0, 0, 0] {
        writer.u16(count);
    }
    writer.name(&name);
    writer.u16(qtype);
    writer.u16(CLASS_IN);
    // A name that parsed fits the buffer; were it otherwise, it was too long.
    writer.end().ok_or(BadName::TooLong)
}

/// Reads the response to the query with this id, name and type (A, AAAA or PTR; other types find nothing).
///
/// # Errors
/// [`BadResponse`]; on `NotOurs` the true response may still come.
pub fn parse_response(message: &[u8], id: u16, name: &str, qtype: u16) -> Result<Response, BadResponse> {
    let asked = Name::parse(name).map_err(|_| BadResponse::NotOurs)?;
    let mut reader = Reader::new(message);
    let mut header = [0; 6];
    for field in &mut header {
        *field = reader.u16().ok_or(BadResponse::NotOurs)?;
    }
    let [their_id, flags, questions, answers, authorities, additional] = header;
    if their_id != id || flags & 0xF800 != 0x8000 {
        return Err(BadResponse::NotOurs);
    }
    let rcode = flags.to_be_bytes()[1] & 0x0F;
    match questions {
        1 => {
            let question = reader.name(Pointers::Refused).ok_or(BadResponse::NotOurs)?;
            if question != asked || reader.u16() != Some(qtype) || reader.u16() != Some(CLASS_IN) {
                return Err(BadResponse::NotOurs);
            }
        }
        // FORMERR & co. may come without the question, an answer may not.
        0 if rcode != 0 && rcode != 3 => {}
        _ => return Err(BadResponse::NotOurs),
    }
    if flags & 0x0200 != 0 {
        return Err(BadResponse::Truncated);
    }
    if !reader.ends_after_records([answers, authorities, additional]) {
        return Err(BadResponse::Malformed);
    }
    match rcode {
        0 => find(&reader, answers, asked, qtype).ok_or(BadResponse::Malformed),
        3 => Ok(Response::NxDomain),
        other => Ok(Response::Failed(other)),
    }
}

/// Looks for the record, from alias to alias; the records may come in any order.
fn find(records: &Reader<'_>, count: u16, asked: Name, qtype: u16) -> Option<Response> {
    let mut name = asked;
    let mut lifetime = u32::MAX;
    for _ in 0..=MAX_ALIASES {
        match search(records, count, &name, qtype)? {
            Found::Record(record, ttl) => return Some(Response::Found { record, ttl: ttl.min(lifetime) }),
            Found::Alias(target, ttl) => {
                name = target;
                lifetime = lifetime.min(ttl);
            }
            Found::Nothing => return Some(Response::NoData),
        }
    }
    None
}

enum Found {
    Record(Record, u32),
    Alias(Name, u32),
    Nothing,
}

/// The first record of this name and type, else its alias. Reads all records: a broken one spoils the message.
fn search(records: &Reader<'_>, count: u16, name: &Name, qtype: u16) -> Option<Found> {
    let mut reader = records.clone();
    let mut found = Found::Nothing;
    for _ in 0..count {
        let owner = reader.name(Pointers::Allowed)?;
        let (rtype, class, ttl) = (reader.u16()?, reader.u16()?, reader.u32()?);
        let length = usize::from(reader.u16()?);
        let mut rdata = reader.clone();
        reader.take(length)?;
        let ours = owner == *name && class == CLASS_IN;
        if !ours || matches!(found, Found::Record(..)) {
            continue;
        }
        // The top bit of a lifetime means zero (RFC 2181 §8).
        let ttl = if ttl > 0x7FFF_FFFF { 0 } else { ttl };
        if rtype == qtype {
            let record = match rtype {
                TYPE_A => Record::A(rdata.array().map(Ipv4Addr::from_octets)?),
                TYPE_AAAA => Record::Aaaa(rdata.array().map(Ipv6Addr::from_octets)?),
                TYPE_PTR => Record::Ptr(rdata.name(Pointers::Allowed)?),
                _ => continue,
            };
            found = Found::Record(record, ttl);
        } else if rtype == TYPE_CNAME && matches!(found, Found::Nothing) {
            found = Found::Alias(rdata.name(Pointers::Allowed)?, ttl);
        } else {
            continue;
        }
        if rdata.at() != reader.at() {
            return None;
        }
    }
    Some(found)
}
