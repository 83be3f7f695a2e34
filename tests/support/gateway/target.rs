//! From a request to a reply code and a connection.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpStream;
use tor_socksproto::{SocksAddr, SocksStatus};

use super::options::{GatewayOptions, Service};
use super::request::{Command, Request};

/// The answer to a request.
pub(crate) struct Answer {
    /// Reply code.
    pub(crate) status: SocksStatus,
    /// Address or name in the reply.
    pub(crate) address: Option<SocksAddr>,
    /// The connection to the target, when there is one.
    pub(crate) upstream: Option<TcpStream>,
}

impl Answer {
    /// A reply that carries nothing but a code.
    pub(crate) fn code(status: SocksStatus) -> Self {
        Self { status, address: None, upstream: None }
    }

    /// The answer to RESOLVE or `RESOLVE_PTR`.
    fn found(address: Option<SocksAddr>) -> Self {
        let status = if address.is_some() { SocksStatus::SUCCEEDED } else { SocksStatus::HOST_UNREACHABLE };
        Self { status, address, upstream: None }
    }
}

/// Does what the request asks for.
pub(crate) async fn answer(request: &Request, options: &GatewayOptions) -> Answer {
    match request.command {
        Command::Resolve => Answer::found(resolve(&request.host, options).map(SocksAddr::Ip)),
        Command::ResolvePtr => {
            let name = request.host.parse().ok().and_then(|address: IpAddr| options.hosts.reverse(address));
            Answer::found(name.and_then(|name| name.try_into().ok()).map(SocksAddr::Hostname))
        }
        Command::Connect if options.service == Service::Relay => connect(request, options).await,
        Command::Connect => Answer::code(SocksStatus::SUCCEEDED),
        Command::Other(_) => Answer::code(SocksStatus::COMMAND_NOT_SUPPORTED),
    }
}

/// Connects to where the request shall go.
async fn connect(request: &Request, options: &GatewayOptions) -> Answer {
    let host = request.host.to_ascii_lowercase();
    let route = |port| options.routes.get(&(host.clone(), port)).copied();
    let target = route(request.port).or_else(|| route(0));
    let target = target.or_else(|| Some(SocketAddr::new(resolve(&host, options)?, request.port)));
    let Some(target) = target else { return Answer::code(SocksStatus::HOST_UNREACHABLE) };
    match TcpStream::connect(target).await {
        Ok(stream) => Answer { upstream: Some(stream), ..Answer::code(SocksStatus::SUCCEEDED) },
        Err(error) => Answer::code(status_of(&error)),
    }
}

/// The address of a host: itself, or from the table.
fn resolve(host: &str, options: &GatewayOptions) -> Option<IpAddr> {
    host.parse().ok().or_else(|| options.hosts.lookup(host)?.first().copied())
}

/// The reply code Tor gives for a failed connection.
fn status_of(error: &io::Error) -> SocksStatus {
    match error.kind() {
        ErrorKind::ConnectionRefused => SocksStatus::CONNECTION_REFUSED,
        ErrorKind::NetworkUnreachable => SocksStatus::NETWORK_UNREACHABLE,
        ErrorKind::HostUnreachable => SocksStatus::HOST_UNREACHABLE,
        ErrorKind::TimedOut => SocksStatus::TTL_EXPIRED,
        _ => SocksStatus::GENERAL_FAILURE,
    }
}
