//! What can only be done outside the cage's namespaces: host sockets, and questions about other programs' descriptors.
//!
//! Until a cage is made the helper does it itself. Then [`Outside::separate`] forks the *outsider*: a process that stays
//! in the host's namespaces, answers one request after the other and ends with the helper.

use std::cell::RefCell;
use std::ffi::CString;
use std::fs;
use std::io::{self, IoSlice, IoSliceMut, Write as _};
use std::os::fd::{AsFd as _, AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};

use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg, send, sendmsg, socket,
    socketpair,
};
use nix::unistd::ForkResult;

use crate::diag::Diag;
use crate::sys;

/// Host sockets per request: SCM_RIGHTS carries up to 253 (unix(7)).
const BATCH: usize = 16;
/// The longest message between helper and outsider: a path, or a line for a program's stderr.
const LONGEST: usize = 4096 + 64;

/// What a descriptor of another process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// Its protocol.
    pub(crate) protocol: Protocol,
    /// Its inode number: one socket's for as long as it exists, in every process.
    pub(crate) inode: u64,
}

/// The protocol of a descriptor (the attribute `system.sockprotoname`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// No socket at all.
    None,
    /// A family that stays on this machine: unix, netlink, kernel crypto.
    Local,
    /// Everything else.
    Internet,
}

/// The way outside.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    outsider: RefCell<Option<OwnedFd>>,
    spare: RefCell<[Vec<OwnedFd>; 2]>,
}

const SOCKETS: u8 = 1;
const DESCRIPTOR: u8 = 2;
const PROGRAM: u8 = 3;
const SAY: u8 = 4;
const FLAGS: u8 = 5;
const AT_END: u8 = 6;
const DIAG: u8 = 7;

impl Outside {
    /// A TCP socket of the host's network, non-blocking and close-on-exec.
    ///
    /// # Errors
    /// Those of socket(2), or the outsider has ended.
    pub(crate) fn stream(&self, v6: bool) -> io::Result<OwnedFd> {
        if self.outsider.borrow().is_none() {
            return host_stream(v6);
        }
        if let Some(socket) = self.spare(v6, Vec::pop) {
            return Ok(socket);
        }
        let (_, sockets) = self.ask(SOCKETS, &[u8::from(v6)])?;
        self.spare(v6, |spare| {
            spare.extend(sockets);
            spare.pop()
        })
        .ok_or_else(|| io::Error::from(io::ErrorKind::Other))
    }

    fn spare<T>(&self, v6: bool, act: impl FnOnce(&mut Vec<OwnedFd>) -> T) -> T {
        let [v4_sockets, v6_sockets] = &mut *self.spare.borrow_mut();
        act(if v6 { v6_sockets } else { v4_sockets })
    }

    /// What answers questions about the host's connections.
    ///
    /// # Errors
    /// Those of socket(2), or the outsider has ended.
    pub(crate) fn diag(&self) -> io::Result<Diag> {
        if self.outsider.borrow().is_none() {
            return Diag::new();
        }
        let (_, sockets) = self.ask(DIAG, &[])?;
        sockets.into_iter().next().map(Diag::by).ok_or_else(|| io::Error::from(io::ErrorKind::Other))
    }

    /// What descriptor `fd` of a process or thread is.
    ///
    /// # Errors
    /// EACCES or EPERM where the process may not be looked at (it is not dumpable), ENOENT where there is no such
    /// descriptor or process.
    pub(crate) fn descriptor(&self, pid: u32, fd: RawFd) -> io::Result<Descriptor> {
        if self.outsider.borrow().is_none() {
            return look_at(pid, fd);
        }
        let mut body = pid.to_le_bytes().to_vec();
        body.extend(fd.to_le_bytes());
        let (answer, _) = self.ask(DESCRIPTOR, &body)?;
        let (protocol, inode) = answer.split_first().ok_or(io::ErrorKind::InvalidData)?;
        let protocol = match protocol {
            0 => Protocol::None,
            1 => Protocol::Local,
            _ => Protocol::Internet,
        };
        let inode = inode.first_chunk().ok_or(io::ErrorKind::InvalidData)?;
        Ok(Descriptor { protocol, inode: u64::from_le_bytes(*inode) })
    }

    /// The flags of descriptor `fd` of a process: those of open(2), `O_CLOEXEC` among them (proc_pid_fdinfo(5)).
    ///
    /// # Errors
    /// As for [`Self::descriptor`].
    pub(crate) fn flags(&self, pid: u32, fd: RawFd) -> io::Result<i32> {
        if self.outsider.borrow().is_none() {
            return flags(pid, fd);
        }
        let mut body = pid.to_le_bytes().to_vec();
        body.extend(fd.to_le_bytes());
        let (answer, _) = self.ask(FLAGS, &body)?;
        Ok(i32::from_le_bytes(*answer.first_chunk().ok_or(io::ErrorKind::InvalidData)?))
    }

    /// The path of a process's program.
    ///
    /// # Errors
    /// As for [`Self::descriptor`].
    pub(crate) fn program(&self, pid: u32) -> io::Result<Vec<u8>> {
        if self.outsider.borrow().is_none() {
            return program(pid);
        }
        self.ask(PROGRAM, &pid.to_le_bytes()).map(|(path, _)| path)
    }

    /// Writes a line to a process's stderr, if that is a terminal, a pipe or a file and can be written at once.
    pub(crate) fn say(&self, pid: u32, line: &str) {
        if self.outsider.borrow().is_none() {
            return say(pid, line.as_bytes());
        }
        let mut body = pid.to_le_bytes().to_vec();
        body.extend(line.as_bytes().iter().take(LONGEST - 64));
        // A line that can't be written is no reason to fail.
        let _ = self.ask(SAY, &body);
    }

    /// Forks the outsider. The caller leaves the host's namespaces afterwards.
    ///
    /// # Errors
    /// Those of socketpair(2) and fork(2).
    pub(crate) fn separate(&self) -> io::Result<()> {
        let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        match sys::fork()? {
            ForkResult::Parent { .. } => {
                self.outsider.replace(Some(ours));
                Ok(())
            }
            ForkResult::Child => {
                // Above all not the filter's listener: as long as somebody has it, trapped calls wait for an answer.
                let kept = sys::close_all_but(0, &[theirs.as_fd()]);
                if kept.is_ok() {
                    let _ = nix::sys::prctl::set_name(c"uwt-outsider");
                    serve(&theirs);
                }
                sys::exit(0)
            }
        }
    }

    /// Has the outsider send this message on this socket when the helper has ended, however that comes about.
    ///
    /// # Errors
    /// There is no outsider (any more).
    pub(crate) fn at_end(&self, socket: &OwnedFd, message: &[u8]) -> io::Result<()> {
        let number = [socket.as_raw_fd()];
        self.ask_with(AT_END, message, &[ControlMessage::ScmRights(&number)]).map(drop)
    }

    fn ask(&self, kind: u8, body: &[u8]) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
        self.ask_with(kind, body, &[])
    }

    fn ask_with(&self, kind: u8, body: &[u8], rights: &[ControlMessage<'_>]) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
        let outsider = self.outsider.borrow();
        let outsider = outsider.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let kind = [kind];
        let parts = [IoSlice::new(&kind), IoSlice::new(body)];
        sendmsg::<()>(outsider.as_raw_fd(), &parts, rights, MsgFlags::MSG_NOSIGNAL, None)?;
        let (mut message, sockets) = receive(outsider)?;
        if !sockets.is_empty() {
            // Not before it has closed its own: what is closed here would stay open there.
            receive(outsider)?;
        }
        let error = message.first_chunk().map(|bytes| i32::from_le_bytes(*bytes));
        match error {
            Some(0) => Ok((message.split_off(4), sockets)),
            Some(errno) => Err(io::Error::from_raw_os_error(errno)),
            None => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
        }
    }
}

/// One message and the descriptors that came with it.
fn receive(socket: &OwnedFd) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    let mut bytes = vec![0; LONGEST];
    let mut control = nix::cmsg_space!([RawFd; BATCH]);
    let mut parts = [IoSliceMut::new(&mut bytes)];
    let message = loop {
        match recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::MSG_CMSG_CLOEXEC) {
            Err(nix::errno::Errno::EINTR) => {}
            result => break result?,
        }
    };
    let (len, mut descriptors) = (message.bytes, Vec::new());
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(numbers) = control {
            descriptors.extend(numbers.into_iter().map(sys::received));
        }
    }
    bytes.truncate(len);
    Ok((bytes, descriptors))
}

/// The outsider's life: until the helper has ended.
fn serve(helper: &OwnedFd) {
    let mut last = None;
    while let Ok((message, mut received)) = receive(helper)
        && let Some((kind, body)) = message.split_first()
    {
        let mut sockets = Vec::new();
        let answer = match *kind {
            AT_END => {
                last = received.pop().map(|socket| (socket, body.to_vec()));
                Ok(Vec::new())
            }
            kind => answer(kind, body, &mut sockets),
        };
        let errno = answer.as_ref().err().map_or(0, |error| error.raw_os_error().unwrap_or(libc::EIO));
        let (errno, body) = (errno.to_le_bytes(), answer.unwrap_or_default());
        let numbers: Vec<RawFd> = sockets.iter().map(AsRawFd::as_raw_fd).collect();
        let rights = [ControlMessage::ScmRights(&numbers)];
        let rights = if numbers.is_empty() { &[][..] } else { &rights[..] };
        let parts = [IoSlice::new(&errno), IoSlice::new(&body)];
        let mut sent = sendmsg::<()>(helper.as_raw_fd(), &parts, rights, MsgFlags::MSG_NOSIGNAL, None);
        if !sockets.is_empty() {
            drop(sockets);
            let closed = [IoSlice::new(&errno)];
            sent = sent.and_then(|_| sendmsg::<()>(helper.as_raw_fd(), &closed, &[], MsgFlags::MSG_NOSIGNAL, None));
        }
        if sent.is_err() {
            break;
        }
    }
    if let Some((socket, message)) = last {
        // Nobody is left to be told that it failed.
        let _ = send(socket.as_raw_fd(), &message, MsgFlags::MSG_DONTWAIT);
    }
}

fn answer(kind: u8, body: &[u8], sockets: &mut Vec<OwnedFd>) -> io::Result<Vec<u8>> {
    let word = |at: usize| {
        let bytes = body.get(at..).and_then(<[u8]>::first_chunk).ok_or(io::ErrorKind::InvalidInput)?;
        io::Result::Ok(u32::from_le_bytes(*bytes))
    };
    match kind {
        SOCKETS => {
            for _ in 0..BATCH {
                match host_stream(body == [1]) {
                    Ok(socket) => sockets.push(socket),
                    Err(error) if sockets.is_empty() => return Err(error),
                    Err(_) => break,
                }
            }
            Ok(Vec::new())
        }
        DIAG => {
            sockets.push(Diag::new()?.into_socket());
            Ok(Vec::new())
        }
        DESCRIPTOR => {
            let found = look_at(word(0)?, word(4)?.cast_signed())?;
            let mut answer = vec![match found.protocol {
                Protocol::None => 0,
                Protocol::Local => 1,
                Protocol::Internet => 2,
            }];
            answer.extend(found.inode.to_le_bytes());
            Ok(answer)
        }
        FLAGS => Ok(flags(word(0)?, word(4)?.cast_signed())?.to_le_bytes().to_vec()),
        PROGRAM => program(word(0)?),
        SAY => {
            say(word(0)?, body.get(4..).unwrap_or_default());
            Ok(Vec::new())
        }
        _ => Err(io::Error::from(io::ErrorKind::InvalidInput)),
    }
}

fn host_stream(v6: bool) -> io::Result<OwnedFd> {
    let family = if v6 { AddressFamily::Inet6 } else { AddressFamily::Inet };
    Ok(socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, None)?)
}

fn look_at(pid: u32, fd: RawFd) -> io::Result<Descriptor> {
    let path = format!("/proc/{pid}/fd/{fd}");
    let metadata = fs::metadata(&path)?;
    let inode = metadata.ino();
    if !metadata.file_type().is_socket() {
        return Ok(Descriptor { protocol: Protocol::None, inode });
    }
    let mut name = [0; 64];
    let name = sys::attribute(&CString::new(path)?, c"system.sockprotoname", &mut name)?;
    let name = name.strip_suffix(&[0]).unwrap_or(name);
    // The names of the kernel's struct proto.
    let local = matches!(name, b"UNIX" | b"UNIX-STREAM" | b"NETLINK" | b"ALG");
    Ok(Descriptor { protocol: if local { Protocol::Local } else { Protocol::Internet }, inode })
}

fn flags(pid: u32, fd: RawFd) -> io::Result<i32> {
    let text = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}"))?;
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| i32::from_str_radix(flags.trim(), 8).ok());
    flags.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}

fn program(pid: u32) -> io::Result<Vec<u8>> {
    Ok(fs::read_link(format!("/proc/{pid}/exe"))?.as_os_str().as_bytes().to_vec())
}

fn say(pid: u32, line: &[u8]) {
    let options = libc::O_APPEND | libc::O_NONBLOCK | libc::O_NOCTTY;
    let stderr = fs::OpenOptions::new().write(true).custom_flags(options).open(format!("/proc/{pid}/fd/2"));
    if let Ok(mut stderr) = stderr {
        // One write, so that lines of several programs do not mix.
        let _ = stderr.write(line);
    }
}
