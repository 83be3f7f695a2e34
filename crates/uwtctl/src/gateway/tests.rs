use std::net::TcpListener;
use std::thread;

use super::*;

/// What is found at a server that reads `wanted` bytes, or to the end of what is sent, and then answers.
fn found(wanted: usize, answer: &'static [u8]) -> Answer {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut got = vec![0; wanted];
        let mut filled = 0;
        while filled < wanted {
            match stream.read(&mut got[filled..]).unwrap() {
                0 => break,
                length => filled += length,
            }
        }
        got.truncate(filled);
        stream.write_all(answer).unwrap();
        got
    });
    let answer = ask(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port), Duration::from_secs(2));
    let got = server.join().unwrap();
    assert!(got.windows(4).all(|bytes| bytes != b"\r\n\r\n"));
    answer
}

/// Greeting 3, credentials 1 + 1 + 36 + 1 + 1, request 4 + 1 + 9 + 2.
const WHOLE: usize = 3 + 40 + 16;

#[test]
fn what_answers_is_told_apart() {
    for (answer, expected) in [
        (&b"\x05\x02\x01\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00"[..], "tor"),
        (b"\x01\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00", "tor"),
        (b"\x05\x02\x01\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", "not-tor"),
        (b"\x05\x02\x01\x00\x05\x07\x00\x01\x00\x00\x00\x00\x00\x00", "not-tor"),
        (b"\x05\xff", "no-credentials"),
        (b"\x05\x00", "no-credentials"),
        (b"\x05\x02\x01\x01", "no-credentials"),
        (b"HTTP/1.0 400 Bad Request\r\n\r\n", "http"),
        (b"HT", "not-socks"),
        (b"220 mail.example ESMTP\r\n", "not-socks"),
        (b"", "closed"),
        (b"\x05\x02\x01", "broken"),
    ] {
        let found = serde_json::to_value(found(WHOLE, answer)).unwrap();
        assert_eq!(found["answer"], expected, "{answer:?}: {found}");
    }
}

#[test]
fn one_that_waits_for_a_line_is_heard_as_well() {
    assert_eq!(found(usize::from(u16::MAX), b"HTTP/1.1 400 Bad Request\r\n\r\n"), Answer::Http);
}

#[test]
fn nobody_is_waited_for_longer_than_is_said() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let at = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    assert_eq!(ask(at, Duration::from_millis(200)), Answer::Silent);
    drop(silent);
    assert_eq!(ask(at, PATIENCE), Answer::Refused);
}

#[test]
fn nothing_about_the_user_is_sent() {
    let (one, other) = (request().unwrap(), request().unwrap());
    assert_eq!(one.as_bytes().len(), WHOLE);
    let differ = |place: &usize| one.as_bytes()[*place] != other.as_bytes()[*place];
    let places: Vec<usize> = (0..WHOLE).filter(differ).collect();
    assert!(places.len() > 8 && places.iter().all(|place| (9..41).contains(place)), "{places:?}");
    assert!(one.as_bytes().ends_with(b"\x05\xf0\x00\x03\x09127.0.0.1\x00\x00"));
}
