//! What the calls that concern the guard are called on each architecture: the one place with their numbers.

/// A call, or a kind of calls, about which the rules say something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// socket(2).
    Socket,
    /// socketpair(2).
    SocketPair,
    /// connect(2).
    Connect,
    /// listen(2).
    Listen,
    /// sendto(2), and so send(2).
    SendTo,
    /// sendmsg(2).
    SendMessage,
    /// sendmmsg(2).
    SendMessages,
    /// socketcall(2): all of the above with the arguments in memory, where a filter can't see them.
    SocketCall,
    /// io_uring_setup(2) and its two companions: sockets without system calls.
    IoUring,
    /// pidfd_getfd(2): a socket out of a process that isn't guarded.
    TakeDescriptor,
    /// execve(2), execveat(2): the process becomes another program.
    Execute,
    /// A number of another ABI under this architecture's name.
    OtherAbi,
}

/// Consecutive numbers with one meaning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calls {
    /// The lowest number.
    pub(crate) first: u32,
    /// The highest number, included.
    pub(crate) last: u32,
    /// What they do.
    pub(crate) operation: Operation,
}

/// How programs of one architecture call the kernel.
#[derive(Debug)]
pub(crate) struct Abi {
    /// `AUDIT_ARCH_*` of linux/audit.h.
    pub(crate) arch: u32,
    /// Which argument, counted from 0, holds the cookie; `None` where no preload shows one.
    pub(crate) cookie: Option<usize>,
    /// In ascending order.
    pub(crate) calls: &'static [Calls],
}

/// `AUDIT_ARCH_X86_64`: `EM_X86_64`, 64 bits, little endian.
pub(crate) const X86_64: u32 = 0xc000_003e;
/// `AUDIT_ARCH_I386`: `EM_386`, little endian.
pub(crate) const I386: u32 = 0x4000_0003;

/// Every architecture this kernel may meet, its own first. Others are killed.
pub(crate) static ABIS: &[Abi] = &[
    Abi {
        arch: X86_64,
        cookie: Some(4),
        calls: &[
            one(41, Operation::Socket),
            one(42, Operation::Connect),
            one(44, Operation::SendTo),
            one(46, Operation::SendMessage),
            one(50, Operation::Listen),
            one(53, Operation::SocketPair),
            one(59, Operation::Execute),
            one(307, Operation::SendMessages),
            one(322, Operation::Execute),
            Calls { first: 425, last: 427, operation: Operation::IoUring },
            one(438, Operation::TakeDescriptor),
            // x32's own calls. Before Linux 5.4 they were to be had under these numbers, without the x32 bit.
            Calls { first: 512, last: 547, operation: Operation::OtherAbi },
            // Everything with the x32 bit.
            Calls { first: 0x4000_0000, last: u32::MAX, operation: Operation::OtherAbi },
        ],
    },
    // 32-bit programs, and 64-bit ones by `int 0x80`.
    Abi {
        arch: I386,
        cookie: None,
        calls: &[
            one(11, Operation::Execute),
            one(102, Operation::SocketCall),
            one(345, Operation::SendMessages),
            one(358, Operation::Execute),
            one(359, Operation::Socket),
            one(360, Operation::SocketPair),
            one(362, Operation::Connect),
            one(363, Operation::Listen),
            one(369, Operation::SendTo),
            one(370, Operation::SendMessage),
            Calls { first: 425, last: 427, operation: Operation::IoUring },
            one(438, Operation::TakeDescriptor),
        ],
    },
];

const fn one(number: u32, operation: Operation) -> Calls {
    Calls { first: number, last: number, operation }
}

impl Abi {
    /// The table of an `AUDIT_ARCH_*` value.
    pub(crate) fn of(arch: u32) -> Option<&'static Self> {
        ABIS.iter().find(|abi| abi.arch == arch)
    }

    /// What a call number means; `None` where the guard doesn't care.
    pub(crate) fn operation(&self, number: u32) -> Option<Operation> {
        self.calls.iter().find(|calls| (calls.first..=calls.last).contains(&number)).map(|calls| calls.operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_numbers_are_those_of_libc() {
        let native = Abi::of(X86_64).unwrap();
        for (number, operation) in [
            (libc::SYS_socket, Operation::Socket),
            (libc::SYS_connect, Operation::Connect),
            (libc::SYS_sendto, Operation::SendTo),
            (libc::SYS_sendmsg, Operation::SendMessage),
            (libc::SYS_listen, Operation::Listen),
            (libc::SYS_socketpair, Operation::SocketPair),
            (libc::SYS_sendmmsg, Operation::SendMessages),
            (libc::SYS_io_uring_setup, Operation::IoUring),
            (libc::SYS_io_uring_enter, Operation::IoUring),
            (libc::SYS_io_uring_register, Operation::IoUring),
            (libc::SYS_pidfd_getfd, Operation::TakeDescriptor),
            (libc::SYS_execve, Operation::Execute),
            (libc::SYS_execveat, Operation::Execute),
        ] {
            assert_eq!(native.operation(u32::try_from(number).unwrap()), Some(operation), "{number}");
        }
        for harmless in [libc::SYS_read, libc::SYS_accept4, libc::SYS_recvmsg, libc::SYS_bind, libc::SYS_futex] {
            assert_eq!(native.operation(u32::try_from(harmless).unwrap()), None, "{harmless}");
        }
    }

    #[test]
    fn tables_ascend() {
        for abi in ABIS {
            assert!(abi.calls.iter().all(|calls| calls.first <= calls.last));
            assert!(abi.calls.windows(2).all(|pair| pair[0].last < pair[1].first), "{:#x}", abi.arch);
        }
        assert_eq!(ABIS[0].arch, X86_64);
    }
}
