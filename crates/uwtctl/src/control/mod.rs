//! A client of Tor's control protocol (control-spec): it reads, and changes nothing.
//!
//! [`Control::open`] connects and gives the control port what it wants: nothing, a cookie or a password. Then
//! [`Control::snapshot`] lists circuits and streams, and [`Control::wait`] ends when they change.

mod auth;
mod place;
mod problem;
mod status;
mod wire;
mod words;

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use uwt_cli::ctl::ControlPortOptions;

pub(crate) use place::Place;
pub(crate) use problem::Problem;
pub(crate) use status::{Circuit, Pair, Relay, Stream, host};

use auth::Wanted;
use wire::{EVENT, Line, Reply, Wire};

/// A control port that answers.
#[derive(Debug)]
pub(crate) struct Control {
    place: Place,
    wire: Wire,
    version: Option<String>,
    /// Something has happened since [`Self::wait`] ended.
    changed: bool,
    /// What events have told of each stream, by its number.
    told: HashMap<String, Told>,
}

/// What `stream-status` doesn't say.
#[derive(Clone, Debug, Default)]
struct Told {
    asked: Option<String>,
    whose: bool,
    pair: Option<Pair>,
}

/// What there is at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// In the order of their numbers.
    pub(crate) circuits: Vec<Circuit>,
    /// In the order of their numbers.
    pub(crate) streams: Vec<Stream>,
}

impl Control {
    /// Connects to the control port that the options name, or else to that of `gateway`; each answer may take `patience`.
    ///
    /// # Errors
    /// [`Problem`], which says what to do.
    pub(crate) fn open(options: &ControlPortOptions, gateway: Ipv4Addr, patience: Duration) -> Result<Self, Problem> {
        let place = match &options.control {
            Some(text) => Place::parse(text)?,
            None => Place::of_gateway(gateway),
        };
        let connection = place.connect(patience).map_err(|error| Problem::Connect(place.clone(), error))?;
        let wire = Wire::new(connection, patience);
        let mut control = Self { place, wire, version: None, changed: false, told: HashMap::new() };
        let reply = control.ask("PROTOCOLINFO 1")?;
        let wanted = Wanted::parse(reply.lines.iter().map(|line| line.text.as_str()));
        let wanted = wanted.ok_or_else(|| Problem::Foreign(control.place.clone(), reply.shown()))?;
        auth::authenticate(&mut control, &wanted, options.password_file.as_deref())?;
        control.version = wanted.version;
        Ok(control)
    }

    /// Where it is.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Tor's version, as far as it says it.
    pub(crate) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The circuits and streams that there are now.
    ///
    /// # Errors
    /// [`Problem::Refused`] where a filter does not let them through.
    pub(crate) fn snapshot(&mut self) -> Result<Snapshot, Problem> {
        // One question, so that no stream is on a circuit that is not in the list.
        let command = "GETINFO circuit-status stream-status";
        let reply = self.ask(command)?;
        if !reply.is_good() {
            return Err(Problem::Refused(self.place.clone(), command.to_owned(), reply.shown()));
        }
        let (mut circuits, mut streams) = (Vec::new(), Vec::new());
        for line in &reply.lines {
            let Some((key, value)) = line.text.split_once('=') else { continue };
            let values = [value].into_iter().chain(line.data.iter().map(String::as_str));
            let values: Vec<&str> = values.filter(|value| !value.is_empty()).collect();
            match key {
                "circuit-status" => circuits = self.understood(&values, Circuit::parse)?,
                "stream-status" => streams = self.understood(&values, Stream::parse)?,
                _ => {}
            }
        }
        for stream in &mut streams {
            let told = self.told.get(&stream.id).cloned().unwrap_or_default();
            (stream.asked, stream.told, stream.pair) = (told.asked, told.whose, told.pair);
        }
        Ok(Snapshot { circuits, streams })
    }

    /// Whether every port for clients isolates by credentials (tor(1), IsolateSOCKSAuth), so that a circuit's streams all
    /// have the circuit's. `None`: a filter does not let the question through.
    ///
    /// # Errors
    /// The connection broke.
    pub(crate) fn isolates(&mut self) -> Result<Option<bool>, Problem> {
        // What comes through one that does not is put on any circuit, also on those of the others.
        let reply = self.ask("GETCONF SocksPort HTTPTunnelPort TransPort NATDPort DNSPort")?;
        let without = |line: &Line| line.text.to_ascii_lowercase().contains("noisolatesocksauth");
        Ok(reply.is_good().then(|| !reply.lines.iter().any(without)))
    }

    /// Asks to be told when circuits and streams change. From then on [`Self::snapshot`] says of new streams what they asked
    /// for, and with which credential.
    ///
    /// # Errors
    /// [`Problem::Refused`] where a filter does not let that through.
    pub(crate) fn subscribe(&mut self) -> Result<(), Problem> {
        let command = "SETEVENTS CIRC STREAM";
        let reply = self.ask(command)?;
        if reply.is_good() {
            return Ok(());
        }
        Err(Problem::Refused(self.place.clone(), command.to_owned(), reply.shown()))
    }

    /// Waits for the next change, at most for as long as `patience` says; gives whether there was one.
    ///
    /// # Errors
    /// The connection broke.
    pub(crate) fn wait(&mut self, patience: Option<Duration>) -> Result<bool, Problem> {
        if std::mem::take(&mut self.changed) {
            return Ok(true);
        }
        match self.wire.receive(patience) {
            Ok(event) => {
                self.note(&event);
                Ok(true)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(false),
            Err(error) => Err(self.broken(error)),
        }
    }

    /// The reply to a command.
    fn ask(&mut self, command: &str) -> Result<Reply, Problem> {
        self.wire.send(command).map_err(|error| self.broken(error))?;
        // Events do not make it longer.
        let until = Instant::now() + self.wire.patience();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let reply = self.wire.receive(Some(left)).map_err(|error| self.broken(error))?;
            if reply.code != EVENT {
                return Ok(reply);
            }
            self.note(&reply);
            self.changed = true;
        }
    }

    /// Remembers what is told of a stream, as long as it lives.
    fn note(&mut self, event: &Reply) {
        let line = event.lines.first().and_then(|line| line.text.strip_prefix("STREAM "));
        let Some(stream) = line.and_then(Stream::parse) else { return };
        let state = stream.state.as_str();
        if matches!(state, "FAILED" | "CLOSED") {
            self.told.remove(&stream.id);
            return;
        }
        let told = self.told.entry(stream.id).or_default();
        if matches!(state, "NEW" | "NEWRESOLVE") {
            told.asked = Some(stream.target);
        }
        if stream.told {
            (told.whose, told.pair) = (true, stream.pair);
        }
    }

    /// Every line, or none: a list with gaps would be a wrong one.
    fn understood<T>(&self, lines: &[&str], parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Problem> {
        let foreign = |line: &str| Problem::Foreign(self.place.clone(), line.to_owned());
        lines.iter().map(|line| parse(line).ok_or_else(|| foreign(line))).collect()
    }

    fn broken(&self, error: io::Error) -> Problem {
        match error.kind() {
            ErrorKind::InvalidData => Problem::Foreign(self.place.clone(), error.to_string()),
            _ => Problem::Broken(self.place.clone(), error),
        }
    }
}

#[cfg(test)]
mod tests;
