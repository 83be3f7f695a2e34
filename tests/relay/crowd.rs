//! A program that connects a lot, on tokio: `crowd ADDRESS STEP…` runs `at-once N` (each connection carries two bytes both
//! ways), `in-turn N` and `pause` (says so and waits for a line on its standard input), and says `N in MS ms` for each of
//! the first two.
//!
//! The servers obey (`support::peer`).

use std::io::BufRead as _;
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

fn main() -> Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    let mut words = std::env::args().skip(1);
    let address: SocketAddr = words.next().context("no address")?.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    while let Some(step) = words.next() {
        if step == "pause" {
            println!("paused");
            std::io::stdin().lock().read_line(&mut String::new())?;
            continue;
        }
        let count = words.next().context("no number")?.parse()?;
        let begin = Instant::now();
        match step.as_str() {
            "at-once" => runtime.block_on(at_once(address, count))?,
            "in-turn" => runtime.block_on(in_turn(address, count))?,
            other => bail!("no step {other}"),
        }
        println!("{count} in {} ms", begin.elapsed().as_millis());
    }
    Ok(())
}

/// All of them are connected before the first one is closed.
async fn at_once(address: SocketAddr, count: usize) -> Result<()> {
    let mut connecting = JoinSet::new();
    for _ in 0..count {
        connecting.spawn(talk(address));
    }
    let connected = connecting.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    ensure!(connected.len() == count);
    Ok(())
}

/// A connection that has shown that it carries.
async fn talk(address: SocketAddr) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"echo\nhi").await?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await?;
    ensure!(answer == *b"hi", "{answer:?}");
    Ok(stream)
}

/// Each is closed before the next one begins.
async fn in_turn(address: SocketAddr, count: usize) -> Result<()> {
    for number in 0..count {
        drop(TcpStream::connect(address).await.with_context(|| format!("connection {number}"))?);
    }
    Ok(())
}
