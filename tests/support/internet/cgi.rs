//! git over HTTP: `git http-backend` as a CGI program (RFC 3875, git-http-backend(1)).

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use super::message::{Answer, Message};
use crate::process::find;

/// Runs the backend for one request.
///
/// # Errors
/// When git is missing or answers nonsense.
pub fn git(request: &Message, repositories: &Path, peer: SocketAddr) -> Result<Answer> {
    let mut command = Command::new(find("git"));
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", repositories)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", request.path.trim_start_matches("/git"))
        .env("QUERY_STRING", &request.query)
        .env("REQUEST_METHOD", &request.method)
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("REMOTE_ADDR", peer.ip().to_string())
        .env("GATEWAY_INTERFACE", "CGI/1.1");
    let passed = [
        ("content-type", "CONTENT_TYPE"),
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ("git-protocol", "GIT_PROTOCOL"),
        ("git-protocol", "HTTP_GIT_PROTOCOL"),
    ];
    for (header, variable) in passed {
        if let Some(value) = request.header(header) {
            command.env(variable, value);
        }
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .context("start git http-backend")?;
    let stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        scope.spawn(|| {
            // A backend that answers without reading is within its rights.
            let _ = stdin.map(|mut pipe| pipe.write_all(&request.body));
        });
        child.wait_with_output()
    })?;
    parse(&output.stdout)
}

/// From CGI output to an answer.
fn parse(output: &[u8]) -> Result<Answer> {
    let end = output.windows(4).position(|window| window == b"\r\n\r\n").context("no CGI header")?;
    let mut answer = Answer { status: "200 OK".to_owned(), headers: Vec::new(), body: output[end + 4..].to_vec() };
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        let (name, value) = line.split_once(':').context("bad CGI header")?;
        match name {
            "Status" => value.trim().clone_into(&mut answer.status),
            _ => answer.headers.push((name.to_owned(), value.trim().to_owned())),
        }
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_headers() {
        let answer = parse(b"Status: 403 Forbidden\r\nContent-Type: text/plain\r\n\r\nno").expect("answer");
        assert_eq!((answer.status.as_str(), answer.body.as_slice()), ("403 Forbidden", &b"no"[..]));
        assert_eq!(answer.headers, [("Content-Type".to_owned(), "text/plain".to_owned())]);
        assert!(parse(b"fatal").is_err());
    }
}
