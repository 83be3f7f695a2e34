//! Datagrams, for a report: nothing carries them, and the kernel answers that nobody is there.

use std::collections::HashSet;
use std::net::SocketAddr;

use uwt_policy::{Errno, canonical};
use uwt_report::{Happening, Layer, Transport};

use super::packets::Pair;
use super::{Cage, DNS};
use crate::destination::shown;
use crate::report::errno_name;

/// How many destinations are remembered: of so many that come then some are told twice.
const REMEMBERED: usize = 4096;

/// What was told: each destination once for each process, since programs go on trying.
#[derive(Debug, Default)]
pub(super) struct Told(HashSet<(Option<(u32, u64)>, SocketAddr)>);

impl Told {
    fn is_new(&mut self, process: Option<(u32, u64)>, to: SocketAddr) -> bool {
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        self.0.insert((process, to))
    }
}

impl Cage {
    /// A program has sent a datagram.
    pub(super) fn sent(&self, pair: Pair) {
        // The stub answers, and tells.
        if pair.to.port() == DNS {
            return;
        }
        // It may have closed its socket, or have ended, since.
        let process = self.diag.datagram(pair).and_then(|inode| self.owners.borrow().owner(inode));
        if !self.told.borrow_mut().is_new(process.as_ref().map(|process| (process.pid, process.start)), pair.to) {
            return;
        }
        // Programs of one cage reach each other.
        let (layer, destination) = (Layer::Cage, shown(pair.to));
        let receiver = self.diag.datagram(Pair { from: pair.to, to: pair.from });
        // Where both have ended nobody knows whether it was received; it went no further than this machine.
        let stayed = process.is_none() && canonical(pair.to.ip()).is_loopback();
        let happening = if stayed || receiver.is_some_and(|inode| self.is_caged(inode)) {
            Happening::Local { layer, destination, failed: None }
        } else {
            Happening::Refused {
                layer,
                what: "sent a datagram, which Tor can't carry".to_owned(),
                transport: Some(Transport::Udp),
                destination: Some(destination),
                errno: errno_name(Errno::ECONNREFUSED),
            }
        };
        match process {
            Some(process) => self.shared.happened(&process, || happening),
            None => self.shared.happened_somewhere(|| happening),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_destination_once() {
        let mut told = Told::default();
        let to = |port| SocketAddr::from(([192, 0, 2, 1], port));
        assert!(told.is_new(Some((1, 1)), to(1)) && !told.is_new(Some((1, 1)), to(1)));
        assert!(told.is_new(Some((1, 2)), to(1)) && told.is_new(Some((1, 1)), to(2)) && told.is_new(None, to(1)));
        for port in 0..u16::MAX {
            told.is_new(None, to(port));
        }
        assert!(told.0.len() <= REMEMBERED);
    }
}
