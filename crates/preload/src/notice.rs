//! The rare messages to the user, one line each on stderr.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::sys;

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
    pub(crate) fn say(&self, message: fmt::Arguments<'_>) {
        if !self.0.swap(true, Ordering::Relaxed) {
            say(message);
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

/// Writes `uwt: MESSAGE` in one write(2).
#[inline(never)]
pub(crate) fn say(message: fmt::Arguments<'_>) {
    let Ok(status) = sys::stat(libc::STDERR_FILENO, c"", libc::AT_EMPTY_PATH) else { return };
    let same = status.st_dev == DEVICE.load(Ordering::Relaxed) && status.st_ino == INODE.load(Ordering::Relaxed);
    if !same {
        return;
    }
    let mut line = Line { bytes: [0; 600], len: 0 };
    let _ = write!(line, "uwt: {message}");
    line.push(b'\n');
    sys::write(libc::STDERR_FILENO, line.bytes.get(..line.len).unwrap_or_default());
}

/// A line that is cut where it gets too long; its last byte is kept for the line's end.
struct Line {
    bytes: [u8; 600],
    len: usize,
}

impl Line {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if self.len + 1 < self.bytes.len() {
                // A name or path can hold control characters: they must not reach the terminal.
                self.push(if byte.is_ascii_control() { b'?' } else { byte });
            }
        }
        Ok(())
    }
}

/// Bytes that are mostly text, a path for instance.
pub(crate) struct Lossy<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Lossy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                f.write_char('\u{fffd}')?;
            }
        }
        Ok(())
    }
}
