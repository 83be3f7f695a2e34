//! What a program says to a SocksPort and what that answers, read from both transcripts as far as they go (RFC 1928, RFC
//! 1929, Tor's `socks-extensions` §2).

use std::net::{Ipv4Addr, Ipv6Addr};

use uwt_report::Destination;
use uwt_socks5::{Command, ReplyCode};

/// What a program has asked a SocksPort for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// Username and password; `None` where it sent none.
    pub(super) credential: Option<(Vec<u8>, Vec<u8>)>,
    pub(super) command: Command,
    /// A name as it was sent.
    pub(super) destination: Destination,
}

/// How far a conversation has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// There is more to come, behind what was asked if that is all there.
    More(Option<Asked>),
    /// Something was asked and answered: with a code where it was refused.
    All(Asked, Option<ReplyCode>),
    /// It is another protocol, or none that is understood.
    Other,
}

/// Why there is nothing to read.
enum Stop {
    /// It is not there yet.
    Short,
    Other,
}

/// Reads both sides from their beginning. A program may have sent all that it has to say before it is answered.
pub(super) fn read(said: &[u8], answered: &[u8]) -> Heard {
    let (mut said, mut answered) = (Bytes(said), Bytes(answered));
    let asked = match asked(&mut said, &mut answered) {
        Ok(asked) => asked,
        Err(Stop::Short) => return Heard::More(None),
        Err(Stop::Other) => return Heard::Other,
    };
    match code(&mut answered) {
        Ok(0) => Heard::All(asked, None),
        Ok(code) => Heard::All(asked, Some(ReplyCode::from_byte(code))),
        Err(Stop::Short) => Heard::More(Some(asked)),
        Err(Stop::Other) => Heard::Other,
    }
}

fn asked(said: &mut Bytes<'_>, answered: &mut Bytes<'_>) -> Result<Asked, Stop> {
    said.is(5)?;
    said.text()?;
    answered.is(5)?;
    let credential = match answered.byte()? {
        0 => None,
        2 => {
            said.is(1)?;
            let credential = (said.text()?.to_vec(), said.text()?.to_vec());
            answered.is(1)?;
            answered.is(0)?;
            Some(credential)
        }
        _ => return Err(Stop::Other),
    };
    said.is(5)?;
    let command = match said.byte()? {
        0x01 => Command::Connect,
        0xF0 => Command::Resolve,
        0xF1 => Command::ResolvePtr,
        _ => return Err(Stop::Other),
    };
    said.is(0)?;
    let host = match said.byte()? {
        1 => Ipv4Addr::from(said.array::<4>()?).to_string(),
        3 => String::from_utf8_lossy(said.text()?).into_owned(),
        4 => Ipv6Addr::from(said.array::<16>()?).to_string(),
        _ => return Err(Stop::Other),
    };
    let port = u16::from_be_bytes(said.array()?);
    Ok(Asked { credential, command, destination: Destination { host, port } })
}

fn code(answered: &mut Bytes<'_>) -> Result<u8, Stop> {
    answered.is(5)?;
    answered.byte()
}

/// What is left to read of one side.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn byte(&mut self) -> Result<u8, Stop> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// The next byte must be this one.
    fn is(&mut self, expected: u8) -> Result<(), Stop> {
        if self.byte()? == expected { Ok(()) } else { Err(Stop::Other) }
    }

    fn array<const LEN: usize>(&mut self) -> Result<[u8; LEN], Stop> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Stop::Short)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// A byte that says how many follow, and these.
    fn text(&mut self) -> Result<&'a [u8], Stop> {
        let len = self.byte()?;
        let (taken, rest) = self.0.split_at_checked(len.into()).ok_or(Stop::Short)?;
        self.0 = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uwt_socks5::{Auth, Request, Target};

    use super::*;

    const GRANTED: &[u8] = &[5, 2, 1, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    const OPEN: &[u8] = &[5, 0, 5, 4, 0, 1, 0, 0, 0, 0, 0, 0];

    fn request(auth: Auth<'_>, command: Command, target: Target<'_>) -> Vec<u8> {
        Request::new(auth, command, target).unwrap().as_bytes().to_vec()
    }

    fn expected(host: &str, port: u16, command: Command, credential: Option<(&str, &str)>) -> Asked {
        let credential = credential.map(|(username, password)| (username.into(), password.into()));
        Asked { credential, command, destination: Destination { host: host.to_owned(), port } }
    }

    #[test]
    fn what_our_own_requests_say() {
        let own = || Auth::UserPass { username: b"uwt-1", password: b"0" };
        let named = || Target::Name { host: b"a.test", port: 80 };
        let v6: std::net::SocketAddrV6 = "[2001:db8::1]:22".parse().unwrap();
        let v4: std::net::SocketAddrV4 = "203.0.113.9:443".parse().unwrap();
        for (command, target, host, port) in [
            (Command::Connect, named(), "a.test", 80),
            (Command::Connect, Target::V6(v6), "2001:db8::1", 22),
            (Command::Resolve, Target::Name { host: b"b.test", port: 0 }, "b.test", 0),
            (Command::ResolvePtr, Target::V4(std::net::SocketAddrV4::new(*v4.ip(), 0)), "203.0.113.9", 0),
        ] {
            let asked = expected(host, port, command, Some(("uwt-1", "0")));
            assert_eq!(read(&request(own(), command, target), GRANTED), Heard::All(asked, None));
        }
        let said = request(Auth::None, Command::Connect, named());
        let refused = Heard::All(expected("a.test", 80, Command::Connect, None), Some(ReplyCode::from_byte(4)));
        assert_eq!(read(&said, OPEN), refused);
    }

    #[test]
    fn several_methods_may_be_offered() {
        let said = [&[5, 3, 0, 1, 2, 1, 1, b'u', 1, b'p'][..], &[5, 1, 0, 3, 1, b'a', 0, 80]].concat();
        assert_eq!(read(&said, GRANTED), Heard::All(expected("a", 80, Command::Connect, Some(("u", "p"))), None));
    }

    #[test]
    fn parts_are_no_more_than_they_are() {
        let auth = Auth::UserPass { username: b"uwt-1", password: b"0" };
        let said = request(auth, Command::Connect, Target::Name { host: b"a.test", port: 80 });
        for cut in 0..said.len() {
            assert_eq!(read(&said[..cut], GRANTED), Heard::More(None), "{cut}");
        }
        let asked = || expected("a.test", 80, Command::Connect, Some(("uwt-1", "0")));
        for cut in 0..GRANTED.len() {
            let heard = match cut {
                ..4 => Heard::More(None),
                4..6 => Heard::More(Some(asked())),
                _ => Heard::All(asked(), None),
            };
            assert_eq!(read(&said, &GRANTED[..cut]), heard, "{cut}");
        }
    }

    #[test]
    fn what_is_not_understood() {
        for (said, answered) in [
            (&b"GET / HTTP/1.0"[..], &b""[..]),
            (&[4, 1, 0, 80, 127, 0, 0, 1, 0], &[]),
            // No method is acceptable, an unknown one, a credential that is refused.
            (&[5, 1, 0], &[5, 0xff]),
            (&[5, 1, 1], &[5, 1]),
            (&[5, 1, 2, 1, 1, b'u', 1, b'p'], &[5, 2, 1, 1]),
            // UDP, and an address of no kind.
            (&[5, 1, 0, 5, 3, 0, 1, 0, 0, 0, 0, 0, 0], &[5, 0]),
            (&[5, 1, 0, 5, 1, 0, 9], &[5, 0]),
            (&[5, 1, 0, 5, 1, 0, 3, 1, b'a', 0, 80], &[5, 0, 4]),
        ] {
            assert_eq!(read(said, answered), Heard::Other, "{said:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_too_strange(said: Vec<u8>, answered: Vec<u8>) {
            let _ = read(&said, &answered);
        }
    }
}
