//! One event a line.

use std::io::{self, BufRead, Lines, Write};

use crate::Event;

/// Writes an event and the end of its line in one write(2), so that several writers of one file opened for appending do not
/// cut each other's lines.
///
/// # Errors
/// Those of `out`.
pub fn write(mut out: impl Write, event: &Event) -> io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    out.write_all(&line)
}

/// Reads what [`write()`] wrote.
#[derive(Debug)]
pub struct Reader<R>(Lines<R>);

impl<R: BufRead> Reader<R> {
    /// Reads from here.
    pub fn new(from: R) -> Self {
        Self(from.lines())
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = io::Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.0.next()?;
        Some(line.and_then(|line| serde_json::from_str(&line).map_err(io::Error::from)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Destination, GuardLevel, Happening, Layer, Outcome, Transport};

    #[test]
    fn what_is_written_is_read_again() {
        let destination = Destination { host: "example.com".to_owned(), port: 443 };
        let outcome = Outcome::Failed { why: "host unreachable".to_owned() };
        let credential = Some("uwt-0123".to_owned());
        let events = [
            Happening::Begin {
                guard: GuardLevel::Tunnel,
                scope: "process".to_owned(),
                gateway: Destination { host: "127.0.0.1".to_owned(), port: 9050 },
            },
            Happening::Process {
                parent: Some(1),
                program: Some("/usr/bin/curl".to_owned()),
                arguments: vec!["curl".to_owned(), "a\nb".to_owned()],
                preload: true,
            },
            Happening::Lookup {
                layer: Layer::Preload,
                name: "example.com".to_owned(),
                credential: None,
                sent: false,
                outcome: Outcome::Granted,
            },
            Happening::Connection { layer: Layer::Cage, destination: destination.clone(), credential, outcome },
            Happening::Refused {
                layer: Layer::Guard,
                what: "wanted a UDP socket".to_owned(),
                transport: Some(Transport::Udp),
                destination: Some(destination),
                errno: "EACCES".to_owned(),
            },
            Happening::Lost { count: 5 },
            Happening::End,
        ]
        .map(|happening| Event { time: 1, pid: 2, start: 3, happening });
        let mut text = Vec::new();
        for event in &events {
            write(&mut text, event).expect("memory can be written");
        }
        assert_eq!(text.lines().count(), events.len());
        let read: io::Result<Vec<Event>> = Reader::new(text.as_slice()).collect();
        assert_eq!(read.expect("all lines are events"), events);
    }

    #[test]
    fn what_a_later_version_adds_is_passed_over() {
        let line = r#"{"time":1,"pid":2,"start":3,"event":"local","layer":"relay","destination":{"host":"::1","port":1},"new":1}"#;
        let event = Reader::new(line.as_bytes()).next().expect("a line").expect("an event");
        assert!(matches!(event.happening, Happening::Local { layer: Layer::Relay, .. }));
    }
}
