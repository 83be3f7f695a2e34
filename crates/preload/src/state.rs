//! All the memory this library keeps: the session, the two tables, and what has been said.
#![expect(unsafe_code, reason = "static memory that is written once, or under the lock")]

use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use uwt_policy::{NameTable, PeerTable};
use uwt_session::report::Deed;
use uwt_session::{Guard, MAX_VARIABLE, Session, VARIABLE};

use crate::lock::Lock;
use crate::report::{DONE, NONE, tell};
use crate::{abi, env, sys};

const ASSIGNMENT: usize = VARIABLE.len() + 1;

struct Once {
    stage: AtomicU8,
    /// `UWT_SESSION=…` with a NUL behind it, as it is added to environments again.
    text: UnsafeCell<[u8; ASSIGNMENT + MAX_VARIABLE + 1]>,
    session: UnsafeCell<MaybeUninit<Session<'static>>>,
}

// SAFETY: both cells are written by the one thread that moved `stage` from NEW to BUSY, and read only after it is READY.
unsafe impl Sync for Once {}

const NEW: u8 = 0;
const BUSY: u8 = 1;
const READY: u8 = 2;
const BROKEN: u8 = 3;

static ONCE: Once = Once {
    stage: AtomicU8::new(NEW),
    text: UnsafeCell::new([0; ASSIGNMENT + MAX_VARIABLE + 1]),
    session: UnsafeCell::new(MaybeUninit::uninit()),
};

/// The session, or nothing when there is none to be understood: then everything is refused.
///
/// Read from the environment by our constructor, or by a hook that is called before it.
pub(crate) fn session() -> Option<&'static Session<'static>> {
    for _ in 0..1_000_000 {
        match ONCE.stage.load(Ordering::Acquire) {
            // SAFETY: READY is set after the session was written, and it is never written again.
            READY => return Some(unsafe { (*ONCE.session.get()).assume_init_ref() }),
            BROKEN => return None,
            NEW => initialise(),
            _ => sys::yield_now(),
        }
    }
    // A signal handler that interrupted the initialisation: refuse rather than wait for ever.
    None
}

/// What a judged call shows to the guard, 0 where there is none ([`Guard::cookie`]).
#[inline(never)]
pub(crate) fn cookie() -> usize {
    session().map_or(0, |_| sys::size(COOKIE.load(Ordering::Relaxed)))
}

/// Written before READY, read after it.
static COOKIE: AtomicU64 = AtomicU64::new(0);

/// The session's assignment for an environment, once it is understood.
pub(crate) fn assignment() -> Option<&'static CStr> {
    session()?;
    // SAFETY: the text is complete before READY, which `session` has seen, and never written again.
    abi::terminated(unsafe { &*ONCE.text.get() })
}

/// Reads the session. Later calls do nothing.
pub(crate) fn initialise() {
    if ONCE.stage.compare_exchange(NEW, BUSY, Ordering::Acquire, Ordering::Relaxed).is_err() {
        return;
    }
    let stage = if read().is_some() { READY } else { BROKEN };
    ONCE.stage.store(stage, Ordering::Release);
    // Before anything else that is told about this program.
    tell(Deed::Begun, NONE, None, DONE);
}

fn read() -> Option<()> {
    let value = env::variable(VARIABLE.as_bytes())?;
    // SAFETY: the stage is BUSY and set by this thread: nobody else looks at the cells.
    let text: &'static mut [u8] = unsafe { &mut *ONCE.text.get() };
    // One byte stays zero: the end of the string.
    let target = text.get_mut(..ASSIGNMENT + value.len()).filter(|_| value.len() <= MAX_VARIABLE)?;
    let (name, rest) = target.split_at_mut(ASSIGNMENT);
    for (to, from) in name.iter_mut().zip(VARIABLE.bytes().chain([b'='])) {
        *to = from;
    }
    rest.copy_from_slice(value);
    let session = Session::parse(core::str::from_utf8(rest).ok()?).ok()?;
    COOKIE.store(session.guard.as_ref().map_or(0, Guard::cookie), Ordering::Relaxed);
    // SAFETY: as above.
    unsafe { (*ONCE.session.get()).write(session) };
    Some(())
}

/// A table under the lock.
struct Shared<T> {
    lock: Lock,
    table: UnsafeCell<T>,
}

// SAFETY: the table is only reached through `with`, under the lock.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    const fn new(table: T) -> Self {
        Self { lock: Lock::new(), table: UnsafeCell::new(table) }
    }

    fn with<R>(&self, act: impl FnOnce(&mut T) -> R) -> R {
        let _held = self.lock.hold();
        // SAFETY: the lock is held and no `act` calls `with` again.
        act(unsafe { &mut *self.table.get() })
    }
}

/// Names looked up by this process: 16 KiB of text, the addresses of 2,048.
type Names = NameTable<2048, { 16 * 1024 }>;
/// Sockets carried by this process: some 4,000.
type Peers = PeerTable<1024>;

static NAMES: Shared<Names> = Shared::new(Names::new());
static PEERS: Shared<Peers> = Shared::new(Peers::new());

/// Works on the name table.
pub(crate) fn names<R>(act: impl FnOnce(&mut Names) -> R) -> R {
    NAMES.with(act)
}

/// Works on the table of carried sockets.
pub(crate) fn peers<R>(act: impl FnOnce(&mut Peers) -> R) -> R {
    PEERS.with(act)
}
