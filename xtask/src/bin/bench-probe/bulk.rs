//! Bytes in bulk through one connection.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use super::cli::Result;

/// What is read and written at a time.
const BUFFER: usize = 256 * 1024;

/// Reads so many bytes.
pub(crate) fn take(mut stream: TcpStream, bytes: u64) -> Result<()> {
    let mut buffer = vec![0; BUFFER];
    let mut taken = 0;
    while taken < bytes {
        match stream.read(&mut buffer)? {
            0 => return Err(format!("the end after {taken} bytes").into()),
            count => taken += u64::try_from(count)?,
        }
    }
    Ok(())
}

/// Writes so many bytes and waits until the other side has read them all: it closes then.
pub(crate) fn give(mut stream: TcpStream, bytes: u64) -> Result<()> {
    let buffer = vec![0; BUFFER];
    let mut left = bytes;
    while left > 0 {
        let count = usize::try_from(left).map_or(BUFFER, |left| left.min(BUFFER));
        stream.write_all(&buffer[..count])?;
        left -= u64::try_from(count)?;
    }
    stream.shutdown(Shutdown::Write)?;
    match stream.read(&mut [0])? {
        0 => Ok(()),
        _ => Err("an answer from a sink".into()),
    }
}
