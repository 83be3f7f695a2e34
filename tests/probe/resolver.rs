//! The resolver's own functions (resolver(3)).

use std::ffi::{c_char, c_void};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::address::show_ip;
use crate::hosts::h_errno;
use crate::libc_calls::{call, named, text};
use crate::report::{host_error, status};
use crate::script::{Done, State, bytes, int, option};

// Programs that use these functions are linked with it.
#[link(name = "resolv")]
unsafe extern "C" {
    fn __res_ninit(state: *mut c_void) -> i32;
    fn __res_nclose(state: *mut c_void);
}

/// Runs a step of this family.
pub(crate) fn step(state: &mut State, name: &str, arguments: &[&str]) -> Option<Done> {
    let line = match (name, arguments) {
        ("res", [function, name, kind, options @ ..]) => query(state, function, name, kind, options),
        ("resmessage", [function, message, options @ ..]) => send(state, function, &message_of(message), options),
        _ => return None,
    };
    Some(Done::Line(line))
}

/// Room for an answer, with a guard behind it.
struct Room {
    bytes: Vec<u8>,
    len: i32,
}

impl Room {
    fn new(options: &[&str]) -> Self {
        let len = option(options, "room").map_or(4096, int);
        Self { bytes: vec![0x55; usize::try_from(len).expect("a length") + 64], len }
    }

    fn answer(&self, len: i32) -> Vec<u8> {
        let room = usize::try_from(self.len).expect("a length");
        assert!(self.bytes[room..].iter().all(|byte| *byte == 0x55), "written beyond the buffer");
        self.bytes[..room.min(usize::try_from(len).unwrap_or(0))].to_vec()
    }
}

/// struct __res_state, opaque here; it has 568 bytes.
fn with_state<T>(act: impl FnOnce(*mut c_void) -> T) -> T {
    let mut state = vec![0_u64; 128];
    let pointer = state.as_mut_ptr().cast::<c_void>();
    call!(__res_ninit(pointer));
    let result = act(pointer);
    call!(__res_nclose(pointer));
    result
}

fn kind_of(word: &str) -> i32 {
    match word {
        "A" => 1,
        "PTR" => 12,
        "MX" => 15,
        "TXT" => 16,
        "AAAA" => 28,
        "SRV" => 33,
        "ANY" => 255,
        number => int(number),
    }
}

fn query(state: &mut State, function: &str, name: &str, kind: &str, options: &[&str]) -> String {
    let (name, kind) = (text(bytes(name)), kind_of(kind));
    let class = option(options, "class").map_or(1, int);
    let domain = text(option(options, "domain").unwrap_or("example"));
    let mut room = Room::new(options);
    let (name, domain, to, len) = (name.as_ptr(), domain.as_ptr(), room.bytes.as_mut_ptr(), room.len);
    let plain = function.trim_start_matches("__");
    let got = match plain {
        "res_query" | "res_search" => {
            named!(function, fn(*const c_char, i32, i32, *mut u8, i32) -> i32, (name, class, kind, to, len))
        }
        "res_nquery" | "res_nsearch" => with_state(|opaque| {
            named!(
                function,
                fn(*mut c_void, *const c_char, i32, i32, *mut u8, i32) -> i32,
                (opaque, name, class, kind, to, len)
            )
        }),
        "res_querydomain" => named!(
            function,
            fn(*const c_char, *const c_char, i32, i32, *mut u8, i32) -> i32,
            (name, domain, class, kind, to, len)
        ),
        "res_nquerydomain" => with_state(|opaque| {
            named!(
                function,
                fn(*mut c_void, *const c_char, *const c_char, i32, i32, *mut u8, i32) -> i32,
                (opaque, name, domain, class, kind, to, len)
            )
        }),
        other => panic!("no function {other}"),
    };
    let answer = room.answer(got);
    if got < 0 { host_error(h_errno()) } else { show(state, &answer, got) }
}

fn send(state: &mut State, function: &str, message: &[u8], options: &[&str]) -> String {
    let mut room = Room::new(options);
    let (from, count) = (message.as_ptr(), i32::try_from(message.len()).expect("short"));
    let (to, len) = (room.bytes.as_mut_ptr(), room.len);
    let got = if function.ends_with("nsend") {
        with_state(|opaque| {
            named!(function, fn(*mut c_void, *const u8, i32, *mut u8, i32) -> i32, (opaque, from, count, to, len))
        })
    } else {
        named!(function, fn(*const u8, i32, *mut u8, i32) -> i32, (from, count, to, len))
    };
    let answer = room.answer(got);
    if got < 0 { status(-1) } else { show(state, &answer, got) }
}

/// `A:name` is a well-formed question, anything else bytes.
fn message_of(word: &str) -> Vec<u8> {
    let Some((kind, name)) = word.split_once(':') else { return bytes(word) };
    let mut message = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        message.push(u8::try_from(label.len()).expect("short"));
        message.extend(label.as_bytes());
    }
    message.push(0);
    message.extend(u16::try_from(kind_of(kind)).expect("16 bits").to_be_bytes());
    message.extend([0, 1]);
    message
}

/// The response code, and the answers.
fn show(state: &mut State, answer: &[u8], len: i32) -> String {
    if usize::try_from(len).unwrap_or(0) > answer.len() {
        return format!("{} of {len} bytes", answer.len());
    }
    let codes = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];
    let code = codes.get(usize::from(answer[3] & 15)).copied().unwrap_or("other");
    let count = u16::from_be_bytes([answer[6], answer[7]]);
    if count == 0 {
        return code.to_owned();
    }
    assert_eq!(count, 1, "one answer at most");
    // Behind the question stands the record: a pointer to the name, type, class, time, length.
    let mut at = 12;
    while answer[at] != 0 {
        at += 1 + usize::from(answer[at]);
    }
    let record = &answer[at + 5..];
    let data = &record[12..];
    match record[3] {
        1 => {
            let ip = Ipv4Addr::from(*data.first_chunk::<4>().expect("4 bytes"));
            state.address = Some(ip.into());
            format!("A {}", show_ip(ip.into()))
        }
        28 => format!("AAAA {}", IpAddr::from(Ipv6Addr::from(*data.first_chunk::<16>().expect("16 bytes")))),
        12 => {
            let mut labels = Vec::new();
            let mut at = 0;
            while data[at] != 0 {
                let end = at + 1 + usize::from(data[at]);
                labels.push(String::from_utf8_lossy(&data[at + 1..end]).into_owned());
                at = end;
            }
            format!("PTR {}", labels.join("."))
        }
        other => format!("type {other}"),
    }
}
