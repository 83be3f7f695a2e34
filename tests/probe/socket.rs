//! Sockets and their options.

use std::ffi::c_void;
use std::net::SocketAddr;

use crate::address::{Address, name_of, show};
use crate::libc_calls::{call, named, route};
use crate::report::{self, status};
use crate::script::{Done, State, bytes, int};

/// Runs a step of this family.
pub(crate) fn step(state: &mut State, name: &str, arguments: &[&str]) -> Option<Done> {
    let fd = state.fd;
    let line = match (name, arguments) {
        ("via", ["syscall"]) => {
            state.by_number = true;
            return Some(Done::Quiet);
        }
        ("as", [name]) => {
            state.named.insert((*name).to_owned(), fd);
            return Some(Done::Quiet);
        }
        ("use", [name]) => {
            state.fd = state.named[*name];
            return Some(Done::Quiet);
        }
        ("fd", [fd]) => {
            state.fd = int(fd);
            return Some(Done::Quiet);
        }
        ("socket", [domain, kind, rest @ ..]) => {
            let protocol = rest.first().map_or(0, |word| int(word));
            take(state, route!(state, SYS_socket, libc::socket, (domain_of(domain), kind_of(kind), protocol)))
        }
        ("socketpair", [domain, kind]) => pair(state, domain, kind),
        ("connect", [to]) => {
            let to = Address::parse(state, to);
            status(route!(state, SYS_connect, libc::connect, (fd, to.pointer(), to.len)))
        }
        ("__connect", [to]) => {
            let to = Address::parse(state, to);
            let done = named!("__connect", fn(i32, *const libc::sockaddr, u32) -> i32, (fd, to.pointer(), to.len));
            status(done.into())
        }
        ("bind", [to]) => {
            let to = Address::parse(state, to);
            status(route!(state, SYS_bind, libc::bind, (fd, to.pointer(), to.len)))
        }
        ("listen", []) => status(route!(state, SYS_listen, libc::listen, (fd, 16))),
        ("accept", []) => {
            let (nowhere, no_length) = (std::ptr::null_mut::<libc::sockaddr>(), std::ptr::null_mut::<u32>());
            take(state, route!(state, SYS_accept, libc::accept, (fd, nowhere, no_length)))
        }
        ("accept4", []) => accept4(state),
        ("peer", []) => peer(state, 128),
        ("peer", [len]) => peer(state, len.parse().expect("a length")),
        ("name", []) => name_of(libc::getsockname, fd).unwrap_or_else(|| report::name(report::errno())),
        ("own", []) => match name_of(libc::getsockname, fd).and_then(|name| name.parse().ok()) {
            Some(SocketAddr::V4(own)) if own.port() != 0 => "inet with a port".to_owned(),
            Some(SocketAddr::V6(own)) if own.port() != 0 => "inet6 with a port".to_owned(),
            own => format!("{own:?}"),
        },
        ("getopt", [option]) => get(state, option),
        ("setopt", [option, value]) => set(state, option, value),
        ("nonblock" | "block", []) => {
            let flags = call!(libc::fcntl(fd, libc::F_GETFL)) & !libc::O_NONBLOCK;
            let flags = if name == "block" { flags } else { flags | libc::O_NONBLOCK };
            status(call!(libc::fcntl(fd, libc::F_SETFL, flags)).into())
        }
        ("dup", []) => take(state, call!(libc::dup(fd)).into()),
        ("dup2", [to]) => take(state, call!(libc::dup2(fd, int(to))).into()),
        ("close", []) => status(call!(libc::close(fd)).into()),
        ("closerange", [from, to]) => {
            let (from, to) = (u32::try_from(int(from)).expect("positive"), u32::try_from(int(to)).expect("positive"));
            status(call!(libc::close_range(from, to, 0)).into())
        }
        ("output", [to]) => {
            let to = call!(libc::dup2(1, int(to)));
            report::OUTPUT.store(to, std::sync::atomic::Ordering::Relaxed);
            return Some(Done::Quiet);
        }
        ("files", [most]) => {
            let limit =
                libc::rlimit { rlim_cur: most.parse().expect("a number"), rlim_max: most.parse().expect("one") };
            status(call!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit)).into())
        }
        ("shutdown", []) => status(call!(libc::shutdown(fd, libc::SHUT_WR)).into()),
        ("shutdown", ["both"]) => status(call!(libc::shutdown(fd, libc::SHUT_RDWR)).into()),
        _ => return None,
    };
    Some(Done::Line(line))
}

/// The new descriptor becomes the current one.
fn take(state: &mut State, fd: i64) -> String {
    let line = status(fd);
    if let Some(fd) = i32::try_from(fd).ok().filter(|fd| *fd >= 0) {
        state.fd = fd;
    }
    line
}

fn domain_of(word: &str) -> i32 {
    match word {
        "unix" => libc::AF_UNIX,
        "inet" => libc::AF_INET,
        "inet6" => libc::AF_INET6,
        "netlink" => libc::AF_NETLINK,
        "packet" => libc::AF_PACKET,
        "vsock" => libc::AF_VSOCK,
        "alg" => libc::AF_ALG,
        "bluetooth" => libc::AF_BLUETOOTH,
        "smc" => 43,
        "xdp" => libc::AF_XDP,
        number => int(number),
    }
}

fn kind_of(words: &str) -> i32 {
    let kind = |word| match word {
        "stream" => libc::SOCK_STREAM,
        "dgram" => libc::SOCK_DGRAM,
        "raw" => libc::SOCK_RAW,
        "seqpacket" => libc::SOCK_SEQPACKET,
        "nonblock" => libc::SOCK_NONBLOCK,
        "cloexec" => libc::SOCK_CLOEXEC,
        number => int(number),
    };
    words.split('+').map(kind).fold(0, |all, one| all | one)
}

fn pair(state: &mut State, domain: &str, kind: &str) -> String {
    let mut ends = [-1; 2];
    let to = ends.as_mut_ptr();
    let done = route!(state, SYS_socketpair, libc::socketpair, (domain_of(domain), kind_of(kind), 0, to));
    if done == 0 {
        state.fd = ends[0];
        state.named.insert("other".to_owned(), ends[1]);
    }
    status(done)
}

/// accept4(2) with the peer's address.
fn accept4(state: &mut State) -> String {
    let mut bytes = [0_u8; 128];
    let mut len = 128_u32;
    let (to, size) = (bytes.as_mut_ptr().cast(), &raw mut len);
    let fd = route!(state, SYS_accept4, libc::accept4, (state.fd, to, size, libc::SOCK_CLOEXEC));
    let line = take(state, fd);
    if fd < 0 { line } else { show(&bytes[..len as usize]).split(':').next().unwrap_or_default().to_owned() }
}

/// getpeername(2) with room for `room` bytes: the address, and the length where it did not fit.
fn peer(state: &State, room: u32) -> String {
    let mut bytes = [0_u8; 128];
    let mut len = room;
    let (to, size) = (bytes.as_mut_ptr().cast(), &raw mut len);
    let done = route!(state, SYS_getpeername, libc::getpeername, (state.fd, to, size));
    match done {
        0 if len > room => {
            let untouched = bytes[room as usize..].iter().all(|byte| *byte == 0);
            format!("{len} bytes, {}", if untouched { "cut" } else { "overrun" })
        }
        0 => show(&bytes[..len as usize]),
        _ => status(-1),
    }
}

/// Options by name: level and number.
fn option_of(word: &str) -> (i32, i32) {
    match word {
        "error" => (libc::SOL_SOCKET, libc::SO_ERROR),
        "type" => (libc::SOL_SOCKET, libc::SO_TYPE),
        "device" => (libc::SOL_SOCKET, libc::SO_BINDTODEVICE),
        "ifindex" => (libc::SOL_SOCKET, 62),
        "sndtimeo" => (libc::SOL_SOCKET, libc::SO_SNDTIMEO),
        "rcvtimeo" => (libc::SOL_SOCKET, libc::SO_RCVTIMEO),
        "reuseaddr" => (libc::SOL_SOCKET, libc::SO_REUSEADDR),
        "broadcast" => (libc::SOL_SOCKET, libc::SO_BROADCAST),
        "v6only" => (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY),
        "nodelay" => (libc::IPPROTO_TCP, libc::TCP_NODELAY),
        "fastopen_connect" => (libc::IPPROTO_TCP, libc::TCP_FASTOPEN_CONNECT),
        "unicast_if" => (libc::IPPROTO_IP, 50),
        "join" => (libc::IPPROTO_IP, libc::IP_ADD_MEMBERSHIP),
        "join6" => (libc::IPPROTO_IPV6, libc::IPV6_ADD_MEMBERSHIP),
        "join_group" => (libc::IPPROTO_IP, 42),
        other => {
            let (level, name) = other.split_once('.').expect("LEVEL.NUMBER");
            (int(level), int(name))
        }
    }
}

fn get(state: &State, option: &str) -> String {
    let (level, name) = option_of(option);
    let mut value = [0_u8; 32];
    let mut len = 32_u32;
    let (to, size) = (value.as_mut_ptr().cast::<c_void>(), &raw mut len);
    let done = route!(state, SYS_getsockopt, libc::getsockopt, (state.fd, level, name, to, size));
    if done < 0 {
        return status(-1);
    }
    let first = i32::from_ne_bytes(*value.first_chunk().expect("4 bytes"));
    match option {
        "error" => report::name(first),
        "device" => {
            let name = value[..len as usize].split(|byte| *byte == 0).next().unwrap_or_default();
            String::from_utf8_lossy(name).into_owned()
        }
        _ => first.to_string(),
    }
}

/// `VALUE` is an int, `ms=N` a time, `text=…` bytes, `group=A+B` addresses in a row, `#N` an int in network byte order.
fn set(state: &State, option: &str, value: &str) -> String {
    let (level, name) = option_of(option);
    let value = if let Some(time) = value.strip_prefix("ms=") {
        let time = i64::from(int(time));
        [(time / 1000).to_ne_bytes(), (time % 1000 * 1000).to_ne_bytes()].concat()
    } else if let Some(text) = value.strip_prefix("text=") {
        bytes(text)
    } else if let Some(parts) = value.strip_prefix("parts=") {
        parts.split('+').flat_map(part).collect()
    } else if let Some(number) = value.strip_prefix('#') {
        int(number).to_be_bytes().to_vec()
    } else {
        int(value).to_ne_bytes().to_vec()
    };
    let (from, len) = (value.as_ptr().cast::<c_void>(), u32::try_from(value.len()).expect("short"));
    status(route!(state, SYS_setsockopt, libc::setsockopt, (state.fd, level, name, from, len)))
}

fn part(word: &str) -> Vec<u8> {
    match word.parse() {
        Ok(std::net::IpAddr::V4(v4)) => v4.octets().to_vec(),
        Ok(std::net::IpAddr::V6(v6)) => v6.octets().to_vec(),
        Err(_) => int(word).to_ne_bytes().to_vec(),
    }
}
