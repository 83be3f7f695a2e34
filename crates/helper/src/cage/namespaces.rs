//! Makes the cage's network namespace and sets it up: one device, `lo`, to which every address belongs.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::SockProtocol;
use nix::unistd::{getegid, geteuid};

use super::{LOOPBACK, Mark};
use crate::netlink::{ACK, Netlink, REQUEST, message};
use crate::outside::Outside;

/// The cage's own addresses, which programs see as theirs.
const OWN_V4: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 1);
const OWN_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x64, 0, 0, 0, 0, 0, 1);

/// Kernel settings below /proc/sys/net (ip-sysctl of the kernel's documentation).
const SETTINGS: &[(&str, &str)] = &[
    // What the helper puts on lo comes from addresses that are local, loopback's among them.
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/lo/rp_filter", "0"),
    ("ipv4/conf/lo/accept_local", "1"),
    ("ipv4/conf/lo/route_localnet", "1"),
    // Outside the usual range, so that a port chosen here is free outside too when a server is moved there, and that none
    // here is in the way when a server outside is spoken to under its own address.
    ("ipv4/ip_local_port_range", "61000 65535"),
    // Few ports, so they must not rest for a minute after each connection.
    ("ipv4/tcp_tw_reuse", "1"),
    // The two ends of a connection are never farther apart than lo: one that does not answer for minutes is gone.
    ("ipv4/tcp_retries2", "8"),
];
const SETTINGS_V6: &[(&str, &str)] = &[("ipv6/ip_nonlocal_bind", "1")];

/// Leaves the host's network for an empty one. A user namespace comes first where the right to do so is missing.
///
/// # Errors
/// Those of unshare(2) and of the files of user_namespaces(7).
pub(super) fn leave() -> io::Result<()> {
    match unshare(CloneFlags::CLONE_NEWNET) {
        Err(Errno::EPERM) => {}
        result => return Ok(result?),
    }
    let (user, group) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1"))?;
    Ok(unshare(CloneFlags::CLONE_NEWNET)?)
}

/// Sets up the network that [`leave`] led to. Says whether it has IPv6, which the kernel may have been told to do without.
///
/// When the helper is killed, those who wait for a connection are to be told: the outsider takes away what makes them wait.
///
/// # Errors
/// Something that IPv4 needs was refused.
pub(super) fn furnish(outside: &Outside) -> io::Result<bool> {
    let route = Netlink::new(SockProtocol::NetlinkRoute)?;
    let mut messages = vec![up()];
    messages.extend(every_address_is_local(libc::AF_INET, 254, &OWN_V4.octets()));
    route.carry_out(&messages)?;
    set(SETTINGS)?;
    let v6 = every_address_is_local(libc::AF_INET6, 0, &OWN_V6.octets());
    let v6 = route.carry_out(&v6).and_then(|()| set(SETTINGS_V6)).is_ok();
    let release = [libc::AF_INET, libc::AF_INET6].map(|family| hold(family, DELETE_RULE, REQUEST));
    outside.at_end(&route.into_socket(), &release.concat())?;
    Ok(v6)
}

fn set(settings: &[(&str, &str)]) -> io::Result<()> {
    settings.iter().try_for_each(|(name, value)| fs::write(format!("/proc/sys/net/{name}"), value))
}

// Types of messages (rtnetlink(7)).
const NEW_LINK: u16 = 16;
const NEW_ADDRESS: u16 = 20;
const NEW_ROUTE: u16 = 24;
const NEW_RULE: u16 = 32;
const DELETE_RULE: u16 = 33;
/// `NLM_F_CREATE | NLM_F_EXCL`.
const CREATE: u16 = 0x600;

/// `RT_TABLE_LOCAL`.
const LOCAL_TABLE: u8 = 255;
/// `FR_ACT_TO_TBL` and `FR_ACT_BLACKHOLE`.
const LOOK_UP: u8 = 1;
const BLACKHOLE: u8 = 6;
// Attributes of rules (linux/fib_rules.h).
const PRIORITY: u16 = 6;
const MARK: u16 = 10;
const MASK: u16 = 16;
const PROTOCOL: u16 = 22;

/// `lo` is switched on.
fn up() -> Vec<u8> {
    let flags = libc::IFF_UP.to_ne_bytes();
    message(NEW_LINK, REQUEST | ACK, &[[0; 4], LOOPBACK.to_ne_bytes(), flags, flags].concat(), &[])
}

/// An address of the cage's own; a route that makes all others local too, with that one as source; and rules that look at
/// this route only, after they have dropped the TCP segments that carry no mark.
fn every_address_is_local(family: i32, scope: u8, own: &[u8]) -> [Vec<u8>; 5] {
    let family = u8::try_from(family).unwrap_or_default();
    let bits = if own.len() == 4 { 32 } else { 128 };
    let device = LOOPBACK.to_ne_bytes();
    // struct ifaddrmsg; the flag is IFA_F_NODAD: nobody else could have the address.
    let address = [&[family, bits, 2, 0], &device[..]].concat();
    // struct rtmsg: RTPROT_STATIC, RTN_LOCAL.
    let route = [family, 0, 0, 0, LOCAL_TABLE, 4, scope, 2, 0, 0, 0, 0];
    let look_up = rule(family, LOCAL_TABLE, LOOK_UP);
    let new = REQUEST | ACK | CREATE;
    [
        message(NEW_ADDRESS, new, &address, &[(1, own), (2, own)]),
        message(NEW_ROUTE, new, &route, &[(4, &device), (7, own)]),
        hold(family.into(), NEW_RULE, new),
        message(NEW_RULE, new, &look_up, &[(PRIORITY, &30_u32.to_ne_bytes())]),
        // The first of all by default, before the one that drops.
        message(DELETE_RULE, REQUEST | ACK, &look_up, &[(PRIORITY, &0_u32.to_ne_bytes())]),
    ]
}

/// The rule that makes connections wait, to be made or deleted.
///
/// Unmarked is what the kernel itself sends: the RST to a SYN that nobody listens for. Without it a connect(2) goes on
/// waiting.
fn hold(family: i32, kind: u16, flags: u16) -> Vec<u8> {
    let rule = rule(u8::try_from(family).unwrap_or_default(), 0, BLACKHOLE);
    let tcp = [u8::try_from(libc::IPPROTO_TCP).unwrap_or_default()];
    let unmarked = (Mark::None as u32).to_ne_bytes();
    let attributes: [(u16, &[u8]); 4] =
        [(PRIORITY, &5_u32.to_ne_bytes()), (MARK, &unmarked), (MASK, &[0xff; 4]), (PROTOCOL, &tcp)];
    message(kind, flags, &rule, &attributes)
}

/// `struct fib_rule_hdr`.
fn rule(family: u8, table: u8, action: u8) -> [u8; 12] {
    [family, 0, 0, 0, table, 0, 0, action, 0, 0, 0, 0]
}
