//! A server that does what the first line of its client says: a test decides about both ends of a connection, and learns
//! how the far end saw it. The mock gateway serves so, too ([`Service::Obey`](crate::gateway::Service::Obey)): what a
//! program gets through it is compared with what it gets here.
//!
//! | line | what it does |
//! |---|---|
//! | `echo` | sends everything back |
//! | `hear` | reads to the end |
//! | `bye` | sends `bye`, shuts down its side, reads to the end |
//! | `reset` | resets the connection |
//! | `urgent` | sends `ab`, `c` as urgent data, `d`; reads to the end |
//! | `GET …` | answers as a web server, reads to the end |
//!
//! Urgent data that comes is read in its place, as `SO_OOBINLINE` has it (socket(7)).

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, anyhow};
use nix::sys::socket::{MsgFlags, send, setsockopt, sockopt};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::netns::Netns;

/// The longest first line.
const LINE: usize = 256;
/// How many bytes of what it hears are remembered.
const MEMORY: usize = 64;

/// How connections ended, as their servers saw it: what came behind the first line, then `end` or `reset`.
#[derive(Clone, Debug, Default)]
pub struct Endings(Arc<Mutex<Vec<String>>>);

impl Endings {
    /// Takes what is known up to now.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, ending: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(ending);
    }
}

/// A running server; it ends, with all its connections, when dropped.
#[derive(Debug)]
pub struct Peer {
    address: SocketAddr,
    endings: Endings,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    /// Starts one in a namespace; port 0 picks a free one.
    ///
    /// # Errors
    /// When the namespace cannot be entered or the address not be bound.
    pub fn start_in(netns: &Netns, listen: SocketAddr) -> Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (bound, address) = mpsc::channel();
        let (netns, endings) = (netns.clone(), Endings::default());
        let seen = endings.clone();
        let thread = std::thread::Builder::new().name("lab-peer".to_owned()).spawn(move || {
            let runtime = netns
                .enter()
                .and_then(|()| Ok(tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?));
            match runtime {
                Ok(runtime) => runtime.block_on(serve_all(listen, seen, bound, stopped)),
                // The receiver waits for exactly one message.
                Err(error) => drop(bound.send(Err(error))),
            }
        })?;
        let address = address.recv().map_err(|_| anyhow!("the server's thread died"))??;
        Ok(Self { address, endings, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How its connections ended.
    #[must_use]
    pub fn endings(&self) -> &Endings {
        &self.endings
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Binds, reports the address and serves until told to stop.
async fn serve_all(
    listen: SocketAddr,
    endings: Endings,
    bound: mpsc::Sender<Result<SocketAddr>>,
    mut stopped: oneshot::Receiver<()>,
) {
    let listener = TcpListener::bind(listen).await.with_context(|| format!("bind the server to {listen}"));
    let listener = match listener.and_then(|listener| Ok((listener.local_addr()?, listener))) {
        Ok((address, listener)) => {
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
                Ok((stream, _)) => {
                    let endings = endings.clone();
                    drop(tokio::spawn(async move { obey(stream, &[], &endings).await }));
                }
                // A connection reset while queued: the next one may work.
                Err(_) => tokio::task::yield_now().await,
            },
        }
    }
}

/// Serves one connection; `early` came before.
pub(crate) async fn obey(client: TcpStream, early: &[u8], endings: &Endings) {
    let mut heard = early.to_vec();
    let result = serve(client, &mut heard).await;
    endings.add(ending(&heard, &result));
}

/// Does what the first line says; what comes behind it is in `heard` at the end.
async fn serve(mut client: TcpStream, heard: &mut Vec<u8>) -> io::Result<()> {
    setsockopt(&client, sockopt::OobInline, &true)?;
    let Some(line) = first_line(&mut client, heard).await? else { return Ok(()) };
    match line.as_str() {
        "echo" => client.write_all(heard).await?,
        "bye" => {
            client.write_all(b"bye").await?;
            client.shutdown().await?;
        }
        "reset" => {
            setsockopt(&client, sockopt::Linger, &libc::linger { l_onoff: 1, l_linger: 0 })?;
            return Ok(());
        }
        "urgent" => {
            client.write_all(b"ab").await?;
            send(client.as_raw_fd(), b"c", MsgFlags::MSG_OOB | MsgFlags::MSG_NOSIGNAL)?;
            client.write_all(b"d").await?;
        }
        line if line.starts_with("GET ") => {
            client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi").await?;
            client.shutdown().await?;
        }
        _ => {}
    }
    hear(&mut client, line == "echo", heard).await
}

/// The first line without its end; what came behind it stays in `input`. `None` when there is none.
async fn first_line(client: &mut TcpStream, input: &mut Vec<u8>) -> io::Result<Option<String>> {
    loop {
        if let Some(end) = input.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = input.drain(..=end).collect();
            return Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()));
        }
        if input.len() > LINE || client.read_buf(input).await? == 0 {
            return Ok(None);
        }
    }
}

/// Reads to the end, and sends everything back when `echo`.
async fn hear(client: &mut TcpStream, echo: bool, heard: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = vec![0; 4096];
    loop {
        let count = client.read(&mut buffer).await?;
        if count == 0 {
            return client.shutdown().await;
        }
        if echo {
            client.write_all(&buffer[..count]).await?;
        }
        let room = MEMORY.saturating_sub(heard.len());
        heard.extend_from_slice(&buffer[..count.min(room)]);
    }
}

/// An entry of the list.
fn ending(heard: &[u8], result: &io::Result<()>) -> String {
    let how = match result {
        // Both ends are closed in the usual way; who closes last finds nobody there.
        Ok(()) => "end",
        Err(error) if error.kind() == io::ErrorKind::NotConnected => "end",
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => "reset",
        Err(_) => "broken",
    };
    let heard = String::from_utf8_lossy(heard);
    if heard.is_empty() { how.to_owned() } else { format!("{heard}, {how}") }
}
