//! What the unit tests of several modules need.

use uwt_policy::{CredentialForm, DnsMode, Inbound, Level, Scope};
use uwt_session::{FileId, Guard, Pinned, Secret, Session};

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
        allow_loopback: true,
        timeout: 150,
        verbose: false,
        guard: Some(GUARD),
        pinned: Pinned::default(),
        launcher: FileId { device: 1, inode: 2 },
        trusted: "",
        preload: "/usr/lib/uwt/libuwt_preload.so",
    }))
}
