//! The web server of the lab, for all its names: plain pages, files, git, and the keyserver.

use std::io::{BufReader, BufWriter};
use std::net::{SocketAddr, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;

use super::cgi;
use super::message::{Answer, Message};
use super::server::Server;

/// What the web server serves.
#[derive(Clone, Debug)]
pub struct Site {
    /// Directory of plain files, e.g. `debian/` of the package mirror.
    pub files: PathBuf,
    /// Directory of bare git repositories, served below `/git/` (smart protocol) and as plain files below `/dumb/`.
    pub repositories: PathBuf,
    /// An armored `OpenPGP` key, the answer to every HKP lookup.
    pub key: PathBuf,
}

/// Starts the server. It serves:
/// - `/big/N`: N bytes, byte i being 33 + i mod 89 (printable, and the period is prime);
/// - `/git/NAME`, `/dumb/NAME`: git repositories;
/// - `/pks/lookup?op=get…`: the key (HKP);
/// - files;
/// - anything else below `/`: a JSON object that describes the request (`/` and `/echo…`), 404 otherwise.
///
/// # Errors
/// When the address cannot be bound.
pub fn start(address: SocketAddr, site: Site) -> Result<Server> {
    let site = Arc::new(site);
    Server::start(address, move |stream| {
        // The connection ends here, whatever went wrong with it.
        let _ = connection(&stream, &site);
    })
}

/// Serves requests until the client has enough.
fn connection(stream: &TcpStream, site: &Site) -> std::io::Result<()> {
    let peer = stream.peer_addr()?;
    // A wildcard socket shows IPv4 peers as ::ffff:a.b.c.d.
    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    let mut input = BufReader::new(stream);
    let mut output = BufWriter::new(stream);
    while let Some(request) = Message::read(&mut input, &mut output)? {
        let answer = answer(&request, peer, site);
        answer.send(&mut output, request.method == "HEAD")?;
        if !request.keep_alive() {
            break;
        }
    }
    Ok(())
}

/// The answer to one request.
fn answer(request: &Message, peer: SocketAddr, site: &Site) -> Answer {
    let path = request.path.as_str();
    if path == "/" || path.starts_with("/echo") {
        return Answer::ok("application/json", describe(request, peer));
    }
    if let Some(size) = path.strip_prefix("/big/") {
        return size.parse().map_or_else(|_| Answer::not_found(), big);
    }
    if path.starts_with("/git/") {
        return cgi::git(request, &site.repositories, peer).unwrap_or_else(|error| Answer {
            status: "500 Internal Server Error".to_owned(),
            ..Answer::ok("text/plain", format!("{error:#}\n").into_bytes())
        });
    }
    if let Some(path) = path.strip_prefix("/dumb/") {
        return file(&site.repositories, path);
    }
    if path == "/pks/lookup" {
        return match std::fs::read(&site.key) {
            Ok(key) if request.query.contains("op=get") => Answer::ok("application/pgp-keys", key),
            _ => Answer::not_found(),
        };
    }
    file(&site.files, path)
}

/// A plain file.
fn file(root: &Path, path: &str) -> Answer {
    let path = Path::new(path.trim_start_matches('/'));
    let harmless = path.components().all(|part| matches!(part, Component::Normal(_)));
    match std::fs::read(root.join(path)) {
        Ok(bytes) if harmless => Answer::ok("application/octet-stream", bytes),
        _ => Answer::not_found(),
    }
}

/// Bytes that show a gap or a repetition.
fn big(size: usize) -> Answer {
    let pattern: Vec<u8> = (33..33 + 89).collect();
    let body = pattern.iter().copied().cycle().take(size).collect();
    Answer::ok("application/octet-stream", body)
}

/// A request as JSON.
fn describe(request: &Message, peer: SocketAddr) -> Vec<u8> {
    let headers: serde_json::Map<_, _> =
        request.headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let value = serde_json::json!({
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": headers,
        "body": String::from_utf8_lossy(&request.body),
        "peer": peer.to_string(),
    });
    format!("{value}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stay_inside_their_directory() {
        let dir = tempfile::tempdir().expect("directory");
        let inner = dir.path().join("inner");
        std::fs::create_dir(&inner).expect("inner");
        std::fs::write(dir.path().join("secret"), "x").expect("file");
        std::fs::write(inner.join("page"), "y").expect("file");
        assert_eq!(file(&inner, "/page").body, b"y");
        for bad in ["/../secret", "//../secret", "/none", "/"] {
            assert_eq!(file(&inner, bad).status, "404 Not Found", "{bad}");
        }
    }

    #[test]
    fn big_is_a_pattern() {
        assert_eq!(big(91).body[87..], [120, 121, 33, 34]);
    }
}
