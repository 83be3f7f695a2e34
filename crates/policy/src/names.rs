//! Reserved addresses that stand for names.

use core::net::{IpAddr, Ipv4Addr};

use crate::HostName;

/// The longest host name in bytes (RFC 1035 §2.3.4, without the root label).
pub const MAX_NAME: usize = 253;

/// How many bits of a reserved address are free to choose: 127.192.0.0/10.
///
/// A part of 127.0.0.0/8, because no kernel lets such an address leave the machine, whoever uses it. IPv6 has no such
/// range, so an `AF_INET6` caller gets the v4-mapped form of the same address, which is just as safe.
pub const RESERVED_BITS: u32 = 22;

const PREFIX: u32 = 0x7fc0_0000;
const MASK: u32 = (1 << RESERVED_BITS) - 1;

/// The reserved address with these low bits.
#[must_use]
pub const fn reserved_address(bits: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(PREFIX | (bits & MASK))
}

/// Whether an address stands for a name; v4-mapped ones are the caller's to unmap.
#[must_use]
pub fn is_reserved(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(v4) if v4.to_bits() & !MASK == PREFIX)
}

/// How many addresses are tried for a name.
const ATTEMPTS: u32 = 8;

/// What still tells a name from others once its text is gone.
fn name_print(candidate: impl Fn(u32) -> u32) -> [u8; 3] {
    let [print @ .., _] = candidate(ATTEMPTS).to_le_bytes();
    print
}

#[derive(Clone, Copy)]
struct Slot {
    address: u32,
    /// Where the name starts, counted in bytes ever written.
    start: u32,
    len: u8,
    /// [`name_print`].
    print: [u8; 3],
}

/// The names a process has looked up: `BYTES` of text, the oldest goes first.
///
/// The addresses of the last `SLOTS` names stay theirs: one whose text is gone means nothing, never another name.
///
/// Fixed in size and zero when new, so that it can live in a library's untouched static memory.
pub struct NameTable<const SLOTS: usize, const BYTES: usize> {
    slots: [Slot; SLOTS],
    next: usize,
    text: [u8; BYTES],
    written: u32,
}

impl<const SLOTS: usize, const BYTES: usize> Default for NameTable<SLOTS, BYTES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const SLOTS: usize, const BYTES: usize> NameTable<SLOTS, BYTES> {
    /// An empty table.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(BYTES > MAX_NAME && BYTES.is_power_of_two() && SLOTS > 0) };
        let empty = Slot { address: 0, start: 0, len: 0, print: [0; 3] };
        Self { slots: [empty; SLOTS], next: 0, text: [0; BYTES], written: 0 }
    }

    /// The address that stands for `name`, a new one where it has none.
    ///
    /// `candidate(0)`, `candidate(1)`, … are the low bits to try. They are derived from the name and a secret of the
    /// session: an address that travels to another process then means the same name or nothing there, never another.
    /// `None` when eight candidates in turn are taken by other names.
    pub fn insert(&mut self, name: &HostName, candidate: impl Fn(u32) -> u32) -> Option<Ipv4Addr> {
        let mut addresses = (0..ATTEMPTS).map(|attempt| reserved_address(candidate(attempt)));
        let print = name_print(&candidate);
        addresses.find(|address| self.hold(*address, name, print))
    }

    /// Makes `address` stand for `name`, as a table that is shared with other processes says; `candidate` is that table's.
    /// `None` when the address is not a reserved one or stands for another name here.
    pub fn insert_at(&mut self, address: Ipv4Addr, name: &HostName, candidate: impl Fn(u32) -> u32) -> Option<()> {
        (is_reserved(address.into()) && self.hold(address, name, name_print(&candidate))).then_some(())
    }

    /// Whether the address now stands for the name: false when it is another name's, be that forgotten or not.
    fn hold(&mut self, address: Ipv4Addr, name: &HostName, print: [u8; 3]) -> bool {
        let holder = self.slots.iter().copied().find(|slot| slot.len > 0 && slot.address == address.to_bits());
        match holder {
            None => {}
            Some(slot) if self.is_whole(slot) => return self.text_matches(slot, name),
            Some(slot) if slot.print == print => self.release(address),
            Some(_) => return false,
        }
        self.store(address, name, print).is_some()
    }

    /// The name an address stands for.
    #[must_use]
    pub fn name(&self, address: Ipv4Addr) -> Option<HostName> {
        let slot = self.find(address)?;
        let mut text = [0; MAX_NAME];
        let len = usize::from(slot.len);
        for (index, byte) in text.get_mut(..len)?.iter_mut().enumerate() {
            *byte = self.byte(slot, index);
        }
        HostName::parse(text.get(..len)?)
    }

    fn find(&self, address: Ipv4Addr) -> Option<Slot> {
        let wanted = address.to_bits();
        self.slots.iter().copied().find(|slot| slot.len > 0 && slot.address == wanted && self.is_whole(*slot))
    }

    /// Whether the slot's text has not been written over since.
    fn is_whole(&self, slot: Slot) -> bool {
        self.written.wrapping_sub(slot.start) as usize <= BYTES
    }

    fn text_matches(&self, slot: Slot, name: &HostName) -> bool {
        let name = name.as_str().as_bytes();
        name.len() == usize::from(slot.len)
            && name.iter().enumerate().all(|(index, byte)| self.byte(slot, index) == *byte)
    }

    fn byte(&self, slot: Slot, index: usize) -> u8 {
        self.text.get((slot.start as usize).wrapping_add(index) % BYTES).copied().unwrap_or(0)
    }

    fn release(&mut self, address: Ipv4Addr) {
        for slot in self.slots.iter_mut().filter(|slot| slot.address == address.to_bits()) {
            slot.len = 0;
        }
    }

    fn store(&mut self, address: Ipv4Addr, name: &HostName, print: [u8; 3]) -> Option<()> {
        let start = self.written;
        let text = name.as_str().as_bytes();
        let slot = self.slots.get_mut(self.next)?;
        // Invalid while it is being written: a child forked in the middle must not find half a name.
        slot.len = 0;
        for byte in text {
            if let Some(place) = self.text.get_mut(self.written as usize % BYTES) {
                *place = *byte;
            }
            self.written = self.written.wrapping_add(1);
        }
        *slot = Slot { address: address.to_bits(), start, len: u8::try_from(text.len()).ok()?, print };
        self.next = self.next.wrapping_add(1) % SLOTS;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    fn name(text: &str) -> HostName {
        HostName::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_reserved_range_is_all_loopback() {
        for bits in [0, 1, MASK, u32::MAX] {
            let address = reserved_address(bits);
            assert!(address.is_loopback() && is_reserved(address.into()));
        }
        assert!(!is_reserved(Ipv4Addr::LOCALHOST.into()));
        assert!(!is_reserved("127.191.255.255".parse().unwrap()));
    }

    #[test]
    fn a_name_keeps_its_address() {
        let mut table = NameTable::<4, 512>::new();
        let a = table.insert(&name("a.example"), |attempt| 7 + attempt).unwrap();
        assert_eq!(table.insert(&name("A.example"), |attempt| 7 + attempt), Some(a));
        assert_eq!(table.name(a), Some(name("a.example")));
        assert_eq!(table.name(Ipv4Addr::LOCALHOST), None);
    }

    #[test]
    fn taken_addresses_are_stepped_over_and_never_shared() {
        let mut table = NameTable::<16, 512>::new();
        let a = table.insert(&name("a.example"), |attempt| attempt).unwrap();
        let b = table.insert(&name("b.example"), |attempt| attempt).unwrap();
        assert_ne!(a, b);
        assert_eq!(table.name(b), Some(name("b.example")));
        for index in 0..6 {
            assert!(table.insert(&name(&format!("{index}.example")), |attempt| attempt).is_some());
        }
        assert_eq!(table.insert(&name("one.too.many"), |attempt| attempt), None);
    }

    #[test]
    fn an_address_outlives_its_name() {
        let mut table = NameTable::<8, 256>::new();
        let bits = |name: &str| {
            let own = u32::from(name.as_bytes()[0]);
            // Every name would have the same first address.
            move |attempt| if attempt == 0 { 0 } else { own << 8 | attempt }
        };
        let old = "a".repeat(60);
        let first = table.insert(&name(&old), bits(&old)).unwrap();
        for other in ["b", "c", "d", "e"] {
            let other = other.repeat(60);
            assert_ne!(table.insert(&name(&other), bits(&other)), Some(first));
        }
        assert_eq!(table.name(first), None);
        assert_eq!(table.insert(&name(&old), bits(&old)), Some(first));
        assert_eq!(table.name(first), Some(name(&old)));
    }

    #[test]
    fn an_address_from_elsewhere() {
        let mut table = NameTable::<8, 256>::new();
        let bits = |name: &str| {
            let own = u32::from(name.as_bytes()[0]);
            move |attempt| own << 8 | attempt
        };
        let mut put = |address: u32, text: &str| {
            let put = table.insert_at(reserved_address(address), &name(text), bits(text));
            assert!(put.is_none() || table.name(reserved_address(address)) == Some(name(text)));
            put
        };
        assert_eq!(put(5, "a.example"), Some(()));
        assert_eq!(put(5, "a.example"), Some(()), "the same again");
        assert_eq!(put(5, "b.example"), None, "another's");
        // A name may have two: one of its own choice, one from elsewhere.
        assert_eq!(put(6, "a.example"), Some(()));
        for other in ["b", "c", "d", "e"] {
            assert_eq!(put(u32::from(other.as_bytes()[0]), &other.repeat(60)), Some(()));
        }
        assert_eq!(put(5, "b.example"), None, "a forgotten one's");
        assert_eq!(put(5, "a.example"), Some(()));
        assert_eq!(table.insert_at(Ipv4Addr::LOCALHOST, &name("a.example"), bits("a")), None);
    }

    #[test]
    fn the_oldest_goes_first() {
        let mut table = NameTable::<4, 1024>::new();
        for bits in 0..6 {
            table.insert(&name(&format!("host{bits}.example")), |_| bits).unwrap();
        }
        assert_eq!(table.name(reserved_address(0)), None);
        assert_eq!(table.name(reserved_address(1)), None);
        assert_eq!(table.name(reserved_address(2)), Some(name("host2.example")));
        assert_eq!(table.name(reserved_address(5)), Some(name("host5.example")));
    }

    proptest::proptest! {
        /// Against a map that forgets nothing: the table may forget, but never answers with another name.
        #[test]
        fn never_answers_with_another_name(lookups in proptest::collection::vec((0_u32..64, 1_usize..60), 1..400)) {
            let mut table = NameTable::<8, 256>::new();
            let mut model = std::collections::HashMap::new();
            for (bits, len) in lookups {
                let text = format!("{}{bits}", "x".repeat(len));
                let candidate = |attempt| if attempt < ATTEMPTS { bits * 8 + attempt } else { bits << 8 | u32::try_from(len).unwrap() };
                if let Some(address) = table.insert(&name(&text), candidate) {
                    model.insert(address, text.clone());
                    assert_eq!(table.name(address), Some(name(&text)));
                }
                for (address, text) in &model {
                    if let Some(found) = table.name(*address) {
                        assert_eq!(found.as_str(), text);
                    }
                }
            }
        }
    }
}
