//! What can be measured.
//!
//! ```text
//! getppid N           nanoseconds of N getppid
//! send N              nanoseconds of N sendto without an address
//! unix N              nanoseconds of N connects to an AF_UNIX address
//! sockets N           nanoseconds of the first socket and close, and of N more
//! once VIA            nanoseconds of one connection
//! connects VIA N      nanoseconds of N connects and closes, after one that isn't timed
//! crowd VIA N         nanoseconds of N connections at the same time; each is tried afterwards: the other side echoes
//! byte VIA            nanoseconds from before the connect until a byte has come back
//! take VIA BYTES      nanoseconds of a connect and of reading so many bytes
//! give VIA BYTES      nanoseconds of a connect and of writing so many bytes, until they are read
//! memory VIA LIBRARY  KiB of Private_Dirty and Private_Clean of a library, after one connect
//! hold VIA            reads numbers, a line each; has so many connections and prints the number
//! ```
//!
//! VIA says how a connection is made and where to, see [`Via`].

use std::env;
use std::fs;
use std::io::Read;
use std::process::ExitCode;
use std::time::Instant;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::via::Via;
use crate::{bulk, calls, crowd, hold, smaps};

/// Any error, told to the user.
pub(crate) type Error = Box<dyn std::error::Error>;
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Does what the arguments say and prints what came out.
pub(crate) fn run() -> ExitCode {
    match measure() {
        Ok(numbers) => {
            if !numbers.is_empty() {
                let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                println!("{}", words.join(" "));
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench-probe: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<Vec<u128>> {
    // Thousands of connections need as many descriptors; where that is forbidden, one of them says so.
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["getppid", count] => Ok(vec![calls::getppid(count.parse()?)]),
        ["send", count] => Ok(vec![calls::send_nowhere(count.parse()?)?]),
        ["unix", count] => Ok(vec![calls::connect_unix(count.parse()?)?]),
        ["sockets", count] => {
            let (first, more) = calls::sockets(count.parse()?)?;
            Ok(vec![first, more])
        }
        [what, via, ref rest @ ..] => connected(what, &via.parse()?, rest),
        _ => usage(),
    }
}

fn connected(what: &str, via: &Via, rest: &[&str]) -> Result<Vec<u128>> {
    match (what, rest) {
        ("once", []) => timed(|| via.open().map(drop)),
        ("connects", [count]) => {
            let count: u32 = count.parse()?;
            drop(via.open()?);
            timed(|| (0..count).try_for_each(|_| via.open().map(drop)))
        }
        ("crowd", [count]) => {
            let count = count.parse()?;
            let mut streams = Vec::new();
            let took = timed(|| {
                streams = crowd::connect_all(via, count)?;
                Ok(())
            })?;
            crowd::try_each(&streams)?;
            Ok(took)
        }
        ("byte", []) => timed(|| Ok(via.open_with(b"?")?.read_exact(&mut [0])?)),
        ("take", [bytes]) => {
            let bytes = bytes.parse()?;
            timed(|| bulk::take(via.open()?, bytes))
        }
        ("give", [bytes]) => {
            let bytes = bytes.parse()?;
            timed(|| bulk::give(via.open()?, bytes))
        }
        ("memory", [library]) => {
            drop(via.open()?);
            let (dirty, clean) = smaps::private(&fs::read_to_string("/proc/self/smaps")?, library);
            Ok(vec![dirty.into(), clean.into()])
        }
        ("hold", []) => hold::run(via).map(|()| Vec::new()),
        _ => usage(),
    }
}

fn usage<T>() -> Result<T> {
    Err("see the head of bench-probe's cli.rs for its arguments".into())
}

fn timed(what: impl FnOnce() -> Result<()>) -> Result<Vec<u128>> {
    let start = Instant::now();
    what()?;
    Ok(vec![start.elapsed().as_nanos()])
}
