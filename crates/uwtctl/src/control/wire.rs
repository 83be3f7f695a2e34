//! Commands and replies (control-spec, "Message format").

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::time::{Duration, Instant};

use super::place::Connection;

/// The longest line that is read, in bytes. A circuit's is below 1,000.
const LONGEST: usize = 64 << 10;
/// The most lines of one reply. A busy Tor has some thousand streams.
const MOST: usize = 1 << 20;
/// The code of what happened without being asked for.
pub(super) const EVENT: &str = "650";

/// A reply, or an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// Three digits; those of success begin with 2.
    pub(super) code: String,
    /// The lines behind their codes.
    pub(super) lines: Vec<Line>,
}

/// A line of a reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// What stands behind the code.
    pub(super) text: String,
    /// The lines of data that follow it.
    pub(super) data: Vec<String>,
}

impl Reply {
    /// Whether Tor did it.
    pub(super) fn is_good(&self) -> bool {
        self.code.starts_with('2')
    }

    /// As one line, for messages.
    pub(super) fn shown(&self) -> String {
        let text = self.lines.last().map_or("", |line| &line.text);
        format!("{} {text}", self.code).trim_end().to_owned()
    }
}

/// A connection, and what was read ahead.
#[derive(Debug)]
pub(super) struct Wire {
    connection: Connection,
    ahead: Vec<u8>,
    /// How many bytes of `ahead` were given away.
    taken: usize,
    /// How long a reply may take.
    patience: Duration,
}

impl Wire {
    pub(super) fn new(connection: Connection, patience: Duration) -> Self {
        Self { connection, ahead: Vec::new(), taken: 0, patience }
    }

    /// Sends a line.
    ///
    /// # Errors
    /// Those of write(2).
    pub(super) fn send(&mut self, command: &str) -> io::Result<()> {
        self.connection.write_all(format!("{command}\r\n").as_bytes())
    }

    /// What comes next, a reply or an event. It must begin within `patience`, if there is one, and then be complete within
    /// the time of a reply.
    ///
    /// # Errors
    /// `TimedOut`; `InvalidData` with what was read when it isn't the protocol; those of read(2), and its end.
    pub(super) fn receive(&mut self, patience: Option<Duration>) -> io::Result<Reply> {
        let mut line = self.line(patience.map(|patience| Instant::now() + patience))?;
        let until = Some(Instant::now() + self.patience);
        let mut reply = Reply { code: line.get(..3).unwrap_or_default().to_owned(), lines: Vec::new() };
        for _ in 0..MOST {
            let foreign = || io::Error::new(ErrorKind::InvalidData, line.clone());
            let rest = line.strip_prefix(&reply.code).filter(|_| is_code(&reply.code)).ok_or_else(foreign)?;
            let mut letters = rest.chars();
            let mark = letters.next().ok_or_else(foreign)?;
            let text = letters.as_str().to_owned();
            let data = match mark {
                '+' => self.data(until)?,
                ' ' | '-' => Vec::new(),
                _ => return Err(foreign()),
            };
            reply.lines.push(Line { text, data });
            if mark == ' ' {
                return Ok(reply);
            }
            line = self.line(until)?;
        }
        Err(io::Error::new(ErrorKind::InvalidData, line))
    }

    /// Lines up to one that is a dot.
    fn data(&mut self, until: Option<Instant>) -> io::Result<Vec<String>> {
        let mut lines = Vec::new();
        while lines.len() < MOST {
            let line = self.line(until)?;
            if line == "." {
                return Ok(lines);
            }
            // A dot before a dot keeps such a line from being the end.
            lines.push(line.strip_prefix('.').map_or_else(|| line.clone(), str::to_owned));
        }
        Err(io::Error::new(ErrorKind::InvalidData, lines.pop().unwrap_or_default()))
    }

    /// A line without its end.
    fn line(&mut self, until: Option<Instant>) -> io::Result<String> {
        loop {
            let ahead = self.ahead.get(self.taken..).unwrap_or_default();
            if let Some(length) = ahead.iter().position(|byte| *byte == b'\n') {
                let line = ahead.get(..length).unwrap_or_default();
                let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
                self.taken += length + 1;
                return Ok(line);
            }
            if ahead.len() > LONGEST {
                return Err(io::Error::new(ErrorKind::InvalidData, String::from_utf8_lossy(ahead)));
            }
            self.ahead.drain(..self.taken);
            self.taken = 0;
            self.fill(until)?;
        }
    }

    /// Reads on.
    fn fill(&mut self, until: Option<Instant>) -> io::Result<()> {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(ErrorKind::TimedOut.into());
        }
        self.connection.patience(left)?;
        let mut chunk = [0; 16 << 10];
        let length = loop {
            match self.connection.read(&mut chunk) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        if length == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.ahead.extend_from_slice(chunk.get(..length).unwrap_or_default());
        Ok(())
    }

    /// How long a reply may take.
    pub(super) const fn patience(&self) -> Duration {
        self.patience
    }
}

fn is_code(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// What is read when a server says this and ends.
    fn received(said: &[u8]) -> io::Result<Vec<Reply>> {
        let (ours, mut theirs) = UnixStream::pair()?;
        theirs.write_all(said)?;
        drop(theirs);
        let mut wire = Wire::new(Connection::Unix(ours), PATIENCE);
        let mut replies = Vec::new();
        loop {
            match wire.receive(Some(PATIENCE)) {
                Ok(reply) => replies.push(reply),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(replies),
                Err(error) => return Err(error),
            }
        }
    }

    #[test]
    fn lines_and_data() {
        let said = b"250+circuit-status=\r\n1 BUILT\r\n..2\r\n.\r\n250-version=0.4\r\n250 OK\r\n650 CIRC 1 CLOSED\r\n";
        let replies = received(said).unwrap();
        assert_eq!(replies.len(), 2);
        assert!(replies[0].is_good());
        let lines: Vec<_> = replies[0].lines.iter().map(|line| (line.text.as_str(), line.data.len())).collect();
        assert_eq!(lines, [("circuit-status=", 2), ("version=0.4", 0), ("OK", 0)]);
        assert_eq!(replies[0].lines[0].data, ["1 BUILT", ".2"]);
        assert_eq!((replies[1].code.as_str(), replies[1].shown().as_str()), (EVENT, "650 CIRC 1 CLOSED"));
    }

    #[test]
    fn what_is_no_control_port_is_noticed() {
        for said in [&b"SSH-2.0-OpenSSH\r\n"[..], b"HTTP/1.0 400 Bad\r\n", b"250\r\n", b"250-a\r\n251 b\r\n", b"\r\n"] {
            let error = received(said).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{}", said.escape_ascii());
        }
    }

    #[test]
    fn a_line_has_an_end() {
        let endless = vec![b'a'; 2 * LONGEST];
        for before in [&b""[..], b"250-", b"250+x=\r\n"] {
            let error = received(&[before, &endless].concat()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{}", before.escape_ascii());
        }
    }

    #[test]
    fn silence_ends_the_wait() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut wire = Wire::new(Connection::Unix(ours), Duration::from_millis(20));
        let is_late = |error: io::Error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        assert!(is_late(wire.receive(Some(Duration::from_millis(20))).unwrap_err()));
        // Half a reply is none.
        theirs.write_all(b"250+circuit-status=\r\n4 BUILT\r\n").unwrap();
        assert!(is_late(wire.receive(Some(PATIENCE)).unwrap_err()));
    }
}
