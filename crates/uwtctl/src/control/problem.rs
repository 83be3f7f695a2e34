//! Why a control port is of no use, and what to do.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::Place;
use crate::page::one_line;

/// How many letters of an answer are shown.
const SHOWN: usize = 60;

/// Why a control port is of no use; `Display` says what to do, in one line.
#[derive(Debug)]
pub(crate) enum Problem {
    /// What `--control` says names none.
    NoPlace(String),
    /// It cannot be connected to.
    Connect(Place, io::Error),
    /// The connection broke.
    Broken(Place, io::Error),
    /// What listens there does not speak Tor's control protocol.
    Foreign(Place, String),
    /// It wants a password.
    Password(Place),
    /// It takes no password, although there is one.
    NoPassword(Place),
    /// The file of the password cannot be read.
    PasswordFile(PathBuf, io::Error),
    /// It wants a cookie, and that cannot be had.
    Cookie(Place, PathBuf, io::Error),
    /// It wants nothing that we know.
    Methods(Place, String),
    /// It knows another cookie than the one in the file.
    OtherCookie(Place, PathBuf),
    /// It did not accept what it wanted.
    Denied(Place, String),
    /// It refused a command.
    Refused(Place, String, String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPlace(text) => {
                write!(f, "--control {text}: expected ADDRESS:PORT, or the path of Tor's control socket")
            }
            // A socket whose queue is full cannot be connected to either (unix(7)).
            Self::Connect(place @ Place::Unix(_), error) | Self::Broken(place, error) if is_late(error) => {
                write!(f, "the control port {place} does not answer; is it Tor's? name another one with --control")
            }
            Self::Connect(place, error) => connect(f, place, error),
            Self::Broken(place, error) => write!(f, "the control port {place} broke off ({error}); is Tor running?"),
            Self::Foreign(place, line) => {
                write!(
                    f,
                    "{place} is no control port of Tor: it says `{}`; name another one with --control",
                    short(line)
                )
            }
            Self::Password(place) => write!(
                f,
                "the control port {place} wants a password: write it into a file and give it with --password-file; or \
                 set `CookieAuthentication 1` in its torrc"
            ),
            Self::NoPassword(place) => {
                write!(f, "the control port {place} takes no password; leave --password-file out")
            }
            Self::PasswordFile(path, error) => write!(f, "--password-file {}: {error}", path.display()),
            Self::Cookie(place, path, error) if error.kind() == ErrorKind::PermissionDenied => write!(
                f,
                "the cookie of the control port {place}, {}, may not be read: be root or in its group (Debian's is \
                 debian-tor)",
                shown(path)
            ),
            Self::Cookie(place, path, error) => write!(
                f,
                "the cookie of the control port {place}, {}, cannot be read ({error}): if Tor runs on another machine, \
                 run uwtctl there, or set `HashedControlPassword` in its torrc and use --password-file",
                shown(path)
            ),
            Self::Methods(place, methods) => write!(
                f,
                "the control port {place} wants {}, which uwtctl cannot do; set `CookieAuthentication 1` in its torrc",
                short(methods)
            ),
            Self::OtherCookie(place, path) => write!(
                f,
                "{place} does not know the cookie in {}: it may be a file of another Tor; name the right control port \
                 with --control",
                shown(path)
            ),
            Self::Denied(place, line) => write!(
                f,
                "the control port {place} says `{}`: with a password, check the one in --password-file against \
                 `HashedControlPassword` in its torrc",
                short(line)
            ),
            Self::Refused(place, command, line) => write!(
                f,
                "the control port {place} answers {command} with `{}`: a filter before it (onion-grater on a \
                 Whonix-Gateway) may let few commands through; run uwtctl on the gateway, or allow it there in \
                 /etc/onion-grater.d",
                short(line)
            ),
        }
    }
}

impl Error for Problem {}

fn connect(f: &mut fmt::Formatter<'_>, place: &Place, error: &io::Error) -> fmt::Result {
    match (place, error.kind()) {
        (Place::Unix(_), ErrorKind::PermissionDenied) => write!(
            f,
            "the control socket {place} may not be opened: be root or in its group (Debian's is debian-tor: adduser \
             USER debian-tor, then log in again)"
        ),
        (Place::Unix(_), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            write!(f, "no Tor listens on the control socket {place} ({error}); is it running?")
        }
        (Place::Tcp(_), ErrorKind::ConnectionRefused) => write!(
            f,
            "there is no control port at {place} (connection refused): set `ControlPort 9051` and \
             `CookieAuthentication 1` in the torrc there and reload Tor, or name another one with --control"
        ),
        _ => write!(f, "the control port {place} cannot be reached ({error}); name another one with --control"),
    }
}

/// A path that the control port has named.
fn shown(path: &Path) -> String {
    one_line(&path.display().to_string())
}

/// The beginning of what a server said: it may be long.
fn short(line: &str) -> String {
    let mut letters = line.chars();
    let head: String = letters.by_ref().take(SHOWN).collect();
    if letters.next().is_some() { head + "\u{2026}" } else { head }
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
