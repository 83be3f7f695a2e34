//! The mock gateway, spoken to byte by byte.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::time::{Duration, Instant};

use support::gateway::{Command, Fault, Form, Gateway, GatewayOptions, Outcome, Service};
use support::hosts::Hosts;

/// Greeting, authentication as a:b and CONNECT www.lab.test:80.
const PIPELINED: &[u8] = b"\x05\x01\x02\x01\x01a\x01b\x05\x01\x00\x03\x0cwww.lab.test\x00\x50";
/// The reply of a success.
const SUCCESS: &[u8] = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00";
/// Far beyond what any answer takes.
const LIMIT: Duration = Duration::from_secs(20);

fn gateway(options: GatewayOptions) -> Gateway {
    Gateway::start(options).expect("gateway")
}

fn client(gateway: &Gateway) -> TcpStream {
    let stream = TcpStream::connect(gateway.address()).expect("connect");
    stream.set_read_timeout(Some(LIMIT)).expect("timeout");
    stream
}

/// Sends, then reads to the end of what the gateway has to say.
fn talk(gateway: &Gateway, bytes: &[u8]) -> Vec<u8> {
    let mut stream = client(gateway);
    stream.write_all(bytes).expect("send");
    stream.shutdown(Shutdown::Write).expect("shutdown");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("read");
    answer
}

fn echo() -> GatewayOptions {
    GatewayOptions::new().service(Service::Echo)
}

#[test]
fn one_segment_with_early_data_in_both_forms() {
    let sent = [PIPELINED, b"early"].concat();
    for (form, head) in [(Form::Rfc, &b"\x05\x02\x01\x00"[..]), (Form::Tor, b"\x01\x00")] {
        let gateway = gateway(echo().form(form));
        assert_eq!(talk(&gateway, &sent), [head, SUCCESS, b"early"].concat(), "{form:?}");
        let log = gateway.log();
        assert_eq!(log.len(), 1);
        let seen = &log[0];
        assert_eq!((seen.username.as_deref(), seen.password.as_deref()), (Some("a"), Some("b")));
        assert_eq!((seen.command, seen.target().as_str()), (Command::Connect, "www.lab.test:80"));
        assert_eq!((seen.pipelined, seen.early_data, seen.by_name), (true, 5, true));
        assert_eq!((seen.methods.as_slice(), &seen.outcome), (&[2][..], &Outcome::Succeeded));
    }
}

#[test]
fn tor_form_answers_a_patient_client_in_full() {
    let gateway = gateway(echo().form(Form::Tor));
    let mut stream = client(&gateway);
    let mut exchange = |send: &[u8], want: &[u8]| {
        stream.write_all(send).expect("send");
        let mut got = vec![0; want.len()];
        stream.read_exact(&mut got).expect("answer");
        assert_eq!(got, want);
    };
    exchange(b"\x05\x01\x02", b"\x05\x02");
    exchange(b"\x01\x01a\x01b", b"\x01\x00");
    exchange(&PIPELINED[8..], SUCCESS);
    assert!(!gateway.log()[0].pipelined);
}

#[test]
fn resolves_and_reverses() {
    let hosts = Hosts::new();
    hosts.add("www.lab.test", Ipv4Addr::new(203, 0, 113, 1).into());
    let gateway = gateway(GatewayOptions::new().hosts(hosts));
    let resolve = b"\x05\x01\x00\x05\xf0\x00\x03\x0cwww.lab.test\x00\x00";
    assert_eq!(talk(&gateway, resolve), b"\x05\x00\x05\x00\x00\x01\xcb\x00\x71\x01\x00\x00");
    let reverse = b"\x05\x01\x00\x05\xf1\x00\x01\xcb\x00\x71\x01\x00\x00";
    assert_eq!(talk(&gateway, reverse), b"\x05\x00\x05\x00\x00\x03\x0cwww.lab.test\x00\x00");
    let unknown = b"\x05\x01\x00\x05\xf0\x00\x03\x01x\x00\x00";
    assert_eq!(talk(&gateway, unknown)[..4], *b"\x05\x00\x05\x04");
    let commands: Vec<_> = gateway.log().iter().map(|entry| entry.command).collect();
    assert_eq!(commands, [Command::Resolve, Command::ResolvePtr, Command::Resolve]);
}

#[test]
fn refuses_with_any_code() {
    for code in [1, 5, 8, 0xf0, 0xf7] {
        let gateway = gateway(echo().refuse(code));
        let answer = talk(&gateway, PIPELINED);
        assert_eq!(answer[4..6], [5, code]);
        assert_eq!(gateway.log()[0].outcome, Outcome::Refused(code));
    }
    let gateway = gateway(echo().refuse_host("WWW.lab.test", 4));
    assert_eq!(talk(&gateway, PIPELINED)[5], 4);
}

#[test]
fn relays_to_routes_and_reports_refused_targets() {
    let inner = gateway(echo());
    let outer = gateway(GatewayOptions::new().route("www.lab.test", 80, inner.address()));
    let answer = talk(&outer, &[PIPELINED, b"\x05\x01\x00\x05\x01\x00\x01\x7f\0\0\x01\0\x09hello"].concat());
    // The inner gateway's answers come through the outer one.
    assert_eq!(answer, [b"\x05\x02\x01\x00", SUCCESS, b"\x05\x00", SUCCESS, b"hello"].concat());
    drop(inner);
    assert_eq!(talk(&outer, PIPELINED)[4..6], [5, 5]);
}

#[test]
fn faults_do_what_they_say() {
    let answer = |fault| {
        let gateway = gateway(echo().fault(fault));
        let answer = talk(&gateway, PIPELINED);
        (answer, gateway.take_log())
    };
    assert_eq!(answer(Fault::Silent).0, b"");
    assert!(answer(Fault::Garbage).0.starts_with(b"HTTP/1.1 400"));
    assert_eq!(answer(Fault::NoAuth).0, b"\x05\x00");
    assert_eq!(answer(Fault::RejectMethods).0, b"\x05\xff");
    assert_eq!(answer(Fault::RejectAuth).0, b"\x01\x01");
    assert_eq!(answer(Fault::CloseBeforeReply).0, b"\x05\x02\x01\x00");
    assert_eq!(answer(Fault::CloseMidReply).0, [b"\x05\x02\x01\x00", &SUCCESS[..5]].concat());
    assert_eq!(answer(Fault::Split).0, [b"\x05\x02\x01\x00", SUCCESS].concat());
    let (never, log) = answer(Fault::Never);
    assert_eq!(never, b"\x05\x02\x01\x00");
    assert_eq!(log[0].outcome, Outcome::Fault("never".to_owned()));
}

#[test]
fn behaviour_changes_while_it_runs() {
    let gateway = gateway(echo());
    assert_eq!(talk(&gateway, PIPELINED)[5], 0);
    gateway.behave(|behaviour| behaviour.refuse = Some(2));
    assert_eq!(talk(&gateway, PIPELINED)[5], 2);
}

#[test]
fn a_round_trip_for_the_reply_and_one_for_what_waits_for_it() {
    let round_trip = Duration::from_millis(500);
    let server = gateway(echo());
    // The inner gateway's greeting and its answer are what travels, by way of its port and of the outer one's own echo.
    let relayed = gateway(GatewayOptions::new().round_trip(round_trip).route("www.lab.test", 80, server.address()));
    let echoed = gateway(echo().round_trip(round_trip));
    for (gateway, answer) in [(&relayed, &b"\x05\x02"[..]), (&echoed, b"\x05\x01\x02")] {
        let exchange = |patient: bool| {
            let mut stream = client(gateway);
            let begin = Instant::now();
            let early: &[u8] = if patient { b"" } else { b"\x05\x01\x02" };
            stream.write_all(&[PIPELINED, early].concat()).expect("send");
            let mut head = [0; 14];
            stream.read_exact(&mut head).expect("reply");
            assert!(begin.elapsed() >= round_trip, "the reply came too early");
            if patient {
                stream.write_all(b"\x05\x01\x02").expect("send");
            }
            let mut got = vec![0; answer.len()];
            stream.read_exact(&mut got).expect("answer");
            assert_eq!(got, answer);
            begin.elapsed()
        };
        let (patient, early) = (exchange(true), exchange(false));
        assert!(patient >= round_trip * 2, "an answer {patient:?} after the request");
        assert!((round_trip..round_trip * 2).contains(&early), "an answer to early data {early:?} after the request");
    }
}

#[test]
fn no_socks_is_logged() {
    let gateway = gateway(echo());
    assert_eq!(talk(&gateway, b"GET / HTTP/1.0\r\n\r\n"), b"");
    let log = gateway.wait_log(LIMIT, |log| !log.is_empty()).expect("an entry");
    assert!(matches!(log[0].outcome, Outcome::Malformed(_)), "{log:?}");
}

#[test]
fn two_thousand_connections_wait_at_the_same_time() {
    const COUNT: usize = 2000;
    let delay = Duration::from_millis(500);
    let gateway = gateway(echo().delay(delay));
    let begin = Instant::now();
    let mut streams: Vec<_> = (0..COUNT).map(|_| client(&gateway)).collect();
    for stream in &mut streams {
        stream.write_all(PIPELINED).expect("send");
    }
    let sent = Instant::now();
    let mut reply = [0; 14];
    for stream in &mut streams {
        stream.read_exact(&mut reply).expect("answer");
    }
    let waited = sent.elapsed();
    assert_eq!(gateway.log().len(), COUNT);
    assert!(begin.elapsed() >= delay, "answered too early");
    // One after the other they would take 1,000 s.
    assert!(waited < delay * 10, "the last answer came {waited:?} after the last request");
}
