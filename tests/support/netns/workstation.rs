//! One workstation: a namespace with a veth to the gateway, watched twice (nft counters and a packet socket).
//!
//! Nothing is exempt from the count but TCP to the allowed ports of the gateway, because the kernel itself is silent:
//! the veth has NOARP (so neither ARP nor neighbour discovery nor the multicast joins that go with it; both ends carry
//! the same hardware address instead), no duplicate address detection, no link-local address, no router solicitation.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};

use super::counters::{self, Counters};
use super::gateway::{GATEWAY_V4, GATEWAY_V6, SOCKS_PORT};
use super::packet::Leak;
use super::sniffer::Sniffer;
use super::{Identity, Netns};

/// A workstation behind the gateway; removed, with everything running in it, when dropped.
#[derive(Debug)]
pub struct Workstation {
    netns: Netns,
    gateway: Netns,
    link: String,
    address: Ipv4Addr,
    watch: Mutex<Watch>,
}

/// What watches the wire.
#[derive(Debug)]
struct Watch {
    sniffer: Sniffer,
    ports: Vec<u16>,
    seen: Vec<Leak>,
}

impl Workstation {
    /// Makes the workstation 10.152.152.`number`.
    pub(super) fn create(gateway: &Netns, name: &str, number: u8) -> Result<Self> {
        let netns = Netns::create(name)?;
        // From here on a failure must take the namespace away again.
        let made = Self::fill(&netns, gateway, number);
        if made.is_err() {
            netns.remove();
        }
        made.with_context(|| format!("set up the workstation {name}"))
    }

    /// Links, addresses, counters.
    fn fill(netns: &Netns, gateway: &Netns, number: u8) -> Result<Self> {
        let etc = netns.etc();
        std::fs::create_dir_all(&etc)?;
        // A resolver that leaks asks the gateway and is counted.
        std::fs::write(etc.join("resolv.conf"), format!("nameserver {GATEWAY_V4}\noptions timeout:1 attempts:1\n"))?;
        std::fs::write(etc.join("nsswitch.conf"), "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n")?;
        netns.sysctl(&[
            ("net/ipv4/ip_forward", "0"),
            ("net/ipv6/conf/default/accept_ra", "0"),
            ("net/ipv6/conf/default/dad_transmits", "0"),
            ("net/ipv6/conf/default/addr_gen_mode", "1"),
        ])?;
        let link = format!("w{number}");
        let address = Ipv4Addr::new(10, 152, 152, number);
        let address6 = Ipv6Addr::new(0xfd00, 0x152, 0, 0, 0, 0, 0, u16::from(number));
        let mac = format!("02:00:0a:98:98:{number:02x}");
        gateway.ip_batch(&format!(
            "link add {link} address {mac} type veth peer name eth0 address {mac} netns {ws}\n\
             link set {link} arp off multicast off up\n\
             route add {address}/32 dev {link}\n\
             route add {address6}/128 dev {link}\n",
            ws = netns.name(),
        ))?;
        netns.ip_batch(&format!(
            "link set eth0 arp off multicast off up\n\
             addr add {address}/24 dev eth0\n\
             addr add {address6}/64 dev eth0 nodad\n\
             route add default via {GATEWAY_V4}\n\
             route add default via {GATEWAY_V6}\n",
        ))?;
        let ports = vec![SOCKS_PORT];
        netns.nft(&counters::ruleset(&ports))?;
        let sniffer = netns.run(|| Sniffer::open(&ports))?;
        let watch = Mutex::new(Watch { sniffer, ports, seen: Vec::new() });
        Ok(Self { netns: netns.clone(), gateway: gateway.clone(), link, address, watch })
    }

    /// Its namespace.
    #[must_use]
    pub fn netns(&self) -> &Netns {
        &self.netns
    }

    /// Its IPv4 address.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// A program to run in it, as [`Netns::command`].
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        self.netns.command(program)
    }

    /// A program to run in it as another user, as [`Netns::command_as`].
    #[must_use]
    pub fn command_as(&self, program: impl AsRef<std::ffi::OsStr>, user: Identity) -> Command {
        self.netns.command_as(program, Some(user))
    }

    /// Stops counting TCP to one more port of the gateway as a leak, e.g. a mock gateway's.
    ///
    /// # Errors
    /// When nft or the kernel refuses.
    pub fn allow_gateway_port(&self, port: u16) -> Result<()> {
        let mut watch = self.watch();
        watch.ports.push(port);
        watch.sniffer.allow(&watch.ports)?;
        self.netns.nft(&format!("add element inet uwt allowed {{ {port} }}"))
    }

    /// Switches transparent proxying on: the gateway takes all other TCP of this workstation to `tcp_port` of its own
    /// (Tor's `TransPort`) and UDP to port 53 of any address to `dns_port` (Tor's `DNSPort`). Off at the start.
    ///
    /// What is taken still counts as a leak: it is not for the `SocksPort`.
    ///
    /// # Errors
    /// When nft refuses.
    pub fn transparent(&self, tcp_port: u16, dns_port: u16) -> Result<()> {
        self.direct()?;
        let ports: Vec<String> = self.watch().ports.iter().map(ToString::to_string).collect();
        self.gateway.nft(&format!(
            "table ip trans_{link} {{
                chain prerouting {{
                    type nat hook prerouting priority dstnat; policy accept;
                    iifname != \"{link}\" accept
                    ip daddr {GATEWAY_V4} tcp dport {{ {ports} }} accept
                    udp dport 53 dnat to {GATEWAY_V4}:{dns_port}
                    meta l4proto tcp dnat to {GATEWAY_V4}:{tcp_port}
                }}
            }}",
            link = self.link,
            ports = ports.join(", "),
        ))
    }

    /// Switches transparent proxying off as a Whonix-Gateway's firewall does: whatever is not for the `SocksPort` is
    /// rejected there.
    ///
    /// # Errors
    /// When nft refuses.
    pub fn closed(&self) -> Result<()> {
        self.direct()?;
        let ports: Vec<String> = self.watch().ports.iter().map(ToString::to_string).collect();
        self.gateway.nft(&format!(
            "table ip trans_{link} {{
                chain input {{
                    type filter hook input priority filter; policy accept;
                    iifname != \"{link}\" accept
                    ip daddr {GATEWAY_V4} tcp dport {{ {ports} }} accept
                    reject
                }}
            }}",
            link = self.link,
            ports = ports.join(", "),
        ))
    }

    /// Lets everything pass as it is again: neither taken to Tor nor rejected.
    ///
    /// # Errors
    /// When nft refuses.
    pub fn direct(&self) -> Result<()> {
        // Declaring it first makes deleting work whether or not it was there.
        self.gateway.nft(&format!("table ip trans_{link} {{ }}\ndelete table ip trans_{link}", link = self.link))
    }

    /// Everything that left the workstation since [`reset`](Self::reset) and was not for the `SocksPort`, in order.
    ///
    /// # Errors
    /// When the packet socket fails.
    pub fn leaks(&self) -> Result<Vec<Leak>> {
        let mut watch = self.watch();
        let new = watch.sniffer.take()?;
        watch.seen.extend(new);
        Ok(watch.seen.clone())
    }

    /// The kernel's own count of the same, by protocol, and of what *was* for the `SocksPort`.
    ///
    /// # Errors
    /// When nft fails.
    pub fn counters(&self) -> Result<Counters> {
        counters::read(&self.netns)
    }

    /// Forgets everything counted so far.
    ///
    /// # Errors
    /// When nft or the packet socket fails.
    pub fn reset(&self) -> Result<()> {
        counters::reset(&self.netns)?;
        let mut watch = self.watch();
        watch.sniffer.take()?;
        watch.seen.clear();
        Ok(())
    }

    /// Fails the test unless both the packet socket and the counters agree that nothing leaked.
    ///
    /// # Panics
    /// When something leaked (every packet is listed), or when the wire could not be watched.
    #[track_caller]
    pub fn assert_no_leaks(&self) {
        let leaks = self.leaks().expect("read the packet socket");
        let counters = self.counters().expect("read the counters");
        let list: Vec<String> = leaks.iter().map(ToString::to_string).collect();
        assert!(
            leaks.is_empty() && counters.leaked() == 0,
            "{} packets left the workstation past the SocksPort ({counters:?}):\n{}",
            leaks.len().max(usize::try_from(counters.leaked()).unwrap_or(usize::MAX)),
            list.join("\n")
        );
    }

    /// The watch, whatever happened to other threads of the test.
    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Workstation {
    fn drop(&mut self) {
        // The table is the only thing that is not inside the namespace (the veth goes with it).
        let _ = self.direct();
        self.netns.remove();
    }
}
