//! What can be measured.
//!
//! ```text
//! getppid N                        nanoseconds of N getppid
//! send N                           nanoseconds of N sendto without an address
//! unix N                           nanoseconds of N connects to an AF_UNIX address
//! sockets N                        nanoseconds of the first socket and close, and of N more
//! connects ADDRESS N               nanoseconds of N connects and closes, after one that isn't timed
//! socks GATEWAY ADDRESS N          the same, speaking SOCKS5 to the gateway itself
//! name HOST PORT                   nanoseconds of getaddrinfo and connect
//! socks-name GATEWAY HOST PORT     nanoseconds of a connect that sends the name
//! crowd ADDRESS N                  nanoseconds of N non-blocking connects at the same time
//! socks-crowd GATEWAY ADDRESS N    the same with N threads that speak SOCKS5 to the gateway
//! take ADDRESS BYTES               nanoseconds of a connect and of reading so many bytes
//! socks-take GATEWAY ADDRESS BYTES the same, speaking SOCKS5 to the gateway itself
//! give ADDRESS BYTES               nanoseconds of a connect and of writing so many bytes, until they are read
//! socks-give GATEWAY ADDRESS BYTES the same, speaking SOCKS5 to the gateway itself
//! memory ADDRESS LIBRARY           KiB of Private_Dirty and Private_Clean of a library, after one connect
//! hold ADDRESS N                   N connects, prints 0, waits for the end of its input, prints 0
//! ```

use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Instant;

use crate::{bulk, calls, crowd, smaps, socks};

/// Any error, told to the user.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Does what the arguments say and prints what came out.
pub(crate) fn run() -> ExitCode {
    match measure() {
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

fn measure() -> Result<String> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["getppid", count] => Ok(calls::getppid(count.parse()?).to_string()),
        ["send", count] => Ok(calls::send_nowhere(count.parse()?)?.to_string()),
        ["unix", count] => Ok(calls::connect_unix(count.parse()?)?.to_string()),
        ["sockets", count] => {
            let (first, more) = calls::sockets(count.parse()?)?;
            Ok(format!("{first} {more}"))
        }
        ["connects", address, count] => {
            let address: SocketAddr = address.parse()?;
            drop(TcpStream::connect(address)?);
            repeated(count.parse()?, || Ok(TcpStream::connect(address).map(drop)?))
        }
        ["socks", gateway, address, count] => {
            let (gateway, request) = (gateway.parse()?, socks::request_address(address.parse()?));
            drop(socks::connect(gateway, &request)?);
            repeated(count.parse()?, || socks::connect(gateway, &request).map(drop))
        }
        ["name", host, port] => {
            let port: u16 = port.parse()?;
            timed(|| {
                let address = (host, port).to_socket_addrs()?.next().ok_or("no address")?;
                Ok(TcpStream::connect(address).map(drop)?)
            })
        }
        ["socks-name", gateway, host, port] => {
            let (gateway, request) = (gateway.parse()?, socks::request_name(host, port.parse()?)?);
            timed(|| socks::connect(gateway, &request).map(drop))
        }
        ["crowd", address, count] => {
            let (address, count) = (address.parse()?, count.parse()?);
            timed(|| crowd::connect_all(address, count).map(drop))
        }
        ["socks-crowd", gateway, address, count] => {
            let (gateway, request) = (gateway.parse()?, socks::request_address(address.parse()?));
            let count = count.parse()?;
            timed(|| crowd::socks_all(gateway, &request, count))
        }
        ["take", address, bytes] => {
            let (address, bytes): (SocketAddr, _) = (address.parse()?, bytes.parse()?);
            timed(|| bulk::take(TcpStream::connect(address)?, bytes))
        }
        ["socks-take", gateway, address, bytes] => {
            let (gateway, request) = (gateway.parse()?, socks::request_address(address.parse()?));
            let bytes = bytes.parse()?;
            timed(|| bulk::take(socks::connect(gateway, &request)?, bytes))
        }
        ["give", address, bytes] => {
            let (address, bytes): (SocketAddr, _) = (address.parse()?, bytes.parse()?);
            timed(|| bulk::give(TcpStream::connect(address)?, bytes))
        }
        ["socks-give", gateway, address, bytes] => {
            let (gateway, request) = (gateway.parse()?, socks::request_address(address.parse()?));
            let bytes = bytes.parse()?;
            timed(|| bulk::give(socks::connect(gateway, &request)?, bytes))
        }
        ["memory", address, library] => {
            drop(TcpStream::connect(address)?);
            let (dirty, clean) = smaps::private(&fs::read_to_string("/proc/self/smaps")?, library);
            Ok(format!("{dirty} {clean}"))
        }
        ["hold", address, count] => {
            let count: u16 = count.parse()?;
            let address: SocketAddr = address.parse()?;
            let streams = (0..count).map(|_| TcpStream::connect(address)).collect::<io::Result<Vec<_>>>()?;
            println!("0");
            io::stdout().flush()?;
            io::stdin().read_to_end(&mut Vec::new())?;
            drop(streams);
            Ok("0".to_owned())
        }
        _ => Err("see the head of bench-probe's cli.rs for its arguments".into()),
    }
}

fn timed(what: impl FnMut() -> Result<()>) -> Result<String> {
    repeated(1, what)
}

fn repeated(count: u32, mut one: impl FnMut() -> Result<()>) -> Result<String> {
    let start = Instant::now();
    for _ in 0..count {
        one()?;
    }
    Ok(start.elapsed().as_nanos().to_string())
}
