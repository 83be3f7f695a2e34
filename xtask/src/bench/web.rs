//! A web server with one page.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use anyhow::{Context, Result};

const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes";

/// Serves on a free port of loopback for as long as this process lives; says where.
pub(super) fn serve() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("a port for the web server")?;
    let address = listener.local_addr()?;
    thread::Builder::new().name("web".to_owned()).spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that went away has nobody to tell.
            let _ = answer(stream);
        }
    })?;
    Ok(address)
}

/// One request, to the empty line that ends it, and the page.
fn answer(mut stream: TcpStream) -> Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while !lines.next().context("the end")??.is_empty() {}
    Ok(stream.write_all(PAGE)?)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn every_request_gets_the_page() {
        let address = serve().expect("a server");
        for _ in 0..2 {
            let mut stream = TcpStream::connect(address).expect("connected");
            stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).expect("an answer");
            assert_eq!(answer, PAGE);
        }
    }
}
