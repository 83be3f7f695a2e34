//! What a control port wants before it answers (control-spec, PROTOCOLINFO, AUTHCHALLENGE, AUTHENTICATE).

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::words::{from_hex, hex, quoted, text, value};
use super::{Control, Problem};

/// The length of a cookie, in bytes.
const COOKIE: usize = 32;
/// The longest password, in bytes.
const PASSWORD: u64 = 1024;
/// The keys of the two proofs.
const SERVER: &[u8] = b"Tor safe cookie authentication server-to-controller hash";
const CLIENT: &[u8] = b"Tor safe cookie authentication controller-to-server hash";

/// What PROTOCOLINFO says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    methods: String,
    cookie: Option<PathBuf>,
    /// Tor's version, as far as it is said.
    pub(super) version: Option<String>,
}

impl Wanted {
    /// From the lines of the reply; `None` where it doesn't say how to go on.
    pub(super) fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut wanted = Self::default();
        let mut complete = false;
        for line in lines {
            if let Some(methods) = line.strip_prefix("AUTH ") {
                wanted.methods = text(methods, "METHODS")?;
                wanted.cookie = value(methods, "COOKIEFILE").map(|path| OsString::from_vec(path.into_owned()).into());
                complete = true;
            } else if let Some(version) = line.strip_prefix("VERSION ") {
                wanted.version = text(version, "Tor");
            }
        }
        complete.then_some(wanted)
    }

    fn has(&self, method: &str) -> bool {
        self.methods.split(',').any(|one| one == method)
    }
}

/// Gives the control port what it wants.
///
/// # Errors
/// It cannot be had, or is not accepted.
pub(super) fn authenticate(control: &mut Control, wanted: &Wanted, password: Option<&Path>) -> Result<(), Problem> {
    let place = || control.place.clone();
    let proof = if let Some(path) = password {
        // Where nothing is wanted anything is accepted.
        if !wanted.has("HASHEDPASSWORD") && !wanted.has("NULL") {
            return Err(Problem::NoPassword(place()));
        }
        quoted(&secret(path).map_err(|error| Problem::PasswordFile(path.to_owned(), error))?)
    } else if wanted.has("NULL") {
        String::new()
    } else if let Some(path) = wanted.cookie.as_deref().filter(|_| wanted.has("SAFECOOKIE") || wanted.has("COOKIE")) {
        match cookie(path) {
            Ok(cookie) if wanted.has("SAFECOOKIE") => prove(control, path, &cookie)?,
            Ok(cookie) => hex(&cookie),
            Err(_) if wanted.has("HASHEDPASSWORD") && !path.exists() => return Err(Problem::Password(place())),
            Err(error) => return Err(Problem::Cookie(place(), path.to_owned(), error)),
        }
    } else if wanted.has("HASHEDPASSWORD") {
        return Err(Problem::Password(place()));
    } else {
        return Err(Problem::Methods(place(), wanted.methods.clone()));
    };
    let reply = control.ask(format!("AUTHENTICATE {proof}").trim_end())?;
    if reply.is_good() { Ok(()) } else { Err(Problem::Denied(control.place.clone(), reply.shown())) }
}

/// The password in a file. Behind a line's end the control port would read another command.
fn secret(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(PASSWORD + 1).read_to_string(&mut text)?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    if text.len() as u64 > PASSWORD || text.contains(['\r', '\n', '\0']) {
        return Err(io::Error::new(ErrorKind::InvalidData, "expected one line, the password"));
    }
    Ok(text)
}

/// The content of the cookie's file. Whoever poses as a control port names the file: it is sent to nobody unless it has
/// the length of a cookie.
fn cookie(path: &Path) -> io::Result<[u8; COOKIE]> {
    let mut bytes = Vec::new();
    File::open(path)?.take(COOKIE as u64 + 1).read_to_end(&mut bytes)?;
    bytes.try_into().map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is no cookie: not 32 bytes long"))
}

/// The proof that we know the cookie, for one that Tor knows it.
fn prove(control: &mut Control, path: &Path, cookie: &[u8; COOKIE]) -> Result<String, Problem> {
    let mut ours = [0; 32];
    getrandom::fill(&mut ours).map_err(|error| Problem::Broken(control.place.clone(), error.into()))?;
    let reply = control.ask(&format!("AUTHCHALLENGE SAFECOOKIE {}", hex(&ours)))?;
    let line = reply.lines.first().map_or("", |line| &line.text);
    let field = |key| text(line, key).and_then(|digits| from_hex(&digits));
    let (true, Some(hash), Some(theirs)) = (reply.is_good(), field("SERVERHASH"), field("SERVERNONCE")) else {
        return Err(Problem::Denied(control.place.clone(), reply.shown()));
    };
    if keyed(SERVER, cookie, &ours, &theirs).verify_slice(&hash).is_err() {
        return Err(Problem::OtherCookie(control.place.clone(), path.to_owned()));
    }
    Ok(hex(&keyed(CLIENT, cookie, &ours, &theirs).finalize().into_bytes()))
}

fn keyed(key: &[u8], cookie: &[u8; COOKIE], ours: &[u8], theirs: &[u8]) -> Hmac<Sha256> {
    // A key of any length will do, so there is none that is refused.
    let mut hash = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&[0; 64].into()));
    for part in [cookie, ours, theirs] {
        hash.update(part);
    }
    hash
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_wanted() {
        let lines = [
            "PROTOCOLINFO 1",
            "AUTH METHODS=COOKIE,SAFECOOKIE,HASHEDPASSWORD COOKIEFILE=\"/run/tor/a \\303\\244\"",
            "VERSION Tor=\"0.4.9.11\"",
            "OK",
        ];
        let wanted = Wanted::parse(lines.into_iter()).unwrap();
        assert!(wanted.has("SAFECOOKIE") && wanted.has("COOKIE") && !wanted.has("SAFE") && !wanted.has("NULL"));
        assert_eq!(wanted.cookie.as_deref(), Some(Path::new("/run/tor/a ä")));
        assert_eq!(wanted.version.as_deref(), Some("0.4.9.11"));
        assert_eq!(Wanted::parse(["PROTOCOLINFO 1", "OK"].into_iter()), None);
    }

    #[test]
    fn only_a_file_as_long_as_a_cookie_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cookie");
        for length in [0, 31, 33, 4000] {
            fs::write(&path, vec![7; length]).unwrap();
            assert_eq!(cookie(&path).unwrap_err().kind(), ErrorKind::InvalidData, "{length}");
        }
        fs::write(&path, [7; 32]).unwrap();
        assert_eq!(cookie(&path).unwrap(), [7; 32]);
    }

    #[test]
    fn a_password_is_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        for (content, password) in [("a b \n", Some("a b ")), ("a\r\n", Some("a")), ("", Some(""))] {
            fs::write(&path, content).unwrap();
            assert_eq!(secret(&path).ok().as_deref(), password, "{content:?}");
        }
        let long = "a".repeat(2000);
        for content in ["a\nSIGNAL HALT\n", "a\rb", "a\0", &long] {
            fs::write(&path, content).unwrap();
            assert_eq!(secret(&path).unwrap_err().kind(), ErrorKind::InvalidData, "{content:?}");
        }
    }

    #[test]
    fn proofs_differ_by_direction_and_nonce() {
        let proof = |key, ours| hex(&keyed(key, &[1; 32], ours, b"theirs").finalize().into_bytes());
        assert_eq!(proof(CLIENT, b"a").len(), 64);
        assert_ne!(proof(CLIENT, b"a"), proof(SERVER, b"a"));
        assert_ne!(proof(CLIENT, b"a"), proof(CLIENT, b"b"));
    }
}
