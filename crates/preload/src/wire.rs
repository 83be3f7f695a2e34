//! Socket addresses as the kernel lays them out (ip(7), ipv6(7)).

use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use uwt_policy::{Errno, LOOPBACK_INDEX, SO_BINDTOIFINDEX, SocketSpec};

use crate::sys;

/// What the first bytes of a socket address say.
pub(crate) enum Address {
    /// A complete IPv4 or IPv6 address.
    Internet(SocketAddr),
    /// `AF_UNSPEC`: dissolve the association.
    Unspecified,
    /// Another family, or too short for its own.
    Other,
}

/// Reads a socket address.
#[inline(never)]
pub(crate) fn decode(bytes: &[u8]) -> Address {
    let Some(family) = bytes.first_chunk().copied().map(u16::from_ne_bytes) else { return Address::Other };
    match i32::from(family) {
        libc::AF_UNSPEC => Address::Unspecified,
        libc::AF_INET => decode_v4(bytes).map_or(Address::Other, Address::Internet),
        libc::AF_INET6 => decode_v6(bytes).map_or(Address::Other, Address::Internet),
        _ => Address::Other,
    }
}

fn decode_v4(bytes: &[u8]) -> Option<SocketAddr> {
    let port = u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?);
    let ip: [u8; 4] = *bytes.get(4..)?.first_chunk()?;
    // struct sockaddr_in is padded to 16 bytes, and the kernel insists on them.
    bytes.get(..16)?;
    Some(SocketAddrV4::new(Ipv4Addr::from(ip), port).into())
}

fn decode_v6(bytes: &[u8]) -> Option<SocketAddr> {
    let port = u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?);
    let flow = u32::from_be_bytes(*bytes.get(4..)?.first_chunk()?);
    let ip: [u8; 16] = *bytes.get(8..)?.first_chunk()?;
    // RFC 2133's structure ends before the scope; the kernel takes it still.
    let scope = bytes.get(24..).and_then(<[u8]>::first_chunk).copied().map_or(0, u32::from_ne_bytes);
    Some(SocketAddrV6::new(Ipv6Addr::from(ip), port, flow, scope).into())
}

/// A socket address in the kernel's layout.
pub(crate) struct Encoded {
    bytes: [u8; 28],
    len: usize,
}

impl Encoded {
    #[inline(never)]
    pub(crate) fn new(address: SocketAddr) -> Self {
        let mut bytes = [0; 28];
        put(&mut bytes, 2, &address.port().to_be_bytes());
        let (domain, len) = match address {
            SocketAddr::V4(v4) => {
                put(&mut bytes, 4, &v4.ip().octets());
                (libc::AF_INET, 16)
            }
            SocketAddr::V6(v6) => {
                put(&mut bytes, 4, &v6.flowinfo().to_be_bytes());
                put(&mut bytes, 8, &v6.ip().octets());
                put(&mut bytes, 24, &v6.scope_id().to_ne_bytes());
                (libc::AF_INET6, 28)
            }
        };
        put(&mut bytes, 0, &family(domain));
        Self { bytes, len }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// The first bytes of a socket address.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sa_family_t is 16 bits, families are small"
)]
pub(crate) const fn family(family: i32) -> [u8; 2] {
    (family as u16).to_ne_bytes()
}

#[inline(never)]
fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    for (to, from) in bytes.iter_mut().skip(at).zip(value) {
        *to = *from;
    }
}

/// bind(2) or connect(2), by its number, to an address of ours.
#[inline(never)]
pub(crate) fn attach(number: core::ffi::c_long, fd: i32, address: SocketAddr) -> Result<(), Errno> {
    sys::attach(number, fd, Encoded::new(address).as_bytes())
}

/// What the kernel says a socket is.
#[inline(never)]
pub(crate) fn spec(fd: i32) -> Result<SocketSpec, Errno> {
    Ok(SocketSpec {
        domain: sys::option(fd, libc::SOL_SOCKET, libc::SO_DOMAIN)?,
        kind: sys::option(fd, libc::SOL_SOCKET, libc::SO_TYPE)?,
        protocol: sys::option(fd, libc::SOL_SOCKET, libc::SO_PROTOCOL)?,
    })
}

/// The address getpeername(2) or getsockname(2) gives, where it is an internet address.
#[inline(never)]
pub(crate) fn name(number: core::ffi::c_long, fd: i32) -> Option<SocketAddr> {
    let (bytes, len) = sys::name(number, fd).ok()?;
    match decode(bytes.get(..len.min(bytes.len()))?) {
        Address::Internet(address) => Some(address),
        Address::Unspecified | Address::Other => None,
    }
}

/// Keeps a socket's packets on this machine: whatever it is told to do, the kernel routes it to `lo` only.
#[inline(never)]
pub(crate) fn confine(fd: i32) -> Result<(), Errno> {
    // Without privileges a socket can be bound to a device only once.
    if sys::option(fd, libc::SOL_SOCKET, SO_BINDTOIFINDEX) == Ok(LOOPBACK_INDEX) {
        return Ok(());
    }
    sys::set_option(fd, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, b"lo\0").map_err(|_| Errno::EACCES)
}
