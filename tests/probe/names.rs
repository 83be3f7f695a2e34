//! getaddrinfo(3), getaddrinfo_a(3), getnameinfo(3).

use std::ffi::{CString, c_char, c_void};
use std::net::IpAddr;
use std::sync::atomic::{AtomicI32, Ordering};

use libc::addrinfo;

use crate::address::{Address, show_ip};
use crate::libc_calls::call;
use crate::report::lookup_error;
use crate::script::{Done, State, bytes, int, integer, option};

/// Runs a step of this family.
pub(crate) fn step(state: &mut State, name: &str, arguments: &[&str]) -> Option<Done> {
    let line = match (name, arguments) {
        ("gai", [node, service, hints @ ..]) => look_up(state, node, service, hints),
        ("address", []) => state.address.map_or_else(|| "none".to_owned(), |address| address.to_string()),
        ("reserved", [count, suffix]) => {
            // Many names in a row, for the table they are kept in.
            for index in 0..int(count) {
                look_up(state, &format!("n{index}.{suffix}"), "-", &["t=stream"]);
            }
            return Some(Done::Quiet);
        }
        ("gaia", [mode, notify, names @ ..]) => asynchronous(state, mode, notify, names),
        ("nameinfo", [address, host, service, flags @ ..]) => name_info(state, address, host, service, flags),
        _ => return None,
    };
    Some(Done::Line(line))
}

/// A string argument: `-` is a null pointer.
fn string(word: &str) -> Option<CString> {
    (word != "-").then(|| CString::new(bytes(word)).expect("no NUL"))
}

fn pointer(text: Option<&CString>) -> *const c_char {
    text.map_or(std::ptr::null(), |text| text.as_ptr())
}

/// Hints from `f=`, `t=`, `p=`, `flags=`; without any of them the null pointer.
fn hints_of(words: &[&str]) -> Option<addrinfo> {
    if words.is_empty() {
        return None;
    }
    // SAFETY: a structure of numbers and pointers, for which zero is a value.
    let mut hints: addrinfo = unsafe { std::mem::zeroed() };
    hints.ai_family = match option(words, "f") {
        None | Some("unspec") => libc::AF_UNSPEC,
        Some("inet") => libc::AF_INET,
        Some("inet6") => libc::AF_INET6,
        Some(number) => int(number),
    };
    hints.ai_socktype = match option(words, "t") {
        None => 0,
        Some("stream") => libc::SOCK_STREAM,
        Some("dgram") => libc::SOCK_DGRAM,
        Some("raw") => libc::SOCK_RAW,
        Some(number) => int(number),
    };
    hints.ai_protocol = option(words, "p").map_or(0, int);
    for flag in option(words, "flags").into_iter().flat_map(|flags| flags.split('+')) {
        hints.ai_flags |= match flag {
            "canon" => libc::AI_CANONNAME,
            "passive" => libc::AI_PASSIVE,
            "numerichost" => libc::AI_NUMERICHOST,
            "numericserv" => libc::AI_NUMERICSERV,
            "addrconfig" => libc::AI_ADDRCONFIG,
            "v4mapped" => libc::AI_V4MAPPED,
            "all" => libc::AI_ALL,
            number => int(number),
        };
    }
    Some(hints)
}

fn look_up(state: &mut State, node: &str, service: &str, hints: &[&str]) -> String {
    let (node, service, hints) = (string(node), string(service), hints_of(hints));
    let mut list = std::ptr::null_mut();
    let hints = hints.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let code = call!(libc::getaddrinfo(pointer(node.as_ref()), pointer(service.as_ref()), hints, &raw mut list));
    if code != 0 { lookup_error(code) } else { show_list(state, list) }
}

/// The results, one after the other, and frees them.
fn show_list(state: &mut State, list: *mut addrinfo) -> String {
    let mut lines = Vec::new();
    let mut next = list;
    // SAFETY: libc made the list.
    while let Some(info) = unsafe { next.as_ref() } {
        let bytes = call!(std::slice::from_raw_parts(info.ai_addr.cast::<u8>(), info.ai_addrlen as usize));
        let ip = ip_of(bytes);
        if next == list {
            state.address = Some(ip);
        }
        let port = u16::from_be_bytes([bytes[2], bytes[3]]);
        let kind = match info.ai_socktype {
            libc::SOCK_STREAM => "tcp",
            libc::SOCK_DGRAM => "udp",
            libc::SOCK_RAW => "raw",
            _ => "other",
        };
        let scope = if bytes.len() == 28 && bytes[24..] != [0; 4] { format!("%{}", bytes[24]) } else { String::new() };
        let canonical = if info.ai_canonname.is_null() {
            String::new()
        } else {
            format!(" is {}", call!(std::ffi::CStr::from_ptr(info.ai_canonname)).to_string_lossy())
        };
        let port = if port == 0 { String::new() } else { format!(" {port}") };
        lines.push(format!("{}{scope}{port} {kind}{canonical}", show_ip(ip)));
        next = info.ai_next;
    }
    call!(libc::freeaddrinfo(list));
    lines.join(", ")
}

fn ip_of(address: &[u8]) -> IpAddr {
    match address.len() {
        16 => IpAddr::from(*address[4..].first_chunk::<4>().expect("4 bytes")),
        28 => IpAddr::from(*address[8..].first_chunk::<16>().expect("16 bytes")),
        other => panic!("an address of {other} bytes"),
    }
}

/// struct gaicb (getaddrinfo_a(3)).
#[repr(C)]
struct Request {
    name: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
    result: *mut addrinfo,
    private: [i32; 6],
}

/// struct sigevent, with the members of `SIGEV_THREAD` (sigevent(3type)).
#[repr(C)]
struct Event {
    value: *mut c_void,
    signal: i32,
    notify: i32,
    function: Option<extern "C" fn(*mut c_void)>,
    attributes: *const c_void,
    padding: [u64; 4],
}

unsafe extern "C" {
    fn getaddrinfo_a(mode: i32, list: *const *mut Request, count: i32, event: *const Event) -> i32;
    fn gai_error(request: *const Request) -> i32;
    fn gai_suspend(list: *const *const Request, count: i32, timeout: *const libc::timespec) -> i32;
    fn gai_cancel(request: *mut Request) -> i32;
}

/// What the notification brought.
static NOTIFIED: AtomicI32 = AtomicI32::new(0);

extern "C" fn notified(value: *mut c_void) {
    NOTIFIED.store(i32::try_from(value.addr()).unwrap_or(-1), Ordering::Release);
}

extern "C" fn signalled(_signal: i32, info: *mut libc::siginfo_t, _context: *mut c_void) {
    // SAFETY: the kernel's own structure.
    notified(unsafe { (*info).si_value() }.sival_ptr);
}

fn asynchronous(state: &mut State, mode: &str, notify: &str, names: &[&str]) -> String {
    let names: Vec<Option<CString>> = names.iter().map(|name| string(name)).collect();
    let hints = hints_of(&["t=stream"]).expect("hints");
    let mut requests: Vec<Request> = names
        .iter()
        .map(|name| Request {
            name: pointer(name.as_ref()),
            service: std::ptr::null(),
            hints: &raw const hints,
            result: std::ptr::null_mut(),
            private: [0; 6],
        })
        .collect();
    let mut list: Vec<*mut Request> = requests.iter_mut().map(std::ptr::from_mut).collect();
    // Null pointers in the list are skipped.
    list.push(std::ptr::null_mut());
    let (mode, method) = (if mode == "wait" { 0 } else { int(mode) }, notify);
    NOTIFIED.store(0, Ordering::Relaxed);
    let event = Event {
        value: std::ptr::without_provenance_mut(42),
        signal: libc::SIGUSR1,
        notify: match method {
            "signal" => libc::SIGEV_SIGNAL,
            "thread" => libc::SIGEV_THREAD,
            _ => libc::SIGEV_NONE,
        },
        function: Some(notified),
        attributes: std::ptr::null(),
        padding: [0; 4],
    };
    // SAFETY: a structure of numbers, for which zero is a value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = signalled as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO;
    call!(libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()));
    let event = if method == "null" { std::ptr::null() } else { &raw const event };
    let count = i32::try_from(list.len()).expect("few");
    let code = call!(getaddrinfo_a(mode, list.as_ptr(), count, event));
    if code != 0 {
        return lookup_error(code);
    }
    let mut parts = Vec::new();
    for request in &mut requests {
        let one = std::ptr::from_ref(request);
        while call!(gai_error(one)) == -100 {
            call!(gai_suspend(&raw const one, 1, std::ptr::null()));
        }
        let code = call!(gai_error(one));
        parts.push(if code == 0 { show_list(state, request.result) } else { lookup_error(code) });
        // No request is under way any more.
        assert_eq!(call!(gai_suspend(&raw const one, 1, std::ptr::null())), -103);
        assert_eq!(call!(gai_cancel(request)), -103);
    }
    if matches!(method, "signal" | "thread") {
        while NOTIFIED.load(Ordering::Acquire) == 0 {
            std::thread::yield_now();
        }
        parts.push(format!("notified {}", NOTIFIED.load(Ordering::Acquire)));
    }
    parts.join(", ")
}

/// Flags: a number. Lengths: of the two buffers, `-` for a null pointer.
fn name_info(state: &State, address: &str, host: &str, service: &str, flags: &[&str]) -> String {
    let address = Address::parse(state, address);
    let flags = flags.first().map_or(0, |flags| i32::try_from(integer(flags)).expect("an int"));
    let mut buffers = [vec![0x55_u8; 1100], vec![0x55_u8; 1100]];
    let lengths = [host, service].map(|len| if len == "-" { 0 } else { u32::try_from(int(len)).expect("a length") });
    let [to_host, to_service] = &mut buffers;
    let place = |word: &str, buffer: &mut Vec<u8>| {
        if word == "-" { std::ptr::null_mut() } else { buffer.as_mut_ptr().cast::<c_char>() }
    };
    let (to_host, to_service) = (place(host, to_host), place(service, to_service));
    let code =
        call!(libc::getnameinfo(address.pointer(), address.len, to_host, lengths[0], to_service, lengths[1], flags));
    for (buffer, len) in buffers.iter().zip(lengths) {
        assert!(buffer[len as usize..].iter().all(|byte| *byte == 0x55), "written beyond {len} bytes");
    }
    if code != 0 {
        return lookup_error(code);
    }
    let text = |buffer: &[u8], len| {
        let end = buffer.iter().position(|byte| *byte == 0).unwrap_or(0);
        if len == 0 { "-".to_owned() } else { String::from_utf8_lossy(&buffer[..end]).into_owned() }
    };
    let host = text(&buffers[0], lengths[0]);
    let host = host.parse().map_or(host, show_ip);
    format!("{host} {}", text(&buffers[1], lengths[1]))
}
