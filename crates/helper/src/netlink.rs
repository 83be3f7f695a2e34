//! As much of netlink(7) as is needed: a dozen messages when the cage is made, and a few questions per connection.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};

/// `NLM_F_REQUEST`.
pub(crate) const REQUEST: u16 = 1;
/// `NLM_F_ACK`.
pub(crate) const ACK: u16 = 4;
/// `NLMSG_ERROR`: an acknowledgement, or an errno.
const ERROR: u16 = 2;
/// The length of `struct nlmsghdr`.
const HEADER: usize = 16;
/// Room for an answer: an acknowledgement quotes the request.
const ROOM: usize = 8192;

/// A netlink socket.
#[derive(Debug)]
pub(crate) struct Netlink(OwnedFd);

impl Netlink {
    /// A socket of the current network namespace.
    ///
    /// # Errors
    /// Those of socket(2).
    pub(crate) fn new(protocol: SockProtocol) -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC;
        Ok(Self(socket(AddressFamily::Netlink, SockType::Raw, flags, protocol)?))
    }

    /// By a socket that was made elsewhere.
    pub(crate) fn by(socket: OwnedFd) -> Self {
        Self(socket)
    }

    /// Gives the socket up.
    pub(crate) fn into_socket(self) -> OwnedFd {
        self.0
    }

    /// Sends messages that ask for an acknowledgement, and waits for all of them.
    ///
    /// # Errors
    /// The first that was refused; the others were carried out nevertheless.
    pub(crate) fn carry_out(&self, messages: &[Vec<u8>]) -> io::Result<()> {
        send(self.0.as_raw_fd(), &messages.concat(), MsgFlags::empty())?;
        let mut result = Ok(());
        let mut room = [0; ROOM];
        let mut left = messages.len();
        while left > 0 {
            let len = recv(self.0.as_raw_fd(), &mut room, MsgFlags::empty())?;
            for (kind, body) in Messages(room.get(..len).unwrap_or_default()) {
                if kind == ERROR {
                    left = left.saturating_sub(1);
                    result = result.and(acknowledged(body));
                }
            }
        }
        result
    }

    /// Sends one message and gives the body of the one that answers it, if that is of the `kind` expected.
    ///
    /// # Errors
    /// The kernel's answer, when it is an error.
    pub(crate) fn ask<T>(&self, message: &[u8], kind: u16, read: impl FnOnce(&[u8]) -> Option<T>) -> io::Result<T> {
        send(self.0.as_raw_fd(), message, MsgFlags::empty())?;
        let mut room = [0; ROOM];
        let len = recv(self.0.as_raw_fd(), &mut room, MsgFlags::empty())?;
        let invalid = || io::Error::from(io::ErrorKind::InvalidData);
        match Messages(room.get(..len).unwrap_or_default()).next() {
            Some((ERROR, body)) => Err(acknowledged(body).err().unwrap_or_else(invalid)),
            Some((answer, body)) if answer == kind => read(body).ok_or_else(invalid),
            _ => Err(invalid()),
        }
    }
}

/// A message: its type and flags, the structure its type asks for, and attributes by type.
pub(crate) fn message(kind: u16, flags: u16, body: &[u8], attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut message = vec![0; HEADER];
    append(&mut message, body);
    for (kind, value) in attributes {
        let len = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
        message.extend(len.to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        append(&mut message, value);
    }
    let len = u32::try_from(message.len()).unwrap_or(u32::MAX).to_ne_bytes();
    let header = len.into_iter().chain(kind.to_ne_bytes()).chain(flags.to_ne_bytes());
    for (place, byte) in message.iter_mut().zip(header) {
        *place = byte;
    }
    message
}

/// Bytes, and zeros up to the alignment of 4.
fn append(message: &mut Vec<u8>, bytes: &[u8]) {
    message.extend(bytes);
    message.resize(message.len().next_multiple_of(4), 0);
}

fn acknowledged(body: &[u8]) -> io::Result<()> {
    let error = body.first_chunk().copied().map(i32::from_ne_bytes);
    match error {
        Some(0) => Ok(()),
        Some(error) => Err(io::Error::from_raw_os_error(-error)),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// The types and bodies of the messages in a datagram.
struct Messages<'a>(&'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let len = usize::try_from(u32::from_ne_bytes(*self.0.first_chunk()?)).ok()?;
        let kind = u16::from_ne_bytes(*self.0.get(4..)?.first_chunk()?);
        let body = self.0.get(HEADER..len)?;
        self.0 = self.0.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_padded_and_read_back() {
        let first = message(24, REQUEST | ACK, &[1, 2, 3], &[(4, &[5]), (6, &[7, 8, 9, 10])]);
        assert_eq!(first[HEADER..], [1, 2, 3, 0, 5, 0, 4, 0, 5, 0, 0, 0, 8, 0, 6, 0, 7, 8, 9, 10]);
        let both = [first.clone(), message(25, REQUEST, &[9], &[])].concat();
        let read: Vec<_> = Messages(&both).collect();
        assert_eq!(read, [(24, &first[HEADER..]), (25, &[9, 0, 0, 0][..])]);
    }

    #[test]
    fn the_kernel_answers() {
        let route = Netlink::new(SockProtocol::NetlinkRoute).unwrap();
        // A change of a device that doesn't exist (RTM_NEWLINK), twice: both are answered.
        let body = [[0; 4], [0xff, 0xff, 0xff, 0x7f], [0; 4], [0; 4]].concat();
        let wrong = message(16, REQUEST | ACK, &body, &[]);
        let error = route.carry_out(&[wrong.clone(), wrong]).unwrap_err();
        assert!(matches!(error.raw_os_error(), Some(libc::ENODEV | libc::EPERM)), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn no_datagram_is_too_strange(bytes: Vec<u8>) {
            assert!(Messages(&bytes).count() <= bytes.len() / HEADER);
        }
    }
}
