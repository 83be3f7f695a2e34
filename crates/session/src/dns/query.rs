//! The server's side of a query: what was asked.

use core::ops::Range;

use super::name::Name;
use super::wire::{Pointers, Reader};
use super::{HEADER, TYPE_OPT};

/// A query with exactly one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    id: u16,
    flags: u16,
    name: Name,
    qtype: u16,
    qclass: u16,
    question_end: usize,
    edns: Option<Edns>,
}

/// What the asker's OPT record says (RFC 6891 §6.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edns {
    /// The largest UDP answer it takes, in bytes.
    pub udp_size: u16,
    /// The EDNS version; we speak 0, others are answered BADVERS.
    pub version: u8,
    /// It wants DNSSEC records (RFC 3225), of which we have none.
    pub dnssec_ok: bool,
}

/// Why a message is not a query we can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Malformed {
    /// Shorter than an id, or itself a response: an answer could loop. Send nothing.
    Unanswerable,
    /// Answer FORMERR ([`formerr`](super::formerr)) under this id.
    Broken {
        /// The asker's message id.
        id: u16,
    },
}

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// [`Malformed`] unless it is a whole message with one question, whose name is plain text without compression.
    pub fn parse(message: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(message);
        let id = reader.u16().ok_or(Malformed::Unanswerable)?;
        let broken = Malformed::Broken { id };
        // The bit is looked at before anything else may fail: a truncated response is one, too.
        if message.get(2).is_some_and(|byte| byte & 0x80 != 0) {
            return Err(Malformed::Unanswerable);
        }
        read(id, &mut reader).ok_or(broken)
    }

    /// The message id.
    #[must_use]
    pub const fn id(&self) -> u16 {
        self.id
    }

    /// The opcode: other than [`OPCODE_QUERY`](super::OPCODE_QUERY) is to be answered NOTIMP.
    #[must_use]
    pub const fn opcode(&self) -> u8 {
        self.flags.to_be_bytes()[0] >> 3 & 0x0F
    }

    /// The RD flag: recursion is desired.
    #[must_use]
    pub const fn recursion_desired(&self) -> bool {
        self.flags & 0x0100 != 0
    }

    /// The name asked for, in lower case without the dot at the end; "." is the root.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The type asked for, such as [`TYPE_A`](super::TYPE_A).
    #[must_use]
    pub const fn qtype(&self) -> u16 {
        self.qtype
    }

    /// The class asked for, normally [`CLASS_IN`](super::CLASS_IN).
    #[must_use]
    pub const fn qclass(&self) -> u16 {
        self.qclass
    }

    /// Where the question is in the message: name, type and class.
    #[must_use]
    pub const fn question(&self) -> Range<usize> {
        HEADER..self.question_end
    }

    /// The EDNS record, if there was one.
    #[must_use]
    pub const fn edns(&self) -> Option<Edns> {
        self.edns
    }

    /// The header flags that an answer repeats: opcode, RD and CD (RFC 1035 §4.1.1, RFC 4035 §3.2.2).
    pub(super) const fn repeated_flags(&self) -> u16 {
        self.flags & 0x7910
    }
}

fn read(id: u16, reader: &mut Reader<'_>) -> Option<Query> {
    let flags = reader.u16()?;
    let questions = reader.u16()?;
    let answers_and_authorities = u32::from(reader.u16()?).saturating_add(u32::from(reader.u16()?));
    let additional = reader.u16()?;
    if questions != 1 {
        return None;
    }
    let name = reader.name(Pointers::Refused)?;
    let (qtype, qclass) = (reader.u16()?, reader.u16()?);
    let question_end = reader.at();
    // A query has no such records, but an IXFR or UPDATE has: they end in NOTIMP, not in FORMERR.
    for _ in 0..answers_and_authorities {
        match record(reader)? {
            Seen::Other => {}
            Seen::Opt(_) => return None,
        }
    }
    let mut edns = None;
    for _ in 0..additional {
        // More than one OPT is a format error (RFC 6891 §6.1.1).
        match (record(reader)?, edns) {
            (Seen::Other, _) => {}
            (Seen::Opt(found), None) => edns = Some(found),
            (Seen::Opt(_), Some(_)) => return None,
        }
    }
    reader.is_at_end().then_some(Query { id, flags, name, qtype, qclass, question_end, edns })
}

enum Seen {
    Opt(Edns),
    Other,
}

/// Steps over one record.
fn record(reader: &mut Reader<'_>) -> Option<Seen> {
    let start = reader.at();
    reader.skip_name()?;
    let owner_length = reader.at().saturating_sub(start);
    let rtype = reader.u16()?;
    let class = reader.u16()?;
    let [_, version, flags, _] = reader.array()?;
    let length = reader.u16()?;
    reader.take(usize::from(length))?;
    match (rtype, owner_length) {
        (TYPE_OPT, 1) => Some(Seen::Opt(Edns { udp_size: class, version, dnssec_ok: flags & 0x80 != 0 })),
        // Its name must be the root (RFC 6891 §6.1.2).
        (TYPE_OPT, _) => None,
        _ => Some(Seen::Other),
    }
}
