//! What we send, as literal hex (RFC 1928 §3–5, RFC 1929 §2, Tor's `socks-extensions`).

mod support;

use std::net::{SocketAddrV4, SocketAddrV6};

use support::{USER_PASS, hex};
use uwt_socks5::{Auth, Command, EncodeError, Request, Target};

fn encode(auth: Auth<'_>, command: Command, target: Target<'_>) -> Vec<u8> {
    Request::new(auth, command, target).unwrap().as_bytes().to_vec()
}

fn name(host: &[u8], port: u16) -> Target<'_> {
    Target::Name { host, port }
}

fn v4(text: &str) -> Target<'static> {
    Target::V4(text.parse::<SocketAddrV4>().unwrap())
}

fn v6(text: &str) -> Target<'static> {
    Target::V6(text.parse::<SocketAddrV6>().unwrap())
}

const CREDENTIAL: &str = "050102 01 05 7577742d31 01 30";

#[test]
fn connect_by_name() {
    assert_eq!(encode(Auth::None, Command::Connect, name(b"e.com", 443)), hex("050100 050100 03 05 652e636f6d 01bb"));
    assert_eq!(
        encode(USER_PASS, Command::Connect, name(b"e.com", 80)),
        hex(&format!("{CREDENTIAL} 050100 03 05 652e636f6d 0050"))
    );
}

#[test]
fn connect_by_address() {
    assert_eq!(
        encode(USER_PASS, Command::Connect, v4("203.0.113.7:8080")),
        hex(&format!("{CREDENTIAL} 050100 01 cb007107 1f90"))
    );
    assert_eq!(
        encode(Auth::None, Command::Connect, v6("[2001:db8::1]:22")),
        hex("050100 050100 04 20010db8 00000000 00000000 00000001 0016")
    );
}

#[test]
fn lookups_send_no_port() {
    assert_eq!(
        encode(USER_PASS, Command::Resolve, name(b"e.com", 80)),
        hex(&format!("{CREDENTIAL} 05f000 03 05 652e636f6d 0000"))
    );
    assert_eq!(
        encode(USER_PASS, Command::ResolvePtr, v4("203.0.113.7:80")),
        hex(&format!("{CREDENTIAL} 05f100 01 cb007107 0000"))
    );
    assert_eq!(
        encode(Auth::None, Command::ResolvePtr, v6("[2001:db8::1]:9")),
        hex("050100 05f100 04 20010db8 00000000 00000000 00000001 0000")
    );
}

#[test]
fn names_and_credentials_go_out_byte_for_byte() {
    let auth = Auth::UserPass { username: b"<torS0X>0", password: b"\0\xff" };
    assert_eq!(
        encode(auth, Command::Connect, name(b"\xe4 .", 1)),
        hex("050102 01 09 3c746f725330583e30 02 00ff 050100 03 03 e4202e 0001")
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    let connect = |auth, target| Request::new(auth, Command::Connect, target).map(|_| ()).unwrap_err();
    let long = [b'a'; 256];
    assert_eq!(connect(Auth::None, name(b"", 1)), EncodeError::NameEmpty);
    assert_eq!(connect(Auth::None, name(&long, 1)), EncodeError::NameTooLong);
    assert_eq!(connect(Auth::None, name(b"a\0.com", 1)), EncodeError::NameNul);
    assert_eq!(connect(Auth::None, name(b"a\0", 1)), EncodeError::NameNul);
    let credential = |username, password| connect(Auth::UserPass { username, password }, name(b"a", 1));
    assert_eq!(credential(b"", b"0"), EncodeError::CredentialEmpty);
    assert_eq!(credential(b"u", b""), EncodeError::CredentialEmpty);
    assert_eq!(credential(&long, b"0"), EncodeError::CredentialTooLong);
    assert_eq!(credential(b"u", &long), EncodeError::CredentialTooLong);
    assert!(Request::new(Auth::None, Command::Connect, name(&long[..255], 1)).is_ok());
}

#[test]
fn lookups_take_the_right_kind_of_target() {
    let refused = |command, target| Request::new(USER_PASS, command, target).map(|_| ()).unwrap_err();
    assert_eq!(refused(Command::Resolve, v4("203.0.113.7:0")), EncodeError::WrongTarget);
    assert_eq!(refused(Command::Resolve, v6("[::1]:0")), EncodeError::WrongTarget);
    assert_eq!(refused(Command::ResolvePtr, name(b"e.com", 0)), EncodeError::WrongTarget);
}
