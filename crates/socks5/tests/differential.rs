//! Our client against Arti's SOCKS proxy (`tor-socksproto`): it decodes what we send, we decode what it sends.

mod support;

use std::net::{IpAddr, SocketAddr};

use proptest::collection::vec;
use proptest::prelude::*;
use support::{USER_PASS, read};
use tor_socksproto::{
    Buffer, Handshake as _, NextStep, SocksAddr, SocksAuth, SocksCmd, SocksProxyHandshake, SocksRequest, SocksStatus,
};
use uwt_socks5::{Answer, Auth, Command, Outcome, Reply, ReplyCode, Request, Target};

/// Lets the proxy read the request in chunks; gives what it understood and what it sent on the way.
fn serve(request: &[u8], chunk: usize) -> (SocksRequest, Vec<u8>) {
    let mut handshake = SocksProxyHandshake::new();
    let mut buffer = Buffer::new();
    let mut unread = request;
    let mut sent = Vec::new();
    loop {
        match handshake.step(&mut buffer).expect("the proxy understands us") {
            NextStep::Send(bytes) => sent.extend(bytes),
            NextStep::Recv(mut step) => {
                let size = step.buf().len().min(chunk).min(unread.len());
                assert!(size > 0, "the proxy wants more than we send");
                step.buf()[..size].copy_from_slice(&unread[..size]);
                unread = &unread[size..];
                step.note_received(size).unwrap();
            }
            NextStep::Finished(finished) => {
                let (request, behind) = finished.into_output_and_slice();
                assert!(behind.is_empty() && unread.is_empty(), "we send more than the proxy wants");
                return (request, sent);
            }
        }
    }
}

/// One handshake: the proxy understands what we meant, and we read its answer up to its last byte.
fn exchange(
    (auth, command, target): (Auth<'_>, Command, Target<'_>),
    (status, addr): (SocksStatus, Option<SocksAddr>),
    sizes: &[usize],
) -> (SocksRequest, Outcome) {
    let request = Request::new(auth, command, target).unwrap();
    let (understood, mut answer) = serve(request.as_bytes(), sizes[0]);

    let expected_auth = match auth {
        Auth::None => SocksAuth::NoAuth,
        Auth::UserPass { username, password } => SocksAuth::Username(username.to_vec(), password.to_vec()),
    };
    assert_eq!(understood.auth(), &expected_auth);
    let expected_command = match command {
        Command::Connect => SocksCmd::CONNECT,
        Command::Resolve => SocksCmd::RESOLVE,
        Command::ResolvePtr => SocksCmd::RESOLVE_PTR,
    };
    assert_eq!(understood.command(), expected_command);

    let method_reply = answer.clone();
    let reply = understood.reply(status, addr.as_ref()).unwrap();
    answer.extend(&reply);
    let outcome = read_exactly(request.reply(), &answer, sizes);
    if matches!(auth, Auth::UserPass { .. }) {
        // Tor's other form, without the method reply.
        assert_eq!(method_reply, [5, 2, 1, 0]);
        assert_eq!(read_exactly(request.reply(), &answer[2..], sizes), outcome);
    }
    (understood, outcome)
}

fn read_exactly(reply: Reply, answer: &[u8], sizes: &[usize]) -> Outcome {
    let stream = [answer, b"program"].concat();
    let read = read(reply, &stream, sizes);
    let outcome = read.result.unwrap();
    if matches!(outcome, Outcome::Granted(_)) {
        assert_eq!(read.taken, answer.len());
    }
    outcome
}

fn target_of(addr: SocketAddr) -> Target<'static> {
    match addr {
        SocketAddr::V4(addr) => Target::V4(addr),
        SocketAddr::V6(addr) => Target::V6(addr),
    }
}

fn socket_addr() -> impl Strategy<Value = SocketAddr> {
    (any::<IpAddr>(), 1..=u16::MAX).prop_map(|(ip, port)| SocketAddr::new(ip, port))
}

fn host() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9._-]{1,255}"
}

fn granted_address(outcome: Outcome) -> SocketAddr {
    match outcome {
        Outcome::Granted(Answer::V4(addr)) => addr.into(),
        Outcome::Granted(Answer::V6(addr)) => addr.into(),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn connect_by_address(
        addr in socket_addr(),
        bound: IpAddr,
        user in vec(any::<u8>(), 1..=255),
        sizes in vec(1..600_usize, 1..6),
    ) {
        for auth in [Auth::None, USER_PASS, Auth::UserPass { username: &user, password: &user }] {
            let answer = (SocksStatus::SUCCEEDED, Some(SocksAddr::Ip(bound)));
            let (understood, outcome) = exchange((auth, Command::Connect, target_of(addr)), answer, &sizes);
            prop_assert_eq!(understood.addr(), &SocksAddr::Ip(addr.ip()));
            prop_assert_eq!(understood.port(), addr.port());
            // The proxy fills the requested port in.
            prop_assert_eq!(granted_address(outcome), SocketAddr::new(bound, addr.port()));
        }
    }

    #[test]
    fn connect_by_name(host in host(), port in 1..=u16::MAX, sizes in vec(1..600_usize, 1..6)) {
        for auth in [Auth::None, USER_PASS] {
            let target = Target::Name { host: host.as_bytes(), port };
            let (understood, outcome) =
                exchange((auth, Command::Connect, target), (SocksStatus::SUCCEEDED, None), &sizes);
            prop_assert_eq!(understood.addr().to_string(), host.clone());
            prop_assert!(matches!(understood.addr(), SocksAddr::Hostname(_)));
            prop_assert_eq!(understood.port(), port);
            prop_assert_eq!(granted_address(outcome), "0.0.0.0:0".parse().unwrap());
        }
    }

    #[test]
    fn resolve(host in host(), found: IpAddr, sizes in vec(1..600_usize, 1..6)) {
        for auth in [Auth::None, USER_PASS] {
            let target = Target::Name { host: host.as_bytes(), port: 0 };
            let answer = (SocksStatus::SUCCEEDED, Some(SocksAddr::Ip(found)));
            let (understood, outcome) = exchange((auth, Command::Resolve, target), answer, &sizes);
            prop_assert_eq!(understood.addr().to_string(), host.clone());
            prop_assert_eq!(granted_address(outcome).ip(), found);
        }
    }

    #[test]
    fn resolve_ptr(addr: IpAddr, name in host(), sizes in vec(1..600_usize, 1..6)) {
        for auth in [Auth::None, USER_PASS] {
            let target = target_of(SocketAddr::new(addr, 0));
            let found = SocksAddr::Hostname(name.clone().try_into().unwrap());
            let (understood, outcome) =
                exchange((auth, Command::ResolvePtr, target), (SocksStatus::SUCCEEDED, Some(found)), &sizes);
            prop_assert_eq!(understood.addr(), &SocksAddr::Ip(addr));
            let Outcome::Granted(Answer::Name(answer, 0)) = outcome else { panic!("{outcome:?}") };
            prop_assert_eq!(answer.host(), Some(&name[..]));
        }
    }

    #[test]
    fn refusals(addr in socket_addr(), code in 1..=u8::MAX, sizes in vec(1..600_usize, 1..6)) {
        for auth in [Auth::None, USER_PASS] {
            let request = (auth, Command::Connect, target_of(addr));
            let (_, outcome) = exchange(request, (SocksStatus::from(code), None), &sizes);
            prop_assert_eq!(outcome, Outcome::Refused(ReplyCode::from_byte(code)));
        }
    }
}

#[test]
fn the_names_of_the_codes_agree() {
    for (theirs, ours) in [
        (SocksStatus::SUCCEEDED, ReplyCode::Succeeded),
        (SocksStatus::GENERAL_FAILURE, ReplyCode::GeneralFailure),
        (SocksStatus::NOT_ALLOWED, ReplyCode::NotAllowed),
        (SocksStatus::NETWORK_UNREACHABLE, ReplyCode::NetworkUnreachable),
        (SocksStatus::HOST_UNREACHABLE, ReplyCode::HostUnreachable),
        (SocksStatus::CONNECTION_REFUSED, ReplyCode::ConnectionRefused),
        (SocksStatus::TTL_EXPIRED, ReplyCode::TtlExpired),
        (SocksStatus::COMMAND_NOT_SUPPORTED, ReplyCode::CommandNotSupported),
        (SocksStatus::ADDRTYPE_NOT_SUPPORTED, ReplyCode::AddressTypeNotSupported),
        (SocksStatus::HS_DESC_NOT_FOUND, ReplyCode::OnionDescriptorNotFound),
        (SocksStatus::HS_DESC_INVALID, ReplyCode::OnionDescriptorInvalid),
        (SocksStatus::HS_INTRO_FAILED, ReplyCode::OnionIntroFailed),
        (SocksStatus::HS_REND_FAILED, ReplyCode::OnionRendezvousFailed),
        (SocksStatus::HS_MISSING_CLIENT_AUTH, ReplyCode::OnionAuthMissing),
        (SocksStatus::HS_WRONG_CLIENT_AUTH, ReplyCode::OnionAuthWrong),
        (SocksStatus::HS_BAD_ADDRESS, ReplyCode::OnionAddressInvalid),
        (SocksStatus::HS_INTRO_TIMEOUT, ReplyCode::OnionIntroTimedOut),
    ] {
        assert_eq!(u8::from(theirs), ours.byte(), "{ours:?}");
    }
}
