//! What the helper's side can say, and what the guarded side then sees.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _, pipe};
use std::mem;
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::ptr;

use libc::{EACCES, EMFILE, c_int};

use super::calls::{address, call_i386};
use super::*;
use crate::sys::probe::knows_killable_waits;
use crate::{Call, Notification};

/// Waits for the next call; a tree that ends first has failed.
fn next(listener: &Listener) -> Notification {
    loop {
        if let Some(notification) = listener.next().unwrap() {
            return notification;
        }
        assert!(!listener.has_ended().unwrap(), "ended without a call");
        wait(listener);
    }
}

fn wait(listener: &Listener) {
    let mut poll = libc::pollfd { fd: listener.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one structure, as the count says.
    unsafe { libc::poll(&raw mut poll, 1, -1) };
}

fn arg(number: i64) -> u64 {
    number.cast_unsigned()
}

#[test]
fn a_given_descriptor_is_the_result() {
    for cloexec in [false, true] {
        let (mut child, listener) = asked(|| {
            let number = socket(2, 1 | 0x8_0000).unwrap();
            assert_eq!(call(libc::SYS_fcntl, [arg(number), 1, 0, 0, 0, 0]), Ok(i64::from(cloexec)));
            // SAFETY: the helper's side has just made it for us.
            let mut given = unsafe { File::from_raw_fd(i32::try_from(number).unwrap()) };
            given.write_all(&number.to_ne_bytes()).unwrap();
        });
        assert!(listener.as_fd().try_clone_to_owned().is_ok());
        let notification = next(&listener);
        assert_eq!(notification.call, Call::Socket { domain: 2, kind: 1 | 0x8_0000, protocol: 0 });
        assert_eq!(notification.thread, child.pid.cast_unsigned());
        assert!(listener.is_valid(notification.id).unwrap());
        assert!(listener.next().unwrap().is_none(), "each is delivered once");
        let (mut reader, writer) = pipe().unwrap();
        let number = listener.give(notification.id, writer.as_fd(), cloexec).unwrap();
        drop(writer);
        let mut written = Vec::new();
        reader.read_to_end(&mut written).unwrap();
        assert_eq!(written, i64::from(number).to_ne_bytes());
        assert!(!listener.is_valid(notification.id).unwrap());
        assert_eq!(child.reap(), 0);
        assert!(listener.has_ended().unwrap());
        assert!(listener.next().unwrap().is_none());
    }
}

#[test]
fn the_listener_arrives_or_not() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let pretended = || Listener::from(OwnedFd::from(pipe().unwrap().0));
    assert_eq!(pretended().hand_over(theirs.as_fd(), 0).unwrap_err().kind(), ErrorKind::InvalidInput);
    pretended().hand_over(theirs.as_fd(), COOKIE).unwrap();
    let received = Listener::receive(ours.as_fd()).unwrap();
    assert_eq!(call(libc::SYS_fcntl, [arg(received.as_raw_fd().into()), 1, 0, 0, 0, 0]), Ok(1), "close-on-exec");
    (&theirs).write_all(b"-").unwrap();
    assert_eq!(Listener::receive(ours.as_fd()).unwrap_err().kind(), ErrorKind::InvalidData);
    drop(theirs);
    assert_eq!(Listener::receive(ours.as_fd()).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(pretended().hand_over(ours.as_fd(), COOKIE).unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[test]
fn refusals_results_and_going_on() {
    let (child, listener) = asked(|| {
        assert_eq!(socket(10, 2), Err(EACCES));
        assert_eq!(socket(2, 1), Ok(77));
        let made = socket(2, 1).unwrap();
        assert_eq!(call(libc::SYS_listen, [arg(made), 5, 0, 0, 0, 0]), Ok(0));
        assert_eq!(call(libc::SYS_connect, [u64::MAX, NOWHERE, 16, 0, 0, 0]), Err(libc::EBADF));
        assert_eq!(call(libc::SYS_sendto, [u64::MAX, NOWHERE, 1, 0, NOWHERE, 28]), Err(libc::EHOSTUNREACH));
        assert_eq!(call(libc::SYS_sendmsg, [u64::MAX, NOWHERE, 0, 0, 0, 0]), Err(libc::EBADF));
        assert_eq!(call(libc::SYS_sendmmsg, [u64::MAX, NOWHERE, 1, 0, 0, 0]), Ok(1));
    });
    let expect = |call: Call| {
        let notification = next(&listener);
        assert_eq!(notification.call, call);
        notification.id
    };
    let id = expect(Call::Socket { domain: 10, kind: 2, protocol: 0 });
    for no_errno in [0, -13, 4096] {
        assert_eq!(listener.refuse(id, no_errno).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    listener.refuse(id, EACCES).unwrap();
    listener.answer(expect(Call::Socket { domain: 2, kind: 1, protocol: 0 }), 77).unwrap();
    listener.resume(expect(Call::Socket { domain: 2, kind: 1, protocol: 0 })).unwrap();
    let listen = next(&listener);
    assert!(matches!(listen.call, Call::Listen { fd: 0.., backlog: 5 }), "{listen:?}");
    listener.resume(listen.id).unwrap();
    listener.resume(expect(Call::Connect { fd: -1, len: 16 })).unwrap();
    listener.refuse(expect(Call::Send { fd: -1 }), libc::EHOSTUNREACH).unwrap();
    listener.resume(expect(Call::Message { fd: -1 })).unwrap();
    listener.answer(expect(Call::Messages { fd: -1 }), 1).unwrap();
    child.finish();
}

#[test]
fn a_descriptor_is_replaced_in_its_place() {
    let (child, listener) = asked(|| {
        let number = call(libc::SYS_socket, [2, 1, 0, 0, COOKIE, 0]).unwrap();
        assert_eq!(call(libc::SYS_listen, [arg(number), 9, 0, 0, 0, 0]), Ok(0));
        assert_eq!(call(libc::SYS_write, [arg(number), address(b"through"), 7, 0, 0, 0]), Ok(7));
        assert_eq!(call(libc::SYS_fcntl, [arg(number), 1, 0, 0, 0, 0]), Ok(1));
    });
    let Notification { id, call: Call::Listen { fd, backlog: 9 }, .. } = next(&listener) else { panic!("no listen") };
    let (mut reader, writer) = pipe().unwrap();
    assert_eq!(listener.replace(id, writer.as_fd(), -1, true).unwrap_err().raw_os_error(), Some(libc::EBADF));
    listener.replace(id, writer.as_fd(), fd, true).unwrap();
    assert!(listener.is_valid(id).unwrap(), "it still waits");
    listener.answer(id, 0).unwrap();
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "through");
    child.finish();
}

#[test]
fn a_full_table_leaves_the_caller_waiting() {
    let (child, listener) = asked(|| {
        let lowest = call(libc::SYS_dup, [0; 6]).unwrap();
        call(libc::SYS_close, [arg(lowest), 0, 0, 0, 0, 0]).unwrap();
        let limit = libc::rlimit { rlim_cur: arg(lowest), rlim_max: arg(lowest) };
        call(libc::SYS_setrlimit, [u64::from(libc::RLIMIT_NOFILE), address(&limit), 0, 0, 0, 0]).unwrap();
        assert_eq!(socket(2, 1), Err(EMFILE));
    });
    let id = next(&listener).id;
    let (_reader, writer) = pipe().unwrap();
    assert_eq!(listener.give(id, writer.as_fd(), true).unwrap_err().raw_os_error(), Some(EMFILE));
    listener.refuse(id, EMFILE).unwrap();
    child.finish();
}

#[test]
fn nobody_waits_for_an_answer_any_more() {
    let (mut child, listener) = asked(|| panic!("answered: {:?}", socket(2, 1)));
    let id = next(&listener).id;
    child.signal(libc::SIGKILL);
    child.reap();
    assert!(!listener.is_valid(id).unwrap());
    listener.resume(id).unwrap();
    listener.refuse(id, EACCES).unwrap();
    listener.answer(id, 0).unwrap();
    let (_reader, writer) = pipe().unwrap();
    assert_eq!(listener.give(id, writer.as_fd(), true).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(listener.replace(id, writer.as_fd(), 0, true).unwrap_err().kind(), ErrorKind::NotFound);
}

/// The call is gone between the listener's becoming readable and the look at it.
#[test]
fn a_caller_that_died_unheard_is_no_notification() {
    let (mut child, listener) = asked(|| panic!("answered: {:?}", socket(2, 1)));
    wait(&listener);
    child.signal(libc::SIGKILL);
    child.reap();
    assert!(listener.next().unwrap().is_none());
    assert!(listener.has_ended().unwrap());
}

#[test]
fn a_closed_listener_answers_enosys() {
    let (child, listener) = asked(|| assert_eq!(socket(2, 1), Err(libc::ENOSYS)));
    next(&listener);
    drop(listener);
    child.finish();
}

/// Otherwise a timer's tick would make the program call again, and the helper's answer would be lost.
#[test]
fn a_signal_does_not_take_a_delivered_call_back() {
    extern "C" fn ignore(_: c_int) {}
    if !knows_killable_waits() {
        return;
    }
    let (child, listener) = asked(|| {
        // SAFETY: integers and pointers, for which zero is a value; without SA_RESTART a signal interrupts.
        let mut action: libc::sigaction = unsafe { mem::zeroed() };
        action.sa_sigaction = ignore as extern "C" fn(c_int) as libc::sighandler_t;
        // SAFETY: the handler does nothing.
        check(unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, ptr::null_mut()) }).unwrap();
        assert_eq!(socket(2, 1), Ok(42));
    });
    let id = next(&listener).id;
    child.signal(libc::SIGUSR1);
    listener.answer(id, 42).unwrap();
    child.finish();
}

#[test]
fn calls_of_i386_are_asked_about() {
    let mut bare = Child::start(|| assert!(call_i386(20, [0; 5]).is_ok()));
    if libc::WIFSIGNALED(bare.reap()) {
        // No 32-bit emulation: nobody asks.
        return;
    }
    let (child, listener) = asked(|| {
        assert_eq!(call_i386(359, [10, 0x802, 17, 0, 0x5566_7788]), Ok(55));
        assert_eq!(call_i386(362, [u32::MAX, 8, 128, 0, 0]), Err(EACCES));
    });
    let notification = next(&listener);
    assert_eq!(notification.call, Call::Socket { domain: 10, kind: 0x802, protocol: 17 });
    listener.answer(notification.id, 55).unwrap();
    let notification = next(&listener);
    assert_eq!(notification.call, Call::Connect { fd: -1, len: 128 });
    listener.refuse(notification.id, EACCES).unwrap();
    child.finish();
}
