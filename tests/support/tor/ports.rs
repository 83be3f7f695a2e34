//! Free TCP ports on loopback for programs that cannot pick their own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context as _, Result, bail};

/// Hands out ports that are free now, none of them twice.
#[derive(Debug)]
pub(crate) struct Ports {
    given: Vec<u16>,
}

impl Ports {
    /// Nothing handed out yet.
    pub(crate) fn new() -> Self {
        Self { given: Vec::new() }
    }

    /// One more free port on 127.0.0.1.
    pub(crate) fn free(&mut self) -> Result<u16> {
        self.free_on(Ipv4Addr::LOCALHOST.into())
    }

    /// Replaces port 0 in a list of addresses; an empty list becomes one address on 127.0.0.1.
    pub(crate) fn fill(&mut self, wanted: &[SocketAddr]) -> Result<Vec<SocketAddr>> {
        let default = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
        let wanted = if wanted.is_empty() { &default } else { wanted };
        let fill = |address: &SocketAddr| match address.port() {
            0 => Ok(SocketAddr::new(address.ip(), self.free_on(address.ip())?)),
            _ => Ok(*address),
        };
        wanted.iter().map(fill).collect()
    }

    /// A free port on an address. It is closed again before the program takes it: the kernel draws at random from some
    /// 28,000 ports, so nobody else is likely to get it in between.
    fn free_on(&mut self, address: IpAddr) -> Result<u16> {
        for _ in 0..100 {
            let listener = TcpListener::bind((address, 0)).with_context(|| format!("bind a free port on {address}"))?;
            let port = listener.local_addr()?.port();
            if !self.given.contains(&port) {
                self.given.push(port);
                return Ok(port);
            }
        }
        bail!("no free port on {address}")
    }
}
