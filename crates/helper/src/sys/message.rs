//! A message with descriptors from inside a guarded tree.

use std::ffi::{c_long, c_uint};
use std::io;
use std::mem::zeroed;
use std::os::fd::{AsRawFd, RawFd};

/// Room for the descriptors of one message, as `struct cmsghdr` has to lie (cmsg(3)).
#[repr(C, align(8))]
struct Room([u8; 64]);

/// sendmsg(2) of `message` with `descriptors` (`SCM_RIGHTS`, unix(7)), without a signal, and with `cookie` in the fifth
/// argument, which the call does not have: the guard's filter passes it then.
///
/// # Errors
/// The system call's; [`io::ErrorKind::InvalidInput`] for more than twelve descriptors.
pub(crate) fn send(socket: &impl AsRawFd, message: &[u8], descriptors: &[RawFd], cookie: u64) -> io::Result<()> {
    let mut room = Room([0; 64]);
    let invalid = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let bytes = c_uint::try_from(size_of_val(descriptors)).map_err(invalid)?;
    // SAFETY: computes a length.
    let space = usize::try_from(unsafe { libc::CMSG_SPACE(bytes) }).map_err(invalid)?;
    if space > room.0.len() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let part = libc::iovec { iov_base: message.as_ptr().cast_mut().cast(), iov_len: message.len() };
    // SAFETY: the structure is allowed to be all zeros, which is nothing at all. The header is written to the beginning of
    // the room, which is aligned and large enough for it and the descriptors behind it. What the kernel reads is alive; it
    // writes nothing.
    let result = unsafe {
        let mut header: libc::msghdr = zeroed();
        header.msg_iov = (&raw const part).cast_mut();
        header.msg_iovlen = 1;
        header.msg_control = (&raw mut room).cast();
        header.msg_controllen = space;
        let first = libc::CMSG_FIRSTHDR(&raw const header);
        (*first).cmsg_level = libc::SOL_SOCKET;
        (*first).cmsg_type = libc::SCM_RIGHTS;
        (*first).cmsg_len = libc::CMSG_LEN(bytes) as usize;
        libc::CMSG_DATA(first).copy_from_nonoverlapping(descriptors.as_ptr().cast(), size_of_val(descriptors));
        let flags = c_long::from(libc::MSG_NOSIGNAL);
        libc::syscall(
            libc::SYS_sendmsg,
            c_long::from(socket.as_raw_fd()),
            &raw const header,
            flags,
            0 as c_long,
            cookie,
        )
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;

    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};

    use super::super::received;
    use super::*;

    #[test]
    fn descriptors_arrive() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let pipes = [(); 5].map(|()| io::pipe().unwrap());
        send(&ours, b"five", &pipes.each_ref().map(|(_, write)| write.as_raw_fd()), 7).unwrap();
        let (mut text, mut control) = ([0; 8], nix::cmsg_space!([RawFd; 10]));
        let mut parts = [io::IoSliceMut::new(&mut text)];
        let message =
            recvmsg::<()>(theirs.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::MSG_CMSG_CLOEXEC).unwrap();
        assert_eq!(message.bytes, 4);
        let mut controls = message.cmsgs().unwrap();
        let Some(ControlMessageOwned::ScmRights(numbers)) = controls.next() else { panic!("no descriptors") };
        assert!(controls.next().is_none() && numbers.len() == 5);
        for (number, (mut read, _)) in numbers.into_iter().zip(pipes) {
            std::fs::File::from(received(number)).write_all(b"x").unwrap();
            assert_eq!(read.read(&mut [0; 1]).unwrap(), 1);
        }
        assert!(send(&ours, b"", &[0; 13], 7).is_err_and(|error| error.kind() == io::ErrorKind::InvalidInput));
    }
}
