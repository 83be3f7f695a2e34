//! How it ended.

use std::fmt;

use nix::errno::Errno;

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With this exit status.
    Status(u8),
    /// By a signal of this number.
    Signal(u8),
}

/// Why the helper does not run a program: nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The asker is not root, or has other rights than the helper.
    Rights,
    /// The asker is in a user or process id namespace that the helper can't enter.
    Namespaces,
    /// The order was not understood.
    Order,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rights => "it has other rights than the outermost uwt had",
            Self::Namespaces => "it is in other namespaces than the outermost uwt was",
            Self::Order => "the helper belongs to another version of uwt",
        })
    }
}

/// What became of an order.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The program ran.
    Ended(Ending),
    /// It was not run.
    Refused(Refusal),
    /// It could not be run: ENOENT where it is not installed.
    Failed(Errno),
}

impl Outcome {
    /// The body of the reply.
    pub(super) fn to_bytes(self) -> [u8; 3] {
        let (kind, number) = match self {
            Self::Ended(Ending::Status(status)) => (0, status.into()),
            Self::Ended(Ending::Signal(signal)) => (1, signal.into()),
            Self::Refused(Refusal::Rights) => (2, 0),
            Self::Refused(Refusal::Namespaces) => (2, 1),
            Self::Refused(Refusal::Order) => (2, 2),
            // The kernel's errno values are below 4096.
            Self::Failed(errno) => (3, u16::try_from(errno as i32).unwrap_or_default()),
        };
        let [low, high] = number.to_le_bytes();
        [kind, low, high]
    }

    /// Reads the body of the reply.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let [kind, low, high] = *<&[u8; 3]>::try_from(body).ok()?;
        let number = u16::from_le_bytes([low, high]);
        let small = u8::try_from(number).ok();
        Some(match (kind, small) {
            (0, Some(status)) => Self::Ended(Ending::Status(status)),
            (1, Some(signal)) => Self::Ended(Ending::Signal(signal)),
            (2, Some(0)) => Self::Refused(Refusal::Rights),
            (2, Some(1)) => Self::Refused(Refusal::Namespaces),
            (2, Some(2)) => Self::Refused(Refusal::Order),
            (3, _) => Self::Failed(Errno::from_raw(number.into())),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_read_back() {
        for outcome in [
            Outcome::Ended(Ending::Status(0)),
            Outcome::Ended(Ending::Status(255)),
            Outcome::Ended(Ending::Signal(15)),
            Outcome::Refused(Refusal::Rights),
            Outcome::Refused(Refusal::Namespaces),
            Outcome::Refused(Refusal::Order),
            Outcome::Failed(Errno::ENOENT),
            Outcome::Failed(Errno::EHWPOISON),
        ] {
            assert_eq!(Outcome::parse(&outcome.to_bytes()), Some(outcome));
        }
        for bad in [&[][..], &[0, 0], &[0, 0, 1], &[1, 0, 1], &[2, 3, 0], &[4, 0, 0], &[0; 4]] {
            assert_eq!(Outcome::parse(bad), None);
        }
    }
}
