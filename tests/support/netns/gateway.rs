//! The gateway namespace and what all workstations have in common.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use anyhow::Result;

use super::{Netns, Workstation};

/// The gateway's address towards the workstations, as in Whonix.
pub const GATEWAY_V4: Ipv4Addr = Ipv4Addr::new(10, 152, 152, 10);
/// The gateway's IPv6 address towards the workstations.
pub const GATEWAY_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x152, 0, 0, 0, 0, 0, 0x10);
/// The `SocksPort` every workstation may talk to.
pub const SOCKS_PORT: u16 = 9050;
/// The first workstation's host number, as in Whonix.
const FIRST: u8 = 11;
/// Host numbers of further workstations.
const MORE: std::ops::Range<u8> = 20..250;
/// Addresses of "the internet" per family.
const INTERNET: u8 = 20;

/// A gateway namespace and its first workstation; removed when dropped.
///
/// The gateway does not forward. 203.0.113.1–.20 and `2001:db8::1–::14` are its own addresses, so a packet that leaves a
/// workstation without Tor *arrives*: a leaked connection succeeds, visibly.
#[derive(Debug)]
pub struct Namespaces {
    prefix: String,
    gateway: Netns,
    /// The first workstation, 10.152.152.11; `None` when attached.
    first: Option<Workstation>,
    owned: bool,
}

impl Namespaces {
    /// Makes a gateway and the workstation 10.152.152.11. Needs root.
    ///
    /// # Errors
    /// When `ip` or `nft` is missing or refuses.
    pub fn create() -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        super::remove_leftovers();
        let prefix = format!("uwt-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        remove_all(&prefix);
        let gateway = Netns::create(&format!("{prefix}-gw"))?;
        let mut namespaces = Self { prefix, gateway, first: None, owned: true };
        namespaces.set_up()?;
        namespaces.first = Some(namespaces.numbered(FIRST)?);
        Ok(namespaces)
    }

    /// Those that all tests of this program share, for as long as one of them uses them. Needs root.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn shared() -> Result<Arc<Self>> {
        static SHARED: Mutex<Weak<Namespaces>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = shared.upgrade() {
            return Ok(made);
        }
        let made = Arc::new(Self::create()?);
        *shared = Arc::downgrade(&made);
        Ok(made)
    }

    /// Uses the gateway of a lab that another process keeps up.
    #[must_use]
    pub(crate) fn attach(prefix: &str) -> Self {
        let gateway = Netns::attach(&format!("{prefix}-gw"));
        Self { prefix: prefix.to_owned(), gateway, first: None, owned: false }
    }

    /// The gateway's namespace.
    #[must_use]
    pub fn gateway(&self) -> &Netns {
        &self.gateway
    }

    /// The workstation 10.152.152.11 of [`create`](Self::create).
    ///
    /// # Panics
    /// When these namespaces are somebody else's: take a workstation of your own.
    #[must_use]
    pub fn workstation(&self) -> &Workstation {
        self.first.as_ref().expect("an attached lab has no workstation of its own: use add_workstation()")
    }

    /// One more workstation behind the same gateway, with an address and counters of its own. Cheap: one per test.
    ///
    /// # Errors
    /// When all host numbers are taken, or `ip` or `nft` refuses.
    pub fn add_workstation(&self) -> Result<Workstation> {
        // An address is used again as late as can be: what the gateway still sends to a workstation that is gone would
        // be answered by its successor, and counted as a leak there.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // Several processes may attach to one lab: the namespace's name is the lock.
        let count = MORE.end - MORE.start;
        // Test programs that run at the same time have numbers near each other, and begin far from each other.
        let own = std::process::id().wrapping_mul(89);
        let start = own.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % u32::from(count);
        for number in MORE.cycle().skip(usize::try_from(start).unwrap_or(0)).take(usize::from(count)) {
            if Netns::attach(&self.name_of(number)).path().exists() {
                continue;
            }
            match self.numbered(number) {
                Err(error) if format!("{error:#}").contains("File exists") => {}
                other => return other,
            }
        }
        anyhow::bail!("all workstation addresses are in use")
    }

    /// What the names of all namespaces of this lab begin with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The name of the workstation with a host number.
    fn name_of(&self, number: u8) -> String {
        format!("{}-w{number}", self.prefix)
    }

    /// Makes the workstation 10.152.152.`number`.
    fn numbered(&self, number: u8) -> Result<Workstation> {
        Workstation::create(&self.gateway, &self.name_of(number), number)
    }

    /// Addresses, and a kernel that says nothing of its own accord.
    fn set_up(&self) -> Result<()> {
        self.gateway.sysctl(&[
            ("net/ipv4/ip_forward", "0"),
            ("net/ipv6/conf/all/forwarding", "0"),
            ("net/ipv4/conf/all/rp_filter", "0"),
            ("net/ipv4/conf/default/rp_filter", "0"),
            ("net/ipv6/conf/default/accept_ra", "0"),
            ("net/ipv6/conf/default/dad_transmits", "0"),
            ("net/ipv6/conf/default/addr_gen_mode", "1"),
        ])?;
        let mut lines = format!("addr add {GATEWAY_V4}/32 dev lo\naddr add {GATEWAY_V6}/128 dev lo\n");
        for index in 1..=INTERNET {
            for address in [IpAddr::V4(internet_v4(index)), IpAddr::V6(internet_v6(index))] {
                let bits = if address.is_ipv4() { 32 } else { 128 };
                let _ = writeln!(lines, "addr add {address}/{bits} dev lo");
            }
        }
        self.gateway.ip_batch(&lines)
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        self.first = None;
        if self.owned {
            remove_all(&self.prefix);
        }
    }
}

/// Removes every namespace with this prefix: workstations that tests left, or those of a process long gone that had our
/// process id.
fn remove_all(prefix: &str) {
    let names = std::fs::read_dir(super::RUN).into_iter().flatten().flatten();
    for name in names.filter_map(|entry| entry.file_name().into_string().ok()) {
        if name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('-')) {
            Netns::attach(&name).remove();
        }
    }
}

/// 203.0.113.`index`
#[must_use]
pub(crate) fn internet_v4(index: u8) -> Ipv4Addr {
    Ipv4Addr::new(203, 0, 113, index)
}

/// `2001:db8::index`
#[must_use]
pub(crate) fn internet_v6(index: u8) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(index))
}
