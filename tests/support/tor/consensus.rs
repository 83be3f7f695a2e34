//! What the authorities have agreed on so far (dir-spec, directory over HTTP).

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An authority on loopback answers at once or not at all.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many running relays, and how many running exits, the current consensus lists; `None` while there is none.
pub(crate) fn relays(directory: SocketAddr) -> Option<(usize, usize)> {
    let mut stream = TcpStream::connect_timeout(&directory, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(b"GET /tor/status-vote/current/consensus-microdesc HTTP/1.0\r\n\r\n").ok()?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    text.starts_with("HTTP/1.0 200").then(|| count(&text))
}

/// Counts the flag lines, e.g. `s Exit Fast Guard HSDir Running Stable V2Dir Valid`.
fn count(consensus: &str) -> (usize, usize) {
    let flags = consensus.lines().filter_map(|line| line.strip_prefix("s "));
    let running: Vec<&str> = flags.filter(|flags| has(flags, "Running")).collect();
    let exits = running.iter().filter(|flags| has(flags, "Exit")).count();
    (running.len(), exits)
}

/// Whether a flag line has a flag.
fn has(flags: &str, flag: &str) -> bool {
    flags.split(' ').any(|word| word == flag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_running_relays_and_exits() {
        let text = "r relay0 x\ns Exit Running Valid\nr auth0 x\ns Authority Running V2Dir\nr gone x\ns Exit Valid\n";
        assert_eq!(count(text), (2, 1));
        assert_eq!(count(""), (0, 0));
    }
}
