//! A gateway made of bytes: hands a reply out in chosen chunks, never more than asked for, and counts what was taken.
#![allow(dead_code, reason = "every test binary uses a part")]

use uwt_socks5::{Auth, Command, Error, Outcome, Progress, Reply, Request, Target};

/// The credential of every test that has one.
pub(crate) const USER_PASS: Auth<'_> = Auth::UserPass { username: b"uwt-1", password: b"0" };

/// Bytes from hex digits; everything else separates.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    assert!(digits.len().is_multiple_of(2), "odd hex: {text}");
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

/// A reply reader for some request with this authentication.
pub(crate) fn reader(auth: Auth<'_>) -> Reply {
    Request::new(auth, Command::Connect, Target::Name { host: b"e.com", port: 80 }).unwrap().reply()
}

/// How an answer ended and how many bytes of the stream were taken for it.
#[derive(Debug, PartialEq)]
pub(crate) struct Read {
    pub(crate) result: Result<Outcome, Error>,
    pub(crate) taken: usize,
}

/// Reads `stream` in chunks of the given sizes (cycled, at least 1), each cut to `needed()` like the length of a
/// `recv(2)`, then the end of file.
pub(crate) fn read(mut reply: Reply, stream: &[u8], sizes: &[usize]) -> Read {
    let mut taken = 0;
    let mut sizes = sizes.iter().copied().cycle();
    loop {
        let needed = reply.needed();
        assert!(needed > 0, "an unfinished reply must ask for something");
        let size = needed.min(sizes.next().unwrap_or(usize::MAX).max(1)).min(stream.len() - taken);
        if size == 0 {
            return Read { result: Err(reply.eof()), taken };
        }
        let progress = reply.feed(&stream[taken..taken + size]);
        taken += size;
        match progress {
            Ok(Progress::More) => {}
            Ok(Progress::Done(outcome)) => {
                assert_eq!(reply.needed(), 0);
                return Read { result: Ok(outcome), taken };
            }
            Err(error) => {
                assert_eq!(reply.needed(), 0);
                return Read { result: Err(error), taken };
            }
        }
    }
}

/// Reads `stream` with every `recv(2)` giving all that was asked for.
pub(crate) fn read_greedily(auth: Auth<'_>, stream: &[u8]) -> Read {
    read(reader(auth), stream, &[])
}
