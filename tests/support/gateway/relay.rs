//! Carrying a connection after its CONNECT succeeded.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional_with_sizes};
use tokio::net::TcpStream;

use super::options::Service;

/// Large enough for bulk throughput.
const BUFFER: usize = 256 * 1024;
/// Most connections carry little: start small.
const SMALL: usize = 4096;

/// Serves the client until it is done. `early` is what it sent before the reply.
pub(crate) async fn carry(
    mut client: TcpStream,
    upstream: Option<TcpStream>,
    early: &[u8],
    service: Service,
) -> io::Result<()> {
    if let Some(mut upstream) = upstream {
        upstream.write_all(early).await?;
        copy_bidirectional_with_sizes(&mut client, &mut upstream, BUFFER, BUFFER).await?;
        return Ok(());
    }
    match service {
        Service::Source => source(client).await,
        Service::Discard => absorb(&mut client, false).await,
        Service::Relay | Service::Echo => {
            client.write_all(early).await?;
            absorb(&mut client, true).await
        }
    }
}

/// Reads to the end; writes everything back when `echo`.
async fn absorb(client: &mut TcpStream, echo: bool) -> io::Result<()> {
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
async fn source(mut client: TcpStream) -> io::Result<()> {
    let zeros = vec![0; BUFFER];
    loop {
        client.write_all(&zeros).await?;
    }
}
