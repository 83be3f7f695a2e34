//! getnameinfo(3): libc's function gives the numbers and the service, the name is put in the number's place.

use core::ffi::{c_char, c_int, c_void};

use crate::abi;
use crate::lookup::{self, Missing};
use crate::next::next;
use crate::wire::{Address, decode};

#[unsafe(no_mangle)]
unsafe extern "C" fn getnameinfo(
    address: *const c_void,
    len: libc::socklen_t,
    host: *mut c_char,
    host_len: libc::socklen_t,
    service: *mut c_char,
    service_len: libc::socklen_t,
    flags: c_int,
) -> c_int {
    let Some(libc_getnameinfo) = next!(
        getnameinfo(
            *const c_void,
            libc::socklen_t,
            *mut c_char,
            libc::socklen_t,
            *mut c_char,
            libc::socklen_t,
            c_int,
        ) -> c_int
    ) else {
        return libc::EAI_FAIL;
    };
    let wants_name = !host.is_null() && host_len > 0 && flags & libc::NI_NUMERICHOST == 0;
    // SAFETY: the program says that `len` bytes are there.
    let name = match decode(unsafe { abi::bytes(address, (len as usize).min(128)) }) {
        Address::Internet(peer) if wants_name => lookup::name(peer.ip()),
        Address::Internet(_) => Err(Missing::NotFound),
        Address::Unspecified | Address::Other => {
            // SAFETY: the program's own call; a unix address, or one that libc refuses.
            return unsafe { libc_getnameinfo(address, len, host, host_len, service, service_len, flags) };
        }
    };
    let required = wants_name && flags & libc::NI_NAMEREQD != 0;
    match name {
        Err(Missing::TryAgain) if required => return libc::EAI_AGAIN,
        Err(_) if required => return libc::EAI_NONAME,
        _ => {}
    }
    // Asking for a name and for the number at once is an error to libc: it gets to see that only where the program did it.
    let numeric = (flags | libc::NI_NUMERICHOST) & if wants_name { !libc::NI_NAMEREQD } else { !0 };
    let name = name.ok();
    // The name takes the number's place, which may need more room than is there.
    let (number, number_len) = if name.is_some() { (core::ptr::null_mut(), 0) } else { (host, host_len) };
    // SAFETY: the program's own call, told not to ask anyone for the name.
    let code = unsafe { libc_getnameinfo(address, len, number, number_len, service, service_len, numeric) };
    match name {
        // SAFETY: the program's buffer.
        Some(name) if code == 0 && !unsafe { abi::put_string(name.as_str(), host, host_len as usize) } => {
            libc::EAI_OVERFLOW
        }
        _ => code,
    }
}
