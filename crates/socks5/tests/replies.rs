//! What gateways answer, as literal hex, every form Tor 0.4.9 was seen to use included.

mod support;

use std::net::{SocketAddrV4, SocketAddrV6};

use support::{Read, USER_PASS, hex, read_greedily, reader};
use uwt_socks5::{Answer, Auth, Error, Outcome, Progress, ReplyCode, Stage};

const ZERO: &str = "05 00 00 01 00000000 0000";

fn v4(text: &str) -> Outcome {
    Outcome::Granted(Answer::V4(text.parse::<SocketAddrV4>().unwrap()))
}

fn v6(text: &str) -> Outcome {
    Outcome::Granted(Answer::V6(text.parse::<SocketAddrV6>().unwrap()))
}

/// The reply gives this outcome, and "SSH-" behind it stays unread.
fn granted(auth: Auth<'_>, reply: &str, outcome: Outcome) {
    let mut stream = hex(reply);
    let end = stream.len();
    stream.extend(b"SSH-2.0");
    assert_eq!(read_greedily(auth, &stream), Read { result: Ok(outcome), taken: end }, "{reply}");
}

fn failed(auth: Auth<'_>, reply: &str, error: Error) {
    assert_eq!(read_greedily(auth, &hex(reply)).result, Err(error), "{reply}");
}

fn refused(auth: Auth<'_>, reply: &str, code: ReplyCode) {
    assert_eq!(read_greedily(auth, &hex(reply)).result, Ok(Outcome::Refused(code)), "{reply}");
}

#[test]
fn granted_with_a_credential_in_both_of_tors_forms() {
    for before in ["05 02 01 00", "01 00"] {
        granted(USER_PASS, &format!("{before} {ZERO}"), v4("0.0.0.0:0"));
        granted(USER_PASS, &format!("{before} 05 00 00 01 cb007107 0050"), v4("203.0.113.7:80"));
        granted(
            USER_PASS,
            &format!("{before} 05 00 00 04 20010db8 00000000 00000000 00000001 ffff"),
            v6("[2001:db8::1]:65535"),
        );
    }
}

#[test]
fn granted_without_a_credential() {
    for before in ["05 00", ""] {
        granted(Auth::None, &format!("{before} {ZERO}"), v4("0.0.0.0:0"));
        granted(Auth::None, &format!("{before} 05 00 00 04 00000000 00000000 00000000 00000000 0000"), v6("[::]:0"));
    }
}

#[test]
fn names_of_every_length() {
    for before in ["05 02 01 00", "01 00"] {
        for length in 0..=255_u8 {
            let name = vec![b'n'; usize::from(length)];
            let mut stream = hex(&format!("{before} 05 00 00 03"));
            stream.push(length);
            stream.extend(&name);
            stream.extend([0x12, 0x34]);
            let end = stream.len();
            stream.extend([0x05; 300]);
            let read = read_greedily(USER_PASS, &stream);
            assert_eq!(read.taken, end);
            let Ok(Outcome::Granted(Answer::Name(answer, 0x1234))) = read.result else { panic!("{read:?}") };
            assert_eq!(answer.as_bytes(), name);
        }
    }
}

#[test]
fn normal_answers_take_two_reads() {
    for (auth, reply) in [
        (USER_PASS, format!("05 02 01 00 {ZERO}")),
        (USER_PASS, format!("01 00 {ZERO}")),
        (Auth::None, format!("05 00 {ZERO}")),
    ] {
        let stream = hex(&reply);
        let mut reader = reader(auth);
        let first = reader.needed();
        assert_eq!(reader.feed(&stream[..first]), Ok(Progress::More));
        assert_eq!(reader.needed(), stream.len() - first);
        assert!(matches!(reader.feed(&stream[first..]), Ok(Progress::Done(Outcome::Granted(_)))));
    }
}

#[test]
fn every_refusal_in_every_form() {
    for byte in 1..=u8::MAX {
        let code = ReplyCode::from_byte(byte);
        let reply = format!("05 {byte:02x} 00 01 00000000 0000");
        refused(USER_PASS, &format!("05 02 01 00 {reply}"), code);
        refused(USER_PASS, &format!("01 00 {reply}"), code);
        refused(USER_PASS, &format!("05 02 {reply}"), code);
        refused(Auth::None, &format!("05 00 {reply}"), code);
        if byte != 0xff {
            refused(USER_PASS, &reply, code);
            refused(Auth::None, &reply, code);
        }
    }
}

#[test]
fn early_refusals_are_reported_with_their_last_byte() {
    // Nothing else ever comes: the gateway waits for us or has closed.
    let at_once = |auth, bytes: &str| reader(auth).feed(&hex(bytes));
    assert_eq!(at_once(USER_PASS, "05 ff"), Err(Error::NoAcceptableMethod));
    assert_eq!(at_once(Auth::None, "05 ff"), Err(Error::NoAcceptableMethod));
    assert_eq!(at_once(USER_PASS, "05 00"), Err(Error::WrongMethod(0)));
    assert_eq!(at_once(USER_PASS, "01 01"), Err(Error::AuthRefused(1)));
    assert_eq!(at_once(USER_PASS, "05 02 01 ff"), Err(Error::AuthRefused(0xff)));
    assert_eq!(at_once(USER_PASS, "01 00 05 05"), Ok(Progress::Done(Outcome::Refused(ReplyCode::ConnectionRefused))));
    assert_eq!(at_once(Auth::None, "05 00 05 04"), Ok(Progress::Done(Outcome::Refused(ReplyCode::HostUnreachable))));
    assert_eq!(at_once(USER_PASS, "05 02 00"), Ok(Progress::Done(Outcome::Refused(ReplyCode::NotAllowed))));
}

#[test]
fn a_grant_without_accepted_credentials_is_an_error() {
    failed(USER_PASS, ZERO, Error::WrongMethod(0));
    failed(USER_PASS, &format!("05 00 {ZERO}"), Error::WrongMethod(0));
    failed(USER_PASS, &format!("05 02 {ZERO}"), Error::AuthSkipped);
}

#[test]
fn malformed_answers() {
    failed(USER_PASS, "48 54 54 50", Error::Version(0x48));
    failed(USER_PASS, "00 5a", Error::Version(0));
    failed(USER_PASS, "04 5a", Error::Version(4));
    failed(Auth::None, "01 00", Error::Version(1));
    failed(USER_PASS, "05 01 01", Error::WrongMethod(1));
    failed(Auth::None, "05 02 01", Error::WrongMethod(2));
    failed(USER_PASS, "05 02 02", Error::AuthVersion(2));
    failed(Auth::None, "05 00 04", Error::Version(4));
    failed(USER_PASS, "01 00 04", Error::Version(4));
    failed(USER_PASS, "01 00 01 00", Error::Version(1));
    failed(USER_PASS, "05 02 01 00 05 00 01 01 00000000 0000", Error::Reserved(1));
    for atyp in (0..=u8::MAX).filter(|atyp| ![1, 3, 4].contains(atyp)) {
        failed(USER_PASS, &format!("01 00 05 00 00 {atyp:02x} 00000000 0000"), Error::AddressType(atyp));
    }
}

#[test]
fn the_end_of_file_tells_how_far_the_gateway_came() {
    for (auth, reply, error) in [
        (USER_PASS, "", Error::Eof(Stage::Method)),
        (USER_PASS, "05", Error::Eof(Stage::Method)),
        (USER_PASS, "05 02", Error::Eof(Stage::Auth)),
        (USER_PASS, "05 03", Error::WrongMethod(3)),
        (USER_PASS, "05 02 01", Error::Eof(Stage::Auth)),
        (USER_PASS, "01", Error::Eof(Stage::Auth)),
        (USER_PASS, "01 00", Error::Eof(Stage::Reply)),
        (USER_PASS, "05 02 01 00 05 00 00 01 00", Error::Eof(Stage::Reply)),
        (USER_PASS, "05 02 01 00 05 00 00 01 00000000 00", Error::Eof(Stage::Reply)),
        (USER_PASS, "01 00 05 00 00 03 05 61", Error::Eof(Stage::Reply)),
        (Auth::None, "", Error::Eof(Stage::Method)),
        (Auth::None, "05 00", Error::Eof(Stage::Reply)),
        (Auth::None, "05 02", Error::WrongMethod(2)),
    ] {
        failed(auth, reply, error);
    }
}

#[test]
fn misuse_fails_closed() {
    let mut over_fed = reader(USER_PASS);
    assert_eq!(over_fed.feed(&[1, 0, 5, 0, 0, 1, 0, 0, 0, 0]), Err(Error::Misuse));
    assert_eq!(over_fed.needed(), 0);
    assert_eq!(over_fed.feed(&[1]), Err(Error::Misuse));
    assert_eq!(over_fed.eof(), Error::Misuse);

    let mut finished = reader(USER_PASS);
    assert_eq!(finished.feed(&hex("05 ff")), Err(Error::NoAcceptableMethod));
    assert_eq!(finished.feed(&[]), Err(Error::Misuse));
}

#[test]
fn nothing_is_not_the_end() {
    let mut reply = reader(USER_PASS);
    assert_eq!(reply.feed(&[]), Ok(Progress::More));
    assert_eq!(reply.needed(), 9);
}
