//! gethostbyname(3), gethostbyaddr(3) and their variants.

use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libc::hostent;
use uwt_policy::{Errno, Numeric, is_reserved};

use crate::abi::{self, HostError};
use crate::lookup::{self, Found, Missing};

unsafe extern "C" {
    fn inet_aton(text: *const c_char, address: *mut u32) -> c_int;
    fn inet_pton(family: c_int, text: *const c_char, address: *mut c_void) -> c_int;
}

/// A host entry before it is laid out for C.
struct Entry<'a> {
    name: &'a CStr,
    address: IpAddr,
}

fn by_name(name: &CStr, family: c_int) -> Result<Entry<'_>, HostError> {
    let v6 = match family {
        libc::AF_INET => false,
        libc::AF_INET6 => true,
        _ => {
            abi::set_errno(Errno::EAFNOSUPPORT);
            return Err(HostError::Internal);
        }
    };
    let address = match lookup::address(name.to_bytes(), v6)? {
        Found::Literal(numeric) => literal(name, numeric).ok_or(HostError::NotFound)?,
        Found::Address(address) => address,
    };
    let address = match address {
        IpAddr::V4(v4) if v6 && is_reserved(address) => v4.to_ipv6_mapped().into(),
        IpAddr::V4(_) if v6 => return Err(HostError::NoData),
        IpAddr::V6(_) if !v6 => return Err(HostError::NoData),
        address => address,
    };
    Ok(Entry { name, address })
}

fn literal(text: &CStr, numeric: Numeric) -> Option<IpAddr> {
    match numeric {
        Numeric::V4 => {
            let mut address = 0_u32;
            // SAFETY: a string is read, an in_addr written; nobody is asked.
            let sound = unsafe { inet_aton(text.as_ptr(), &raw mut address) } == 1;
            sound.then(|| Ipv4Addr::from(address.to_ne_bytes()).into())
        }
        Numeric::V6 => {
            let mut address = [0_u8; 16];
            // SAFETY: as above, with an in6_addr.
            let sound = unsafe { inet_pton(libc::AF_INET6, text.as_ptr(), address.as_mut_ptr().cast()) } == 1;
            sound.then(|| Ipv6Addr::from(address).into())
        }
    }
}

impl From<Missing> for HostError {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::NotFound => Self::NotFound,
            Missing::TryAgain => Self::TryAgain,
            Missing::Refused => Self::NoRecovery,
        }
    }
}

/// Where a reentrant function puts its result.
struct Place {
    entry: *mut hostent,
    buffer: *mut c_char,
    len: usize,
    result: *mut *mut hostent,
    error: *mut c_int,
}

impl Place {
    /// Lays the entry out and gives what the `_r` function returns.
    unsafe fn put(&self, name: &str, found: Result<IpAddr, HostError>) -> c_int {
        let error = match found {
            Ok(address) => {
                // SAFETY: the program's entry and buffer.
                match unsafe { abi::put_hostent(self.entry, self.buffer, self.len, name, address) } {
                    Ok(()) => None,
                    Err(errno) => Some((HostError::Internal, errno.0)),
                }
            }
            // "Not found" is an answer; "try again" is an error (glibc's NSS).
            Err(HostError::TryAgain) => Some((HostError::TryAgain, libc::EAGAIN)),
            Err(HostError::Internal) => Some((HostError::Internal, libc::EAFNOSUPPORT)),
            Err(error) => Some((error, 0)),
        };
        let (host_error, code) = error.map_or((0, 0), |(error, code)| (error as c_int, code));
        // SAFETY: the program's pointers.
        unsafe {
            *self.result = if error.is_none() { self.entry } else { core::ptr::null_mut() };
            if !self.error.is_null() && error.is_some() {
                *self.error = host_error;
            }
        }
        if code != 0 {
            abi::set_errno(Errno(code));
        }
        code
    }

    #[inline(never)]
    unsafe fn put_name(&self, name: *const c_char, family: c_int) -> c_int {
        // SAFETY: the program's string.
        let Some(name) = (unsafe { abi::string(name) }) else {
            // SAFETY: the program's pointers.
            return unsafe { self.put("", Err(HostError::NotFound)) };
        };
        let found = by_name(name, family);
        // What was found is ASCII.
        let text = found.as_ref().map_or("", |entry| entry.name.to_str().unwrap_or_default());
        // SAFETY: the program's pointers.
        unsafe { self.put(text, found.as_ref().map(|entry| entry.address).map_err(|error| *error)) }
    }

    unsafe fn put_address(&self, address: *const c_void, len: libc::socklen_t, family: c_int) -> c_int {
        // SAFETY: the program says that `len` bytes are there.
        let bytes = unsafe { abi::bytes(address, len as usize) };
        let address = match (family, bytes) {
            (libc::AF_INET, bytes) => bytes.first_chunk::<4>().map(|octets| IpAddr::from(*octets)),
            (libc::AF_INET6, bytes) => bytes.first_chunk::<16>().map(|octets| IpAddr::from(*octets)),
            _ => None,
        };
        let found = address.ok_or(HostError::NotFound).and_then(|address| Ok((lookup::name(address)?, address)));
        // SAFETY: the program's pointers.
        unsafe {
            match found {
                Ok((name, address)) => self.put(name.as_str(), Ok(address)),
                Err(error) => self.put("", Err(error)),
            }
        }
    }
}

/// What the functions without a buffer return, overwritten by the next call (gethostbyname(3)).
struct Static(UnsafeCell<(hostent, [c_char; 512])>);

// SAFETY: libc's functions of these names are not thread-safe either; the memory is only reached through C pointers.
unsafe impl Sync for Static {}

static LAST: Static = Static(UnsafeCell::new((
    hostent {
        h_name: core::ptr::null_mut(),
        h_aliases: core::ptr::null_mut(),
        h_addrtype: 0,
        h_length: 0,
        h_addr_list: core::ptr::null_mut(),
    },
    [0; 512],
)));

#[inline(never)]
unsafe fn in_static_memory(put: &dyn Fn(&Place) -> c_int) -> *mut hostent {
    let last = LAST.0.get();
    let (mut result, mut error) = (core::ptr::null_mut(), 0);
    // SAFETY: field addresses of a static, not references.
    let (entry, buffer) = unsafe { (&raw mut (*last).0, &raw mut (*last).1) };
    put(&Place { entry, buffer: buffer.cast(), len: 512, result: &raw mut result, error: &raw mut error });
    if result.is_null() {
        abi::set_h_errno(error);
    }
    result
}

#[unsafe(no_mangle)]
unsafe extern "C" fn gethostbyname(name: *const c_char) -> *mut hostent {
    // SAFETY: the program's string.
    unsafe { in_static_memory(&|place| place.put_name(name, libc::AF_INET)) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn gethostbyname2(name: *const c_char, family: c_int) -> *mut hostent {
    // SAFETY: the program's string.
    unsafe { in_static_memory(&|place| place.put_name(name, family)) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn gethostbyname_r(
    name: *const c_char,
    entry: *mut hostent,
    buffer: *mut c_char,
    len: usize,
    result: *mut *mut hostent,
    error: *mut c_int,
) -> c_int {
    // SAFETY: the program's own arguments.
    unsafe { Place { entry, buffer, len, result, error }.put_name(name, libc::AF_INET) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn gethostbyname2_r(
    name: *const c_char,
    family: c_int,
    entry: *mut hostent,
    buffer: *mut c_char,
    len: usize,
    result: *mut *mut hostent,
    error: *mut c_int,
) -> c_int {
    // SAFETY: the program's own arguments.
    unsafe { Place { entry, buffer, len, result, error }.put_name(name, family) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn gethostbyaddr(address: *const c_void, len: libc::socklen_t, family: c_int) -> *mut hostent {
    // SAFETY: the program's address.
    unsafe { in_static_memory(&|place| place.put_address(address, len, family)) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn gethostbyaddr_r(
    address: *const c_void,
    address_len: libc::socklen_t,
    family: c_int,
    entry: *mut hostent,
    buffer: *mut c_char,
    len: usize,
    result: *mut *mut hostent,
    error: *mut c_int,
) -> c_int {
    // SAFETY: the program's own arguments.
    unsafe { Place { entry, buffer, len, result, error }.put_address(address, address_len, family) }
}
