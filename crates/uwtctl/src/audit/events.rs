//! Events for tests.

use uwt_report::{Destination, Event, GuardLevel, Happening, Layer, Outcome, Transport};

/// Something that a process did which started at the same time as all others.
pub(crate) fn event(pid: u32, happening: Happening) -> Event {
    Event { time: 1, pid, start: 100, happening }
}

/// The beginning of a run.
pub(crate) fn begin(guard: GuardLevel, scope: &str) -> Event {
    let gateway = destination("10.152.152.10", 9050);
    event(1, Happening::Begin { guard, scope: scope.to_owned(), gateway })
}

/// The end of a run.
pub(crate) fn end() -> Event {
    event(1, Happening::End)
}

/// A process of another one that runs a program.
pub(crate) fn process(pid: u32, parent: u32, program: &str) -> Event {
    let arguments = vec![program.to_owned(), "-x".to_owned()];
    let program = Some(program.to_owned());
    event(pid, Happening::Process { parent: Some(parent), program, arguments, preload: true })
}

/// A connection by the preload.
pub(crate) fn connection(pid: u32, host: &str, credential: Option<&str>) -> Event {
    by(Layer::Preload, pid, host, credential)
}

/// A connection by this layer.
pub(crate) fn by(layer: Layer, pid: u32, host: &str, credential: Option<&str>) -> Event {
    let (destination, credential) = (destination(host, 443), credential.map(str::to_owned));
    event(pid, Happening::Connection { layer, destination, credential, outcome: Outcome::Granted })
}

/// A connection that failed.
pub(crate) fn failed(pid: u32, host: &str, credential: &str) -> Event {
    let outcome = Outcome::Failed { why: "the gateway does not answer".to_owned() };
    let (destination, credential) = (destination(host, 443), Some(credential.to_owned()));
    event(pid, Happening::Connection { layer: Layer::Preload, destination, credential, outcome })
}

/// A direct connection.
pub(crate) fn direct(pid: u32, host: &str, port: u16) -> Event {
    event(pid, Happening::Local { layer: Layer::Preload, destination: destination(host, port), failed: None })
}

/// A direct connection that did not come about.
pub(crate) fn unreached(pid: u32, host: &str, port: u16) -> Event {
    let failed = Some("Connection refused".to_owned());
    event(pid, Happening::Local { layer: Layer::Relay, destination: destination(host, port), failed })
}

/// A refusal.
pub(crate) fn refused(layer: Layer, pid: u32, transport: Transport) -> Event {
    let (what, errno) = ("wanted what cannot be carried".to_owned(), "EACCES".to_owned());
    let destination = Some(destination("192.0.2.7", 53));
    event(pid, Happening::Refused { layer, what, transport: Some(transport), destination, errno })
}

fn destination(host: &str, port: u16) -> Destination {
    Destination { host: host.to_owned(), port }
}
