//! Carrying a connection after its CONNECT succeeded.

use std::io;
use std::num::NonZeroU32;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional_with_sizes, duplex};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use super::line::Line;
use super::options::{Fault, GatewayOptions, Service};
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
    options: &GatewayOptions,
    endings: &Endings,
) -> io::Result<()> {
    if let Some(mut upstream) = upstream {
        upstream.write_all(early).await?;
        copy_bidirectional_with_sizes(&mut client, &mut upstream, BUFFER, BUFFER).await?;
        return Ok(());
    }
    if options.service == Service::Obey {
        peer::obey(client, early, endings).await;
        return Ok(());
    }
    serve(client, early, options).await
}

/// The same at the end of a line, which the reply has to travel too.
pub(crate) async fn carry_far(
    line: Line,
    client: TcpStream,
    upstream: Option<TcpStream>,
    (early, reply): (&[u8], &[u8]),
    options: &GatewayOptions,
    fault: Option<Fault>,
) -> io::Result<()> {
    if let Some(upstream) = upstream {
        return line.carry(client, upstream, early, reply, fault).await;
    }
    let (near, far) = duplex(BUFFER);
    tokio::try_join!(line.carry(client, near, early, reply, fault), serve(far, &[], options))?;
    Ok(())
}

/// What the gateway does itself.
async fn serve(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    early: &[u8],
    options: &GatewayOptions,
) -> io::Result<()> {
    let pace = Pace::new(options.rate);
    match options.service {
        Service::Source => source(client, pace).await,
        // It looks at the client's own socket, which is not here.
        Service::Obey => Err(io::ErrorKind::Unsupported.into()),
        Service::Discard => absorb(&mut client, false, pace).await,
        Service::Relay | Service::Echo => {
            client.write_all(early).await?;
            absorb(&mut client, true, Pace::new(None)).await
        }
    }
}

/// Reads to the end; writes everything back when `echo`.
async fn absorb(client: &mut (impl AsyncRead + AsyncWrite + Unpin), echo: bool, mut pace: Pace) -> io::Result<()> {
    let mut buffer = vec![0; SMALL];
    loop {
        let count = client.read(&mut buffer).await?;
        if count == 0 {
            return client.shutdown().await;
        }
        if echo {
            client.write_all(&buffer[..count]).await?;
        }
        pace.passed(count).await;
        if count == buffer.len() && count < BUFFER {
            buffer.resize(BUFFER, 0);
        }
    }
}

/// Writes zeros until the client closes.
async fn source(mut client: impl AsyncWrite + Unpin, mut pace: Pace) -> io::Result<()> {
    let zeros = vec![0; BUFFER];
    loop {
        client.write_all(&zeros).await?;
        pace.passed(zeros.len()).await;
    }
}

/// Keeps a connection to a rate.
struct Pace {
    /// Bytes per second.
    rate: Option<NonZeroU32>,
    begin: Instant,
    passed: usize,
}

impl Pace {
    fn new(rate: Option<NonZeroU32>) -> Self {
        Self { rate, begin: Instant::now(), passed: 0 }
    }

    /// Waits until so many more may have passed.
    async fn passed(&mut self, count: usize) {
        let Some(rate) = self.rate else { return };
        self.passed += count;
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^52 bytes")]
        let due = self.begin + Duration::from_secs_f64(self.passed as f64 / f64::from(rate.get()));
        // Timers count milliseconds; what is less is waited for the next time.
        if due > Instant::now() + Duration::from_millis(1) {
            sleep_until(due).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept() {
        let begin = Instant::now();
        let mut pace = Pace::new(NonZeroU32::new(1_000_000));
        for _ in 0..1000 {
            pace.passed(2_000).await;
        }
        let taken = begin.elapsed().as_secs_f64();
        assert!((1.99..=2.0).contains(&taken), "{taken}");
        Pace::new(None).passed(usize::MAX).await;
        assert!(begin.elapsed().as_secs_f64() <= 2.0);
    }
}
