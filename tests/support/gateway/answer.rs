//! Writing answers, whole or in the pieces a fault asks for.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::options::Fault;

/// Long enough for the other side to see each byte alone, short enough for a test.
const BETWEEN_BYTES: Duration = Duration::from_millis(2);

/// Sends an intermediate answer.
pub(crate) async fn send(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8], fault: Option<Fault>) -> io::Result<()> {
    if fault != Some(Fault::Split) {
        return stream.write_all(bytes).await;
    }
    for byte in bytes {
        stream.write_all(&[*byte]).await?;
        tokio::time::sleep(BETWEEN_BYTES).await;
    }
    Ok(())
}

/// Sends the reply to a request; gives whether the connection is still usable.
pub(crate) async fn reply(
    stream: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
    fault: Option<Fault>,
) -> io::Result<()> {
    if fault == Some(Fault::CloseMidReply) {
        stream.write_all(&bytes[..bytes.len() / 2]).await?;
        stream.shutdown().await?;
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    send(stream, bytes, fault).await
}
