//! The least that a SOCKS5 client must do.

use std::io::{Read, Write};
use std::net::{SocketAddr, SocketAddrV4, TcpStream};

use super::cli::Result;

/// Greeting (RFC 1928, username/password only), credential (RFC 1929) and the head of a CONNECT.
const HEAD: &[u8] = b"\x05\x01\x02\x01\x05bench\x010\x05\x01\x00";

/// What asks for a connection to an address.
pub(crate) fn request_address(address: SocketAddrV4) -> Vec<u8> {
    [HEAD, &[1], &address.ip().octets(), &address.port().to_be_bytes()].concat()
}

/// What asks for a connection to a name.
pub(crate) fn request_name(host: &str, port: u16) -> Result<Vec<u8>> {
    let length = u8::try_from(host.len())?;
    Ok([HEAD, &[3, length], host.as_bytes(), &port.to_be_bytes()].concat())
}

/// One connection: everything sent at once, the answer read to its end.
pub(crate) fn connect(gateway: SocketAddr, request: &[u8]) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(gateway)?;
    stream.write_all(request)?;
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
    stream.read_exact(&mut [0; 18][..rest])?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_as_on_the_wire() {
        let address = request_address("203.0.113.5:80".parse().expect("an address"));
        assert_eq!(address, b"\x05\x01\x02\x01\x05bench\x010\x05\x01\x00\x01\xcb\x00\x71\x05\x00\x50");
        let name = request_name("a.example", 443).expect("short enough");
        assert!(name.ends_with(b"\x05\x01\x00\x03\x09a.example\x01\xbb"));
        assert!(request_name(&"a".repeat(256), 1).is_err());
    }
}
