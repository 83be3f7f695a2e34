//! The resolver's own interface (resolver(3)): questions are answered here, in DNS, without a name server.
//!
//! Each function exists twice, under its own name and under the one that glibc before 2.34 had behind a macro.

use core::arch::naked_asm;
use core::ffi::{CStr, c_char, c_int, c_void};

use uwt_policy::{DnsMode, HostName, HostVerdict, host};
use uwt_session::dns::{
    Answer, CLASS_IN, MAX_QUERY, MAX_RESPONSE, OPCODE_QUERY, Query, TYPE_A, TYPE_AAAA, TYPE_ANY, TYPE_PTR, formerr,
    parse_reverse, respond, write_query,
};

use crate::abi::{self, HostError};
use crate::lookup::{self, Found, Missing};
use crate::state;

/// Short: a reserved address is only as old as its table entry, a real one comes from a circuit that changes.
const TTL: u32 = 60;

/// Answers a query message; the response's length, or nothing when the message can't be answered.
fn answer(raw: &[u8], out: &mut [u8]) -> Option<usize> {
    let Ok(query) = Query::parse(raw) else { return formerr(raw, out) };
    let mut name = None;
    let answer = if query.opcode() == OPCODE_QUERY { find(&query, &mut name) } else { Answer::NotImp };
    respond(&query, raw, answer, out).ok()
}

fn find<'a>(query: &Query, name: &'a mut Option<HostName>) -> Answer<'a> {
    if query.qclass() != CLASS_IN {
        return Answer::NxDomain;
    }
    if query.qtype() == TYPE_PTR {
        return match parse_reverse(query.name()) {
            None => Answer::NxDomain,
            Some(address) => match lookup::name(address) {
                Ok(found) => Answer::Ptr(name.insert(found).as_str(), TTL),
                Err(missing) => missing.into(),
            },
        };
    }
    let text = query.name().as_bytes();
    let known = match host(text, b"") {
        HostVerdict::Remote(_) | HostVerdict::Loopback | HostVerdict::OwnHost => true,
        HostVerdict::Numeric(_) | HostVerdict::NotFound => false,
    };
    match query.qtype() {
        _ if !known => Answer::NxDomain,
        // Names of services (RFC 2782). A host without any has no such name, and that is what askers expect then: at an
        // empty answer dirmngr gives up.
        kind if text.starts_with(b"_") && !matches!(kind, TYPE_A | TYPE_AAAA) => Answer::NxDomain,
        TYPE_A | TYPE_ANY => address(text, false),
        // In names mode the A record carries everything there is to say.
        TYPE_AAAA if state::session().is_some_and(|session| session.dns == DnsMode::Resolve) => address(text, true),
        // Tor knows addresses only: whoever asks for more gets an empty answer at once.
        _ => Answer::NoData,
    }
}

fn address(name: &[u8], v6: bool) -> Answer<'static> {
    match lookup::address(name, v6) {
        Ok(Found::Address(core::net::IpAddr::V4(v4))) if !v6 => Answer::A(v4, TTL),
        Ok(Found::Address(core::net::IpAddr::V6(v6_address))) if v6 => Answer::Aaaa(v6_address, TTL),
        Ok(_) => Answer::NoData,
        Err(missing) => missing.into(),
    }
}

impl From<Missing> for Answer<'_> {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::NotFound => Self::NxDomain,
            Missing::TryAgain => Self::ServFail,
            Missing::Refused => Self::Refused,
        }
    }
}

/// res_query(3): a question by its parts; the response where it holds an answer.
unsafe fn query(name: *const c_char, class: c_int, kind: c_int, out: *mut c_void, len: c_int) -> c_int {
    // SAFETY: the program's string.
    let name = unsafe { abi::string(name) }.map(CStr::to_bytes).unwrap_or_default();
    // SAFETY: the program says that `len` bytes are there.
    unsafe { ask(name, class, kind, out, len) }
}

unsafe fn ask(name: &[u8], class: c_int, kind: c_int, out: *mut c_void, len: c_int) -> c_int {
    let mut question = [0; MAX_QUERY];
    let mut response = [0; MAX_RESPONSE];
    let written = core::str::from_utf8(name).ok().zip(u16::try_from(kind).ok()).and_then(|(name, kind)| {
        let id = u16::try_from(state::session()?.secret.name_bits(name, u32::from(kind)) & 0xffff).ok()?;
        let asked = write_query(&mut question, id, name, kind).ok()?;
        answer(question.get(..asked)?, &mut response)
    });
    let response = written.and_then(|written| response.get(..written)).unwrap_or_default();
    let error = match (response.get(3).map(|byte| byte & 0xf), response.get(7)) {
        _ if class != c_int::from(CLASS_IN) => Some(HostError::NotFound),
        (Some(0), Some(1..)) => None,
        (Some(0), _) => Some(HostError::NoData),
        (Some(2), _) => Some(HostError::TryAgain),
        (Some(3) | None, _) => Some(HostError::NotFound),
        _ => Some(HostError::NoRecovery),
    };
    if let Some(error) = error {
        abi::set_h_errno(error as c_int);
        return -1;
    }
    // SAFETY: the caller's buffer.
    unsafe { deliver(response, out, len) }
}

/// Copies as much as fits and gives the whole length, as the resolver does.
unsafe fn deliver(response: &[u8], out: *mut c_void, len: c_int) -> c_int {
    let room = usize::try_from(len).unwrap_or(0).min(response.len());
    // SAFETY: `room` bytes are writable there and readable here.
    unsafe { core::ptr::copy_nonoverlapping(response.as_ptr(), out.cast(), room) };
    c_int::try_from(response.len()).unwrap_or(-1)
}

/// res_querydomain(3): name and domain with a dot between them.
unsafe fn query_domain(
    name: *const c_char,
    domain: *const c_char,
    class: c_int,
    kind: c_int,
    out: *mut c_void,
    len: c_int,
) -> c_int {
    // SAFETY: the program's strings.
    let (name, domain) = unsafe { (abi::string(name), abi::string(domain)) };
    let mut joined = [0; 512];
    let parts = [name.map_or(&b""[..], CStr::to_bytes), b".", domain.map_or(&b""[..], CStr::to_bytes)];
    let mut at = 0;
    for byte in parts.iter().copied().flatten() {
        let Some(place) = joined.get_mut(at) else {
            abi::set_h_errno(HostError::NoRecovery as c_int);
            return -1;
        };
        *place = *byte;
        at += 1;
    }
    let name = joined.get(..at).unwrap_or_default();
    // SAFETY: the program's buffer.
    unsafe { ask(name.strip_suffix(b".").unwrap_or(name), class, kind, out, len) }
}

/// res_send(3): a whole message.
unsafe fn send(message: *const c_void, message_len: c_int, out: *mut c_void, len: c_int) -> c_int {
    let mut response = [0; MAX_RESPONSE];
    // SAFETY: the program says that `message_len` bytes are there.
    let raw = unsafe { abi::bytes(message, usize::try_from(message_len).unwrap_or(0)) };
    let Some(response) = answer(raw, &mut response).and_then(|written| response.get(..written)) else {
        abi::set_errno(uwt_policy::Errno::EINVAL);
        return -1;
    };
    // SAFETY: the program's buffer.
    unsafe { deliver(response, out, len) }
}

/// Exports a function of the resolver, with its old name, with or without the state argument in front. Both names jump to
/// a function that is not exported: another library's of the same name cannot come between.
macro_rules! resolver {
    ($($name:ident, $old:ident, $act:ident, ($($state:ident)?) ($($argument:ident: $type:ty),*);)*) => {$(
        const _: () = {
            unsafe extern "C" fn same($($state: *const c_void,)? $($argument: $type),*) -> c_int {
                $(let _ = $state;)?
                // SAFETY: the program's own arguments.
                unsafe { $act($($argument),*) }
            }

            #[unsafe(no_mangle)]
            #[unsafe(naked)]
            unsafe extern "C" fn $name() {
                naked_asm!("jmp {same}", same = sym same)
            }

            #[unsafe(no_mangle)]
            #[unsafe(naked)]
            unsafe extern "C" fn $old() {
                naked_asm!("jmp {same}", same = sym same)
            }
        };
    )*};
}

resolver! {
    res_query, __res_query, query, ()
        (name: *const c_char, class: c_int, kind: c_int, out: *mut c_void, len: c_int);
    res_nquery, __res_nquery, query, (state)
        (name: *const c_char, class: c_int, kind: c_int, out: *mut c_void, len: c_int);
    res_search, __res_search, query, ()
        (name: *const c_char, class: c_int, kind: c_int, out: *mut c_void, len: c_int);
    res_nsearch, __res_nsearch, query, (state)
        (name: *const c_char, class: c_int, kind: c_int, out: *mut c_void, len: c_int);
    res_querydomain, __res_querydomain, query_domain, ()
        (name: *const c_char, domain: *const c_char, class: c_int, kind: c_int, out: *mut c_void, len: c_int);
    res_nquerydomain, __res_nquerydomain, query_domain, (state)
        (name: *const c_char, domain: *const c_char, class: c_int, kind: c_int, out: *mut c_void, len: c_int);
    res_send, __res_send, send, ()
        (message: *const c_void, message_len: c_int, out: *mut c_void, len: c_int);
    res_nsend, __res_nsend, send, (state)
        (message: *const c_void, message_len: c_int, out: *mut c_void, len: c_int);
}
