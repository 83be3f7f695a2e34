//! What `cargo xtask bench` runs under each variant: plain blocking calls of the C library, timed from inside.
//!
//! ```text
//! connects ADDRESS N               nanoseconds of N connects and closes
//! socks GATEWAY ADDRESS N          the same, speaking SOCKS5 to the gateway itself
//! name HOST PORT                   nanoseconds of getaddrinfo and connect
//! socks-name GATEWAY HOST PORT     nanoseconds of a connect that sends the name
//! memory ADDRESS LIBRARY           KiB of Private_Dirty and Private_Clean of a library, after one connect
//! hold ADDRESS                     connects, prints 0, waits for the end of its input, prints 0
//! ```

use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, SocketAddrV4, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Instant;

/// Any error, told to the user.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench-probe: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<String> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["connects", address, count] => {
            let address: SocketAddr = address.parse()?;
            repeated(count.parse()?, || Ok(TcpStream::connect(address).map(drop)?))
        }
        ["socks", gateway, address, count] => {
            let (gateway, address): (SocketAddr, SocketAddrV4) = (gateway.parse()?, address.parse()?);
            let request = request_address(address);
            repeated(count.parse()?, || socks(gateway, &request))
        }
        ["name", host, port] => {
            let port: u16 = port.parse()?;
            repeated(1, || {
                let address = (host, port).to_socket_addrs()?.next().ok_or("no address")?;
                Ok(TcpStream::connect(address).map(drop)?)
            })
        }
        ["socks-name", gateway, host, port] => {
            let gateway: SocketAddr = gateway.parse()?;
            let request = request_name(host, port.parse()?)?;
            repeated(1, || socks(gateway, &request))
        }
        ["memory", address, library] => {
            drop(TcpStream::connect(address)?);
            let (dirty, clean) = private(&fs::read_to_string("/proc/self/smaps")?, library);
            Ok(format!("{dirty} {clean}"))
        }
        ["hold", address] => {
            drop(TcpStream::connect(address)?);
            println!("0");
            io::stdout().flush()?;
            io::stdin().read_to_end(&mut Vec::new())?;
            Ok("0".to_owned())
        }
        _ => Err("see the head of bench-probe.rs for its arguments".into()),
    }
}

fn repeated(count: u32, mut one: impl FnMut() -> Result<()>) -> Result<String> {
    let start = Instant::now();
    for _ in 0..count {
        one()?;
    }
    Ok(start.elapsed().as_nanos().to_string())
}

/// Greeting (RFC 1928, username/password only), credential (RFC 1929) and the head of a CONNECT.
const HEAD: &[u8] = b"\x05\x01\x02\x01\x05bench\x010\x05\x01\x00";

fn request_address(address: SocketAddrV4) -> Vec<u8> {
    [HEAD, &[1], &address.ip().octets(), &address.port().to_be_bytes()].concat()
}

fn request_name(host: &str, port: u16) -> Result<Vec<u8>> {
    let length = u8::try_from(host.len())?;
    Ok([HEAD, &[3, length], host.as_bytes(), &port.to_be_bytes()].concat())
}

/// One connection: everything sent at once, the answer read to its end, closed.
fn socks(gateway: SocketAddr, request: &[u8]) -> Result<()> {
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
    Ok(())
}

/// Sums over the mappings of the library and the nameless one right behind them, its zero-initialised data.
fn private(smaps: &str, library: &str) -> (u64, u64) {
    let (mut dirty, mut clean) = (0, 0);
    let mut counts = false;
    let mut end_of_library = "";
    for line in smaps.lines() {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        if let Some((start, end)) = first.split_once('-') {
            let path = words.nth(4).unwrap_or_default();
            counts = path.contains(library) || (path.is_empty() && start == end_of_library);
            if counts {
                end_of_library = end;
            }
        } else if counts {
            let size = words.next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
            match first {
                "Private_Dirty:" => dirty += size,
                "Private_Clean:" => clean += size,
                _ => {}
            }
        }
    }
    (dirty, clean)
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

    #[test]
    fn only_the_library_and_its_bss_count() {
        let smaps = "\
            1000-2000 r-xp 00000000 fe:00 7 /x/libuwt_preload.so\nPrivate_Clean: 4 kB\nPrivate_Dirty: 0 kB\n\
            2000-3000 rw-p 00001000 fe:00 7 /x/libuwt_preload.so\nPrivate_Clean: 0 kB\nPrivate_Dirty: 8 kB\n\
            3000-4000 rw-p 00000000 00:00 0\nPrivate_Clean: 0 kB\nPrivate_Dirty: 16 kB\n\
            5000-6000 rw-p 00000000 00:00 0\nPrivate_Dirty: 32 kB\n\
            7000-8000 r-xp 00000000 fe:00 9 /lib/libc.so.6\nPrivate_Dirty: 64 kB\n";
        assert_eq!(private(smaps, "libuwt_preload"), (24, 4));
        assert_eq!(private(smaps, "libtorsocks"), (0, 0));
    }
}
