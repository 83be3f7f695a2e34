//! Signals: handlers that count, and timers that send them.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::libc_calls::call;
use crate::report::status;
use crate::script::{Done, State, int};

/// How often the handler ran.
static COUNT: AtomicU64 = AtomicU64::new(0);

extern "C" fn count(_signal: i32) {
    COUNT.fetch_add(1, Ordering::Relaxed);
}

/// Runs a step of this family.
pub(crate) fn step(_state: &mut State, name: &str, arguments: &[&str]) -> Option<Done> {
    let line = match (name, arguments) {
        // A timer that goes on and on: however slow the machine is, one of its signals hits the call that follows.
        ("timer", [milliseconds, rest @ ..]) => {
            handle(count, if rest.first() == Some(&"restart") { libc::SA_RESTART } else { 0 });
            timer(int(milliseconds))
        }
        ("signalled", []) => if COUNT.load(Ordering::Relaxed) > 0 { "yes" } else { "no" }.to_owned(),
        _ => return None,
    };
    Some(Done::Line(line))
}

/// Installs a handler for SIGALRM.
pub(crate) fn handle(handler: extern "C" fn(i32), flags: i32) {
    // SAFETY: a structure of numbers, for which zero is a value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as libc::sighandler_t;
    action.sa_flags = flags;
    assert_eq!(call!(libc::sigaction(libc::SIGALRM, &raw const action, std::ptr::null_mut())), 0);
}

/// SIGALRM every so many milliseconds, never for 0.
pub(crate) fn timer(milliseconds: i32) -> String {
    let time = libc::timeval { tv_sec: i64::from(milliseconds / 1000), tv_usec: i64::from(milliseconds % 1000) * 1000 };
    let timer = libc::itimerval { it_interval: time, it_value: time };
    // SAFETY: setitimer reads one structure.
    status(unsafe { setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) }.into())
}

unsafe extern "C" {
    fn setitimer(which: i32, new: *const libc::itimerval, old: *mut libc::itimerval) -> i32;
}
