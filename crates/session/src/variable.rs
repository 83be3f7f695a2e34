//! The one environment variable, and what it says.
//!
//! `UWT_SESSION` is a list of `key=value` words separated by single spaces, the version first. Every key is required
//! once, an unknown one is an error: a preload that does not understand its launcher carries nothing at all.

use core::fmt;
use core::net::{Ipv4Addr, SocketAddrV4};
use core::str::FromStr;

use uwt_policy::{CredentialForm, DnsMode, Inbound, Level, Route, Scope};

use crate::{Guard, Secret};

/// The name of the environment variable.
pub const VARIABLE: &str = "UWT_SESSION";

/// The longest value in bytes that is understood.
pub const MAX_VARIABLE: usize = 4096;

const VERSION: &str = "1";

/// A file by device and inode number (stat(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    /// `st_dev`.
    pub device: u64,
    /// `st_ino`.
    pub inode: u64,
}

/// How much is said on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// Nothing while the program runs, whatever happens.
    Silent,
    /// What went wrong, or is not as one might believe.
    Terse,
    /// Each connection too.
    Verbose,
}

/// Which settings were given on the command line, and so are not changed by a nested `uwt` that was not told to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pinned {
    /// The gateway.
    pub gateway: bool,
    /// The isolation scope.
    pub scope: bool,
    /// The way names are looked up.
    pub dns: bool,
}

/// What every wrapped program is told.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session<'a> {
    /// The gateway's SocksPort.
    pub gateway: SocketAddrV4,
    /// What credentials and reserved addresses are derived from: random per session; the user's own in the scopes
    /// `command` and `identity`.
    pub secret: Secret,
    /// The isolation scope.
    pub scope: Scope,
    /// How credentials are written.
    pub credentials: CredentialForm,
    /// How names are looked up.
    pub dns: DnsMode,
    /// Who may connect to wrapped servers.
    pub inbound: Inbound,
    /// The address that wrapped servers are bound to instead of loopback or every address ([`uwt_policy::moved`]).
    pub bind: Option<Ipv4Addr>,
    /// Whether services of this machine may be reached directly.
    pub allow_loopback: bool,
    /// Whether a Tor on this machine may be reached directly.
    pub local_tor: bool,
    /// How long a connect may take until the gateway has answered, in seconds.
    pub timeout: u16,
    /// Whether a connect succeeds at once, and data goes out right behind the request to the gateway: a refusal is then a
    /// reset.
    pub optimistic: bool,
    /// How much is said on stderr.
    pub voice: Voice,
    /// Whether the helper is told what is done with the network ([`crate::report`]).
    pub report: bool,
    /// The guard the process tree runs under, if it has one.
    pub guard: Option<Guard>,
    /// What the command line fixed.
    pub pinned: Pinned,
    /// The launcher, the one static program that may be executed: it protects what it starts.
    pub launcher: FileId,
    /// Paths of programs that may run unprotected because they use no network, separated by colons.
    pub trusted: &'a str,
    /// The path of the preload library, without white space and colons (ld.so(8), `LD_PRELOAD`).
    pub preload: &'a str,
}

/// The variable could not be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl<'a> Session<'a> {
    /// Reads the variable's value.
    ///
    /// # Errors
    /// It is not exactly what [`fmt::Display`] writes in this version.
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        let mut words = Words(Some(text));
        let session = Self {
            gateway: {
                if words.next("version")? != VERSION {
                    return Err(Malformed);
                }
                gateway(words.next("gateway")?).ok_or(Malformed)?
            },
            secret: secret(words.next("secret")?)?,
            scope: words.parse("scope")?,
            credentials: words.parse("credentials")?,
            dns: words.parse("dns")?,
            inbound: words.parse("inbound")?,
            bind: bind(words.next("bind")?)?,
            allow_loopback: words.switch("loopback")?,
            local_tor: words.switch("local-tor")?,
            timeout: words.number("timeout", u16::MAX.into())?.try_into().map_err(|_| Malformed)?,
            optimistic: words.switch("optimistic")?,
            voice: match words.number("voice", 2)? {
                0 => Voice::Silent,
                1 => Voice::Terse,
                _ => Voice::Verbose,
            },
            report: words.switch("report")?,
            guard: guard(words.next("guard")?)?,
            pinned: Pinned {
                gateway: words.switch("gateway-pinned")?,
                scope: words.switch("scope-pinned")?,
                dns: words.switch("dns-pinned")?,
            },
            launcher: FileId { device: words.number("device", u64::MAX)?, inode: words.number("inode", u64::MAX)? },
            trusted: words.next("trusted")?,
            preload: words.next("preload")?,
        };
        let complete = words.0.is_none() && !session.preload.is_empty();
        if complete { Ok(session) } else { Err(Malformed) }
    }

    /// What [`uwt_policy::connect`] asks for.
    #[must_use]
    pub fn route(&self) -> Route {
        Route { gateway: self.gateway, allow_loopback: self.allow_loopback, local_tor: self.local_tor }
    }

    /// Whether `path` is one of the trusted programs.
    #[must_use]
    pub fn is_trusted(&self, path: &[u8]) -> bool {
        !path.is_empty() && self.trusted.as_bytes().split(|byte| *byte == b':').any(|trusted| trusted == path)
    }
}

impl fmt::Display for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version={VERSION} gateway={} secret={}", self.gateway, Hex(&self.secret))?;
        write!(f, " scope={} credentials={} dns={}", self.scope, self.credentials, self.dns)?;
        write!(f, " inbound={} bind=", self.inbound)?;
        match self.bind {
            Some(address) => write!(f, "{address}")?,
            None => f.write_str(NOWHERE)?,
        }
        write!(f, " loopback={} local-tor={}", u8::from(self.allow_loopback), u8::from(self.local_tor))?;
        write!(f, " timeout={} optimistic={}", self.timeout, u8::from(self.optimistic))?;
        write!(f, " voice={} report={}", self.voice as u8, u8::from(self.report))?;
        match &self.guard {
            Some(guard) => write!(f, " guard={}:{}", guard.level, Hex(&guard.secret))?,
            None => write!(f, " guard={}", Level::Off)?,
        }
        let Pinned { gateway, scope, dns } = self.pinned;
        write!(f, " gateway-pinned={} scope-pinned={}", u8::from(gateway), u8::from(scope))?;
        write!(f, " dns-pinned={} device={}", u8::from(dns), self.launcher.device)?;
        write!(f, " inode={} trusted={} preload={}", self.launcher.inode, self.trusted, self.preload)
    }
}

struct Hex<'a>(&'a Secret);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The text that is not read yet; none behind the last word.
struct Words<'a>(Option<&'a str>);

impl<'a> Words<'a> {
    #[inline(never)]
    fn next(&mut self, key: &str) -> Result<&'a str, Malformed> {
        let text = self.0.ok_or(Malformed)?;
        // Bytes, because the searcher of `str::split_once` is four times as large.
        let end = text.bytes().position(|byte| byte == b' ');
        let word = text.get(..end.unwrap_or(text.len())).ok_or(Malformed)?;
        self.0 = end.and_then(|end| text.get(end.checked_add(1)?..));
        word.strip_prefix(key).and_then(|rest| rest.strip_prefix('=')).ok_or(Malformed)
    }

    fn parse<T: FromStr>(&mut self, key: &str) -> Result<T, Malformed> {
        self.next(key)?.parse().map_err(|_| Malformed)
    }

    #[inline(never)]
    fn number(&mut self, key: &str, most: u64) -> Result<u64, Malformed> {
        decimal(self.next(key)?.as_bytes(), most).ok_or(Malformed)
    }

    fn switch(&mut self, key: &str) -> Result<bool, Malformed> {
        Ok(self.number(key, 1)? != 0)
    }
}

/// `a.b.c.d:port`.
fn gateway(text: &str) -> Option<SocketAddrV4> {
    let (host, port) = text.split_at_checked(text.bytes().position(|byte| byte == b':')?)?;
    let [low, high, ..] = decimal(port.as_bytes().get(1..)?, u16::MAX.into())?.to_le_bytes();
    Some(SocketAddrV4::new(address(host)?, u16::from_le_bytes([low, high])))
}

/// `a.b.c.d`.
#[inline(never)]
fn address(text: &str) -> Option<Ipv4Addr> {
    let mut parts = text.as_bytes().split(|byte| *byte == b'.');
    let mut octets = [0; 4];
    for octet in &mut octets {
        *octet = decimal(parts.next()?, 255)?.to_le_bytes()[0];
    }
    parts.next().is_none().then(|| octets.into())
}

/// Servers are bound where they ask to be.
const NOWHERE: &str = "none";

/// `none`, or an address, which is never that for every address: to be let in there is to be let in everywhere.
fn bind(text: &str) -> Result<Option<Ipv4Addr>, Malformed> {
    if text == NOWHERE {
        return Ok(None);
    }
    address(text).filter(|address| !address.is_unspecified()).map(Some).ok_or(Malformed)
}

/// A number of at most `most`, as [`fmt::Display`] writes it: digits without a sign, no leading zero.
#[inline(never)]
fn decimal(text: &[u8], most: u64) -> Option<u64> {
    let mut value = 0_u64;
    for digit in text {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit & 0xf))?;
    }
    let canonical = text == b"0" || !matches!(text, [] | [b'0', ..]);
    (canonical && value <= most).then_some(value)
}

/// `off`, or a level, a colon and a secret.
fn guard(text: &str) -> Result<Option<Guard>, Malformed> {
    let Some(end) = text.bytes().position(|byte| byte == b':') else {
        return if text == Level::Off.as_str() { Ok(None) } else { Err(Malformed) };
    };
    let (level, rest) = text.split_at_checked(end).ok_or(Malformed)?;
    let level: Level = level.parse().map_err(|()| Malformed)?;
    let secret = secret(rest.get(1..).ok_or(Malformed)?)?;
    if level == Level::Off { Err(Malformed) } else { Ok(Some(Guard { level, secret })) }
}

fn secret(text: &str) -> Result<Secret, Malformed> {
    if text.len() != 2 * Secret::LEN || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Malformed);
    }
    let mut bytes = [0; Secret::LEN];
    for (index, digit) in text.bytes().enumerate() {
        let value = if digit.is_ascii_digit() { digit & 0xf } else { (digit & 0xf) + 9 };
        if let Some(byte) = bytes.get_mut(index / 2) {
            *byte = *byte << 4 | value;
        }
    }
    Ok(Secret::new(bytes))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::string::ToString;

    pub(crate) fn session() -> Session<'static> {
        Session {
            gateway: "10.152.152.10:9050".parse().unwrap(),
            secret: Secret::new([0xa5; 32]),
            scope: Scope::Process,
            credentials: CredentialForm::Plain,
            dns: DnsMode::Names,
            inbound: Inbound::Loopback,
            bind: None,
            allow_loopback: true,
            local_tor: true,
            timeout: 150,
            optimistic: false,
            voice: Voice::Terse,
            report: false,
            guard: Some(Guard { level: Level::Tunnel, secret: Secret::new([0x5a; 32]) }),
            pinned: Pinned { gateway: true, scope: false, dns: false },
            launcher: FileId { device: 2049, inode: 77 },
            trusted: "/sbin/ldconfig:/usr/sbin/ldconfig",
            preload: "/usr/lib/x86_64-linux-gnu/uwt/libuwt_preload.so",
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let text = session().to_string();
        assert!(text.len() < MAX_VARIABLE);
        assert_eq!(Session::parse(&text), Ok(session()));
        let unguarded = Session { guard: None, ..session() };
        assert_eq!(Session::parse(&unguarded.to_string()), Ok(unguarded));
        for voice in [Voice::Silent, Voice::Verbose] {
            let session = Session { voice, ..session() };
            assert_eq!(Session::parse(&session.to_string()), Ok(session));
        }
        let reported = Session { report: true, ..session() };
        assert!(reported.to_string().contains(" report=1 "));
        assert_eq!(Session::parse(&reported.to_string()), Ok(reported));
        let serving = Session { bind: Some(Ipv4Addr::new(10, 152, 152, 11)), ..session() };
        assert!(serving.to_string().contains(" bind=10.152.152.11 "));
        assert_eq!(Session::parse(&serving.to_string()), Ok(serving));
        let untrusting = Session { trusted: "", ..session() }.to_string();
        assert!(Session::parse(&untrusting).is_ok_and(|session| !session.is_trusted(b"")));
    }

    #[test]
    fn trusted_paths_match_exactly() {
        assert!(session().is_trusted(b"/sbin/ldconfig"));
        for path in [&b"/sbin"[..], b"ldconfig", b"/sbin/ldconfig:/usr/sbin/ldconfig", b""] {
            assert!(!session().is_trusted(path));
        }
    }

    #[test]
    fn anything_else_is_malformed() {
        let good = session().to_string();
        for bad in [
            std::string::String::new(),
            "1".into(),
            good.replace("version=1", "version=2"),
            good.replace("scope=process", "scope=proces"),
            good.replace("loopback=1", "loopback=yes"),
            good.replace("bind=none", "bind="),
            good.replace("bind=none", "bind=0.0.0.0"),
            good.replace("bind=none", "bind=10.152.152"),
            good.replace("bind=none", "bind=10.152.152.11:80"),
            good.replace(" bind=none", ""),
            good.replace("local-tor=1", "local-tor="),
            good.replace(":9050", ""),
            good.replace(":9050", ":65536"),
            good.replace(":9050", ":"),
            good.replace(":9050", ":9050:1"),
            good.replace(":9050", ".9050"),
            good.replace("10.152.", "10:152."),
            good.replace("10.152.", "10.256."),
            good.replace("10.152.", "010.152."),
            good.replace("10.152.", "10..152."),
            good.replace("timeout=150", "timeout=+150"),
            good.replace("timeout=150", "timeout=0150"),
            good.replace("timeout=150", "timeout="),
            good.replace("inode=77", "inode=18446744073709551616"),
            good.replace("voice=1", "voice=3"),
            good.replace("report=0", "report=2"),
            good.replace(" report=0", ""),
            good.replace("optimistic=0 ", ""),
            good.replace("secret=a5", "secret=g5"),
            good.replace("secret=a5", "secret="),
            good.replace("secret=a5", "secret=+5"),
            good.replace("timeout=150", "timeout=70000"),
            good.replace("guard=tunnel", "guard=off"),
            good.replace("guard=tunnel:", "guard=tunnel"),
            good.replace("guard=tunnel:5a", "guard=tunnel:"),
            good.replace(":5a5a", ":5a5a:"),
            good.replace(" dns=names", ""),
            good.replace(" dns=", "  dns="),
            good.clone() + " extra=1",
            good.split(" preload").next().unwrap().into(),
            good.split("/usr/lib/x86").next().unwrap().into(),
        ] {
            assert_eq!(Session::parse(&bad), Err(Malformed), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn garbage_never_panics(text: std::string::String) {
            assert_eq!(Session::parse(&text), Err(Malformed));
        }
    }
}
