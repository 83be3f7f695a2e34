//! getaddrinfo(3) and getaddrinfo_a(3).
//!
//! A name is turned into an address literal first, then libc's function makes the list from the literal without asking
//! anyone: service names, socket types, flags and errors are libc's own, and so is freeaddrinfo(3).

use core::ffi::{CStr, c_char, c_int};
use core::net::IpAddr;

use libc::addrinfo;
use uwt_policy::is_reserved;

use crate::abi::{self, AddressText};
use crate::lookup::{self, Found, Missing};
use crate::next::next;

/// `AI_IDN` and `AI_CANONIDN`: names that need them are not ASCII and end before they get here.
const IDN_FLAGS: c_int = 0x00c0;

#[unsafe(no_mangle)]
unsafe extern "C" fn getaddrinfo(
    node: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
    result: *mut *mut addrinfo,
) -> c_int {
    // SAFETY: the program's own arguments.
    unsafe { look_up(node, service, hints, result) }
}

unsafe fn look_up(
    node: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
    result: *mut *mut addrinfo,
) -> c_int {
    let Some(libc_getaddrinfo) =
        next!(getaddrinfo(*const c_char, *const c_char, *const addrinfo, *mut *mut addrinfo) -> c_int)
    else {
        return libc::EAI_FAIL;
    };
    // SAFETY: null or the program's string and structure.
    let (node, mut wanted) = unsafe { (abi::string(node), hints.as_ref().copied().unwrap_or(default_hints())) };
    let Some(name) = node.filter(|_| wanted.ai_flags & libc::AI_NUMERICHOST == 0) else {
        // SAFETY: the program's own call; without a name or with a numeric one libc asks nobody.
        return unsafe { libc_getaddrinfo(node.map_or(core::ptr::null(), CStr::as_ptr), service, hints, result) };
    };
    let v6 = wanted.ai_family == libc::AF_INET6;
    let address = match lookup::address(name.to_bytes(), v6) {
        Ok(Found::Literal(_)) => None,
        Ok(Found::Address(address)) => Some(address),
        Err(Missing::NotFound) => return libc::EAI_NONAME,
        Err(Missing::TryAgain) => return libc::EAI_AGAIN,
        Err(Missing::Refused) => return libc::EAI_FAIL,
    };
    wanted.ai_flags |= libc::AI_NUMERICHOST;
    let Some(address) = address else {
        // SAFETY: the program's own call, told not to ask anyone.
        return unsafe { libc_getaddrinfo(name.as_ptr(), service, &raw const wanted, result) };
    };
    let mapped = wanted.ai_flags & libc::AI_V4MAPPED != 0;
    let literal = match address {
        // There is no other IPv6 form of a reserved address.
        IpAddr::V4(v4) if v6 && (is_reserved(address) || mapped) => AddressText::of(v4.to_ipv6_mapped().into()),
        IpAddr::V4(_) if v6 => return libc::EAI_NONAME,
        IpAddr::V6(_) if wanted.ai_family == libc::AF_INET => return libc::EAI_NONAME,
        address => AddressText::of(address),
    };
    // Which families this machine has says nothing about what the gateway reaches.
    wanted.ai_flags &= !(libc::AI_ADDRCONFIG | libc::AI_V4MAPPED | libc::AI_ALL | IDN_FLAGS);
    // SAFETY: a literal and hints of ours, the program's service and result.
    unsafe {
        let code = libc_getaddrinfo(literal.as_c_str().as_ptr(), service, &raw const wanted, result);
        if code == 0 && abi::rename_addrinfo(*result, name).is_err() {
            libc::freeaddrinfo(*result);
            return libc::EAI_MEMORY;
        }
        code
    }
}

/// What glibc takes for a null pointer, without `AI_ADDRCONFIG`.
fn default_hints() -> addrinfo {
    addrinfo {
        ai_flags: libc::AI_V4MAPPED,
        ai_family: libc::AF_UNSPEC,
        ai_socktype: 0,
        ai_protocol: 0,
        ai_addrlen: 0,
        ai_addr: core::ptr::null_mut(),
        ai_canonname: core::ptr::null_mut(),
        ai_next: core::ptr::null_mut(),
    }
}

/// struct gaicb (getaddrinfo_a(3)).
#[repr(C)]
struct Request {
    name: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
    result: *mut addrinfo,
    code: c_int,
    reserved: [c_int; 5],
}

const GAI_WAIT: c_int = 0;
const GAI_NOWAIT: c_int = 1;

/// The requests are finished when this returns, in both modes: gai_error(3), gai_suspend(3) and gai_cancel(3), which are
/// libc's own, look at the results and find nothing in progress.
#[unsafe(no_mangle)]
unsafe extern "C" fn getaddrinfo_a(
    mode: c_int,
    list: *const *mut Request,
    count: c_int,
    event: *mut libc::sigevent,
) -> c_int {
    if mode != GAI_WAIT && mode != GAI_NOWAIT {
        abi::set_errno(uwt_policy::Errno::EINVAL);
        return libc::EAI_SYSTEM;
    }
    for index in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: the program says that `count` pointers are there, each null or to a request of its own.
        unsafe {
            let Some(request) = (*list.add(index)).as_mut() else { continue };
            request.code = look_up(request.name, request.service, request.hints, &raw mut request.result);
        }
    }
    // Without requests libc's function does what is left: the notification, by signal or thread, that was asked for.
    let next = next!(getaddrinfo_a(c_int, *const *mut Request, c_int, *mut libc::sigevent) -> c_int);
    // SAFETY: the program's own event, and a list of no requests.
    next.map_or(libc::EAI_FAIL, |next| unsafe { next(mode, list, 0, event) })
}
