//! Every split of every reply, and garbage, against a second parser that sees the whole stream at once.

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use support::{Read, USER_PASS, read, reader};
use uwt_socks5::{Answer, Auth, Error, Outcome};

/// The whole-stream parser: where a granted answer ends and which address it has, or that the stream is none.
fn grant(with_credential: bool, stream: &[u8]) -> Option<(usize, Vec<u8>, u16)> {
    let reply = match (with_credential, stream) {
        (false, [5, 0, 5, ..]) => &stream[2..],
        (true, [5, 2, 1, 0, reply @ ..] | [1, 0, reply @ ..]) | (false, reply) => reply,
        (true, _) => return None,
    };
    let (address, rest) = match reply {
        [5, 0, 0, 1, rest @ ..] => rest.split_at_checked(4)?,
        [5, 0, 0, 4, rest @ ..] => rest.split_at_checked(16)?,
        [5, 0, 0, 3, length, rest @ ..] => rest.split_at_checked(usize::from(*length))?,
        _ => return None,
    };
    let [high, low, rest @ ..] = rest else { return None };
    Some((stream.len() - rest.len(), address.to_vec(), u16::from_be_bytes([*high, *low])))
}

fn address(outcome: Outcome) -> Option<(Vec<u8>, u16)> {
    match outcome {
        Outcome::Granted(Answer::V4(addr)) => Some((addr.ip().octets().to_vec(), addr.port())),
        Outcome::Granted(Answer::V6(addr)) => Some((addr.ip().octets().to_vec(), addr.port())),
        Outcome::Granted(Answer::Name(name, port)) => Some((name.as_bytes().to_vec(), port)),
        Outcome::Refused(_) => None,
    }
}

fn auth(with_credential: bool) -> Auth<'static> {
    if with_credential { USER_PASS } else { Auth::None }
}

/// Both parsers agree, and not a byte behind a granted answer was taken.
fn check(with_credential: bool, stream: &[u8], sizes: &[usize]) -> Result<Read, TestCaseError> {
    let outcome = read(reader(auth(with_credential)), stream, sizes);
    let found = outcome.result.clone().ok().and_then(address);
    match (grant(with_credential, stream), found) {
        (Some((end, expected, port)), Some(found)) => {
            prop_assert_eq!(found, (expected, port));
            prop_assert_eq!(outcome.taken, end);
        }
        (None, None) => prop_assert_ne!(&outcome.result, &Err(Error::Misuse)),
        (expected, _) => prop_assert!(false, "expected {:?}, read {:?}", expected, outcome),
    }
    Ok(outcome)
}

/// An address with its type and length, and a port.
fn tail() -> impl Strategy<Value = Vec<u8>> {
    let address = prop_oneof![
        vec(any::<u8>(), 4).prop_map(|octets| [vec![1], octets].concat()),
        vec(any::<u8>(), 16).prop_map(|octets| [vec![4], octets].concat()),
        vec(any::<u8>(), 0..=255).prop_map(|name| [vec![3, u8::try_from(name.len()).unwrap()], name].concat()),
    ];
    (address, any::<[u8; 2]>()).prop_map(|(address, port)| [address, port.to_vec()].concat())
}

fn granted() -> impl Strategy<Value = (bool, Vec<u8>)> {
    let before = select(vec![(true, vec![5, 2, 1, 0]), (true, vec![1, 0]), (false, vec![5, 0]), (false, vec![])]);
    (before, tail()).prop_map(|((auth, before), tail)| (auth, [before, vec![5, 0, 0], tail].concat()))
}

fn refused() -> impl Strategy<Value = (bool, Vec<u8>)> {
    let before = select(vec![
        (true, vec![5, 2, 1, 0]),
        (true, vec![5, 2]),
        (true, vec![1, 0]),
        (true, vec![]),
        (false, vec![5, 0]),
        (false, vec![]),
    ]);
    (before, 1..=0xFE_u8, tail())
        .prop_map(|((auth, before), code, tail)| (auth, [before, vec![5, code, 0], tail].concat()))
}

/// Bytes that look like SOCKS more often than chance would.
fn near_socks() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![4 => select(vec![0, 1, 2, 3, 4, 5, 0xF0, 0xFF]), 1 => any::<u8>()], 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn grants_end_where_the_program_begins(
        (with_credential, reply) in granted(),
        program in vec(any::<u8>(), 0..40),
        sizes in vec(1..30_usize, 1..8),
    ) {
        let stream = [&reply[..], &program].concat();
        let outcome = check(with_credential, &stream, &sizes)?;
        prop_assert_eq!(outcome.taken, reply.len());
    }

    #[test]
    fn refusals_are_the_same_however_they_arrive(
        (with_credential, reply) in refused(),
        garbage in vec(any::<u8>(), 0..20),
        sizes in vec(1..12_usize, 1..8),
    ) {
        let whole = check(with_credential, &reply, &[])?.result;
        prop_assert!(matches!(whole, Ok(Outcome::Refused(_))), "{:?}", whole);
        let stream = [&reply[..], &garbage].concat();
        prop_assert_eq!(check(with_credential, &stream, &sizes)?.result, whole);
    }

    #[test]
    fn cut_answers_are_never_grants((with_credential, reply) in granted(), cut in any::<proptest::sample::Index>()) {
        let outcome = check(with_credential, &reply[..cut.index(reply.len())], &[])?;
        prop_assert!(matches!(outcome.result, Err(Error::Eof(_))), "{:?}", outcome);
    }

    #[test]
    fn garbage_ends_the_same_however_it_arrives(
        with_credential: bool,
        stream in prop_oneof![vec(any::<u8>(), 0..400), near_socks()],
        sizes in vec(1..20_usize, 1..8),
    ) {
        let whole = check(with_credential, &stream, &[])?.result;
        prop_assert_eq!(check(with_credential, &stream, &sizes)?.result, whole);
    }

    #[test]
    fn corrupted_replies(
        (with_credential, mut reply) in prop_oneof![granted(), refused()],
        at in any::<proptest::sample::Index>(),
        byte: u8,
        sizes in vec(1..20_usize, 1..8),
    ) {
        let at = at.index(reply.len().min(12));
        reply[at] = byte;
        let whole = check(with_credential, &reply, &[])?.result;
        prop_assert_eq!(check(with_credential, &reply, &sizes)?.result, whole);
    }
}

/// Not a sample: every way to cut the normal answers in two and three.
#[test]
fn every_split_in_three() {
    let replies: [(bool, &[u8]); 8] = [
        (true, &[5, 2, 1, 0, 5, 0, 0, 1, 127, 0, 0, 1, 0, 80]),
        (true, &[1, 0, 5, 0, 0, 1, 127, 0, 0, 1, 0, 80]),
        (true, &[5, 2, 1, 0, 5, 0, 0, 3, 3, b'a', b'.', b'b', 0, 0]),
        (true, &[5, 2, 1, 0, 5, 0, 0, 3, 0, 0, 0]),
        (true, &[1, 0, 5, 0, 0, 3, 0, 0, 0]),
        (false, &[5, 0, 5, 0, 0, 3, 0, 0, 0]),
        (false, &[5, 0, 5, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]),
        (false, &[5, 0, 0, 3, 0, 0, 0]),
    ];
    for (with_credential, reply) in replies {
        let stream = [reply, b"\x05\x00program"].concat();
        for first in 1..=reply.len() {
            for second in 1..=reply.len() {
                let outcome = check(with_credential, &stream, &[first, second]).unwrap();
                assert_eq!(outcome.taken, reply.len());
            }
        }
    }
}
