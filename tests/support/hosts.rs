//! The lab's names: one table for the DNS stub of the exits and for the mock gateway.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

/// A table of names and addresses, shared between clones; names are compared without case and trailing dot.
///
/// `*.lab.test` answers for every name below `lab.test` that has no entry of its own.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    entries: Arc<RwLock<BTreeMap<String, Vec<IpAddr>>>>,
}

impl Hosts {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an address to a name (or to a wildcard such as `*.lab.test`).
    pub fn add(&self, name: &str, address: IpAddr) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.entry(normal(name)).or_default().push(address);
    }

    /// The addresses of a name; `None` when there is no such name.
    #[must_use]
    pub fn lookup(&self, name: &str) -> Option<Vec<IpAddr>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let name = normal(name);
        if let Some(found) = entries.get(&name) {
            return Some(found.clone());
        }
        let mut rest = name.as_str();
        while let Some((_, parent)) = rest.split_once('.') {
            if let Some(found) = entries.get(&format!("*.{parent}")) {
                return Some(found.clone());
            }
            rest = parent;
        }
        None
    }

    /// The first name (in alphabetical order, wildcards apart) that has this address.
    #[must_use]
    pub fn reverse(&self, address: IpAddr) -> Option<String> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let mut named = entries.iter().filter(|(name, _)| !name.starts_with('*'));
        named.find(|(_, list)| list.contains(&address)).map(|(name, _)| name.clone())
    }
}

/// The form in which names are kept.
fn normal(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("address")
    }

    #[test]
    fn names_wildcards_and_reverse() {
        let hosts = Hosts::new();
        hosts.add("*.lab.test", ip("203.0.113.1"));
        hosts.add("ssh.lab.test", ip("203.0.113.2"));
        hosts.add("ssh.lab.test", ip("2001:db8::2"));
        assert_eq!(hosts.lookup("SSH.lab.test."), Some(vec![ip("203.0.113.2"), ip("2001:db8::2")]));
        assert_eq!(hosts.lookup("a.b.lab.test"), Some(vec![ip("203.0.113.1")]));
        assert_eq!(hosts.lookup("lab.test"), None);
        assert_eq!(hosts.lookup("xlab.test"), None);
        assert_eq!(hosts.reverse(ip("2001:db8::2")).as_deref(), Some("ssh.lab.test"));
        assert_eq!(hosts.reverse(ip("203.0.113.1")), None);
    }
}
