//! A gateway on threads: what it does with a connection depends on the port that is asked for.

use std::io::{self, Read, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

/// Refused with the reply code of the same number.
pub(crate) const REFUSALS: std::ops::Range<u16> = 1..7;
/// Sends everything back.
pub(crate) const ECHO: u16 = 7;
/// Is never granted.
pub(crate) const NEVER: u16 = 9;
/// Is reset after the first byte.
pub(crate) const RESET: u16 = 11;
/// Says who asked for what, and closes.
pub(crate) const REPORT: u16 = 13;
/// Says how many connections to [`NEVER`] there are.
pub(crate) const WAITING: u16 = 15;
/// Sends everything back, but is granted only after [`DELAY`].
pub(crate) const LATER: u16 = 17;
/// Counts what is sent until the end, and says so.
pub(crate) const COUNT: u16 = 19;
/// Sends [`MUCH`] bytes.
pub(crate) const SOURCE: u16 = 21;

pub(crate) const DELAY: Duration = Duration::from_millis(300);
pub(crate) const MUCH: usize = 1 << 30;

/// Addresses outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outside {
    pub(crate) gateway: SocketAddr,
    /// Services of the host's loopback device, which send everything back.
    pub(crate) echo: [SocketAddr; 2],
}

impl Outside {
    /// Starts everything.
    pub(crate) fn start() -> Self {
        let waiting = Arc::new(AtomicUsize::new(0));
        let gateway = serve(Ipv4Addr::LOCALHOST.into(), move |stream| gateway(stream, &waiting));
        Self { gateway, echo: [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()].map(|ip| serve(ip, echo)) }
    }
}

fn serve(ip: IpAddr, act: impl Fn(TcpStream) -> io::Result<()> + Clone + Send + 'static) -> SocketAddr {
    let socket = Socket::new(Domain::for_address((ip, 0).into()), Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((ip, 0)).into()).unwrap();
    // Hundreds of connections come at once.
    socket.listen(1024).unwrap();
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let act = act.clone();
            // A connection that breaks concerns its test alone, which sees the other end.
            std::thread::spawn(move || stream.and_then(act));
        }
    });
    address
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let len = stream.read(&mut buffer)?;
        if len == 0 {
            return stream.shutdown(Shutdown::Write);
        }
        stream.write_all(&buffer[..len])?;
    }
}

fn gateway(mut stream: TcpStream, waiting: &AtomicUsize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    assert_eq!(take::<4>(&mut stream)?, [5, 1, 2, 1], "one method, and the credential with it");
    let username = take_string(&mut stream)?;
    let _password = take_string(&mut stream)?;
    let [_, _, _, kind] = take::<4>(&mut stream)?;
    let target = match kind {
        1 => Ipv4Addr::from(take::<4>(&mut stream)?).to_string(),
        4 => Ipv6Addr::from(take::<16>(&mut stream)?).to_string(),
        _ => take_string(&mut stream)?,
    };
    let port = u16::from_be_bytes(take(&mut stream)?);
    match port {
        NEVER => {
            waiting.fetch_add(1, Ordering::SeqCst);
            let ended = stream.read(&mut [0]);
            waiting.fetch_sub(1, Ordering::SeqCst);
            return ended.map(drop);
        }
        LATER => std::thread::sleep(DELAY),
        _ => {}
    }
    let code = if REFUSALS.contains(&port) { port.to_be_bytes()[1] } else { 0 };
    stream.write_all(&[5, 2, 1, 0, 5, code, 0, 1, 0, 0, 0, 0, 0, 0])?;
    match port {
        ECHO | LATER => echo(stream),
        RESET => {
            stream.read_exact(&mut [0])?;
            SockRef::from(&stream).set_linger(Some(Duration::ZERO))
        }
        REPORT => stream.write_all(format!("{username} {target}").as_bytes()),
        WAITING => stream.write_all(waiting.load(Ordering::SeqCst).to_string().as_bytes()),
        COUNT => {
            let mut buffer = vec![0; 1 << 18];
            let mut sum = 0;
            loop {
                match stream.read(&mut buffer)? {
                    0 => return stream.write_all(sum.to_string().as_bytes()),
                    len => sum += len,
                }
            }
        }
        SOURCE => {
            let block = vec![0; 1 << 18];
            (0..MUCH / block.len()).try_for_each(|_| stream.write_all(&block))
        }
        _ => Ok(()),
    }
}

fn take<const LEN: usize>(stream: &mut impl Read) -> io::Result<[u8; LEN]> {
    let mut bytes = [0; LEN];
    stream.read_exact(&mut bytes).map(|()| bytes)
}

fn take_string(stream: &mut impl Read) -> io::Result<String> {
    let [len] = take(stream)?;
    let mut bytes = vec![0; usize::from(len)];
    stream.read_exact(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
