//! The DNS stub: what a program in the cage gets when it asks for names, decided as the preload decides.

use std::cell::Cell;
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};
use std::os::unix::ffi::OsStrExt as _;

use uwt_policy::{DnsMode, HostName, HostVerdict, OWN_ADDRESS, ReverseVerdict, canonical, host, resolved, reverse};
use uwt_report::{Happening, Layer, Outcome};
use uwt_session::Session;
use uwt_session::dns::{
    Answer, CLASS_IN, MAX_RESPONSE, OPCODE_QUERY, Query, TYPE_A, TYPE_AAAA, TYPE_ANY, TYPE_PTR, formerr, parse_reverse,
    respond,
};
use uwt_socks5::{Command, ReplyCode, Target};

use crate::dial::{self, Failure};
use crate::shared::Shared;
use crate::tree::Process;

/// Short: a reserved address is only as old as its table entry, a real one comes from a circuit that changes.
const TTL: u32 = 60;

/// What was found.
enum Found {
    Address(IpAddr),
    Name(String),
}

/// What else is to be answered.
type Other = Answer<'static>;

/// The response to a query of `process`, as its session says; nothing for what must not be answered.
///
/// Without a process nothing is asked of the gateway: there is no credential for it.
pub(crate) async fn answer(query: &[u8], process: Option<&Process>, shared: &Shared) -> Option<Vec<u8>> {
    let query = match parse(query) {
        Ok(query) => query,
        Err(response) => {
            tell(process, shared, || unreadable(response.is_some()));
            return response;
        }
    };
    let asker = Asker { process, shared, has_asked: Cell::new(false) };
    let found = match readable(&query.parsed) {
        Ok(()) => asker.find(&query.parsed).await,
        Err(other) => Err(other),
    };
    if !asker.has_asked.get() {
        tell(process, shared, || unsent(query.parsed.name(), &found));
    }
    query.respond(&found)
}

fn tell(process: Option<&Process>, shared: &Shared, happening: impl FnOnce() -> Happening) {
    match process {
        Some(process) => shared.happened(process, happening),
        None => shared.happened_somewhere(happening),
    }
}

/// What is no query went nowhere. Port 53 is also where something else than DNS is tried.
fn unreadable(is_answered: bool) -> Happening {
    Happening::Refused {
        layer: Layer::Cage,
        what: "sent a name server what is no query".to_owned(),
        transport: None,
        destination: None,
        errno: if is_answered { "FORMERR" } else { "no answer" }.to_owned(),
    }
}

/// A lookup for which nothing was sent.
fn unsent(name: &str, found: &Result<Found, Other>) -> Happening {
    let outcome = match found {
        Ok(_) => Outcome::Granted,
        Err(Answer::NxDomain) => Outcome::Failed { why: "there is no such name".to_owned() },
        Err(Answer::NoData) => Outcome::Failed { why: "Tor looks up addresses only".to_owned() },
        Err(_) => Outcome::Failed { why: "it was not answered".to_owned() },
    };
    let name = parse_reverse(name).map_or_else(|| name.to_owned(), |address| canonical(address).to_string());
    Happening::Lookup { layer: Layer::Cage, name, credential: None, sent: false, outcome }
}

/// A query, and its bytes.
struct Asked<'a> {
    raw: &'a [u8],
    parsed: Query,
}

/// Reads a query, or gives what is to be sent instead of a response.
fn parse(raw: &[u8]) -> Result<Asked<'_>, Option<Vec<u8>>> {
    Query::parse(raw).map(|parsed| Asked { raw, parsed }).map_err(|_| {
        let mut out = [0; MAX_RESPONSE];
        let written = formerr(raw, &mut out)?;
        out.get(..written).map(<[u8]>::to_vec)
    })
}

impl Asked<'_> {
    fn respond(&self, found: &Result<Found, Other>) -> Option<Vec<u8>> {
        let v6 = self.parsed.qtype() == TYPE_AAAA;
        let answer = match found {
            Ok(Found::Name(name)) => Answer::Ptr(name, TTL),
            Ok(Found::Address(IpAddr::V4(address))) if !v6 => Answer::A(*address, TTL),
            Ok(Found::Address(IpAddr::V6(address))) if v6 => Answer::Aaaa(*address, TTL),
            // The name has an address, but not of this family.
            Ok(Found::Address(_)) => Answer::NoData,
            Err(other) => *other,
        };
        let mut out = [0; MAX_RESPONSE];
        let written = respond(&self.parsed, self.raw, answer, &mut out).ok()?;
        out.get(..written).map(<[u8]>::to_vec)
    }
}

/// Whether it is a kind of query that is answered at all.
fn readable(query: &Query) -> Result<(), Other> {
    if query.opcode() != OPCODE_QUERY {
        return Err(Answer::NotImp);
    }
    if query.qclass() != CLASS_IN {
        return Err(Answer::Refused);
    }
    // Becomes BADVERS, whatever is answered: nobody needs to be asked.
    if query.edns().is_some_and(|edns| edns.version != 0) { Err(Answer::NoData) } else { Ok(()) }
}

fn judge(name: &str) -> HostVerdict {
    host(name.as_bytes(), own_name().as_bytes())
}

/// What gethostname(2) says.
fn own_name() -> OsString {
    nix::unistd::gethostname().unwrap_or_default()
}

fn reserve(name: &HostName, shared: &Shared) -> Result<Found, Other> {
    shared.names.address(name).map(|address| Found::Address(address.into())).ok_or(Answer::ServFail)
}

fn named(name: Option<HostName>) -> Result<Found, Other> {
    name.map(|name| Found::Name(name.as_str().to_owned())).ok_or(Answer::NxDomain)
}

/// Who asks.
struct Asker<'a> {
    process: Option<&'a Process>,
    shared: &'a Shared,
    /// The gateway.
    has_asked: Cell<bool>,
}

impl Asker<'_> {
    async fn find(&self, query: &Query) -> Result<Found, Other> {
        let name = query.name();
        match (query.qtype(), judge(name)) {
            (TYPE_PTR, _) => self.name(parse_reverse(name).ok_or(Answer::NxDomain)?).await,
            // The root exists.
            _ if name == "." => Err(Answer::NoData),
            (_, HostVerdict::Numeric(_) | HostVerdict::NotFound) => Err(Answer::NxDomain),
            (TYPE_A | TYPE_AAAA | TYPE_ANY, HostVerdict::Remote(name)) => self.address(&name).await,
            (TYPE_AAAA, HostVerdict::Loopback | HostVerdict::OwnHost) => Ok(Found::Address(Ipv6Addr::LOCALHOST.into())),
            (TYPE_A | TYPE_ANY, HostVerdict::Loopback) => Ok(Found::Address(Ipv4Addr::LOCALHOST.into())),
            (TYPE_A | TYPE_ANY, HostVerdict::OwnHost) => Ok(Found::Address(OWN_ADDRESS.into())),
            // Names of services (RFC 2782). A host without any has no such name, and that is what askers expect then: at
            // an empty answer dirmngr gives up.
            _ if name.starts_with('_') => Err(Answer::NxDomain),
            // Tor knows addresses only: whoever asks for more gets an empty answer at once.
            _ => Err(Answer::NoData),
        }
    }

    async fn address(&self, name: &HostName) -> Result<Found, Other> {
        let session = self.session();
        if session.dns == DnsMode::Names || name.is_onion() {
            return reserve(name, self.shared);
        }
        let target = Target::Name { host: name.as_str().as_bytes(), port: 0 };
        let address = match self.ask(Command::Resolve, target).await? {
            uwt_socks5::Answer::V4(v4) => IpAddr::V4(*v4.ip()),
            uwt_socks5::Answer::V6(v6) => IpAddr::V6(*v6.ip()),
            uwt_socks5::Answer::Name(..) => return Err(Answer::ServFail),
        };
        resolved(address).map(Found::Address).ok_or(Answer::NxDomain)
    }

    /// Whose settings hold.
    fn session(&self) -> &'static Session<'static> {
        self.process.map_or(self.shared.tree.outermost(), |process| process.session)
    }

    async fn name(&self, address: IpAddr) -> Result<Found, Other> {
        let found = match reverse(address, own_name().as_bytes(), self.session().bind) {
            ReverseVerdict::Reserved(address) => self.shared.names.name(address),
            ReverseVerdict::Known(name) => Some(name),
            ReverseVerdict::NotFound => None,
            ReverseVerdict::Remote(address) => {
                let target = match address {
                    IpAddr::V4(v4) => Target::V4(SocketAddrV4::new(v4, 0)),
                    IpAddr::V6(v6) => Target::V6(SocketAddrV6::new(v6, 0, 0, 0)),
                };
                match self.ask(Command::ResolvePtr, target).await? {
                    // What an exit says is checked as strictly as what a program asks.
                    uwt_socks5::Answer::Name(name, _) => HostName::parse(name.as_bytes()),
                    _ => None,
                }
            }
        };
        named(found)
    }

    /// One question to the gateway, on a connection of its own.
    async fn ask(&self, command: Command, target: Target<'_>) -> Result<uwt_socks5::Answer, Other> {
        let process = self.process.ok_or(Answer::ServFail)?;
        self.has_asked.set(true);
        match dial::carry(process, self.shared, Layer::Cage, command, target).await {
            Ok((_, answer)) => Ok(answer),
            // Tor's answer when the exit found no such name.
            Err(Failure::Refused(ReplyCode::HostUnreachable)) => Err(Answer::NxDomain),
            Err(_) => Err(Answer::ServFail),
        }
    }
}

#[cfg(test)]
mod tests;
