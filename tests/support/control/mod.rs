//! A reader of Tor's control port (control-spec): which circuit belongs to which SOCKS credential.

mod parse;

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

pub use parse::{Circuit, Relay, Stream};

/// How long one command may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// An authenticated connection to a control port on a unix socket.
#[derive(Debug)]
pub struct Control {
    input: BufReader<UnixStream>,
    output: UnixStream,
    /// Asynchronous events that arrived while we waited for something else.
    events: Vec<String>,
}

impl Control {
    /// Connects and authenticates with the cookie that Tor keeps beside the socket (`control_auth_cookie`).
    ///
    /// # Errors
    /// When nobody listens, or the cookie is unreadable or refused.
    pub fn connect(path: &Path) -> Result<Self> {
        let cookie_path = path.with_file_name("control_auth_cookie");
        let output = UnixStream::connect(path).with_context(|| format!("connect to {}", path.display()))?;
        output.set_read_timeout(Some(PATIENCE))?;
        let input = BufReader::new(output.try_clone()?);
        let mut control = Self { input, output, events: Vec::new() };
        let cookie = std::fs::read(&cookie_path).with_context(|| format!("read {}", cookie_path.display()))?;
        let mut command = "AUTHENTICATE ".to_owned();
        for byte in cookie {
            write!(command, "{byte:02x}")?;
        }
        control.command(&command)?;
        Ok(control)
    }

    /// Sends one command; gives the lines of the reply without their status codes (data blocks joined in).
    ///
    /// # Errors
    /// When Tor answers with anything but 250.
    pub fn command(&mut self, command: &str) -> Result<Vec<String>> {
        self.output.write_all(format!("{command}\r\n").as_bytes())?;
        let mut lines = Vec::new();
        loop {
            let line = self.line()?;
            let (code, rest) = line.split_at_checked(3).context("short line from the control port")?;
            let (mark, text) = rest.split_at_checked(1).context("short line from the control port")?;
            if code == "650" {
                self.events.push(text.to_owned());
                continue;
            }
            if code != "250" {
                bail!("control port refused {command:?}: {line}");
            }
            lines.push(text.to_owned());
            match mark {
                " " => return Ok(lines),
                "+" => self.data(&mut lines)?,
                _ => {}
            }
        }
    }

    /// The value of one `GETINFO` key.
    ///
    /// # Errors
    /// When Tor does not know the key.
    pub fn get_info(&mut self, key: &str) -> Result<String> {
        let lines = self.command(&format!("GETINFO {key}"))?;
        let (first, rest) = lines.split_first().context("empty reply")?;
        let value = first.strip_prefix(&format!("{key}=")).context("reply to another question")?;
        let mut all = vec![value.to_owned()];
        // The last line is Tor's "OK".
        all.extend(rest.iter().take(rest.len().saturating_sub(1)).cloned());
        Ok(all.join("\n").trim_start_matches('\n').to_owned())
    }

    /// All circuits that exist now (`GETINFO circuit-status`).
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn circuits(&mut self) -> Result<Vec<Circuit>> {
        let text = self.get_info("circuit-status")?;
        Ok(text.lines().filter_map(Circuit::parse).collect())
    }

    /// The circuits that carry streams of one SOCKS username.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn circuits_of(&mut self, username: &str) -> Result<Vec<Circuit>> {
        let mut all = self.circuits()?;
        all.retain(|circuit| circuit.username.as_deref() == Some(username));
        Ok(all)
    }

    /// All streams that exist now (`GETINFO stream-status`).
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn streams(&mut self) -> Result<Vec<Stream>> {
        let text = self.get_info("stream-status")?;
        Ok(text.lines().filter_map(Stream::parse).collect())
    }

    /// Asks for the circuits again and again until `wanted` gives a value.
    ///
    /// # Errors
    /// When `limit` passes first; the message lists the circuits seen last.
    pub fn wait_for<T>(&mut self, limit: Duration, mut wanted: impl FnMut(&[Circuit]) -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + limit;
        loop {
            let circuits = self.circuits()?;
            if let Some(value) = wanted(&circuits) {
                return Ok(value);
            }
            if Instant::now() >= deadline {
                bail!("no such circuit after {limit:?}; there are: {circuits:#?}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Subscribes to events, e.g. `["CIRC", "STREAM"]`; read them with [`next_event`](Self::next_event).
    ///
    /// # Errors
    /// When Tor does not know an event.
    pub fn subscribe(&mut self, events: &[&str]) -> Result<()> {
        self.command(&format!("SETEVENTS {}", events.join(" "))).map(drop)
    }

    /// The next event, without its `650`; `None` when none came within `limit`.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn next_event(&mut self, limit: Duration) -> Result<Option<String>> {
        if !self.events.is_empty() {
            return Ok(Some(self.events.remove(0)));
        }
        self.output.set_read_timeout(Some(limit.max(Duration::from_millis(1))))?;
        let line = self.line();
        self.output.set_read_timeout(Some(PATIENCE))?;
        match line {
            Ok(line) => Ok(Some(line.get(4..).unwrap_or_default().to_owned())),
            Err(error) => match error.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
                Some(ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// Connects to the node of an onion service and listens for news of its descriptor.
    pub(crate) fn watch_descriptors(path: &Path) -> Result<Self> {
        let mut control = Self::connect(path)?;
        control.subscribe(&["HS_DESC"])?;
        Ok(control)
    }

    /// Waits until the service has uploaded its descriptor at least once since [`watch_descriptors`].
    ///
    /// [`watch_descriptors`]: Self::watch_descriptors
    pub(crate) fn wait_published(&mut self, limit: Duration, stop: &AtomicBool) -> Result<()> {
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            if stop.load(Ordering::Acquire) {
                bail!("interrupted");
            }
            let event = self.next_event(Duration::from_millis(100))?;
            if event.is_some_and(|event| event.starts_with("HS_DESC UPLOADED")) {
                return Ok(());
            }
        }
        bail!("the onion service published no descriptor")
    }

    /// Appends the lines of a data block up to its final dot.
    fn data(&mut self, lines: &mut Vec<String>) -> Result<()> {
        loop {
            let line = self.line()?;
            if line == "." {
                return Ok(());
            }
            lines.push(line.strip_prefix('.').map_or(line.clone(), str::to_owned));
        }
    }

    /// One line without its end.
    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.input.read_line(&mut line)? == 0 {
            bail!("the control port closed the connection");
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }
}
