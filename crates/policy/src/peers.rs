//! Which socket was carried where: what getpeername(2) says, and what an interrupted connect still owes.

use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

/// How a carried connect stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The gateway said yes.
    Connected,
    /// A signal or a timeout ended connect(2) before the gateway's answer; the socket is unconnected again.
    Interrupted,
    /// The relay has it, and the kernel believes it to be connecting or connected to this port of the loopback address.
    Relayed(u16),
}

/// What is remembered of one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerRecord {
    /// The address the program asked for, reserved or real.
    pub address: SocketAddr,
    /// How it stands.
    pub standing: Standing,
}

/// Records by socket cookie (`SO_COOKIE`, unique until reboot, counted upwards).
///
/// Keyed by cookie because descriptors are duplicated, passed on and closed behind our back. Cookies with the same
/// remainder share a row; where a row is full, the oldest socket's record goes first.
pub struct PeerTable<const ROWS: usize> {
    rows: [[(u64, PeerRecord); PLACES]; ROWS],
}

/// Records of a row.
const PLACES: usize = 4;

const EMPTY: PeerRecord =
    PeerRecord { address: SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)), standing: Standing::Connected };

impl<const ROWS: usize> Default for PeerTable<ROWS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const ROWS: usize> PeerTable<ROWS> {
    /// An empty table.
    #[must_use]
    pub const fn new() -> Self {
        Self { rows: [[(0, EMPTY); PLACES]; ROWS] }
    }

    /// Remembers `record` for the socket `cookie`, in place of what was known of it.
    pub fn insert(&mut self, cookie: u64, record: PeerRecord) {
        let row = self.row(cookie);
        // Cookie 0, which is no socket's, is the oldest of all.
        let place = match row.iter().position(|place| place.0 == cookie) {
            Some(own) => row.get_mut(own),
            None => row.iter_mut().min_by_key(|place| place.0),
        };
        if let Some(place) = place {
            *place = (cookie, record);
        }
    }

    /// What is known of the socket `cookie`. Cookie 0 belongs to no socket.
    #[must_use]
    pub fn get(&mut self, cookie: u64) -> Option<PeerRecord> {
        self.row(cookie).iter().find(|place| place.0 == cookie && cookie != 0).map(|place| place.1)
    }

    /// Forgets the socket `cookie`.
    pub fn remove(&mut self, cookie: u64) {
        if let Some(place) = self.row(cookie).iter_mut().find(|place| place.0 == cookie) {
            place.0 = 0;
        }
    }

    #[inline(never)]
    fn row(&mut self, cookie: u64) -> &mut [(u64, PeerRecord)] {
        #[expect(clippy::cast_possible_truncation, reason = "any row will do, as long as it is always the same")]
        let index = (cookie as usize).checked_rem(ROWS).unwrap_or_default();
        self.rows.get_mut(index).map_or(&mut [], |row| row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(port: u16) -> PeerRecord {
        PeerRecord { address: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port), standing: Standing::Connected }
    }

    #[test]
    fn records_are_replaced_and_the_oldest_of_a_row_goes_first() {
        let mut table = PeerTable::<2>::new();
        assert_eq!(table.get(0), None);
        table.insert(1, to(1));
        table.insert(1, to(11));
        table.insert(2, to(2));
        assert_eq!((table.get(1), table.get(2)), (Some(to(11)), Some(to(2))));
        for cookie in [3, 5, 7] {
            table.insert(cookie, to(3));
        }
        assert!([1, 3, 5, 7].iter().all(|cookie| table.get(*cookie).is_some()));
        table.insert(9, to(9));
        assert_eq!((table.get(1), table.get(9), table.get(2)), (None, Some(to(9)), Some(to(2))));
        table.remove(5);
        table.insert(11, to(11));
        assert_eq!((table.get(5), table.get(3), table.get(11)), (None, Some(to(3)), Some(to(11))));
    }
}
