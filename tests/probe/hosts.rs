//! gethostbyname(3), gethostbyaddr(3), the networks database, and the old remote shell functions.

use std::ffi::{CStr, c_char, c_void};
use std::net::IpAddr;

use libc::hostent;

use crate::address::show_ip;
use crate::libc_calls::{call, named, text};
use crate::report::{self, host_error, status};
use crate::script::{Done, State, bytes, int, option};

/// Runs a step of this family.
pub(crate) fn step(state: &mut State, name: &str, arguments: &[&str]) -> Option<Done> {
    let line = match (name, arguments) {
        ("host", [function, name, options @ ..]) => by_name(state, function, name, options),
        ("hostaddr", [function, address, options @ ..]) => by_address(state, function, address, options),
        ("net", [function]) => network(function),
        ("hostid", []) => format!("{:08x}", call!(gethostid()) & 0xffff_ffff),
        ("remote", [function]) => {
            let null = std::ptr::null::<c_void>();
            // They take seven arguments at most. The real ones, of which there are none left, would crash on this.
            let done = named!(
                function,
                fn(*const c_void, i32, *const c_void, *const c_void, *const c_void, *const c_void, i32) -> i32,
                (null, 0, null, null, null, null, libc::AF_INET)
            );
            status(done.into())
        }
        _ => return None,
    };
    Some(Done::Line(line))
}

unsafe extern "C" {
    fn gethostid() -> i64;
    safe fn __h_errno_location() -> *mut i32;
}

/// h_errno of this thread.
pub(crate) fn h_errno() -> i32 {
    // SAFETY: the thread's own int.
    unsafe { *__h_errno_location() }
}

/// A buffer for the reentrant functions, with guards around it.
struct Buffer {
    bytes: Vec<u8>,
    len: usize,
    skew: usize,
}

const GUARD: usize = 64;

impl Buffer {
    fn new(options: &[&str]) -> Self {
        let len = option(options, "buffer").map_or(1024, |len| usize::try_from(int(len)).expect("a length"));
        let skew = option(options, "skew").map_or(0, |skew| usize::try_from(int(skew)).expect("small"));
        Self { bytes: vec![0x55; len + 2 * GUARD], len, skew }
    }

    fn pointer(&mut self) -> *mut c_char {
        self.bytes[GUARD + self.skew..].as_mut_ptr().cast()
    }

    fn check(&self) {
        let (before, rest) = self.bytes.split_at(GUARD + self.skew);
        let after = &rest[self.len..];
        assert!(before.iter().chain(after).all(|byte| *byte == 0x55), "written beyond {} bytes", self.len);
    }
}

fn empty() -> hostent {
    // SAFETY: a structure of numbers and pointers, for which zero is a value.
    unsafe { std::mem::zeroed() }
}

fn by_name(state: &mut State, function: &str, name: &str, options: &[&str]) -> String {
    let name = (name != "-").then(|| text(bytes(name)));
    let name = name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr());
    let family = match option(options, "f") {
        None | Some("inet") => libc::AF_INET,
        Some("inet6") => libc::AF_INET6,
        Some(number) => int(number),
    };
    let (mut entry, mut result, mut error) = (empty(), std::ptr::null_mut(), 77);
    let mut buffer = Buffer::new(options);
    let (to, at, len) = (&raw mut entry, buffer.pointer(), buffer.len);
    let code = match function {
        "gethostbyname" => {
            return unreentrant(state, named!(function, fn(*const c_char) -> *mut hostent, (name)));
        }
        "gethostbyname2" => {
            return unreentrant(state, named!(function, fn(*const c_char, i32) -> *mut hostent, (name, family)));
        }
        "gethostbyname_r" => named!(
            function,
            fn(*const c_char, *mut hostent, *mut c_char, usize, *mut *mut hostent, *mut i32) -> i32,
            (name, to, at, len, &raw mut result, &raw mut error)
        ),
        _ => named!(
            "gethostbyname2_r",
            fn(*const c_char, i32, *mut hostent, *mut c_char, usize, *mut *mut hostent, *mut i32) -> i32,
            (name, family, to, at, len, &raw mut result, &raw mut error)
        ),
    };
    buffer.check();
    reentrant(state, code, result, error)
}

fn by_address(state: &mut State, function: &str, address: &str, options: &[&str]) -> String {
    let address = if address == "~" { state.address.expect("a lookup") } else { address.parse().expect("an address") };
    let (bytes, mut family) = match address {
        IpAddr::V4(v4) => (v4.octets().to_vec(), libc::AF_INET),
        IpAddr::V6(v6) => (v6.octets().to_vec(), libc::AF_INET6),
    };
    if let Some(other) = option(options, "f") {
        family = int(other);
    }
    let len =
        option(options, "len").map_or(u32::try_from(bytes.len()).expect("short"), |len| len.parse().expect("one"));
    let from = bytes.as_ptr().cast::<c_void>();
    if function == "gethostbyaddr" {
        let found = named!(function, fn(*const c_void, u32, i32) -> *mut hostent, (from, len, family));
        return unreentrant(state, found);
    }
    let (mut entry, mut result, mut error) = (empty(), std::ptr::null_mut(), 77);
    let mut buffer = Buffer::new(options);
    let (to, at, room) = (&raw mut entry, buffer.pointer(), buffer.len);
    let code = named!(
        "gethostbyaddr_r",
        fn(*const c_void, u32, i32, *mut hostent, *mut c_char, usize, *mut *mut hostent, *mut i32) -> i32,
        (from, len, family, to, at, room, &raw mut result, &raw mut error)
    );
    buffer.check();
    reentrant(state, code, result, error)
}

fn unreentrant(state: &mut State, found: *mut hostent) -> String {
    // SAFETY: null, or libc's entry.
    match unsafe { found.as_ref() } {
        Some(entry) => show(state, entry),
        None => host_error(h_errno()),
    }
}

fn reentrant(state: &mut State, code: i32, result: *mut hostent, error: i32) -> String {
    // SAFETY: null, or the entry in our buffer.
    match (code, unsafe { result.as_ref() }) {
        (0, Some(entry)) => show(state, entry),
        (0, None) => host_error(error),
        (code, None) => format!("{} {}", report::name(code), host_error(error)),
        (code, Some(_)) => format!("{} with a result", report::name(code)),
    }
}

fn show(state: &mut State, entry: &hostent) -> String {
    // SAFETY: what libc says about its own entry: null-terminated lists, addresses of h_length bytes.
    unsafe {
        assert!((*entry.h_aliases).is_null(), "no alias is known");
        assert!(entry.h_addr_list.is_aligned() && entry.h_aliases.is_aligned(), "misaligned lists");
        let name = CStr::from_ptr(entry.h_name).to_string_lossy();
        let mut shown = Vec::new();
        let mut next = entry.h_addr_list;
        while !(*next).is_null() {
            let ip = match (entry.h_addrtype, entry.h_length) {
                (libc::AF_INET, 4) => IpAddr::from((*next).cast::<[u8; 4]>().read_unaligned()),
                (libc::AF_INET6, 16) => IpAddr::from((*next).cast::<[u8; 16]>().read_unaligned()),
                other => panic!("family and length {other:?}"),
            };
            state.address = Some(ip);
            shown.push(show_ip(ip));
            next = next.add(1);
        }
        format!("{name} {}", shown.join(" "))
    }
}

fn network(function: &str) -> String {
    let (mut result, mut error) = (std::ptr::without_provenance_mut::<c_void>(1), 0);
    let mut entry = [0_u64; 8];
    let mut buffer = [0_u8; 256];
    let (to, at) = (entry.as_mut_ptr().cast::<c_void>(), buffer.as_mut_ptr().cast::<c_char>());
    let found = match function {
        "getnetbyname" => named!(function, fn(*const c_char) -> *mut c_void, (c"net.example".as_ptr())),
        "getnetbyaddr" => named!(function, fn(u32, i32) -> *mut c_void, (198, libc::AF_INET)),
        "getnetbyname_r" => {
            let code = named!(
                function,
                fn(*const c_char, *mut c_void, *mut c_char, usize, *mut *mut c_void, *mut i32) -> i32,
                (c"net.example".as_ptr(), to, at, 256, &raw mut result, &raw mut error)
            );
            return format!("{} {} {}", report::name(code), result.is_null(), host_error(error));
        }
        _ => {
            let code = named!(
                "getnetbyaddr_r",
                fn(u32, i32, *mut c_void, *mut c_char, usize, *mut *mut c_void, *mut i32) -> i32,
                (198, libc::AF_INET, to, at, 256, &raw mut result, &raw mut error)
            );
            return format!("{} {} {}", report::name(code), result.is_null(), host_error(error));
        }
    };
    if found.is_null() { host_error(h_errno()) } else { "found".to_owned() }
}
