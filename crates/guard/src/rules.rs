//! What becomes of each system call, as it would be said in a sentence. The filter is made to agree with this.

use libc::{EACCES, ENOSYS, EOPNOTSUPP, EPERM};

use crate::numbers::{Abi, Operation};

/// What happens to calls that make or use internet sockets without the cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// The helper is asked ([`crate::Listener`]).
    Ask,
    /// As [`Self::Ask`], and what is refused in any case arrives there too, as [`crate::Call::Refused`]: for a helper that
    /// tells the user of each refusal.
    AskAndTell,
    /// As [`Self::AskAndTell`], and each program arrives too that is about to be executed, as [`crate::Call::Execute`]: for a
    /// helper that reports what the whole tree does.
    AskAndReport,
    /// They fail with `EACCES`. Without anyone to ask this takes along what a filter can't tell from the internet's: unix
    /// sockets' listen(2) and sendmsg(2), and unix addresses of 16 bytes and more.
    Refuse,
}

/// The intent of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What calls with a spare argument show to be passed. 0, which is what an unused register often holds, opens nothing.
    pub cookie: u64,
    /// What happens to those who don't show it.
    pub foreign: Foreign,
}

/// A system call as a filter sees it: `struct seccomp_data` of seccomp(2), without the instruction pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemCall {
    /// `AUDIT_ARCH_*` of linux/audit.h.
    pub arch: u32,
    /// The number in that architecture's table.
    pub number: u32,
    /// The argument registers, in order, as they are: the kernel takes the low half where an argument is an `int`.
    pub arguments: [u64; 6],
}

/// What becomes of a call.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is carried out as asked.
    Allow,
    /// Its thread waits until the helper answered.
    Ask,
    /// It fails with this errno.
    Refuse(i32),
    /// The process ends, as if by `SIGSYS`.
    Kill,
}

/// Families whose sockets stay on this machine.
pub(crate) const LOCAL_FAMILIES: [i32; 3] = [libc::AF_UNIX, libc::AF_NETLINK, libc::AF_ALG];
/// Families that uwt carries.
pub(crate) const INTERNET_FAMILIES: [i32; 2] = [libc::AF_INET, libc::AF_INET6];
/// Types that uwt carries, and the protocols that make TCP, Multipath TCP, UDP and UDP-Lite of them.
pub(crate) const CARRIED: [(i32, [i32; 3]); 2] = [
    (libc::SOCK_STREAM, [0, libc::IPPROTO_TCP, libc::IPPROTO_MPTCP]),
    (libc::SOCK_DGRAM, [0, libc::IPPROTO_UDP, libc::IPPROTO_UDPLITE]),
];
/// What may be added to a socket's type.
pub(crate) const TYPE_FLAGS: i32 = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
/// The length in bytes from which an address can be one of the internet: that of `struct sockaddr_in`. The kernel looks at
/// no byte behind, so that every longer one can too.
pub(crate) const INTERNET_LENGTH: u32 = 16;

impl Rules {
    /// What becomes of `call`.
    pub fn verdict(&self, call: &SystemCall) -> Verdict {
        self.told(self.decide(call))
    }

    /// A refusal is the helper's to carry out when it wants to know of it.
    pub(crate) fn told(&self, verdict: Verdict) -> Verdict {
        match verdict {
            Verdict::Refuse(_) if matches!(self.foreign, Foreign::AskAndTell | Foreign::AskAndReport) => Verdict::Ask,
            verdict => verdict,
        }
    }

    fn decide(&self, call: &SystemCall) -> Verdict {
        let Some(abi) = Abi::of(call.arch) else { return Verdict::Kill };
        let Some(operation) = abi.operation(call.number) else { return Verdict::Allow };
        let arguments = &call.arguments;
        let int = |index: usize| low(arguments[index]).cast_signed();
        let ours = self.cookie != 0 && abi.cookie.is_some_and(|index| arguments[index] == self.cookie);
        let foreign = if ours { Verdict::Allow } else { self.foreign() };
        match operation {
            Operation::Socket => match (int(0), int(1) & !TYPE_FLAGS, int(2)) {
                (family, ..) if LOCAL_FAMILIES.contains(&family) => Verdict::Allow,
                (family, kind, protocol) if INTERNET_FAMILIES.contains(&family) && is_carried(kind, protocol) => {
                    foreign
                }
                _ => Verdict::Refuse(EACCES),
            },
            Operation::SocketPair if int(0) == libc::AF_UNIX => Verdict::Allow,
            Operation::SocketPair => Verdict::Refuse(EACCES),
            Operation::Connect if may_be_internet(low(arguments[2])) => foreign,
            Operation::Connect => Verdict::Allow,
            Operation::Listen => foreign,
            // All six arguments are in use: there is no place for a cookie, the preload calls sendmsg(2) instead.
            Operation::SendTo if int(3) & libc::MSG_FASTOPEN != 0 => Verdict::Refuse(EOPNOTSUPP),
            Operation::SendTo if arguments[4] != 0 && may_be_internet(low(arguments[5])) => self.foreign(),
            Operation::SendTo => Verdict::Allow,
            Operation::SendMessage => message(int(2), ours, foreign),
            Operation::SendMessages => message(int(3), ours, foreign),
            Operation::SocketCall => Verdict::Refuse(EACCES),
            Operation::IoUring | Operation::OtherAbi => Verdict::Refuse(ENOSYS),
            Operation::TakeDescriptor => Verdict::Refuse(EPERM),
            Operation::Execute if self.foreign == Foreign::AskAndReport => Verdict::Ask,
            Operation::Execute => Verdict::Allow,
        }
    }

    /// What happens to an internet socket in hands other than the preload's.
    pub(crate) fn foreign(&self) -> Verdict {
        match self.foreign {
            Foreign::Ask | Foreign::AskAndTell | Foreign::AskAndReport => Verdict::Ask,
            Foreign::Refuse => Verdict::Refuse(EACCES),
        }
    }
}

/// The address of a message is in memory. Fast open makes a connection with it; programs know how to do without.
fn message(flags: i32, ours: bool, foreign: Verdict) -> Verdict {
    if !ours && flags & libc::MSG_FASTOPEN != 0 { Verdict::Refuse(EOPNOTSUPP) } else { foreign }
}

fn is_carried(kind: i32, protocol: i32) -> bool {
    CARRIED.iter().any(|(carried, protocols)| *carried == kind && protocols.contains(&protocol))
}

/// The address itself is in memory; its length tells only that a short one is a unix socket's.
fn may_be_internet(length: u32) -> bool {
    length >= INTERNET_LENGTH
}

/// The half that the kernel takes for an `int`.
#[expect(clippy::cast_possible_truncation, reason = "the kernel truncates, so must we")]
pub(crate) const fn low(argument: u64) -> u32 {
    argument as u32
}

#[cfg(test)]
mod tests;
