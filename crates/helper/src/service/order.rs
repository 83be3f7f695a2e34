//! What shall be run, as text.

use std::ffi::{CStr, CString};

use nix::sys::stat::Mode;

/// One of the programs that start services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// invoke-rc.d(8), which maintainer scripts use.
    InvokeRcD,
    /// service(8), which administrators use.
    Service,
    /// start-stop-daemon(8), which init scripts use.
    StartStopDaemon,
}

impl Service {
    /// The folders in which Debian has them, in the order in which they are looked up.
    pub const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    /// The one of this name.
    #[must_use]
    pub fn of(name: &[u8]) -> Option<Self> {
        [Self::InvokeRcD, Self::Service, Self::StartStopDaemon].into_iter().find(|it| it.name().as_bytes() == name)
    }

    /// Its file name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvokeRcD => "invoke-rc.d",
            Self::Service => "service",
            Self::StartStopDaemon => "start-stop-daemon",
        }
    }
}

/// A program that shall be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Which one.
    pub service: Service,
    /// Its arguments, `argv[0]` first.
    pub arguments: Vec<CString>,
    /// Its environment.
    pub environment: Vec<CString>,
}

impl Order {
    /// The longest that is accepted, in bytes: arguments, environment and a little more.
    pub const MAX: usize = 1 << 20;
}

/// An order, and what it takes of the asker's process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) order: Order,
    /// The asker's umask(2).
    pub(super) umask: Mode,
    /// Which of the first three descriptors it has.
    pub(super) standard: [bool; 3],
}

/// Another version may send something else.
const VERSION: &CStr = c"1";

impl Sent {
    /// As C strings, each with its NUL: version, program, umask in octal, the open ones of the first three descriptors, the
    /// number of arguments, the arguments, the environment.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let Order { service, arguments, environment } = &self.order;
        let standard: String =
            (0..).zip(self.standard).filter(|(_, open)| *open).map(|(fd, _)| fd.to_string()).collect();
        let numbers = format!("{:o}\0{standard}\0{}\0", self.umask.bits(), arguments.len());
        let mut bytes = [VERSION.to_bytes_with_nul(), service.name().as_bytes(), b"\0", numbers.as_bytes()].concat();
        for text in arguments.iter().chain(environment) {
            bytes.extend(text.as_bytes_with_nul());
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] writes; `None` for anything else.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut texts = bytes.split_inclusive(|byte| *byte == 0).map(CStr::from_bytes_with_nul);
        let mut next = || texts.next()?.ok();
        if next()? != VERSION {
            return None;
        }
        let service = Service::of(next()?.to_bytes())?;
        let umask = Mode::from_bits(u32::from_str_radix(next()?.to_str().ok()?, 8).ok()?)?;
        let open = next()?.to_bytes();
        let standard = [b'0', b'1', b'2'].map(|fd| open.contains(&fd));
        let count: usize = next()?.to_str().ok()?.parse().ok()?;
        let mut rest = texts.map(|text| text.ok().map(CStr::to_owned)).collect::<Option<Vec<_>>>()?;
        if count == 0 || count > rest.len() {
            return None;
        }
        let environment = rest.split_off(count);
        let sent = Self { order: Order { service, arguments: rest, environment }, umask, standard };
        // What could be written in several ways is accepted in one.
        (sent.to_bytes() == bytes).then_some(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent() -> Sent {
        let texts = |texts: &[&CStr]| texts.iter().map(|text| (*text).to_owned()).collect();
        let order = Order {
            service: Service::StartStopDaemon,
            arguments: texts(&[c"start-stop-daemon", c"--start", c"", c"a\nb\xff"]),
            environment: texts(&[c"PATH=/bin", c"odd"]),
        };
        Sent { order, umask: Mode::from_bits_truncate(0o027), standard: [true, false, true] }
    }

    #[test]
    fn orders_are_read_back() {
        let whole = sent();
        assert_eq!(
            whole.to_bytes(),
            b"1\0start-stop-daemon\x0027\x0002\x004\0start-stop-daemon\0--start\0\0a\nb\xff\0PATH=/bin\0odd\0"
        );
        let bare = Sent {
            order: Order { environment: Vec::new(), arguments: vec![c"x".to_owned()], service: Service::Service },
            standard: [false; 3],
            umask: Mode::empty(),
        };
        for sent in [whole, bare] {
            assert_eq!(Sent::parse(&sent.to_bytes()), Some(sent));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let good = String::from_utf8_lossy(&sent().to_bytes()).into_owned().replace('\u{fffd}', "y");
        assert!(Sent::parse(good.as_bytes()).is_some());
        for (from, to) in [
            ("1\0start", "2\0start"),
            ("\0start-stop-daemon\x0027", "\0/bin/sh\x0027"),
            ("\0start-stop-daemon\x0027", "\0\x0027"),
            ("\x0027\0", "\x00027\0"),
            ("\x0027\0", "\x008\0"),
            ("\x0027\0", "\x00100000\0"),
            ("\x0002\0", "\x0020\0"),
            ("\x0002\0", "\x0003\0"),
            ("\x004\0", "\x000\0"),
            ("\x004\0", "\x007\0"),
            ("\x004\0", "\0-1\0"),
            ("\x004\0", "\x00+4\0"),
            ("odd\0", "odd"),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from:?}");
            assert_eq!(Sent::parse(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(Sent::parse(b""), None);
    }

    proptest::proptest! {
        #[test]
        fn garbage_never_panics(bytes: Vec<u8>) {
            let good = sent().to_bytes();
            assert_eq!(Sent::parse(&bytes), None);
            // What is added behind is one more variable, or none.
            let longer = [good, bytes].concat();
            assert!(Sent::parse(&longer).is_none_or(|sent| sent.to_bytes() == longer));
        }
    }

    #[test]
    fn programs_by_their_names() {
        for service in [Service::InvokeRcD, Service::Service, Service::StartStopDaemon] {
            assert_eq!(Service::of(service.name().as_bytes()), Some(service));
        }
        for other in [&b""[..], b"sh", b"services", b"/usr/sbin/service", b"Service"] {
            assert_eq!(Service::of(other), None);
        }
    }
}
