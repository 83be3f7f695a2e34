//! Carrying a connection after its CONNECT succeeded.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional_with_sizes, duplex};
use tokio::net::TcpStream;

use super::line::Line;
use super::options::{Fault, Service};
use crate::peer::{self, Endings};

/// Large enough for bulk throughput.
pub(crate) const BUFFER: usize = 256 * 1024;
/// Most connections carry little: start small.
pub(crate) const SMALL: usize = 4096;

/// Serves the client until it is done. `early` is what it sent before the reply.
pub(crate) async fn carry(
    mut client: TcpStream,
    upstream: Option<TcpStream>,
    early: &[u8],
    service: Service,
    endings: &Endings,
) -> io::Result<()> {
    if let Some(mut upstream) = upstream {
        upstream.write_all(early).await?;
        copy_bidirectional_with_sizes(&mut client, &mut upstream, BUFFER, BUFFER).await?;
        return Ok(());
    }
    if service == Service::Obey {
        peer::obey(client, early, endings).await;
        return Ok(());
    }
    serve(client, early, service).await
}

/// The same at the end of a line, which the reply has to travel too.
pub(crate) async fn carry_far(
    line: Line,
    client: TcpStream,
    upstream: Option<TcpStream>,
    (early, reply): (&[u8], &[u8]),
    service: Service,
    fault: Option<Fault>,
) -> io::Result<()> {
    if let Some(upstream) = upstream {
        return line.carry(client, upstream, early, reply, fault).await;
    }
    let (near, far) = duplex(BUFFER);
    tokio::try_join!(line.carry(client, near, early, reply, fault), serve(far, &[], service))?;
    Ok(())
}

/// What the gateway does itself.
async fn serve(mut client: impl AsyncRead + AsyncWrite + Unpin, early: &[u8], service: Service) -> io::Result<()> {
    match service {
        Service::Source => source(client).await,
        // It looks at the client's own socket, which is not here.
        Service::Obey => Err(io::ErrorKind::Unsupported.into()),
        Service::Discard => absorb(&mut client, false).await,
        Service::Relay | Service::Echo => {
            client.write_all(early).await?;
            absorb(&mut client, true).await
        }
    }
}

/// Reads to the end; writes everything back when `echo`.
async fn absorb(client: &mut (impl AsyncRead + AsyncWrite + Unpin), echo: bool) -> io::Result<()> {
    let mut buffer = vec![0; SMALL];
    loop {
        let count = client.read(&mut buffer).await?;
        if count == 0 {
            return client.shutdown().await;
        }
        if echo {
            client.write_all(&buffer[..count]).await?;
        }
        if count == buffer.len() && count < BUFFER {
            buffer.resize(BUFFER, 0);
        }
    }
}

/// Writes zeros until the client closes.
async fn source(mut client: impl AsyncWrite + Unpin) -> io::Result<()> {
    let zeros = vec![0; BUFFER];
    loop {
        client.write_all(&zeros).await?;
    }
}
