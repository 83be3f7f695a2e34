//! What the unit tests of several modules need.

pub(crate) mod gateway;

use std::cell::RefCell;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::rc::Rc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::LocalSet;
use uwt_policy::{CredentialForm, DnsMode, Inbound, Level, Scope};
use uwt_session::{FileId, Guard, Pinned, Secret, Session, Voice};

/// The guard of [`session`].
pub(crate) const GUARD: Guard = Guard { level: Level::Tunnel, secret: Secret::new([0x5a; 32]) };

/// A session, at an address of its own.
pub(crate) fn session() -> &'static Session<'static> {
    Box::leak(Box::new(Session {
        gateway: "127.0.0.1:9".parse().unwrap(),
        secret: Secret::new([0xa5; 32]),
        scope: Scope::Process,
        credentials: CredentialForm::Plain,
        dns: DnsMode::Names,
        inbound: Inbound::Loopback,
        bind: None,
        allow_loopback: true,
        local_tor: true,
        timeout: 150,
        optimistic: false,
        voice: Voice::Terse,
        report: false,
        guard: Some(GUARD),
        pinned: Pinned::default(),
        launcher: FileId { device: 1, inode: 2 },
        trusted: "",
        preload: "/usr/lib/uwt/libuwt_preload.so",
    }))
}

/// Runs a test on a thread of its own kind, like the helper's.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, test);
}

/// A gateway on a port of the kernel's choice: it reads one request per connection, gives the same answer to all of them,
/// and keeps the connections open.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddrV4,
    asked: Rc<RefCell<Vec<Vec<u8>>>>,
}

impl Gateway {
    /// Answers with these bytes, in as many segments.
    pub(crate) async fn answering(segments: &[&[u8]]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let SocketAddr::V4(address) = listener.local_addr().unwrap() else { unreachable!() };
        let asked = Rc::new(RefCell::default());
        let gateway = Self { address, asked: Rc::clone(&asked) };
        let segments: Vec<Vec<u8>> = segments.iter().map(|segment| segment.to_vec()).collect();
        tokio::task::spawn_local(async move {
            let mut open = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let mut request = vec![0; 2048];
                let len = stream.read(&mut request).await.unwrap();
                request.truncate(len);
                asked.borrow_mut().push(request);
                for segment in &segments {
                    stream.write_all(segment).await.unwrap();
                    tokio::task::yield_now().await;
                }
                open.push(stream);
            }
        });
        gateway
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<Vec<u8>> {
        self.asked.borrow().clone()
    }

    /// A session at this gateway.
    pub(crate) fn session(&self, change: impl FnOnce(&mut Session<'static>)) -> &'static Session<'static> {
        let mut session = Session { gateway: self.address, ..*session() };
        change(&mut session);
        Box::leak(Box::new(session))
    }
}
