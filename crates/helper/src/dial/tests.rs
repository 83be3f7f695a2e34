//! Against gateways written by hand, in the bytes of RFC 1928, RFC 1929 and Tor's socks-extensions.

use std::io::Read as _;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};
use std::process::{Child, Stdio};

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use uwt_policy::Scope;
use uwt_session::{Subject, Voice};

use super::*;
use crate::tests::{GUARD, Gateway, run};

const NAME: Target<'_> = Target::Name { host: b"a.onion", port: 0x1234 };
const BY_NAME: &[u8] = b"\x05\x01\x00\x03\x07a.onion\x12\x34";

/// A credential, with what it is on the wire.
fn credential(session: &Session<'_>) -> (Credential, Vec<u8>) {
    let subject = Subject { pid: 1, start: 2, program: b"", destination: "" };
    let credential = Credential::of(session, &subject).unwrap();
    let mut bytes = b"\x05\x01\x02\x01\x24".to_vec();
    bytes.extend(credential.label().as_bytes());
    bytes.extend(b"\x010");
    (credential, bytes)
}

fn socket() -> OwnedFd {
    crate::outside::Outside::default().stream(false).unwrap()
}

/// Both halves at once, without a process.
async fn dial(
    socket: OwnedFd,
    session: &Session<'_>,
    credential: Option<&Credential>,
    command: Command,
    target: Target<'_>,
) -> Result<(TcpStream, Answer), Failure> {
    let (stream, reply) = send(socket, session, credential, command, target).await?;
    let answer = read(&stream, reply).await?;
    Ok((stream, answer))
}

/// Dials a gateway that answers like this.
async fn dialled(segments: &[&[u8]], with_credential: bool) -> Result<(TcpStream, Answer), Failure> {
    let gateway = Gateway::answering(segments).await;
    let session = gateway.session(|_| {});
    let credential = with_credential.then(|| credential(session).0);
    dial(socket(), session, credential.as_ref(), Command::Connect, NAME).await
}

#[test]
fn what_is_asked() {
    run(async {
        let gateway = Gateway::answering(&[b"\x05\x02\x01\x00\x05\x00\x00\x01\0\0\0\0\0\0"]).await;
        let session = gateway.session(|_| {});
        let (credential, greeting) = credential(session);
        let v4 = Target::V4(SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 7), 443));
        let v6 = Target::V6(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 443, 0, 0));
        let asked = [
            (Command::Connect, NAME, BY_NAME),
            (Command::Connect, v4, b"\x05\x01\x00\x01\xcb\x00\x71\x07\x01\xbb"),
            (Command::Connect, v6, b"\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb"),
            (Command::Resolve, NAME, b"\x05\xf0\x00\x03\x07a.onion\0\0"),
            (Command::ResolvePtr, v4, b"\x05\xf1\x00\x01\xcb\x00\x71\x07\0\0"),
        ];
        for (command, target, _) in asked {
            dial(socket(), session, Some(&credential), command, target).await.unwrap();
        }
        for (request, (_, _, tail)) in gateway.asked().iter().zip(asked) {
            assert_eq!(request, &[&greeting, tail].concat(), "one segment");
        }
        assert_eq!(gateway.asked().len(), asked.len());
    });
}

#[test]
fn without_a_credential() {
    run(async {
        let gateway = Gateway::answering(&[b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0"]).await;
        dial(socket(), gateway.session(|_| {}), None, Command::Connect, NAME).await.unwrap();
        assert_eq!(gateway.asked(), [[b"\x05\x01\x00", BY_NAME].concat()]);
    });
}

#[test]
fn every_form_of_grant_and_nothing_behind_it() {
    let forms: [(bool, &[u8]); 6] = [
        (true, b"\x05\x02\x01\x00\x05\x00\x00\x01\0\0\0\0\0\0"),
        (true, b"\x01\x00\x05\x00\x00\x01\0\0\0\0\0\0"),
        (true, b"\x01\x00\x05\x00\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        (true, b"\x05\x02\x01\x00\x05\x00\x00\x03\x01h\0\0"),
        (false, b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0"),
        (false, b"\x05\x00\x05\x00\x00\x03\x00\0\0"),
    ];
    run(async {
        for (with_credential, form) in forms {
            let at_once = [form, b"hello"].concat();
            let in_pieces: Vec<&[u8]> = at_once.chunks(1).collect();
            for segments in [vec![&at_once[..]], in_pieces, vec![form, b"hello"]] {
                let (mut stream, _) = dialled(&segments, with_credential).await.unwrap();
                assert!(stream.nodelay().unwrap());
                let mut greeting = [0; 5];
                stream.read_exact(&mut greeting).await.unwrap();
                assert_eq!(&greeting, b"hello", "{form:?}");
            }
        }
    });
}

#[test]
fn answers_to_lookups() {
    run(async {
        let v4 = b"\x01\x00\x05\x00\x00\x01\xcb\x00\x71\x07\0\0";
        let (_, answer) = dialled(&[v4], true).await.unwrap();
        assert_eq!(answer, Answer::V4("203.0.113.7:0".parse().unwrap()));
        let (_, answer) = dialled(&[b"\x01\x00\x05\x00\x00\x03\x09a.example\0\0"], true).await.unwrap();
        let Answer::Name(name, 0) = answer else { panic!("{answer:?}") };
        assert_eq!(name.as_bytes(), b"a.example");
    });
}

#[test]
fn refusals() {
    run(async {
        for byte in 1..=u8::MAX {
            let code = ReplyCode::from_byte(byte);
            for head in [&b"\x05\x02\x01\x00"[..], b"\x01\x00"] {
                let reply = [head, &[5, byte, 0, 1, 0, 0, 0, 0, 0, 0]].concat();
                let failure = dialled(&[&reply], true).await.unwrap_err();
                assert_eq!(failure, Failure::Refused(code));
                assert_eq!(failure.errno(), Errno(code.errno()));
            }
        }
    });
}

#[test]
fn what_is_no_answer() {
    let cases: [(&[u8], Errno); 7] = [
        (b"HTTP/1.0 400 Bad Request\r\n\r\n", Errno::ECONNABORTED),
        (b"\x04\x5a\0\0\0\0\0\0", Errno::ECONNABORTED),
        (b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0", Errno::ECONNABORTED),
        (b"\x05\x02\x05\x00\x00\x01\0\0\0\0\0\0", Errno::ECONNABORTED),
        (b"\x01\x00\x05\x00\x00\x09\0\0\0\0\0\0", Errno::ECONNABORTED),
        (b"\x05\xff", Errno::EACCES),
        (b"\x05\x02\x01\x01", Errno::EACCES),
    ];
    run(async {
        for (reply, errno) in cases {
            assert_eq!(dialled(&[reply], true).await.unwrap_err(), Failure::Gateway(errno), "{reply:?}");
        }
    });
}

#[test]
fn an_end_at_every_byte() {
    run(async {
        let reply = b"\x05\x02\x01\x00\x05\x00\x00\x01\0\0\0\0\0\0";
        for end in 0..reply.len() {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            let std::net::SocketAddr::V4(gateway) = listener.local_addr().unwrap() else { unreachable!() };
            let session = Session { gateway, ..*crate::tests::session() };
            let (credential, greeting) = credential(&session);
            let answer = async {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; greeting.len() + BY_NAME.len()];
                stream.read_exact(&mut request).await.unwrap();
                stream.write_all(&reply[..end]).await.unwrap();
            };
            let dialling = dial(socket(), &session, Some(&credential), Command::Connect, NAME);
            let (result, ()) = tokio::join!(dialling, answer);
            assert_eq!(result.unwrap_err(), Failure::Gateway(Errno::ECONNABORTED), "{end}");
        }
    });
}

#[test]
fn the_session_says_how_long() {
    run(async {
        tokio::time::pause();
        let gateway = Gateway::answering(&[b"\x05"]).await;
        let session = gateway.session(|session| session.timeout = 15);
        let (shared, program) = (Shared::new(GUARD, session), program());
        let process = Process { pid: program.id(), start: 1, session };
        let before = Instant::now();
        let failure = carry(&process, &shared, Layer::Cage, Command::Connect, NAME).await.unwrap_err();
        assert_eq!((failure, before.elapsed().as_secs()), (Failure::Gateway(Errno::ETIMEDOUT), 15));
        // Both halves together.
        let before = Instant::now();
        let asked = ask(&process, &shared, Layer::Cage, Command::Connect, NAME).await.unwrap();
        tokio::time::sleep(Duration::from_secs(10)).await;
        let failure = asked.answer().await.unwrap_err();
        assert_eq!((failure, before.elapsed().as_secs()), (Failure::Gateway(Errno::ETIMEDOUT), 15));
        assert!(told(program).contains("timed out"));
    });
}

/// An address at which nobody listens, for as long as the socket is held.
fn deserted() -> (TcpSocket, SocketAddrV4) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let std::net::SocketAddr::V4(address) = socket.local_addr().unwrap() else { unreachable!() };
    (socket, address)
}

#[test]
fn nobody_listens() {
    run(async {
        let (_held, gateway) = deserted();
        let session = Session { gateway, ..*crate::tests::session() };
        let failure = dial(socket(), &session, None, Command::Connect, NAME).await.unwrap_err();
        assert_eq!(failure, Failure::Gateway(Errno::ECONNREFUSED));
    });
}

#[test]
fn data_goes_right_behind_the_request_and_the_answer_is_read_alone() {
    run(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let std::net::SocketAddr::V4(gateway) = listener.local_addr().unwrap() else { unreachable!() };
        let session = Session { gateway, scope: Scope::None, voice: Voice::Verbose, ..*crate::tests::session() };
        let session = Box::leak(Box::new(session));
        let (shared, program) = (Shared::new(GUARD, session), program());
        let process = Process { pid: program.id(), start: 1, session };
        let Asked { mut stream, question } = ask(&process, &shared, Layer::Cage, Command::Connect, NAME).await.unwrap();
        stream.write_all(b"early").await.unwrap();
        let (mut gateway, _) = listener.accept().await.unwrap();
        let expected = [b"\x05\x01\x00", BY_NAME, b"early"].concat();
        let mut request = vec![0; expected.len()];
        gateway.read_exact(&mut request).await.unwrap();
        assert_eq!(request, expected, "before any answer");
        gateway.write_all(b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0hello").await.unwrap();
        question.answer(&stream).await.unwrap();
        let mut hello = [0; 5];
        stream.read_exact(&mut hello).await.unwrap();
        assert_eq!(&hello, b"hello");
        let expected = format!("uwt: [{}] connect to a.onion as no credential: granted\n", program.id());
        assert_eq!(told(program), expected, "told with the answer");
    });
}

#[test]
fn what_socks_cannot_say_is_not_tried() {
    run(async {
        let gateway = Gateway::answering(&[]).await;
        let target = Target::Name { host: &[b'a'; 256], port: 1 };
        let failure = dial(socket(), gateway.session(|_| {}), None, Command::Connect, target).await.unwrap_err();
        assert_eq!(failure, Failure::Call(Errno::EHOSTUNREACH));
        assert_eq!(gateway.asked(), [[0; 0]; 0]);
    });
}

/// A program whose stderr we read.
fn program() -> Child {
    let mut command = std::process::Command::new("/bin/cat");
    command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What it was told.
fn told(mut program: Child) -> String {
    drop(program.stdin.take());
    let mut text = String::new();
    program.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    program.wait().unwrap();
    text
}

#[test]
fn the_user_is_told_once_that_the_gateway_is_missing() {
    run(async {
        let (_held, gateway) = deserted();
        let session = Box::leak(Box::new(Session { gateway, ..*crate::tests::session() }));
        let (shared, program) = (Shared::new(GUARD, session), program());
        let process = Process { pid: program.id(), start: 1, session };
        for _ in 0..3 {
            let failure = carry(&process, &shared, Layer::Cage, Command::Connect, NAME).await.unwrap_err();
            assert_eq!(failure.errno(), Errno::ECONNREFUSED);
        }
        let expected = format!(
            "uwt: no connection through the SocksPort at {gateway}: connection refused; is Tor running? \
             (`uwt --explain` shows the gateway)\n"
        );
        assert_eq!(told(program), expected);
    });
}

#[test]
fn a_verbose_session_tells_each_connection() {
    run(async {
        let gateway = Gateway::answering(&[b"\x01\x00\x05\x05\x00\x01\0\0\0\0\0\0"]).await;
        let session = gateway.session(|session| session.voice = Voice::Verbose);
        let (shared, program) = (Shared::new(GUARD, session), program());
        let process = Process { pid: program.id(), start: 1, session };
        let label = process.credential("a.onion", &shared.outside).unwrap().unwrap();
        let target = Target::V6(SocketAddrV6::new("2001:db8::1".parse().unwrap(), 443, 0, 0));
        for target in [NAME, target] {
            let failure = carry(&process, &shared, Layer::Cage, Command::Connect, target).await.unwrap_err();
            assert_eq!(failure, Failure::Refused(ReplyCode::ConnectionRefused));
        }
        let (pid, label) = (program.id(), label.label());
        let expected = format!(
            "uwt: [{pid}] connect to a.onion as {label}: the destination refused the connection\n\
             uwt: [{pid}] connect to 2001:db8::1 as {label}: the destination refused the connection\n"
        );
        assert_eq!(told(program), expected);
    });
}

#[test]
fn the_credential_is_the_scopes() {
    run(async {
        let gateway = Gateway::answering(&[b"\x01\x00\x05\x00\x00\x01\0\0\0\0\0\0"]).await;
        let by_destination = gateway.session(|session| session.scope = Scope::Destination);
        let shared = Shared::new(GUARD, by_destination);
        let process = Process { pid: std::process::id(), start: 1, session: by_destination };
        for host in [&b"a.example"[..], b"b.example"] {
            carry(&process, &shared, Layer::Cage, Command::Connect, Target::Name { host, port: 1 }).await.unwrap();
        }
        let none = gateway.session(|session| session.scope = Scope::None);
        let process = Process { session: none, ..process };
        // The gateway's answer is one to a credential.
        let failure = carry(&process, &shared, Layer::Cage, Command::Connect, NAME).await.unwrap_err();
        assert_eq!(failure, Failure::Gateway(Errno::ECONNABORTED));
        let asked = gateway.asked();
        assert_ne!(asked[0][..46], asked[1][..46], "a credential for each destination");
        assert_eq!(asked[2], [b"\x05\x01\x00", BY_NAME].concat());
        // A program that can't be found out has no credential, so nothing is sent.
        let by_program = gateway.session(|session| session.scope = Scope::Command);
        let process = Process { pid: u32::MAX, start: 1, session: by_program };
        let failure = carry(&process, &shared, Layer::Cage, Command::Connect, NAME).await.unwrap_err();
        assert_eq!((failure, gateway.asked().len()), (Failure::Call(Errno::EACCES), 3));
    });
}
