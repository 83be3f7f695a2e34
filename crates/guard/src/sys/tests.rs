//! Filters in force, each in a child of its own: no thread of the test program may come under one.

mod answers;
mod calls;
mod child;
mod inheritance;
mod refusals;

use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;

use calls::{Outcome, call};
use child::Child;

use super::*;
use crate::{Foreign, Rules, compile};

const COOKIE: u64 = 0x1122_3344_5566_7788;
/// An address that no process may read: the kernel never gets as far as reading it where the filter decides.
const NOWHERE: u64 = 8;

fn program(foreign: Foreign) -> Program {
    compile(&Rules { cookie: COOKIE, foreign }).unwrap()
}

/// Runs `body` under the filter that refuses.
fn refused(body: impl FnOnce()) {
    Child::start(|| {
        install(&program(Foreign::Refuse)).unwrap();
        body();
    })
    .finish();
}

/// Runs `body` under the filter that asks, and gives its listener.
fn asked(body: impl FnOnce()) -> (Child, Listener) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let child = Child::start(|| {
        let installed = install(&program(Foreign::Ask)).unwrap();
        installed.listener.unwrap().hand_over(theirs.as_fd(), COOKIE).unwrap();
        body();
    });
    drop(theirs);
    let listener = Listener::receive(ours.as_fd()).unwrap();
    (child, listener)
}

fn socket(domain: u64, kind: u64) -> Outcome {
    call(libc::SYS_socket, [domain, kind, 0, 0, 0, 0])
}
