//! The mock gateway: an isolating SOCKS5 server that logs what it is asked and misbehaves on demand.
//!
//! It shares no code with our own SOCKS client: the handshake is arti's `tor-socksproto`. One thread serves thousands of
//! connections; delays are timers, not sleeping threads.

mod answer;
pub mod cli;
mod line;
mod options;
mod relay;
mod request;
mod serve;
mod target;

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;

pub use options::{Behaviour, Fault, Form, GatewayOptions, Service};
pub use request::{Command, Outcome, Request};

use crate::netns::Netns;
use crate::peer::Endings;
use crate::wait::wait_until;

/// Connections the kernel may hold for us before they are accepted.
const BACKLOG: u32 = 4096;

/// A running mock gateway; it ends, with all its connections, when dropped.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the handle and the connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: GatewayOptions,
    behaviour: Mutex<Behaviour>,
    log: Mutex<Vec<Request>>,
    /// Connections of clients that are open.
    pub(crate) open: AtomicUsize,
    pub(crate) endings: Endings,
}

impl Shared {
    /// How to behave towards a connection accepted now.
    pub(crate) fn behaviour(&self) -> Behaviour {
        lock(&self.behaviour).clone()
    }

    /// Records a request, before its answer is sent: who has seen the answer finds the entry.
    pub(crate) fn record(&self, request: Request) {
        if let Some(sink) = &self.options.json {
            let line = serde_json::to_string(&request).unwrap_or_default();
            // A closed standard output is no reason to stop serving.
            let _ = writeln!(lock(sink), "{line}");
        }
        if self.options.keep_log {
            lock(&self.log).push(request);
        }
    }
}

impl Gateway {
    /// Starts a gateway in the network namespace of the calling thread.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn start(options: GatewayOptions) -> Result<Self> {
        Self::start_in(None, options)
    }

    /// Starts a gateway inside a namespace (its listener and the connections it makes).
    ///
    /// # Errors
    /// When the namespace cannot be entered or the address not be bound.
    pub fn start_in(netns: Option<&Netns>, options: GatewayOptions) -> Result<Self> {
        let listen = options.listen;
        let shared = Arc::new(Shared {
            behaviour: Mutex::new(options.behaviour.clone()),
            options,
            log: Mutex::new(Vec::new()),
            open: AtomicUsize::new(0),
            endings: Endings::default(),
        });
        let (stop, stopped) = oneshot::channel();
        let (bound, address) = mpsc::channel();
        let inner = Arc::clone(&shared);
        let netns = netns.cloned();
        let thread = std::thread::Builder::new().name("lab-gateway".to_owned()).spawn(move || {
            let entered = netns.as_ref().map_or(Ok(()), Netns::enter);
            let runtime = entered
                .and_then(|()| Ok(tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?));
            match runtime {
                Ok(runtime) => runtime.block_on(serve_all(listen, inner, bound, stopped)),
                // The receiver waits for exactly one message.
                Err(error) => drop(bound.send(Err(error))),
            }
        })?;
        let address = address.recv().map_err(|_| anyhow!("the gateway's thread died"))??;
        Ok(Self { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything asked so far, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Request> {
        lock(&self.shared.log).clone()
    }

    /// Takes the log, leaving it empty.
    #[must_use]
    pub fn take_log(&self) -> Vec<Request> {
        std::mem::take(&mut lock(&self.shared.log))
    }

    /// Waits until the log fulfils a condition; gives the log, or `None` when `limit` has passed.
    #[must_use]
    pub fn wait_log(&self, limit: Duration, condition: impl Fn(&[Request]) -> bool) -> Option<Vec<Request>> {
        wait_until(limit, || {
            let log = self.log();
            condition(&log).then_some(log)
        })
    }

    /// How many connections of clients are open; a delayed answer keeps its connection open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::Relaxed)
    }

    /// How the connections ended that it served as [`Service::Obey`].
    #[must_use]
    pub fn endings(&self) -> &Endings {
        &self.shared.endings
    }

    /// Changes the behaviour towards connections accepted from now on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut lock(&self.shared.behaviour));
    }

    /// Blocks until the gateway ends, i.e. for ever unless its thread fails.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A lock that a panicking test cannot poison.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Binds, reports the address and serves until told to stop.
async fn serve_all(
    listen: SocketAddr,
    shared: Arc<Shared>,
    bound: mpsc::Sender<Result<SocketAddr>>,
    mut stopped: oneshot::Receiver<()>,
) {
    let listener = match bind(listen) {
        Ok((listener, address)) => {
            let _ = bound.send(Ok(address));
            listener
        }
        Err(error) => return drop(bound.send(Err(error))),
    };
    loop {
        tokio::select! {
            biased;
            _ = &mut stopped => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(tokio::spawn(serve::connection(stream, Arc::clone(&shared)))),
                // Out of file descriptors or a connection reset while queued: the next one may work.
                Err(_) => tokio::task::yield_now().await,
            },
        }
    }
}

/// The listening socket, with room for thousands of simultaneous connects.
fn bind(listen: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Only an improvement: without it fewer connections fit.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
    let socket = if listen.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(listen).with_context(|| format!("bind the gateway to {listen}"))?;
    let listener = socket.listen(BACKLOG)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}
