//! Which socket was carried where: what getpeername(2) says, and what an interrupted connect still owes.

use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

/// How a carried connect stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The gateway said yes.
    Connected,
    /// A signal or a timeout ended connect(2) before the gateway's answer; the socket is unconnected again.
    Interrupted,
}

/// What is remembered of one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerRecord {
    /// The address the program asked for, reserved or real.
    pub address: SocketAddr,
    /// How it stands.
    pub standing: Standing,
}

/// Records by socket cookie (`SO_COOKIE`, unique until reboot), the oldest goes first.
///
/// Keyed by cookie because descriptors are duplicated, passed on and closed behind our back.
pub struct PeerTable<const SLOTS: usize> {
    slots: [(u64, PeerRecord); SLOTS],
    next: usize,
}

const EMPTY: PeerRecord =
    PeerRecord { address: SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)), standing: Standing::Connected };

impl<const SLOTS: usize> Default for PeerTable<SLOTS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const SLOTS: usize> PeerTable<SLOTS> {
    /// An empty table.
    #[must_use]
    pub const fn new() -> Self {
        Self { slots: [(0, EMPTY); SLOTS], next: 0 }
    }

    /// Remembers `record` for the socket `cookie`, in place of what was known of it.
    #[inline(never)]
    pub fn insert(&mut self, cookie: u64, record: PeerRecord) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.0 == cookie) {
            slot.1 = record;
        } else if let Some(slot) = self.slots.get_mut(self.next) {
            *slot = (cookie, record);
            self.next = self.next.wrapping_add(1) % SLOTS;
        }
    }

    /// What is known of the socket `cookie`. Cookie 0 belongs to no socket.
    #[must_use]
    #[inline(never)]
    pub fn get(&self, cookie: u64) -> Option<PeerRecord> {
        self.slots.iter().find(|slot| slot.0 == cookie && cookie != 0).map(|slot| slot.1)
    }

    /// Forgets the socket `cookie`.
    #[inline(never)]
    pub fn remove(&mut self, cookie: u64) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.0 == cookie) {
            slot.0 = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(port: u16) -> PeerRecord {
        PeerRecord { address: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port), standing: Standing::Connected }
    }

    #[test]
    fn records_are_replaced_and_the_oldest_goes_first() {
        let mut table = PeerTable::<2>::new();
        assert_eq!(table.get(0), None);
        table.insert(1, to(1));
        table.insert(1, to(11));
        table.insert(2, to(2));
        assert_eq!(table.get(1), Some(to(11)));
        table.insert(3, to(3));
        assert_eq!((table.get(1), table.get(2), table.get(3)), (None, Some(to(2)), Some(to(3))));
        table.remove(2);
        assert_eq!(table.get(2), None);
    }
}
