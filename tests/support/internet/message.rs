//! HTTP/1.1 messages, as much as curl, wget, git, apt and dirmngr need (RFC 9112).

use std::fmt::Write as _;
use std::io::{self, BufRead, ErrorKind, Read as _, Write};

/// A request; header names are in lower case.
#[derive(Debug, Default)]
pub struct Message {
    /// GET, POST, …
    pub method: String,
    /// Path, without the query.
    pub path: String,
    /// What followed the question mark, or nothing.
    pub query: String,
    /// HTTP/1.0 or HTTP/1.1.
    pub version: String,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// Body, chunks joined.
    pub body: Vec<u8>,
}

impl Message {
    /// Reads one request; `None` at the end of the connection.
    ///
    /// # Errors
    /// When it is cut short or no HTTP.
    pub fn read(input: &mut impl BufRead, output: &mut impl Write) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace();
        let (Some(method), Some(target), Some(version)) = (words.next(), words.next(), words.next()) else {
            return Err(ErrorKind::InvalidData.into());
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut message = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            version: version.to_owned(),
            ..Self::default()
        };
        loop {
            let mut line = String::new();
            input.read_line(&mut line)?;
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or(ErrorKind::InvalidData)?;
            message.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        if message.header("expect").is_some() {
            output.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        message.body = message.read_body(input)?;
        Ok(Some(message))
    }

    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the client wants to send another request on this connection.
    #[must_use]
    pub fn keep_alive(&self) -> bool {
        let asked = self.header("connection").map(str::to_ascii_lowercase);
        match asked.as_deref() {
            Some("close") => false,
            Some("keep-alive") => true,
            _ => self.version == "HTTP/1.1",
        }
    }

    /// The body, in either framing.
    fn read_body(&self, input: &mut impl BufRead) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if self.header("transfer-encoding") == Some("chunked") {
            loop {
                let mut line = String::new();
                input.read_line(&mut line)?;
                let size = line.trim().split(';').next().unwrap_or_default();
                let size = u64::from_str_radix(size, 16).map_err(|_| ErrorKind::InvalidData)?;
                input.take(size).read_to_end(&mut body)?;
                // The line end behind the chunk (behind the last: the empty trailer).
                input.read_line(&mut line)?;
                if size == 0 {
                    return Ok(body);
                }
            }
        }
        let length = self.header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
        input.take(length).read_to_end(&mut body)?;
        Ok(body)
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Status code and text, e.g. `200 OK`.
    pub status: String,
    /// Headers besides the length.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A success with a body.
    #[must_use]
    pub fn ok(kind: &str, body: Vec<u8>) -> Self {
        Self { status: "200 OK".to_owned(), headers: vec![("Content-Type".to_owned(), kind.to_owned())], body }
    }

    /// Nothing there.
    #[must_use]
    pub fn not_found() -> Self {
        Self { status: "404 Not Found".to_owned(), ..Self::ok("text/plain", b"not found\n".to_vec()) }
    }

    /// Sends it; no body after a HEAD request.
    ///
    /// # Errors
    /// When the client is gone.
    pub fn send(&self, output: &mut impl Write, head_only: bool) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {}\r\n", self.status);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let _ = write!(head, "Content-Length: {}\r\n\r\n", self.body.len());
        output.write_all(head.as_bytes())?;
        if !head_only {
            output.write_all(&self.body)?;
        }
        output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Message {
        Message::read(&mut text.as_bytes(), &mut Vec::new()).expect("request").expect("one")
    }

    #[test]
    fn bodies_of_both_framings() {
        let plain = read("POST /a?b=c HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET");
        assert_eq!((plain.path.as_str(), plain.query.as_str(), plain.body.as_slice()), ("/a", "b=c", &b"abc"[..]));
        let chunked = read("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n");
        assert_eq!(chunked.body, b"abcde");
        assert!(chunked.keep_alive());
        assert!(!read("GET / HTTP/1.0\r\n\r\n").keep_alive());
    }

    #[test]
    fn garbage_is_an_error() {
        assert!(Message::read(&mut &b"\x05\x01\x00\n"[..], &mut Vec::new()).is_err());
        assert!(Message::read(&mut &b""[..], &mut Vec::new()).expect("end").is_none());
    }
}
