//! The session's names: one table for every process of the tree that asks the helper.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use uwt_policy::{HostName, RESERVED_BITS, is_reserved, reserved_address};
use uwt_session::Secret;

/// How many names are remembered.
const REMEMBERED: usize = 65_536;
/// How many addresses are tried for a name.
const ATTEMPTS: u32 = 8;
/// The attempt whose bits are no address, but a name's print.
const PRINT: u32 = ATTEMPTS;
const MASK: u32 = (1 << RESERVED_BITS) - 1;

/// Reserved addresses and the names they stand for.
///
/// The oldest name goes first. Its address stays its own for the life of the helper: while it is forgotten it means
/// nothing, and when the name is asked for again it gets it back. A program may keep an address for as long as it likes and
/// never reaches another host with it.
pub(crate) struct Names {
    secret: Secret,
    table: RefCell<Table>,
}

#[derive(Default)]
struct Table {
    /// By name, the low bits of its address.
    bits: HashMap<Rc<str>, u32>,
    /// The other way round.
    names: HashMap<u32, Entry>,
    /// The low bits of all of them, the oldest first.
    order: VecDeque<u32>,
    /// For each address the print of its forgotten name, 0 for none. Empty until a name is forgotten, then 16 MiB, of which
    /// the kernel provides what is written to.
    forgotten: Vec<u32>,
}

struct Entry {
    name: Rc<str>,
    /// What still tells the name from others when it is forgotten: never 0.
    print: u32,
}

impl Names {
    /// An empty table; `secret` is the tree's own.
    pub(crate) fn new(secret: Secret) -> Self {
        Self { secret, table: RefCell::default() }
    }

    /// The address that stands for `name`, a new one where it has none; `None` when all its candidates stand for others.
    pub(crate) fn address(&self, name: &HostName) -> Option<Ipv4Addr> {
        let candidate = |attempt| self.secret.name_bits(name.as_str(), attempt);
        self.table.borrow_mut().insert(name.as_str(), REMEMBERED, candidate)
    }

    /// The name an address stands for.
    pub(crate) fn name(&self, address: Ipv4Addr) -> Option<HostName> {
        if !is_reserved(IpAddr::V4(address)) {
            return None;
        }
        let table = self.table.borrow();
        HostName::parse(table.names.get(&(address.to_bits() & MASK))?.name.as_bytes())
    }
}

impl Table {
    /// `candidate` gives the bits to try, and for [`PRINT`] those that become the print.
    fn insert(&mut self, name: &str, limit: usize, candidate: impl Fn(u32) -> u32) -> Option<Ipv4Addr> {
        if let Some(bits) = self.bits.get(name) {
            return Some(reserved_address(*bits));
        }
        let print = candidate(PRINT) | 1;
        let bits = (0..ATTEMPTS).map(|attempt| candidate(attempt) & MASK).find(|bits| {
            let forgotten = self.forgotten.get(*bits as usize).copied().unwrap_or(0);
            !self.names.contains_key(bits) && (forgotten == 0 || forgotten == print)
        })?;
        if self.order.len() >= limit {
            self.forget_oldest();
        }
        let name: Rc<str> = Rc::from(name);
        self.names.insert(bits, Entry { name: Rc::clone(&name), print });
        self.bits.insert(name, bits);
        self.order.push_back(bits);
        Some(reserved_address(bits))
    }

    fn forget_oldest(&mut self) {
        let Some(bits) = self.order.pop_front() else { return };
        let Some(Entry { name, print }) = self.names.remove(&bits) else { return };
        self.bits.remove(&name);
        if self.forgotten.is_empty() {
            self.forgotten = vec![0; MASK as usize + 1];
        }
        if let Some(place) = self.forgotten.get_mut(bits as usize) {
            *place = print;
        }
    }
}

impl fmt::Debug for Names {
    /// Without the names: they have no place in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").field("len", &self.table.borrow().order.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
impl Names {
    /// Gives every address that `name` could have to another name.
    pub(crate) fn take_all_candidates_of(&self, name: &HostName) {
        let mut table = self.table.borrow_mut();
        for attempt in 0..ATTEMPTS {
            let bits = self.secret.name_bits(name.as_str(), attempt);
            table.insert(&format!("{attempt}.example"), REMEMBERED, |_| bits).unwrap();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> HostName {
        HostName::parse(text.as_bytes()).unwrap()
    }

    fn names() -> Names {
        Names::new(Secret::new([1; 32]))
    }

    #[test]
    fn there_and_back() {
        let names = names();
        let first = names.address(&name("a.example")).unwrap();
        let second = names.address(&name("b.example")).unwrap();
        assert!(is_reserved(first.into()) && is_reserved(second.into()));
        assert_ne!(first, second);
        assert_eq!(names.address(&name("A.example.")), Some(first));
        assert_eq!(names.name(first), Some(name("a.example")));
        assert_eq!(names.name(second), Some(name("b.example")));
    }

    #[test]
    fn the_addresses_follow_from_the_secret() {
        let address = |byte| Names::new(Secret::new([byte; 32])).address(&name("a.example")).unwrap();
        assert_eq!(address(1), address(1));
        assert_ne!(address(1), address(2));
        let bits = Secret::new([1; 32]).name_bits("a.example", 0);
        assert_eq!(address(1), reserved_address(bits), "as in the preload's table");
    }

    #[test]
    fn other_addresses_have_no_name() {
        let names = names();
        let address = names.address(&name("a.example")).unwrap();
        assert_eq!(names.name(Ipv4Addr::LOCALHOST), None);
        // The same low bits outside the reserved range.
        assert_eq!(names.name(Ipv4Addr::from_bits(address.to_bits() & MASK | 0x0a00_0000)), None);
    }

    #[test]
    fn what_all_want_goes_to_the_first() {
        let mut table = Table::default();
        let want = |print: u32| move |attempt| if attempt == PRINT { print } else { attempt };
        let mut seen = Vec::new();
        for index in 0..ATTEMPTS {
            seen.push(table.insert(&format!("{index}.example"), REMEMBERED, want(index << 1)).unwrap());
        }
        seen.dedup();
        assert_eq!(seen.len(), ATTEMPTS as usize);
        assert_eq!(table.insert("one.too.many", REMEMBERED, want(99)), None);
        assert_eq!(table.insert("0.example", REMEMBERED, want(0)), Some(reserved_address(0)));
    }

    #[test]
    fn a_forgotten_name_gets_its_address_back() {
        let mut table = Table::default();
        let want = |print: u32| move |attempt| if attempt == PRINT { print << 1 } else { attempt };
        assert_eq!(table.insert("old", 1, want(1)), Some(reserved_address(0)));
        assert_eq!(table.insert("new", 1, want(2)), Some(reserved_address(1)), "0 stays old's");
        assert_eq!((table.names.len(), table.bits.len(), table.order.len()), (1, 1, 1));
        assert!(!table.names.contains_key(&0), "while it is forgotten it means nothing");
        assert_eq!(table.insert("old", 1, want(1)), Some(reserved_address(0)));
        assert_eq!(table.insert("third", 1, want(3)), Some(reserved_address(2)));
    }

    proptest::proptest! {
        /// Against a map that forgets nothing: an address has one name for ever, a name one address.
        #[test]
        fn nothing_ever_changes_its_meaning(asked in proptest::collection::vec(0_u32..40, 1..300)) {
            let mut table = Table::default();
            let (mut names, mut addresses) = (HashMap::new(), HashMap::new());
            for number in asked {
                let text = format!("host{number}.example");
                let candidate = |attempt| if attempt == PRINT { number << 1 } else { number / 4 + attempt * 7 };
                let Some(address) = table.insert(&text, 8, candidate) else { continue };
                assert_eq!(names.entry(address).or_insert_with(|| text.clone()), &text);
                assert_eq!(addresses.entry(text).or_insert(address), &address);
                assert!(table.order.len() <= 8 && table.names.len() == table.order.len());
            }
        }
    }
}
