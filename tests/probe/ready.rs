//! Waiting for a descriptor to become ready, and waiting for the test.

use std::mem::zeroed;
use std::ptr::null;

use crate::libc_calls::call;
use crate::report::{number, status};
use crate::script::{Done, State, int};

/// The events by name, in the order in which they are printed; poll(2) and epoll(7) have the same numbers for them.
const EVENTS: [(i16, &str); 6] = [
    (libc::POLLIN, "in"),
    (libc::POLLPRI, "pri"),
    (libc::POLLOUT, "out"),
    (libc::POLLERR, "err"),
    (libc::POLLHUP, "hup"),
    (libc::POLLRDHUP, "rdhup"),
];

/// Runs a step of this family.
pub(crate) fn step(state: &mut State, name: &str, arguments: &[&str]) -> Option<Done> {
    let line = match (name, arguments) {
        ("poll", [events, milliseconds]) => poll(state.fd, events, int(milliseconds)),
        ("select", [event, milliseconds]) => select(state.fd, event, int(milliseconds)),
        // The current descriptor joins a set of a name, and the set is made where there is none.
        ("epoll", [set, events]) => {
            let epoll = *state.named.entry((*set).to_owned()).or_insert_with(|| call!(libc::epoll_create1(0)));
            control(epoll, libc::EPOLL_CTL_ADD, state.fd, events)
        }
        ("rearm", [set, events]) => control(state.named[*set], libc::EPOLL_CTL_MOD, state.fd, events),
        ("wait", [set, milliseconds]) => wait(state.named[*set], int(milliseconds)),
        // A pipe through which one process lets another go on.
        ("gate", []) => {
            let mut ends = [-1; 2];
            let done = call!(libc::pipe(ends.as_mut_ptr()));
            state.named.extend([("gate".to_owned(), ends[0]), ("go".to_owned(), ends[1])]);
            status(done.into())
        }
        ("go", []) => number(i64::try_from(call!(libc::write(state.named["go"], c"!".as_ptr().cast(), 1))).ok()?),
        ("await", []) => read_byte(state.named["gate"]),
        ("join", []) => {
            let ended: Vec<String> = state.children.drain(..).filter_map(crate::blocks::wait).collect();
            if ended.is_empty() { "joined".to_owned() } else { ended.join(", ") }
        }
        // The test goes on when it sees the line, and writes one when the script shall.
        ("pause", []) => {
            crate::report::line("paused");
            read_byte(0)
        }
        _ => return None,
    };
    Some(Done::Line(line))
}

/// A byte from a descriptor, whose value is of no interest.
fn read_byte(fd: i32) -> String {
    let mut byte = 0_u8;
    number(i64::try_from(call!(libc::read(fd, (&raw mut byte).cast(), 1))).unwrap_or(-1))
}

fn names_of(events: i16) -> String {
    let found: Vec<_> = EVENTS.iter().filter(|(bit, _)| events & bit != 0).map(|(_, name)| *name).collect();
    found.join("+")
}

fn event_of(word: &str) -> i16 {
    let found = EVENTS.iter().find(|(_, name)| *name == word);
    found.unwrap_or_else(|| panic!("no event {word}")).0
}

fn poll(fd: i32, events: &str, milliseconds: i32) -> String {
    let wanted = events.split('+').map(event_of).fold(0, |all, one| all | one);
    let mut set = libc::pollfd { fd, events: wanted, revents: 0 };
    match call!(libc::poll(&raw mut set, 1, milliseconds)) {
        0 => "nothing".to_owned(),
        1 => names_of(set.revents),
        failed => number(failed.into()),
    }
}

/// select(2) for one event: `in`, `out` or `pri`.
fn select(fd: i32, event: &str, milliseconds: i32) -> String {
    let wanted = event_of(event);
    let mut time =
        libc::timeval { tv_sec: i64::from(milliseconds / 1000), tv_usec: i64::from(milliseconds % 1000) * 1000 };
    // SAFETY: a set of bits, for which zero is the empty one.
    let mut set: libc::fd_set = unsafe { zeroed() };
    call!(libc::FD_SET(fd, &raw mut set));
    let place = |bit| if wanted == bit { &raw const set } else { null() }.cast_mut();
    let (read, write, urgent) = (place(libc::POLLIN), place(libc::POLLOUT), place(libc::POLLPRI));
    match call!(libc::select(fd + 1, read, write, urgent, &raw mut time)) {
        0 => "nothing".to_owned(),
        1 => event.to_owned(),
        failed => number(failed.into()),
    }
}

fn control(epoll: i32, operation: i32, fd: i32, events: &str) -> String {
    let bit = |word| match word {
        "et" => libc::EPOLLET.cast_unsigned(),
        "oneshot" => libc::EPOLLONESHOT.cast_unsigned(),
        event => u32::from(event_of(event).cast_unsigned()),
    };
    let mut event = libc::epoll_event { events: events.split('+').map(bit).fold(0, |all, one| all | one), u64: 0 };
    status(call!(libc::epoll_ctl(epoll, operation, fd, &raw mut event)).into())
}

fn wait(epoll: i32, milliseconds: i32) -> String {
    let mut event = libc::epoll_event { events: 0, u64: 0 };
    match call!(libc::epoll_wait(epoll, &raw mut event, 1, milliseconds)) {
        0 => "nothing".to_owned(),
        1 => names_of(i16::try_from(event.events).expect("the events of poll")),
        failed => number(failed.into()),
    }
}
