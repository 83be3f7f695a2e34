//! Whether a cage can be had.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsFd as _;
use std::rc::Rc;
use std::{fs, io};

use nix::unistd::{ForkResult, pipe};
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use uwt_policy::{CredentialForm, DnsMode, Inbound, Level, Scope};
use uwt_session::{FileId, Guard, Pinned, Secret, Session, Voice};

use crate::cage::Cage;
use crate::shared::Shared;
use crate::sys;

/// Makes a cage in a child process, as a helper would, and throws it away (about 2 ms). The caller must have one thread
/// only.
///
/// # Errors
/// Why it can't be made, as half a sentence.
pub fn probe() -> Result<(), String> {
    let failed = |error: io::Error| error.to_string();
    let (read, write) = pipe().map_err(|errno| errno.desc().to_owned())?;
    match sys::fork_unnoticed().map_err(failed)? {
        ForkResult::Child => {
            let _ = sys::close_all_but(3, &[write.as_fd()]);
            let what = attempt().err().map(|error| error.to_string()).unwrap_or_default();
            let _ = fs::File::from(write).write_all(format!("{what}\n").as_bytes());
            sys::exit(0)
        }
        ForkResult::Parent { child } => {
            drop(write);
            let mut what = String::new();
            fs::File::from(read).read_to_string(&mut what).map_err(failed)?;
            sys::reap(child).map_err(failed)?;
            match what.strip_suffix('\n') {
                Some("") => Ok(()),
                Some(what) => Err(what.to_owned()),
                None => Err("the attempt was killed".to_owned()),
            }
        }
    }
}

fn attempt() -> io::Result<()> {
    let guard = Guard { level: Level::Tunnel, secret: Secret::new([0; Secret::LEN]) };
    // Nothing is carried in it.
    let session = Session {
        gateway: SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0),
        secret: guard.secret,
        scope: Scope::None,
        credentials: CredentialForm::Plain,
        dns: DnsMode::Names,
        inbound: Inbound::Deny,
        bind: None,
        allow_loopback: false,
        local_tor: false,
        timeout: 1,
        optimistic: false,
        report: false,
        voice: Voice::Terse,
        guard: Some(guard),
        pinned: Pinned::default(),
        launcher: FileId { device: 0, inode: 0 },
        trusted: "",
        preload: "",
    };
    let shared = Rc::new(Shared::new(guard, Box::leak(Box::new(session))));
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    LocalSet::new().block_on(&runtime, async { Cage::make(&shared).map(drop) })
}
