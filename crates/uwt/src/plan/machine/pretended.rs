//! A machine for tests.

use std::cell::Cell;

use uwt_config::Place;

use super::*;

/// Where a pretended machine's gateway is.
const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

/// Answers as told and counts the questions.
pub(crate) struct Pretended {
    pub(crate) surroundings: Result<Surroundings, ()>,
    pub(crate) abilities: Abilities,
    pub(crate) tree: Tree,
    pub(crate) faketime: bool,
    pub(crate) asked: Cell<u32>,
    pub(crate) addresses: Vec<(String, Ipv4Addr)>,
    pub(crate) towards: Option<Ipv4Addr>,
}

impl Pretended {
    pub(crate) fn machine(transparent: bool) -> Self {
        let found = Surroundings { place: Place::Plain, gateway: GATEWAY, transparent, reason: "as told".to_owned() };
        Self {
            surroundings: Ok(found),
            abilities: Abilities { notifications: Ok(()), cage: Ok(()) },
            tree: Tree::Free,
            faketime: true,
            asked: Cell::new(0),
            addresses: Vec::new(),
            towards: None,
        }
    }
}

impl Machine for Pretended {
    fn surroundings(&self) -> Result<Surroundings, Failure> {
        self.asked.set(self.asked.get() + 1);
        self.surroundings.clone().map_err(|()| Failure::ours("cannot be told"))
    }

    fn addresses(&self) -> Result<Vec<(String, Ipv4Addr)>, Failure> {
        Ok(self.addresses.clone())
    }

    fn address_towards(&self, other: Ipv4Addr) -> io::Result<Ipv4Addr> {
        assert_eq!(other, GATEWAY, "the detected gateway");
        self.towards.ok_or_else(|| io::Error::from_raw_os_error(libc::ENETUNREACH))
    }

    fn library(&self, _: &Setting<Option<PathBuf>>) -> Result<Library, Failure> {
        Ok(Library { path: "/lib/uwt/libuwt_preload.so".to_owned(), origin: "installed".to_owned() })
    }

    fn faketime(&self) -> Result<String, Failure> {
        let library = || "/lib/faketime/libfaketime.so.1".to_owned();
        self.faketime.then(library).ok_or_else(|| Failure::ours("missing"))
    }

    fn tree(&self, _: Option<&Session<'_>>) -> Tree {
        self.tree
    }

    fn abilities(&self, _: &Environment) -> Abilities {
        self.abilities.clone()
    }
}
