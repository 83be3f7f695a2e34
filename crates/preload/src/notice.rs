//! The rare messages to the user, one line each on stderr.
//!
//! Without `core::fmt`, which would be a tenth of this library: a line is put together part by part.

use core::net::{IpAddr, SocketAddrV4};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use uwt_policy::Errno;
use uwt_session::Voice;

use crate::{abi, state, sys};

/// The file that stderr was when the program started: (device, inode), 0 inode for none.
static DEVICE: AtomicU64 = AtomicU64::new(0);
static INODE: AtomicU64 = AtomicU64::new(0);

/// A kind of message that is said once per process (and not again by the children it forks later).
pub(crate) struct Once(AtomicBool);

impl Once {
    pub(crate) const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Says it, the first time.
    pub(crate) fn say(&self, write: impl FnOnce(&mut Line)) {
        if !self.0.swap(true, Ordering::Relaxed) {
            say(write);
        }
    }
}

/// Remembers what stderr is, so that nothing is ever written to a file that takes its number later.
pub(crate) fn remember_stderr() {
    if let Ok(status) = sys::stat(libc::STDERR_FILENO, c"", libc::AT_EMPTY_PATH) {
        DEVICE.store(status.st_dev, Ordering::Relaxed);
        INODE.store(status.st_ino, Ordering::Relaxed);
    }
}

/// Writes `uwt: ` and what `write` puts behind it in one write(2), unless the session wants to hear nothing.
pub(crate) fn say(write: impl FnOnce(&mut Line)) {
    let mut line = Line::new();
    write(&mut line);
    line.send();
}

/// A line that is cut where it gets too long; its last byte is kept for the line's end.
pub(crate) struct Line {
    bytes: [u8; Self::LONGEST],
    len: usize,
}

impl Line {
    const LONGEST: usize = 600;

    #[inline(never)]
    fn new() -> Self {
        let mut line = Self { bytes: [0; Self::LONGEST], len: 0 };
        line.text("uwt: ");
        line
    }

    #[inline(never)]
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        for byte in text.bytes() {
            // A name or path can hold control characters: they must not reach the terminal.
            self.push(if byte.is_ascii_control() { b'?' } else { byte }, 1);
        }
        self
    }

    /// Bytes that are mostly text, a path for instance: what is not ASCII is shown when all of it is UTF-8.
    #[inline(never)]
    pub(crate) fn lossy(&mut self, bytes: &[u8]) -> &mut Self {
        if let Ok(text) = core::str::from_utf8(bytes) {
            return self.text(text);
        }
        for byte in bytes {
            self.push(if byte.is_ascii_graphic() { *byte } else { b'?' }, 1);
        }
        self
    }

    #[inline(never)]
    pub(crate) fn number(&mut self, number: u32) -> &mut Self {
        let mut divisor = 1_000_000_000;
        while divisor > 0 {
            if number >= divisor || divisor == 1 {
                self.push(b'0' + (number / divisor % 10) as u8, 1);
            }
            divisor /= 10;
        }
        self
    }

    pub(crate) fn address(&mut self, address: IpAddr) -> &mut Self {
        self.text(abi::AddressText::of(address).as_str())
    }

    #[inline(never)]
    pub(crate) fn socket_address(&mut self, address: SocketAddrV4) -> &mut Self {
        self.address(IpAddr::V4(*address.ip())).text(":").number(u32::from(address.port()))
    }

    /// What strerror(3) says, or its name, or its number.
    #[inline(never)]
    pub(crate) fn errno(&mut self, errno: Errno) -> &mut Self {
        match errno.text().or_else(|| abi::errno_name(errno)) {
            Some(text) => self.text(text),
            None => self.text("errno ").number(errno.0.unsigned_abs()),
        }
    }

    /// Adds a byte where `kept` bytes stay free behind it.
    fn push(&mut self, byte: u8, kept: usize) {
        if self.len + kept < Self::LONGEST
            && let Some(place) = self.bytes.get_mut(self.len)
        {
            *place = byte;
            self.len += 1;
        }
    }

    #[inline(never)]
    fn send(&mut self) {
        let Ok(status) = sys::stat(libc::STDERR_FILENO, c"", libc::AT_EMPTY_PATH) else { return };
        let same = status.st_dev == DEVICE.load(Ordering::Relaxed) && status.st_ino == INODE.load(Ordering::Relaxed);
        if !same || state::session().is_some_and(|session| session.voice == Voice::Silent) {
            return;
        }
        self.push(b'\n', 0);
        sys::write(libc::STDERR_FILENO, self.bytes.get(..self.len).unwrap_or_default());
    }
}
