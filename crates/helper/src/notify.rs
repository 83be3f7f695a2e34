//! What the filter asks: the calls of programs that the preload does not serve.

use std::cell::OnceCell;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd, RawFd};
use std::rc::Rc;

use socket2::SockRef;
use uwt_guard::{Call, Listener, Notification, Refused};
use uwt_policy::{Errno, Level, SocketKind, SocketSpec};
use uwt_report::{Happening, Layer, Transport};

use crate::cage::Cage;
use crate::destination::shown;
use crate::outside::{Descriptor, Protocol};
use crate::report::{self, errno_name, transport_of};
use crate::shared::Shared;
use crate::sys;
use crate::tree::Process;

/// Answers until nobody is under the filter any more.
///
/// # Errors
/// The listener can't be waited for.
pub(crate) async fn serve(listener: Listener, shared: &Rc<Shared>) -> io::Result<()> {
    let listener = sys::watch(listener)?;
    let clerk = Clerk { shared: Rc::clone(shared), cage: OnceCell::new() };
    loop {
        let mut ready = listener.readable().await?;
        while let Some(notification) = listener.get_ref().next()? {
            clerk.answer(listener.get_ref(), &notification);
        }
        if ready.ready().is_read_closed() {
            if let Some(Some(cage)) = clerk.cage.get() {
                cage.see_the_rest();
            }
            return Ok(());
        }
        ready.clear_ready();
    }
}

/// What is done with a call.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It goes on as the program made it.
    Resume,
    /// It fails as the kernel would let it fail. It does not go on: by then there may be something under this number.
    NoDescriptor,
    /// It fails, and the user is told.
    Refuse(Errno, &'static str),
}

/// Carries a verdict out. What fails here fails because the program has ended meanwhile.
fn settle(listener: &Listener, id: u64, verdict: Verdict) {
    let _ = match verdict {
        Verdict::Resume => listener.resume(id),
        Verdict::NoDescriptor => listener.refuse(id, libc::EBADF),
        Verdict::Refuse(errno, _) => listener.refuse(id, errno.0),
    };
}

/// What a call is about.
#[derive(Clone, Copy, Debug)]
enum Subject {
    /// Nothing of the internet.
    Local,
    /// A socket with this inode number.
    Internet(u64),
    /// Nothing at all.
    Absent,
    /// The process may not be looked at (prctl(2), PR_SET_DUMPABLE).
    Hidden,
}

struct Clerk {
    shared: Rc<Shared>,
    cage: OnceCell<Option<Rc<Cage>>>,
}

impl Clerk {
    /// Answers one call. What fails here fails because the program has ended meanwhile.
    fn answer(&self, listener: &Listener, notification: &Notification) {
        let id = notification.id;
        let process = self.shared.tree.process(notification.thread);
        // Only now is it certain that the process found is the one that asks, and not a later one of the same number.
        let Ok(process) = process
            .and_then(|process| if listener.is_valid(id)? { Ok(process) } else { Err(io::ErrorKind::NotFound.into()) })
        else {
            // /proc does not show it: then nobody can tell whose circuits are its own.
            let what = "made a call, and nobody can tell which process it is";
            self.shared.happened_somewhere(|| refusal(what, None, Errno::EACCES));
            let _ = listener.refuse(id, libc::EACCES);
            return;
        };
        let verdict = match notification.call {
            Call::Socket { domain, kind, protocol } => {
                return self.socket(listener, id, &process, SocketSpec::from_raw(domain, kind, protocol), kind);
            }
            Call::Listen { fd, backlog } => return self.listen(listener, id, &process, fd, backlog),
            Call::Connect { fd, .. } => self.judge(&process, fd),
            Call::Send { fd } | Call::Message { fd } | Call::Messages { fd } => self.judge(&process, fd),
            Call::Refused { what, errno } => {
                let (what, transport) = (words(what), transport(what));
                // In a report they are whatever the voice.
                if self.shared.say.is_verbose() {
                    self.shared.say.refused(&process, &what, &self.shared.outside);
                }
                self.shared.happened(&process, || refusal(&what, transport, Errno(errno)));
                let _ = listener.refuse(id, errno);
                return;
            }
            Call::Execute => {
                let since = self.shared.will_execute(&process);
                settle(listener, id, Verdict::Resume);
                return report::executes(&self.shared, &process, since);
            }
            Call::Unknown => Verdict::Refuse(Errno::EACCES, "made a call that uwt does not know; refused"),
        };
        if let Verdict::Refuse(errno, what) = verdict {
            self.refused(&process, what, None, errno);
        }
        settle(listener, id, verdict);
    }

    fn refused(&self, process: &Process, what: &str, transport: Option<Transport>, errno: Errno) {
        self.shared.say.refused(process, what, &self.shared.outside);
        self.shared.happened(process, || refusal(what, transport, errno));
    }

    fn socket(&self, listener: &Listener, id: u64, process: &Rc<Process>, spec: SocketSpec, raw_kind: i32) {
        let (cage, socket) = match self.mint(process, spec, raw_kind) {
            Ok(minted) => minted,
            Err((errno, what)) => {
                // libc's own are among them: getaddrinfo(3) sorts addresses with sockets that send nothing.
                if spec.class() != SocketKind::Datagram || self.shared.say.is_verbose() {
                    self.shared.say.refused(process, what, &self.shared.outside);
                }
                let transport = transport_of(spec.domain, spec.kind, spec.protocol);
                self.shared.happened(process, || refusal(what, Some(transport), errno));
                let _ = listener.refuse(id, errno.0);
                return;
            }
        };
        match listener.give(id, socket.as_fd(), raw_kind & libc::SOCK_CLOEXEC != 0) {
            Ok(number) => {
                self.shared.appeared(process);
                let inode = nix::sys::stat::fstat(&socket).map_or(0, |status| status.st_ino);
                cage.given(process, number, inode);
            }
            Err(error) => {
                let _ = listener.refuse(id, error.raw_os_error().unwrap_or(libc::EACCES));
            }
        }
    }

    fn mint(
        &self,
        process: &Rc<Process>,
        spec: SocketSpec,
        raw_kind: i32,
    ) -> Result<(Rc<Cage>, OwnedFd), (Errno, &'static str)> {
        if self.shared.guard.level != Level::Tunnel {
            let what = match spec.class() {
                SocketKind::Datagram => "wanted a UDP socket that uwt can't serve (guard level `deny`); refused",
                _ => "wanted a connection that uwt's library does not see (guard level `deny`); refused",
            };
            return Err((Errno::EACCES, what));
        }
        let cage = self.cage(process).ok_or((Errno::EACCES, "wanted a socket, but no cage can be made; refused"))?;
        let socket = cage
            .mint(process, spec.domain, raw_kind, spec.protocol)
            .map_err(|errno| (errno, "wanted a socket that the cage can't make; refused"))?;
        Ok((cage, socket))
    }

    /// The cage, made when it is first needed. It is tried once: a process that has left its namespaces has no way back.
    fn cage(&self, process: &Process) -> Option<Rc<Cage>> {
        self.cage
            .get_or_init(|| match Cage::make(&self.shared) {
                Ok(cage) => Some(cage),
                Err(error) => {
                    let what = format!("has no network, nor has any program like it: no cage can be made ({error})");
                    self.shared.say.refused(process, &what, &self.shared.outside);
                    None
                }
            })
            .clone()
    }

    /// What a descriptor of a process is, as far as it matters here.
    fn look_at(&self, process: &Process, fd: RawFd) -> Subject {
        match self.shared.outside.descriptor(process.pid, fd) {
            Ok(Descriptor { protocol: Protocol::Local | Protocol::None, .. }) => Subject::Local,
            Ok(Descriptor { inode, .. }) => Subject::Internet(inode),
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Subject::Absent,
            Err(_) => Subject::Hidden,
        }
    }

    /// A call on a descriptor: on one of ours it may do what it likes, and on what is not of the internet.
    fn judge(&self, process: &Process, fd: RawFd) -> Verdict {
        match self.look_at(process, fd) {
            Subject::Local => Verdict::Resume,
            Subject::Absent => Verdict::NoDescriptor,
            Subject::Internet(inode) if self.is_caged(|cage| cage.is_caged(inode)) => Verdict::Resume,
            Subject::Internet(_) => Verdict::Refuse(Errno::EACCES, "used a socket from outside uwt; refused"),
            // By what it was given.
            Subject::Hidden if self.is_caged(|cage| cage.has_given(process, fd)) => Verdict::Resume,
            Subject::Hidden => Verdict::Refuse(Errno::EACCES, "used a socket that uwt can't look at; refused"),
        }
    }

    fn is_caged(&self, ask: impl FnOnce(&Cage) -> bool) -> bool {
        self.cage.get().and_then(Option::as_deref).is_some_and(ask)
    }

    fn listen(&self, listener: &Listener, id: u64, process: &Rc<Process>, fd: RawFd, backlog: i32) {
        let inode = match self.look_at(process, fd) {
            Subject::Local => return settle(listener, id, Verdict::Resume),
            Subject::Absent => return settle(listener, id, Verdict::NoDescriptor),
            // With another backlog.
            Subject::Internet(inode) if self.is_caged(|cage| cage.is_serving(inode)) => {
                return settle(listener, id, Verdict::Resume);
            }
            Subject::Internet(inode) => Some(inode),
            Subject::Hidden => None,
        };
        let cage = self.cage.get().cloned().flatten();
        let host = cage.ok_or(Errno::EACCES).and_then(|cage| cage.listen(process, inode, fd, backlog));
        let mut address = None;
        let replaced = host.and_then(|host| {
            address = SockRef::from(&host).local_addr().ok().and_then(|address| address.as_socket());
            // Where that can't be told, a program that is executed later gets no listening socket of the host.
            let flags = self.shared.outside.flags(process.pid, fd);
            let cloexec = flags.map_or(true, |flags| flags & libc::O_CLOEXEC != 0);
            listener.replace(id, host.as_fd(), fd, cloexec).map_err(|_| Errno::EACCES)
        });
        let _ = match replaced {
            Ok(()) => {
                if let Some(address) = address {
                    let server = || Happening::Server { layer: Layer::Cage, address: shown(address) };
                    self.shared.happened(process, server);
                }
                listener.answer(id, 0)
            }
            Err(errno) => {
                if errno == Errno::EACCES {
                    let what = "wanted to listen for connections from the network; refused";
                    self.refused(process, what, Some(Transport::Tcp), errno);
                }
                listener.refuse(id, errno.0)
            }
        };
    }
}

/// What the guard has refused; of the words for the user those that say what was wanted.
fn refusal(what: &str, transport: Option<Transport>, errno: Errno) -> Happening {
    let what = what.split_once("; ").map_or(what, |(wanted, _)| wanted).to_owned();
    Happening::Refused { layer: Layer::Guard, what, transport, destination: None, errno: errno_name(errno) }
}

/// The protocol of what was refused to everybody.
fn transport(what: Refused) -> Option<Transport> {
    match what {
        Refused::Socket { domain, kind, protocol } => Some(transport_of(domain, kind, protocol)),
        Refused::FastOpen => Some(Transport::Tcp),
        Refused::IoUring => Some(Transport::IoUring),
        Refused::SocketCall | Refused::TakeDescriptor | Refused::OtherAbi => None,
    }
}

/// What was refused to everybody, as the rest of a sentence behind a program's name.
fn words(what: Refused) -> String {
    match what {
        Refused::Socket { domain, kind, protocol } => {
            let kind = kind & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC);
            format!("wanted a socket that Tor can't carry (family {domain}, type {kind}, protocol {protocol}); refused")
        }
        Refused::FastOpen => "sent with MSG_FASTOPEN; refused, it can connect first".to_owned(),
        Refused::SocketCall => "used a socket by socketcall(2), as 32-bit programs do; refused".to_owned(),
        Refused::IoUring => {
            "wanted io_uring, which the guard can't see into; it was told that there is none".to_owned()
        }
        Refused::TakeDescriptor => "wanted another process's descriptor (pidfd_getfd); refused".to_owned(),
        Refused::OtherAbi => "made a system call of the x32 ABI; it was told that there is none".to_owned(),
    }
}
