//! The listener's way out of the tree it guards: SCM_RIGHTS of unix(7), past the filter that asks the listener.

use std::io;
use std::mem;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::ptr;

use libc::{c_int, c_long};

use super::check;
use crate::Listener;

/// A control message with one descriptor: `CMSG_DATA` follows the header without a gap, the size of which is a multiple
/// of its alignment.
#[repr(C)]
struct Rights {
    header: libc::cmsghdr,
    descriptor: c_int,
}

impl Listener {
    /// Sends the listener through a connected unix socket, and closes it here.
    ///
    /// The thread is guarded by now, and nobody answers yet: an ordinary sendmsg(2) would wait forever. This one shows the
    /// cookie, that of the [`crate::Rules`] in force.
    ///
    /// # Errors
    ///
    /// Those of sendmsg(2), and `InvalidInput` for a cookie of 0, which opens nothing.
    pub fn hand_over(self, socket: BorrowedFd<'_>, cookie: u64) -> io::Result<()> {
        if cookie == 0 {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        let mut rights = Rights::empty();
        rights.header.cmsg_len = Rights::LENGTH;
        rights.header.cmsg_level = libc::SOL_SOCKET;
        rights.header.cmsg_type = libc::SCM_RIGHTS;
        rights.descriptor = self.as_raw_fd();
        let mut byte = 0_u8;
        let mut part = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
        let message = rights.message(&mut part);
        let (socket, flags, unused) = (c_long::from(socket.as_raw_fd()), c_long::from(libc::MSG_NOSIGNAL), 0 as c_long);
        loop {
            // SAFETY: the kernel reads the message, which refers to `part`, `byte` and `rights`, all alive here. The fifth
            // argument is for the filter alone.
            let sent = unsafe { libc::syscall(libc::SYS_sendmsg, socket, &raw const message, flags, unused, cookie) };
            match i32::try_from(sent).map_err(io::Error::other).and_then(check) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result.map(drop),
            }
        }
    }

    /// Receives what [`Self::hand_over`] sent. It is close-on-exec. Waits as the socket does.
    ///
    /// # Errors
    ///
    /// Those of recvmsg(2); `UnexpectedEof` where the other end was closed first, `InvalidData` for a message without a
    /// descriptor.
    pub fn receive(socket: BorrowedFd<'_>) -> io::Result<Self> {
        let mut rights = Rights::empty();
        let mut byte = 0_u8;
        let mut part = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
        let mut message = rights.message(&mut part);
        let received = loop {
            // SAFETY: the kernel writes to the places the message refers to, no more than the lengths in it.
            let received = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC) };
            match i32::try_from(received).map_err(io::Error::other).and_then(check) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        if received == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        let whole = message.msg_controllen >= Rights::LENGTH;
        if !whole || rights.header.cmsg_level != libc::SOL_SOCKET || rights.header.cmsg_type != libc::SCM_RIGHTS {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        // SAFETY: the kernel has just made this descriptor for us; there was room for no other.
        Ok(Self::from(unsafe { OwnedFd::from_raw_fd(rights.descriptor) }))
    }
}

impl Rights {
    /// `CMSG_LEN` of one descriptor, in bytes: without the padding at the structure's end, which would be room for another.
    const LENGTH: usize = mem::offset_of!(Self, descriptor) + size_of::<c_int>();

    fn empty() -> Self {
        // SAFETY: integers only, for which zero is a value.
        unsafe { mem::zeroed() }
    }

    fn message(&mut self, part: &mut libc::iovec) -> libc::msghdr {
        // SAFETY: integers and pointers that may be null; some libcs have private padding, so that it can't be written out.
        let mut message: libc::msghdr = unsafe { mem::zeroed() };
        message.msg_name = ptr::null_mut();
        message.msg_iov = ptr::from_mut(part);
        message.msg_iovlen = 1;
        message.msg_control = ptr::from_mut(self).cast();
        message.msg_controllen = Self::LENGTH;
        message
    }
}
