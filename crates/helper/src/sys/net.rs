//! Socket calls that neither nix nor socket2 wraps.

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _};

/// Binds a packet socket (packet(7)) to every protocol on one device.
///
/// # Errors
/// Those of bind(2).
pub(crate) fn bind_to_link(socket: impl AsFd, index: i32) -> io::Result<()> {
    let address = libc::sockaddr_ll {
        sll_family: u16::try_from(libc::AF_PACKET).unwrap_or_default(),
        sll_protocol: u16::try_from(libc::ETH_P_ALL).unwrap_or_default().to_be(),
        sll_ifindex: index,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let len = libc::socklen_t::try_from(size_of_val(&address)).unwrap_or_default();
    // SAFETY: a complete structure, and its length.
    let result = unsafe { libc::bind(socket.as_fd().as_raw_fd(), (&raw const address).cast(), len) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A socket option whose value is an int (getsockopt(2)).
///
/// # Errors
/// The system call's.
pub(crate) fn option(socket: impl AsFd, level: i32, name: i32) -> io::Result<i32> {
    let mut value = 0_i32;
    let mut len = libc::socklen_t::try_from(size_of_val(&value)).unwrap_or_default();
    // SAFETY: a value, and its length, which limits what is written.
    let result =
        unsafe { libc::getsockopt(socket.as_fd().as_raw_fd(), level, name, (&raw mut value).cast(), &raw mut len) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(value) }
}

/// Sets a socket option whose value is an int (setsockopt(2)).
///
/// # Errors
/// The system call's.
pub(crate) fn set_option(socket: impl AsFd, level: i32, name: i32, value: i32) -> io::Result<()> {
    let len = libc::socklen_t::try_from(size_of_val(&value)).unwrap_or_default();
    // SAFETY: a value, and its length.
    let result = unsafe { libc::setsockopt(socket.as_fd().as_raw_fd(), level, name, (&raw const value).cast(), len) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Whether the next byte to be read is the urgent one (sockatmark(3)).
///
/// # Errors
/// The system call's.
pub(crate) fn is_at_mark(socket: impl AsFd) -> io::Result<bool> {
    /// As in asm-generic/sockios.h; libc does not name it.
    const SIOCATMARK: libc::Ioctl = 0x8905;
    let mut mark: c_int = 0;
    // SAFETY: writes an int.
    let result = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), SIOCATMARK, &raw mut mark) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(mark != 0) }
}

/// A socket option whose value is the cookie of something: `SO_COOKIE`, `SO_NETNS_COOKIE`.
///
/// # Errors
/// The system call's; ENOPROTOOPT where the kernel does not know the option.
pub(crate) fn cookie(socket: impl AsFd, name: i32) -> io::Result<u64> {
    let mut value = 0_u64;
    let mut len = libc::socklen_t::try_from(size_of_val(&value)).unwrap_or_default();
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: a value, and its length, which limits what is written.
    let result = unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, name, (&raw mut value).cast(), &raw mut len) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(value) }
}
