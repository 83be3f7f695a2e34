//! The least that a SOCKS5 client must do.

use std::io::{Read, Write};
use std::net::{SocketAddr, SocketAddrV4, TcpStream};

use super::cli::Result;

/// Greeting (RFC 1928, username/password only), credential (RFC 1929) and the head of a CONNECT.
const HEAD: &[u8] = b"\x05\x01\x02\x01\x05bench\x010\x05\x01\x00";

/// What asks for a connection to a target: an IPv4 address or a name, and a port.
pub(crate) fn connect_to(target: &str) -> Result<Vec<u8>> {
    if let Ok(address) = target.parse::<SocketAddrV4>() {
        return Ok([HEAD, &[1], &address.ip().octets(), &address.port().to_be_bytes()].concat());
    }
    let (host, port) = target.rsplit_once(':').ok_or("a target has the form HOST:PORT")?;
    let port: u16 = port.parse()?;
    Ok([HEAD, &[3, u8::try_from(host.len())?], host.as_bytes(), &port.to_be_bytes()].concat())
}

/// Sends everything at once.
pub(crate) fn request(gateway: SocketAddr, request: &[u8]) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(gateway)?;
    stream.set_nodelay(true)?;
    stream.write_all(request)?;
    Ok(stream)
}

/// Reads the answer to its end; what is behind it is left alone.
pub(crate) fn reply(mut stream: &TcpStream) -> Result<()> {
    let mut answer = [0; 2];
    stream.read_exact(&mut answer)?;
    if answer[0] == 5 {
        // Tor leaves the method's line out when everything came in one segment.
        stream.read_exact(&mut answer)?;
    }
    if answer != [1, 0] {
        return Err(format!("the gateway answered {answer:02x?} to the credential").into());
    }
    let mut head = [0; 4];
    stream.read_exact(&mut head)?;
    let rest = match head {
        [5, 0, _, 1] => 6,
        [5, 0, _, 4] => 18,
        _ => return Err(format!("the gateway answered {head:02x?} to CONNECT").into()),
    };
    Ok(stream.read_exact(&mut [0; 18][..rest])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_as_on_the_wire() {
        let address = connect_to("203.0.113.5:80").expect("an address");
        assert_eq!(address, b"\x05\x01\x02\x01\x05bench\x010\x05\x01\x00\x01\xcb\x00\x71\x05\x00\x50");
        let name = connect_to("a.example:443").expect("short enough");
        assert!(name.ends_with(b"\x05\x01\x00\x03\x09a.example\x01\xbb"));
        assert!(connect_to(&format!("{}:1", "a".repeat(256))).is_err());
        assert!(connect_to("a.example").is_err());
    }
}
