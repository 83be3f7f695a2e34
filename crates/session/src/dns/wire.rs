//! Cursors over a message: every read and write is checked, a miss is `None`.

use super::MAX_WIRE_NAME;
use super::name::Name;

/// Reads a message from front to back.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

/// Whether a name may go on elsewhere in the message (RFC 1035 §4.1.4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pointers {
    Allowed,
    Refused,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(message: &'a [u8]) -> Self {
        Self { message, at: 0 }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.at == self.message.len()
    }

    #[inline(never)]
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let bytes = self.message.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    #[inline(never)]
    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// Reads a name. A pointer must lead to before everything read of this name so far: that ends every loop.
    pub(super) fn name(&mut self, pointers: Pointers) -> Option<Name> {
        let mut name = Name::ROOT;
        let mut part = self.clone();
        let mut lowest = self.at;
        let mut end = None;
        loop {
            let length = part.u8()?;
            match length >> 6 {
                0b00 if length == 0 => break,
                0b00 => name.push_label(part.take(usize::from(length))?).ok()?,
                0b11 if pointers == Pointers::Allowed => {
                    let target = usize::from(u16::from_be_bytes([length & 0x3F, part.u8()?]));
                    if target >= lowest {
                        return None;
                    }
                    end = end.or(Some(part.at));
                    lowest = target;
                    part.at = target;
                }
                _ => return None,
            }
        }
        self.at = end.unwrap_or(part.at);
        Some(name)
    }

    /// Steps over a name without judging its labels.
    pub(super) fn skip_name(&mut self) -> Option<()> {
        let start = self.at;
        loop {
            let length = self.u8()?;
            match length >> 6 {
                0b00 if length == 0 => break,
                0b00 => self.take(usize::from(length)).map(drop)?,
                0b11 => {
                    self.u8()?;
                    break;
                }
                _ => return None,
            }
        }
        // A pointer may make it longer still, but this much is certain.
        (self.at.saturating_sub(start) <= MAX_WIRE_NAME.saturating_add(1)).then_some(())
    }
}

impl Reader<'_> {
    /// Whether exactly this many records follow until the end of the message.
    pub(super) fn ends_after_records(&self, counts: [u16; 3]) -> bool {
        let mut reader = self.clone();
        let mut records = counts.iter().flat_map(|count| 0..*count);
        let complete = records.all(|_| {
            // Name, type, class and lifetime, length and content.
            let skipped = reader.skip_name().and_then(|()| reader.take(8)).and_then(|_| reader.u16());
            skipped.and_then(|length| reader.take(usize::from(length))).is_some()
        });
        complete && reader.is_at_end()
    }
}

/// Writes a message from front to back. What does not fit is left out, and [`Writer::end`] says so.
pub(super) struct Writer<'a> {
    out: &'a mut [u8],
    at: usize,
    full: bool,
}

impl<'a> Writer<'a> {
    pub(super) const fn new(out: &'a mut [u8]) -> Self {
        Self { out, at: 0, full: false }
    }

    /// The length of what was written, if all of it fitted.
    pub(super) fn end(&self) -> Option<usize> {
        (!self.full).then_some(self.at)
    }

    #[inline(never)]
    pub(super) fn put(&mut self, bytes: &[u8]) {
        let end = self.at.saturating_add(bytes.len());
        let Some(room) = self.out.get_mut(self.at..end) else {
            self.full = true;
            return;
        };
        for (slot, byte) in room.iter_mut().zip(bytes) {
            *slot = *byte;
        }
        self.at = end;
    }

    #[inline(never)]
    pub(super) fn u16(&mut self, value: u16) {
        self.put(&value.to_be_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.put(&value.to_be_bytes());
    }

    #[inline(never)]
    pub(super) fn name(&mut self, name: &Name) {
        for label in name.labels() {
            // A label has 63 bytes at most.
            self.put(&[u8::try_from(label.len()).unwrap_or(0)]);
            self.put(label);
        }
        self.put(&[0]);
    }
}
