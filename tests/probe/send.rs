//! Sending and receiving.

use std::ffi::c_void;

use crate::address::Address;
use crate::libc_calls::{call, route};
use crate::report::{number, status};
use crate::script::{Done, State, bytes};

/// Runs a step of this family.
pub(crate) fn step(state: &mut State, name: &str, arguments: &[&str]) -> Option<Done> {
    let line = match (name, arguments) {
        ("send", [data]) => {
            let data = bytes(data);
            number(
                i64::try_from(call!(libc::send(state.fd, data.as_ptr().cast(), data.len(), libc::MSG_NOSIGNAL)))
                    .ok()?,
            )
        }
        ("sendto", [to, data, flags @ ..]) => {
            let (to, data) = (Address::parse(state, to), bytes(data));
            let (from, len) = (data.as_ptr().cast::<c_void>(), data.len());
            let arguments = (state.fd, from, len, flags_of(flags), to.pointer(), to.len);
            let (fd, from, len, flags, to, to_len) = arguments;
            number(route!(state, SYS_sendto, libc::sendto, (fd, from, len, flags, to, to_len)))
        }
        ("sendmsg", [to, data, flags @ ..]) => {
            let (to, data) = (Address::parse(state, to), bytes(data));
            let mut part = part(&data);
            let message = message(&to, &mut part);
            number(route!(state, SYS_sendmsg, libc::sendmsg, (state.fd, &raw const message, flags_of(flags))))
        }
        ("sendmmsg", [to, data, flags @ ..]) => many(state, &to.split('+').collect::<Vec<_>>(), data, flags),
        ("urgent", [data]) => {
            let data = bytes(data);
            let flags = libc::MSG_OOB | libc::MSG_NOSIGNAL;
            number(i64::try_from(call!(libc::send(state.fd, data.as_ptr().cast(), data.len(), flags))).ok()?)
        }
        ("recvurgent", []) => {
            let mut byte = 0_u8;
            match call!(libc::recv(state.fd, (&raw mut byte).cast(), 1, libc::MSG_OOB)) {
                1 => char::from(byte).to_string(),
                other => number(i64::try_from(other).ok()?),
            }
        }
        ("recv", []) => receive(state.fd, 4096),
        ("recv", [len]) => receive(state.fd, len.parse().expect("a length")),
        ("echo", [data]) => {
            let data = bytes(data);
            let sent = call!(libc::send(state.fd, data.as_ptr().cast(), data.len(), libc::MSG_NOSIGNAL));
            if sent < 0 { status(-1) } else { receive(state.fd, data.len()) }
        }
        ("recvfd", [path]) => receive_descriptor(state, path),
        _ => return None,
    };
    Some(Done::Line(line))
}

fn flags_of(words: &[&str]) -> i32 {
    let flag = |word: &&str| match *word {
        "fastopen" => libc::MSG_FASTOPEN,
        "dontwait" => libc::MSG_DONTWAIT,
        "nosignal" => libc::MSG_NOSIGNAL,
        other => panic!("no flag {other}"),
    };
    words.iter().map(flag).fold(libc::MSG_NOSIGNAL, |all, one| all | one)
}

fn part(data: &[u8]) -> libc::iovec {
    libc::iovec { iov_base: data.as_ptr().cast_mut().cast(), iov_len: data.len() }
}

fn message(to: &Address, part: &mut libc::iovec) -> libc::msghdr {
    // SAFETY: a structure of numbers and pointers, for which zero is a value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_name = to.pointer().cast_mut().cast();
    message.msg_namelen = if to.pointer().is_null() { 0 } else { to.len };
    message.msg_iov = part;
    message.msg_iovlen = 1;
    message
}

/// sendmmsg(2) of the same data to each address: how many went, and the bytes of each.
fn many(state: &State, to: &[&str], data: &str, flags: &[&str]) -> String {
    let data = bytes(data);
    let to: Vec<Address> = to.iter().map(|word| Address::parse(state, word)).collect();
    let mut parts: Vec<libc::iovec> = to.iter().map(|_| part(&data)).collect();
    let mut messages: Vec<libc::mmsghdr> =
        to.iter().zip(&mut parts).map(|(to, part)| libc::mmsghdr { msg_hdr: message(to, part), msg_len: 0 }).collect();
    let (list, count) = (messages.as_mut_ptr(), u32::try_from(messages.len()).expect("few"));
    let sent = route!(state, SYS_sendmmsg, libc::sendmmsg, (state.fd, list, count, flags_of(flags)));
    let Ok(sent) = usize::try_from(sent) else { return status(-1) };
    let lengths: Vec<String> = messages[..sent].iter().map(|message| message.msg_len.to_string()).collect();
    format!("{sent} of {count}: {}", lengths.join(" "))
}

/// Receives until `len` bytes are there, or until a stream ends or a datagram came.
fn receive(fd: i32, len: usize) -> String {
    let mut data = vec![0_u8; len];
    let mut got = 0;
    while got < len {
        let read = call!(libc::recv(fd, data[got..].as_mut_ptr().cast(), len - got, 0));
        match usize::try_from(read) {
            Err(_) => return status(-1),
            Ok(0) if got == 0 => return "end".to_owned(),
            Ok(0) => break,
            Ok(read) => got += read,
        }
        if len == 4096 {
            break;
        }
    }
    String::from_utf8_lossy(&data[..got]).into_owned()
}

/// Takes a descriptor from the process that listens at a unix socket (unix(7), `SCM_RIGHTS`).
fn receive_descriptor(state: &mut State, path: &str) -> String {
    let fd = call!(libc::socket(libc::AF_UNIX, libc::SOCK_STREAM, 0));
    let to = Address::parse(state, &format!("unix:{path}"));
    if call!(libc::connect(fd, to.pointer(), to.len)) != 0 {
        return status(-1);
    }
    let mut byte = [0_u8];
    let mut part = part(&byte);
    part.iov_base = byte.as_mut_ptr().cast();
    let mut control = [0_u64; 8];
    // SAFETY: as in `message`.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control);
    let read = call!(libc::recvmsg(fd, &raw mut message, 0));
    if read < 0 {
        return status(-1);
    }
    call!({
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        assert!(!header.is_null(), "no descriptor came");
        state.fd = libc::CMSG_DATA(header).cast::<i32>().read_unaligned();
    });
    "ok".to_owned()
}
