//! Names and addresses, as the session's DNS mode says.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use uwt_policy::{
    DnsMode, Errno, HostName, HostVerdict, Numeric, OWN_ADDRESS, ReverseVerdict, host, resolved, reverse,
};
use uwt_session::Session;
use uwt_socks5::{Answer, Command, ReplyCode, Target};

use crate::abi::AddressText;
use crate::carry::{name_of, session};
use crate::dial::{Failure, Patience, dial};
use crate::{helper, state, sys};

/// What a host name stands for.
pub(crate) enum Found {
    /// An address literal that libc can read without asking anyone.
    Literal(Numeric),
    /// This address, reserved or real.
    Address(IpAddr),
}

/// Why a lookup gave nothing.
#[derive(Clone, Copy)]
pub(crate) enum Missing {
    /// There is no such name, or no name for the address.
    NotFound,
    /// The gateway could not say now.
    TryAgain,
    /// Not allowed: there is no session.
    Refused,
}

/// Looks up a host name; `v6` asks for an address of that family for loopback names.
pub(crate) fn address(name: &[u8], v6: bool) -> Result<Found, Missing> {
    let session = session().map_err(|_| Missing::Refused)?;
    let own = own_name();
    let found = match host(name, trimmed(&own)) {
        HostVerdict::Numeric(numeric) => return Ok(Found::Literal(numeric)),
        HostVerdict::Loopback | HostVerdict::OwnHost if v6 => Ipv6Addr::LOCALHOST.into(),
        HostVerdict::Loopback => Ipv4Addr::LOCALHOST.into(),
        HostVerdict::OwnHost => OWN_ADDRESS.into(),
        HostVerdict::NotFound => return Err(Missing::NotFound),
        HostVerdict::Remote(name) if session.dns == DnsMode::Names || name.is_onion() => reserve(session, &name)?,
        HostVerdict::Remote(name) => resolve(session, &name)?,
    };
    Ok(Found::Address(found))
}

fn reserve(session: &Session<'_>, name: &HostName) -> Result<IpAddr, Missing> {
    if let Some(guard) = &session.guard {
        return helper::address(guard, name).map(IpAddr::V4).ok_or(Missing::TryAgain);
    }
    let candidate = |attempt| session.secret.name_bits(name.as_str(), attempt);
    state::names(|names| names.insert(name, candidate)).map(IpAddr::V4).ok_or(Missing::TryAgain)
}

fn resolve(session: &Session<'_>, name: &HostName) -> Result<IpAddr, Missing> {
    let target = Target::Name { host: name.as_str().as_bytes(), port: 0 };
    let address = match ask(session, Command::Resolve, target, name.as_str())? {
        Answer::V4(v4) => IpAddr::V4(*v4.ip()),
        Answer::V6(v6) => IpAddr::V6(*v6.ip()),
        Answer::Name(..) => return Err(Missing::TryAgain),
    };
    resolved(address).ok_or(Missing::NotFound)
}

/// Looks up the name of an address.
pub(crate) fn name(address: IpAddr) -> Result<HostName, Missing> {
    let session = session().map_err(|_| Missing::Refused)?;
    match reverse(address, trimmed(&own_name()), session.bind) {
        ReverseVerdict::Reserved(address) => name_of(session, address.into()).ok_or(Missing::NotFound),
        ReverseVerdict::Known(name) => Ok(name),
        ReverseVerdict::NotFound => Err(Missing::NotFound),
        ReverseVerdict::Remote(address) => {
            let target = match address {
                IpAddr::V4(v4) => Target::V4(SocketAddrV4::new(v4, 0)),
                IpAddr::V6(v6) => Target::V6(SocketAddrV6::new(v6, 0, 0, 0)),
            };
            let text = AddressText::of(address);
            match ask(session, Command::ResolvePtr, target, text.as_str())? {
                // What an exit says is checked as strictly as what a program asks.
                Answer::Name(name, _) => HostName::parse(name.as_bytes()).ok_or(Missing::NotFound),
                Answer::V4(_) | Answer::V6(_) => Err(Missing::NotFound),
            }
        }
    }
}

/// One question to the gateway on a socket of its own, closed again before this returns.
fn ask(session: &Session<'_>, command: Command, target: Target<'_>, what: &str) -> Result<Answer, Missing> {
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    let fd = sys::socket(libc::AF_INET, kind, 0).map_err(|_| Missing::TryAgain)?;
    let gateway = SocketAddr::V4(session.gateway);
    let answer = dial(session, fd, gateway, command, target, what, Patience::of_lookup(session));
    sys::close(fd);
    answer.map_err(|failure| match failure {
        // Tor's answer when the exit found no such name.
        Failure::Refused(ReplyCode::HostUnreachable) => Missing::NotFound,
        _ => Missing::TryAgain,
    })
}

fn own_name() -> [u8; 65] {
    sys::host_name()
}

fn trimmed(name: &[u8]) -> &[u8] {
    name.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The errno for functions that report by errno.
impl From<Missing> for Errno {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::NotFound => Self::ENOENT,
            Missing::TryAgain => Self::EAGAIN,
            Missing::Refused => Self::EACCES,
        }
    }
}
