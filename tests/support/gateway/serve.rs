//! One connection: handshake, answer, carry.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::sleep_until;
use tor_socksproto::{Buffer, Handshake as _, NextStep, SocksProxyHandshake, SocksRequest, SocksStatus};

use super::line::Line;
use super::options::{Behaviour, Fault, Form};
use super::request::{Outcome, Request};
use super::target::Answer;
use super::{Shared, answer, relay, target};

/// What a server of another protocol would say.
const GARBAGE: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
/// RFC 1928: no acceptable methods.
const NO_METHOD: [u8; 2] = [5, 0xff];

/// Serves one connection; errors of single connections concern nobody but their client.
pub(crate) async fn connection(mut stream: TcpStream, shared: Arc<Shared>) {
    let behaviour = shared.behaviour();
    let _open = Open::new(&shared);
    // Latency is what the bench measures; failing to set it only costs speed.
    let _ = stream.set_nodelay(true);
    let mut entry = Request::blank();
    match behaviour.fault {
        Some(Fault::CloseAtOnce) => return,
        Some(Fault::Silent) => return hold(stream).await,
        _ => {}
    }
    let Done { request, early, pending } = match handshake(&mut stream, &behaviour, &mut entry).await {
        Ok(done) => done,
        Err(error) => {
            entry.outcome = match behaviour.fault {
                Some(fault) if error.kind() == ErrorKind::ConnectionAborted => Outcome::Fault(fault.to_string()),
                _ => Outcome::Malformed(error.to_string()),
            };
            shared.record(entry);
            // Both fail only when the client is gone.
            let _ = stream.shutdown().await;
            return drain(&mut stream).await;
        }
    };
    entry.fill(&request);
    entry.early_data = early.len();
    // Every further error is the client's doing (it went away).
    let _ = respond(stream, &shared, &behaviour, entry, Done { request, early, pending }).await;
}

/// Counts a connection as open for as long as it lives.
struct Open<'a>(&'a Shared);

impl<'a> Open<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.open.fetch_add(1, Ordering::Relaxed);
        Self(shared)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a handshake leaves.
struct Done {
    request: SocksRequest,
    /// What the client sent behind its request.
    early: Vec<u8>,
    /// What is still to be written in front of the answer to the request.
    pending: Vec<u8>,
}

/// Drives the handshake up to the request.
async fn handshake(stream: &mut TcpStream, behaviour: &Behaviour, entry: &mut Request) -> io::Result<Done> {
    let mut handshake = SocksProxyHandshake::new();
    let mut buffer: Buffer = Buffer::new();
    let mut pending = Vec::new();
    let mut reads = 0;
    loop {
        match handshake.step(&mut buffer) {
            Ok(NextStep::Send(reply)) => {
                refuse_early(stream, behaviour, &reply).await?;
                let method_reply = reply.first() == Some(&5);
                let more = !buffer.filled_slice().is_empty();
                if !(behaviour.form == Form::Tor && method_reply && reply.get(1) == Some(&2) && more) {
                    pending.extend(reply);
                }
            }
            Ok(NextStep::Recv(mut step)) => {
                if !pending.is_empty() {
                    answer::send(stream, &std::mem::take(&mut pending), behaviour.fault).await?;
                }
                let first = reads == 0;
                let space = step.buf();
                let count = stream.read(space).await?;
                if first {
                    entry.methods = offered(&space[..count]);
                }
                reads += 1;
                step.note_received(count).map_err(invalid)?;
            }
            Ok(NextStep::Finished(finished)) => {
                entry.pipelined = reads == 1;
                let (request, early) = finished.into_output_and_vec();
                return Ok(Done { request, early, pending });
            }
            Err(error) => {
                if matches!(error, tor_socksproto::Error::NotImplemented(_)) {
                    stream.write_all(&NO_METHOD).await?;
                }
                return Err(invalid(error));
            }
        }
    }
}

/// The faults that hit before the request is read.
async fn refuse_early(stream: &mut TcpStream, behaviour: &Behaviour, reply: &[u8]) -> io::Result<()> {
    let of_greeting = reply.first() == Some(&5);
    match behaviour.fault.and_then(wrong_answer) {
        Some((to_greeting, instead)) if to_greeting == of_greeting && !behaviour.await_data => {
            refuse(stream, instead).await?;
            Err(ErrorKind::ConnectionAborted.into())
        }
        _ => Ok(()),
    }
}

/// What a fault has the gateway say in the handshake: whether to the greeting, or to the authentication; and what.
fn wrong_answer(fault: Fault) -> Option<(bool, &'static [u8])> {
    match fault {
        Fault::Garbage => Some((true, GARBAGE)),
        Fault::RejectMethods => Some((true, &NO_METHOD)),
        Fault::NoAuth => Some((true, &[5, 0])),
        Fault::RejectAuth => Some((false, &[1, 1])),
        _ => None,
    }
}

/// Says this and closes.
async fn refuse(stream: &mut TcpStream, instead: &[u8]) -> io::Result<()> {
    stream.write_all(instead).await?;
    stream.shutdown().await?;
    // Closing with unread input would reset the connection and could destroy what we just sent.
    drain(stream).await;
    Ok(())
}

/// Answers the request and carries the connection.
async fn respond(
    mut stream: TcpStream,
    shared: &Shared,
    behaviour: &Behaviour,
    mut entry: Request,
    Done { request, mut early, mut pending }: Done,
) -> io::Result<()> {
    if behaviour.await_data && entry.command == super::Command::Connect {
        if early.is_empty() {
            stream.read_buf(&mut early).await?;
        }
        if let Some((fault, (_, instead))) = behaviour.fault.and_then(|fault| Some((fault, wrong_answer(fault)?))) {
            entry.outcome = Outcome::Fault(fault.to_string());
            shared.record(entry);
            return refuse(&mut stream, instead).await;
        }
    }
    let line = Line::of_request(behaviour.round_trip, behaviour.delay);
    let at_once = behaviour.delay.is_zero() && behaviour.round_trip.is_zero();
    // Tor flushes its buffer once it has nothing more to read: an answer that is there at once goes out with the rest.
    if !at_once || behaviour.fault.is_some() {
        answer::send(&mut stream, &std::mem::take(&mut pending), behaviour.fault).await?;
    }
    let fault = behaviour.fault.filter(|fault| *fault != Fault::Split);
    if let Some(fault) = fault {
        entry.outcome = Outcome::Fault(fault.to_string());
    }
    match fault {
        Some(Fault::Never) => {
            shared.record(entry);
            hold(stream).await;
            return Ok(());
        }
        Some(Fault::CloseBeforeReply) => {
            shared.record(entry);
            stream.shutdown().await?;
            drain(&mut stream).await;
            return Ok(());
        }
        _ => {}
    }
    let refusal = behaviour.refuse_hosts.get(&entry.host.to_ascii_lowercase()).copied().or(behaviour.refuse);
    let done = match refusal {
        Some(code) => Answer::code(SocksStatus::from(code)),
        None => target::answer(&entry, &shared.options).await,
    };
    if fault.is_none() && done.status != SocksStatus::SUCCEEDED {
        entry.outcome = Outcome::Refused(done.status.into());
    }
    let connected = entry.command == super::Command::Connect && done.status == SocksStatus::SUCCEEDED;
    pending.extend(request.reply(done.status, done.address.as_ref()).map_err(invalid)?);
    shared.record(entry);
    let options = &shared.options;
    if connected && !behaviour.round_trip.is_zero() {
        return relay::carry_far(line, stream, done.upstream, (&early, &pending), options, behaviour.fault).await;
    }
    if !at_once {
        sleep_until(line.reply_due()).await;
    }
    answer::reply(&mut stream, &pending, behaviour.fault).await?;
    if connected {
        return relay::carry(stream, done.upstream, &early, options, &shared.endings).await;
    }
    stream.shutdown().await?;
    drain(&mut stream).await;
    Ok(())
}

/// The methods in a greeting (RFC 1928, section 3), as far as they came in the first segment.
fn offered(greeting: &[u8]) -> Vec<u8> {
    let count = greeting.get(1).copied().map_or(0, usize::from);
    greeting.iter().skip(2).take(count).copied().collect()
}

/// Keeps a connection open, saying nothing, until the client closes it.
async fn hold(mut stream: TcpStream) {
    drain(&mut stream).await;
}

/// Reads and forgets until the client closes.
async fn drain(stream: &mut TcpStream) {
    let mut waste = [0; 4096];
    while matches!(stream.read(&mut waste).await, Ok(1..)) {}
}

/// A protocol error as an IO error.
fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}
