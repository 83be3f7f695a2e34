//! What the helper is told about a call that waits for it.

use crate::numbers::{Abi, Operation};
use crate::rules::low;
use crate::{Foreign, Rules, SystemCall, Verdict};

/// A thread waits in a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notification {
    /// What answers refer to. It is never used again, unlike [`Self::thread`].
    pub id: u64,
    /// The *thread's* id, as the listener's process sees it; 0 where it can't, from another PID namespace. It is that
    /// thread's for certain only while [`crate::Listener::is_valid`] says so *after* looking something up by it.
    pub thread: u32,
    /// What it asks for.
    pub call: Call,
}

/// The calls that [`crate::Rules`] ask about, with those of their arguments that are no pointers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// socket(2).
    Socket {
        /// `AF_*`.
        domain: i32,
        /// `SOCK_*`, flags (`SOCK_NONBLOCK`, `SOCK_CLOEXEC`) included.
        kind: i32,
        /// `IPPROTO_*`.
        protocol: i32,
    },
    /// connect(2).
    Connect {
        /// The socket's number in the caller.
        fd: i32,
        /// The address's length in bytes.
        len: u32,
    },
    /// listen(2).
    Listen {
        /// The socket's number in the caller.
        fd: i32,
        /// How many connections may wait.
        backlog: i32,
    },
    /// sendto(2) with an address.
    Send {
        /// The socket's number in the caller.
        fd: i32,
    },
    /// sendmsg(2), whether with an address or not.
    Message {
        /// The socket's number in the caller.
        fd: i32,
    },
    /// sendmmsg(2), likewise.
    Messages {
        /// The socket's number in the caller.
        fd: i32,
    },
    /// execve(2) or execveat(2), told because of [`crate::Foreign::AskAndReport`]: what is executed is in memory, to be
    /// looked at when it runs. It is to go on.
    Execute,
    /// A call that is refused whoever makes it, and told because of [`crate::Foreign::AskAndTell`].
    Refused {
        /// What it asks for.
        what: Refused,
        /// What it is to be answered with.
        errno: i32,
    },
    /// None of them: another filter's notification, to be refused.
    Unknown,
}

/// What is refused whoever asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// socket(2) or socketpair(2) of a kind that uwt does not carry.
    Socket {
        /// `AF_*`.
        domain: i32,
        /// `SOCK_*`, flags included.
        kind: i32,
        /// `IPPROTO_*`.
        protocol: i32,
    },
    /// sendto(2), sendmsg(2) or sendmmsg(2) with `MSG_FASTOPEN` (tcp(7)).
    FastOpen,
    /// socketcall(2).
    SocketCall,
    /// io_uring_setup(2) and its companions.
    IoUring,
    /// pidfd_getfd(2).
    TakeDescriptor,
    /// A system call of the x32 ABI.
    OtherAbi,
}

impl Call {
    /// Reads the registers.
    pub(crate) fn decode(call: &SystemCall) -> Self {
        let int = |index: usize| low(call.arguments[index]).cast_signed();
        let operation = Abi::of(call.arch).and_then(|abi| abi.operation(call.number));
        // Nobody's cookie is 0: as of any program but the preload.
        let rules = Rules { cookie: 0, foreign: Foreign::Ask };
        if let Verdict::Refuse(errno) = rules.verdict(call) {
            let what = match operation {
                Some(Operation::Socket | Operation::SocketPair) => {
                    Refused::Socket { domain: int(0), kind: int(1), protocol: int(2) }
                }
                Some(Operation::SendTo | Operation::SendMessage | Operation::SendMessages) => Refused::FastOpen,
                Some(Operation::SocketCall) => Refused::SocketCall,
                Some(Operation::IoUring) => Refused::IoUring,
                Some(Operation::TakeDescriptor) => Refused::TakeDescriptor,
                Some(Operation::OtherAbi) => Refused::OtherAbi,
                Some(Operation::Connect | Operation::Listen | Operation::Execute) | None => return Self::Unknown,
            };
            return Self::Refused { what, errno };
        }
        match operation {
            Some(Operation::Socket) => Self::Socket { domain: int(0), kind: int(1), protocol: int(2) },
            Some(Operation::Connect) => Self::Connect { fd: int(0), len: low(call.arguments[2]) },
            Some(Operation::Listen) => Self::Listen { fd: int(0), backlog: int(1) },
            Some(Operation::SendTo) => Self::Send { fd: int(0) },
            Some(Operation::SendMessage) => Self::Message { fd: int(0) },
            Some(Operation::SendMessages) => Self::Messages { fd: int(0) },
            Some(Operation::Execute) => Self::Execute,
            Some(
                Operation::SocketPair
                | Operation::SocketCall
                | Operation::IoUring
                | Operation::TakeDescriptor
                | Operation::OtherAbi,
            )
            | None => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(arch: u32, number: u32, arguments: [u64; 3]) -> Call {
        let [a, b, c] = arguments;
        Call::decode(&SystemCall { arch, number, arguments: [a, b, c, 0, 0, 0] })
    }

    #[test]
    fn both_architectures() {
        const X86_64: u32 = 0xc000_003e;
        const I386: u32 = 0x4000_0003;
        for (native, compat, expected) in [
            (41, 359, Call::Refused { what: Refused::Socket { domain: 7, kind: -2, protocol: 9 }, errno: 13 }),
            (42, 362, Call::Connect { fd: 7, len: 9 }),
            (50, 363, Call::Listen { fd: 7, backlog: -2 }),
            (44, 369, Call::Send { fd: 7 }),
            (46, 370, Call::Message { fd: 7 }),
            (307, 345, Call::Messages { fd: 7 }),
            (53, 360, Call::Refused { what: Refused::Socket { domain: 7, kind: -2, protocol: 9 }, errno: 13 }),
            (425, 425, Call::Refused { what: Refused::IoUring, errno: 38 }),
            (438, 438, Call::Refused { what: Refused::TakeDescriptor, errno: 1 }),
            (59, 11, Call::Execute),
            (322, 358, Call::Execute),
        ] {
            // The upper halves are noise.
            let arguments = [0xffff_ffff_0000_0007, 0x1234_5678_ffff_fffe, 0x1_0000_0009];
            assert_eq!(decode(X86_64, native, arguments), expected, "{native}");
            assert_eq!(decode(I386, compat, arguments), expected, "{compat}");
        }
        for (arch, number) in [(X86_64, 41), (I386, 359)] {
            let carried = Call::Socket { domain: 10, kind: 0x801, protocol: 6 };
            assert_eq!(decode(arch, number, [10, 0x801, 6]), carried);
        }
        for (number, third) in [(46, 0x2000_0000), (307, 0)] {
            let call = SystemCall { arch: X86_64, number, arguments: [7, 0, third, 0x2000_0000, 0, 0] };
            assert_eq!(Call::decode(&call), Call::Refused { what: Refused::FastOpen, errno: 95 });
        }
        assert_eq!(decode(X86_64, 0x4000_0029, [2, 1, 6]), Call::Refused { what: Refused::OtherAbi, errno: 38 });
        assert_eq!(decode(I386, 102, [1, 0, 0]), Call::Refused { what: Refused::SocketCall, errno: 13 });
        assert_eq!(decode(0xc000_00b7, 41, [2, 1, 6]), Call::Unknown);
        assert_eq!(decode(X86_64, 0, [2, 1, 6]), Call::Unknown);
    }
}
