//! One connect of a program, from its beginning to the end of the connection.

use std::cell::OnceCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::{sleep, timeout};
use uwt_policy::{ConnectVerdict, Errno};
use uwt_report::Layer;
use uwt_socks5::Command;

use super::{Facts, Ground, hole};
use crate::destination::Destination;
use crate::diag::Pair;
use crate::dial::{Asked, Failure, Question, ask, errno_of};
use crate::native::Native;
use crate::pump::{pump, pump_early};
use crate::shared::{Active, Activity, Shared};
use crate::tree::Process;

/// How often it is looked whether programs still wait for their connections.
const LOOK: Duration = Duration::from_millis(500);
/// After so many the other tasks have their turn.
const TURN: usize = 64;
/// How long the last step may take, which mostly is done within the system call.
const JOINING: Duration = Duration::from_secs(5);
/// How long we pause when a connect does not fail at once, because there are no descriptors left or the kernel is busy.
const PAUSE: Duration = Duration::from_secs(1);

/// A connect that is under way.
#[derive(Debug)]
pub(super) struct Attempt {
    /// Where the program's socket is, and where it believes to connect to.
    pub(super) held: Pair,
    pub(super) facts: Facts,
    /// Who asked for it.
    pub(super) process: Rc<Process>,
    pub(super) task: OnceCell<AbortHandle>,
}

impl Attempt {
    /// Ends it: nobody waits for it.
    fn give_up(&self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }

    /// Whether the program still waits for it: its socket is where it was. Another one that has taken its place is another
    /// inode.
    fn is_waited_for(&self, shared: &Shared) -> bool {
        let ground = shared.relay.ground.borrow();
        let Some(Ground::Works { diag, .. }) = ground.as_deref() else { return false };
        diag.stream(self.held) == Some(self.facts.inode)
    }

    /// Lets the program's connect come about.
    async fn join(&self, shared: &Shared) -> io::Result<TcpStream> {
        timeout(JOINING, hole::join(self.held, &shared.outside)).await?
    }

    /// Lets the program's connect fail, if it still waits.
    async fn refuse(&self, errno: Errno, shared: &Shared) {
        shared.relay.outcomes.remember(self.facts.cookie, errno);
        while self.is_waited_for(shared) {
            if hole::reset(self.held, &shared.outside).is_ok() && !self.is_waited_for(shared) {
                break;
            }
            sleep(PAUSE).await;
        }
    }
}

/// An attempt's place among those under way, given up with its task.
struct Place {
    attempt: Rc<Attempt>,
    shared: Rc<Shared>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut attempts = self.shared.relay.attempts.borrow_mut();
        // It may be a successor's.
        if attempts.get(&self.attempt.facts.cookie).is_some_and(|other| Rc::ptr_eq(other, &self.attempt)) {
            attempts.remove(&self.attempt.facts.cookie);
        }
    }
}

/// Goes where the verdict says.
pub(super) fn start(attempt: Attempt, verdict: ConnectVerdict, shared: &Rc<Shared>) {
    let attempt = Rc::new(attempt);
    let place = Place { attempt: Rc::clone(&attempt), shared: Rc::clone(shared) };
    let task = spawn_local(live(place, verdict)).abort_handle();
    attempt.task.get_or_init(|| task);
    let relay = &shared.relay;
    if let Some(earlier) = relay.attempts.borrow_mut().insert(attempt.facts.cookie, attempt) {
        earlier.give_up();
    }
    if !relay.is_watched.replace(true) {
        spawn_local(look_after(Rc::clone(shared)));
    }
}

/// Ends attempts whose programs have given up, as long as there are any.
async fn look_after(shared: Rc<Shared>) {
    let relay = &shared.relay;
    while !relay.attempts.borrow().is_empty() {
        sleep(LOOK).await;
        let attempts: Vec<_> = relay.attempts.borrow().values().cloned().collect();
        for (index, attempt) in attempts.iter().enumerate() {
            if !attempt.is_waited_for(&shared) {
                attempt.give_up();
            }
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
        }
    }
    relay.is_watched.set(false);
}

/// What the gateway has said.
enum Far<'a> {
    /// Yes.
    Granted(TcpStream),
    /// Nothing yet, and the program need not wait for it.
    Asked(TcpStream, Box<Question<'a>>),
    /// Nothing: it is the program that asks it.
    Native(TcpStream, Native<'a>),
}

/// The life of a connection. The parts that end before the copying begins are on the heap, to be freed then.
async fn live(place: Place, verdict: ConnectVerdict) {
    let (shared, process) = (Rc::clone(&place.shared), Rc::clone(&place.attempt.process));
    let cookie = place.attempt.facts.cookie;
    let Some((mut near, far, _active)) = Box::pin(connected(place, verdict, &process, &shared)).await else { return };
    match far {
        Far::Granted(host) => pump(near, host, shared.activity.end_of_tree()).await,
        Far::Native(mut host, native) => {
            Box::pin(native.hear(&mut near, &mut host)).await;
            pump(near, host, shared.activity.end_of_tree()).await;
        }
        Far::Asked(host, question) => {
            let granted = async |host: &TcpStream| match question.answer(host).await {
                Ok(_) => true,
                Err(failure) => {
                    // Before the program hears of the reset.
                    shared.relay.outcomes.remember(cookie, failure.errno());
                    false
                }
            };
            pump_early(near, host, granted, shared.activity.end_of_tree()).await;
        }
    }
}

/// Both connections, when they have come about; `None` when the program has been told that they have not, or does not wait.
async fn connected<'a>(
    place: Place,
    verdict: ConnectVerdict,
    process: &'a Process,
    shared: &'a Rc<Shared>,
) -> Option<(TcpStream, Far<'a>, Active)> {
    let attempt = Rc::clone(&place.attempt);
    let answered = tokio::select! {
        answered = open(verdict, process, shared) => answered,
        // Should somebody be left who waits for it, he shall not wait for the kernel.
        () = shared.activity.end_of_tree() => Err(Errno::ECONNABORTED),
    };
    let errno = match answered {
        Ok(far) => {
            if !attempt.is_waited_for(shared) {
                return None;
            }
            // From now on the program may send, close its socket and end, and we have to deliver what it has sent.
            drop(place);
            let active = Activity::enter(shared);
            match attempt.join(shared).await {
                Ok(near) => return Some((near, far, active)),
                Err(error) => errno_of(&error),
            }
        }
        Err(errno) => errno,
    };
    attempt.refuse(errno, shared).await;
    None
}

/// Asks the gateway.
async fn open<'a>(verdict: ConnectVerdict, process: &'a Process, shared: &'a Shared) -> Result<Far<'a>, Errno> {
    let destination = match verdict {
        ConnectVerdict::Tunnel(address) => Destination::Address(address),
        ConnectVerdict::TunnelName(address, port) => Destination::behind(address, port, process, Layer::Relay, shared)?,
        ConnectVerdict::Pass => {
            let native =
                Native::of(process, process.session.gateway.into(), Layer::Relay, shared).ok_or(Errno::EACCES)?;
            return native.connect().await.map(|stream| Far::Native(stream, native));
        }
        ConnectVerdict::Refuse(_) => return Err(Errno::EACCES),
    };
    let asked =
        ask(process, shared, Layer::Relay, Command::Connect, destination.target()).await.map_err(Failure::errno)?;
    if process.session.optimistic {
        let Asked { stream, question } = asked;
        return Ok(Far::Asked(stream, Box::new(question)));
    }
    asked.answer().await.map(|(stream, _)| Far::Granted(stream)).map_err(Failure::errno)
}
